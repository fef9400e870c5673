# SPDX-License-Identifier: Apache-2.0
"""Before a client may stream, every state has a deadline and a cap."""

import socket
import ssl

import pytest

from upstream import OK, answering
from waiting import wait_until
from wire import request



def gone(sock):
    """Reads until the peer's end, which has to come."""
    sock.settimeout(30)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.parametrize("first", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"])
def test_a_slow_handshake_is_cut(scripted, first):
    gate, upstream = scripted(answering(OK), limits={"handshake_ms": 500})
    with socket.create_connection(("127.0.0.1", gate.port)) as s:
        s.sendall(first)
        assert gone(s)
    assert not upstream.peers


def test_a_slow_head_is_cut(scripted, tls):
    gate, upstream = scripted(answering(OK), limits={"head_ms": 500}, tls=tls)
    with gate.connect() as client:
        client.send(b"GET /_ping HTTP/1.1\r\nHost:")
        answer = client.reader.answer()
        assert answer.status == 408
        assert client.end()[0] == b""
    assert upstream.received() == b""


def test_a_head_that_drips_is_cut(scripted):
    """Each byte is progress; the deadline is for the whole head."""
    gate, _ = scripted(answering(OK), limits={"head_ms": 500})
    with gate.connect() as client:
        client.sock.settimeout(0.05)
        data = b""
        client.send(b"GET /_ping HTTP/1.1\r\n")

        def drip():
            nonlocal data
            try:
                client.send(b"X")
                data += client.recv()
            except TimeoutError:
                return False
            except OSError:
                return True
            return client.ended is not None or b"408" in data

        assert wait_until(drip, 30)


def test_a_slow_body_that_policy_reads_is_cut(scripted, policy_file, tls):
    gate, upstream = scripted(answering(OK), limits={"body_ms": 500}, tls=tls, policy=policy_file)
    with gate.connect("job", "ci") as client:
        client.send(b"POST /containers/create HTTP/1.1\r\nHost: a\r\n"
                    b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        assert client.reader.answer().status == 408
    assert b"create" not in upstream.received()


def test_an_idle_connection_is_closed(scripted, tls):
    gate, _ = scripted(answering(OK), limits={"idle_ms": 3000}, tls=tls)
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
        assert client.end() == (b"", "close_notify")


def test_heads_and_bodies_are_capped(scripted, policy_file):
    gate, upstream = scripted(answering(OK), policy=policy_file,
                              limits={"head_bytes": 1024, "body_bytes": 4096})
    with gate.connect("job", "ci") as client:
        assert client.ask("GET", "/_ping", [("X", "y" * 2000)]).status == 431
    body = b'{"Image":"busybox","Env":["A=%b"]}' % (b"x" * 5000)
    for framing in ({"body": body}, {"chunks": [body[:4000], body[4000:]]}):
        with gate.connect("job", "ci") as client:
            answer = client.ask("POST", "/containers/create",
                                ["Content-Type: application/json"], **framing)
            assert answer.status == 413
    assert b"create" not in upstream.received()


def handshakes(gate):
    """A connection that got through, or None where it was turned away."""
    try:
        return gate.connect()
    except (OSError, ssl.SSLError, EOFError):
        return None


@pytest.mark.parametrize("cap", ["connections", "connections_per_address"])
def test_connections_are_capped(scripted, cap):
    gate, _ = scripted(answering(*[OK] * 100), limits={cap: 5})
    # The harness has looked whether the port is open: that one may still
    # be in the count for a moment.
    first = []

    def five():
        first[:] = [c for c in first if answers(c)]
        while len(first) < 5 and (client := handshakes(gate)):
            first.append(client)
        first[:] = [c for c in first if answers(c)]
        return len(first) == 5

    assert wait_until(five, 30)
    for _ in range(3):
        surplus = handshakes(gate)
        assert surplus is None or not answers(surplus)
    # Who is in is served on; and when one leaves, another may come.
    assert all(answers(client) for client in first)
    first.pop().sock.close()

    def another():
        client = handshakes(gate)
        return client is not None and answers(client)

    assert wait_until(another, 30)


def answers(client):
    try:
        client.send(request("GET", "/_ping"))
        return client.reader.answer().status == 200
    except (OSError, ssl.SSLError, EOFError):
        return False


def test_bodies_of_all_clients_have_one_bound(scripted):
    """What policy reads is held: one client's body leaves less for others'."""
    gate, _ = scripted(answering(OK), policy="ci-runner",
                       limits={"body_bytes": 1000, "bodies_bytes": 1500})
    head = (b"POST /v1.41/volumes/create HTTP/1.1\r\nHost: a\r\n"
            b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
            b"Content-Length: 900\r\n\r\n")
    with gate.connect() as first, gate.connect() as second:
        first.send(head)  # 100: its room is set aside
        assert first.reader.line() == b"HTTP/1.1 100 Continue"
        assert first.reader.line() == b""
        second.send(head)
        refused = second.reader.answer("POST")
        assert refused.status == 503
        assert b"bodies_bytes" in refused.body
        first.send(b"{" + b" " * 898 + b"}")
        assert first.reader.answer("POST").status == 200
    with gate.connect() as third:  # and given back
        third.send(head)
        assert third.reader.line() == b"HTTP/1.1 100 Continue"
