# SPDX-License-Identifier: Apache-2.0
"""The Python library: it upgrades by itself and reads the raw socket."""

import os
import socket
import ssl

import docker
import pytest

LANES = "few"


@pytest.fixture
def client(lane):
    folder = lane.gate.env()["DOCKER_CERT_PATH"]
    tls = docker.tls.TLSConfig(
        client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
        ca_cert=os.path.join(folder, "ca.pem"), verify=True,
        # Its own choice is TLS 1.2 alone.
        ssl_version=ssl.PROTOCOL_TLS_CLIENT)
    client = docker.DockerClient(base_url=f"https://127.0.0.1:{lane.gate.port}",
                                 tls=tls, version="auto", timeout=60)
    yield client
    client.close()


def test_run_and_logs(client):
    out = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"],
                                remove=True, stdout=True, stderr=True)
    assert sorted(out.split()) == [b"err", b"out"]
    with pytest.raises(docker.errors.ContainerError) as failed:
        client.containers.run("busybox", ["sh", "-c", "exit 7"], remove=True)
    assert failed.value.exit_status == 7


def test_create_start_follow_wait(client):
    container = client.containers.create("busybox", ["seq", "1000"])
    try:
        container.start()
        followed = b"".join(container.logs(stream=True, follow=True))
        assert followed == b"".join(b"%d\n" % n for n in range(1, 1001))
        assert container.wait()["StatusCode"] == 0
    finally:
        container.remove(force=True)


def test_exec(client, name):
    container = client.containers.run("busybox", ["sleep", "600"], detach=True, name=name)
    try:
        status, (out, err) = container.exec_run(
            ["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
        assert (status, out, err) == (3, b"out\n", b"err\n")
    finally:
        container.remove(force=True)


def test_attach_socket_with_a_half_close(client, name):
    container = client.containers.create("busybox", ["cat"], stdin_open=True, name=name)
    try:
        attached = container.attach_socket(
            params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        container.start()
        sock = attached._sock if hasattr(attached, "_sock") else attached
        sock.sendall(b"foo\n")
        assert read_frame(sock) == b"foo\n"
        # No half-close over Python's TLS: the bare end has to do.
        sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    finally:
        container.remove(force=True)


def read_frame(sock):
    head = b""
    while len(head) < 8:
        head += sock.recv(8 - len(head))
    size = int.from_bytes(head[4:], "big")
    body = b""
    while len(body) < size:
        body += sock.recv(size - len(body))
    return body


def test_events(client, name):
    events = client.events(decode=True, filters={"container": name})
    container = client.containers.run("busybox", ["true"], detach=True, name=name)
    container.wait()
    container.remove()
    seen = []
    while "destroy" not in seen:
        seen.append(next(events)["Action"])
    events.close()
    assert seen[0] == "create"


def test_archives(client, name):
    container = client.containers.create("busybox", ["true"], name=name)
    try:
        stream, stat = container.get_archive("/etc/passwd")
        data = b"".join(stream)
        assert stat["name"] == "passwd" and b"root:x:0:0" in data
        assert container.put_archive("/tmp", data)
    finally:
        container.remove()


def test_errors_are_dockerds(client):
    with pytest.raises(docker.errors.NotFound, match="No such container: none"):
        client.containers.get("none")
