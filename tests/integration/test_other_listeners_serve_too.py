# SPDX-License-Identifier: Apache-2.0
"""A unix socket, IPv6, TLS without client certificates, and no TLS at all."""

import os
import socket
import stat

import pytest

from gate import free_port
from tlsclient import TlsClient, context
from upstream import OK, answering
from waiting import wait_until
from wire import Reader, request, unix_get

LANES = "few"


def tcp_get(port, target):
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        s.sendall(request("GET", target, ["Connection: close"]))
        return Reader(lambda: s.recv(65536)).answer()


def answers(path):
    try:
        return unix_get(path, "/_ping").status == 200
    except OSError:
        return False


def test_a_unix_socket_beside_tcp(lane, start_gate, work, name):
    path = os.path.join(work, f"{name}.sock")
    gate = start_gate(lane.dockerd.socket, flags=("-listen", f"unix://{path}"))
    assert wait_until(lambda: os.path.exists(path), 30)
    assert unix_get(path, "/_ping").body == b"OK"
    result = lane.gated.run(
        lane.gated.argv("-H", f"unix://{path}", "run", "-i", "--rm", "busybox", "cat"),
        stdin=b"foo\n", env={"DOCKER_TLS_VERIFY": "", "DOCKER_HOST": ""})
    assert result.seen() == (0, "foo\n", "")
    record = gate.wait_for_record(event="decision", op="ContainerAttach")
    assert record["client"]["kind"] == "local" and record["client"]["uid"] == 0
    assert stat.S_IMODE(os.stat(path).st_mode) & 0o007 == 0
    # And again after a stop, whatever is left of the socket.
    gate.stop()
    gate.start()
    assert wait_until(lambda: answers(path), 30)


def test_ipv6(scripted):
    port = free_port()
    try:
        socket.create_server(("::1", port), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    gate, _ = scripted(answering(OK), flags=("-listen", f"tcp://[::1]:{port}"))
    ctx = context(os.path.join(gate.certs.client("root"), "ca.pem"),
                  gate.certs.client("root"))
    ctx.check_hostname = False
    with TlsClient(("::1", port), ctx) as client:
        assert client.ask("GET", "/_ping").status == 200


def test_tls_without_client_certificates(scripted, policy_file):
    gate, upstream = scripted(answering(OK), flags=("-tls",), policy=policy_file)
    ctx = context(os.path.join(gate.certs.client("root"), "ca.pem"))
    with TlsClient(("127.0.0.1", gate.port), ctx) as client:
        # Anonymous: no line of the policy is about them.
        assert client.ask("GET", "/containers/json").status == 403
    assert upstream.received() == b""


def test_no_tls_has_to_be_asked_for_by_name(scripted):
    gate, _ = scripted(answering(OK), flags=("-insecure-plain",))
    assert tcp_get(gate.port, "/_ping").body == b"ok"
    with open(gate.log, encoding="utf-8") as f:
        assert "warn" in f.read()
