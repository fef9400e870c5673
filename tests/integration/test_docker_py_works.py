# SPDX-License-Identifier: Apache-2.0
"""The Python library: it upgrades by itself and reads the raw socket."""

import io
import os
import socket
import ssl

import docker
import pytest

LANES = "few"


@pytest.fixture(params=["root", "job"])
def client(request, team):
    """As administrator, and as ci-runner."""
    unit = {"root": None, "job": "ci"}[request.param]
    folder = team.gate.env(request.param, unit)["DOCKER_CERT_PATH"]
    tls = docker.tls.TLSConfig(
        client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
        ca_cert=os.path.join(folder, "ca.pem"), verify=True,
        # Its own choice is TLS 1.2 alone.
        ssl_version=ssl.PROTOCOL_TLS_CLIENT)
    client = docker.DockerClient(base_url=f"https://127.0.0.1:{team.gate.port}",
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


def test_images_networks_and_volumes(client, name):
    """Everything a job makes besides containers."""
    folder = io.BytesIO(b"FROM busybox\nARG A\nRUN echo $A > /output\nCMD cat /output\n")
    image, log = client.images.build(fileobj=folder, tag=f"{name}:1", buildargs={"A": "said"},
                                     rm=True, forcerm=True, labels={"a": "b"})
    assert any("Successfully built" in line.get("stream", "") for line in log)
    network = client.networks.create(name, driver="bridge", internal=True, labels={"a": "b"})
    volume = client.volumes.create(name, labels={"a": "b"})
    container = client.containers.run(
        f"{name}:1", ["sh", "-c", "cat /output > /data/kept; sleep 600"], detach=True, name=name,
        network=name, volumes={name: {"bind": "/data", "mode": "rw"}}, environment=["A=b"],
        mem_limit="64m", nano_cpus=500_000_000, pids_limit=50, tmpfs={"/scratch": "size=1m"},
        ports={"80/tcp": None}, labels={"a": "b"}, user="0", working_dir="/tmp", init=True,
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, cap_drop=["ALL"],
        security_opt=["no-new-privileges"], read_only=True, hostname="host", dns=["10.9.9.9"],
        extra_hosts={"extra": "10.1.1.1"}, ulimits=[docker.types.Ulimit(name="nofile", soft=512, hard=512)],
        mounts=[docker.types.Mount("/other", None, type="volume"),
                docker.types.Mount("/t", None, type="tmpfs", tmpfs_size=65536)],
        log_config=docker.types.LogConfig(type="json-file", config={"max-size": "1m"}),
        # None runs: a check that begins as its container ends can hide that
        # end from dockerd 26.1 ("failed to exit within 10s of kill").
        healthcheck={"test": ["CMD", "true"], "interval": 3600 * 10**9},
        stop_signal="SIGKILL", shm_size="8m")
    try:
        assert container.exec_run(["sh", "-c", "until [ -s /data/kept ]; do sleep 0.1; done; "
                                   "cat /data/kept"]) == (0, b"said\n")
        network.disconnect(container)
        network.connect(container, aliases=["alias"])
        container.update(mem_limit="32m", memswap_limit="64m")
        container.pause()
        container.unpause()
        assert container.top()["Processes"] and container.stats(stream=False)["name"]
        assert container.diff() is None or isinstance(container.diff(), list)
        container.rename(name + "-2")
        container.reload()
        committed = container.commit(repository=name, tag="2", message="m", changes="CMD true")
        assert client.images.get(f"{name}:2").id == committed.id
        assert image.tag(name, tag="3") and image.history() and list(image.save())
        assert client.containers.list(all=True, filters={"label": "a=b", "name": name})
        assert client.networks.list(names=[name]) and client.volumes.list(filters={"name": name})
        assert client.images.list(name=name) and client.info() and client.df()
        container.restart(timeout=0)
        container.kill()
        assert container.wait()["StatusCode"] in (0, 137)
        assert list(container.export())
    finally:
        container.remove(force=True, v=True)
        network.remove()
        volume.remove(force=True)
        for tag in "123":
            client.images.remove(f"{name}:{tag}", force=True)
