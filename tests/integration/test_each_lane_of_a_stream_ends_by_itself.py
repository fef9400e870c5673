# SPDX-License-Identifier: Apache-2.0
"""After an upgrade two lanes carry bytes; docs/relay.md has the table of ends.

A client's close_notify becomes dockerd's end of input, dockerd's end becomes
close_notify, and the other lane lives on.  Each way of going raw is tried:
101 to an Upgrade, and the old 200 without one.
"""

import threading

import pytest

from payload import pseudo_random
from tlsclient import CLEAN
from upstream import RAW_200, UPGRADED
from wire import request

ATTACH = "/containers/x/attach?stream=1&stdin=1&stdout=1&stderr=1"
UPGRADE = ["Connection: Upgrade", "Upgrade: tcp", "Content-Type: text/plain"]
MIB = 1 << 20


class Way:
    def __init__(self, headers, answer, status):
        self.answer = answer
        self.status = status
        self.request = request("POST", ATTACH, headers, b"")

    def open(self, client):
        client.send(self.request)
        head = client.reader.head()
        assert head.status == self.status
        assert head.headers["content-type"] == "application/vnd.docker.raw-stream"
        return head

    def accept(self, peer):
        peer.request()
        peer.send(self.answer)


WAYS = {"101": Way(UPGRADE, UPGRADED, 101), "200": Way([], RAW_200, 200)}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def test_the_client_ends_first(scripted, tls, way):
    def script(peer):
        way.accept(peer)
        said = peer.rest()              # until the client's end
        peer.send(b"you said " + said)
        peer.half_close()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.send(b"foo")
        client.shutdown_write()
        assert client.end() == (b"you said foo", CLEAN)


def test_dockerd_ends_first(scripted, tls, way):
    heard = []

    def script(peer):
        way.accept(peer)
        peer.send(b"last words")
        peer.half_close()
        heard.append(peer.rest())

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        assert client.end() == (b"last words", CLEAN)
        client.send(b"still here, ")
        client.send(b"and done")
        client.shutdown_write()
        upstream.wait_for_end()
    assert heard == [b"still here, and done"]


def test_both_end_at_once(scripted, tls, way):
    heard = []

    def script(peer):
        way.accept(peer)
        peer.send(b"bye")
        peer.half_close()
        heard.append(peer.rest())

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.send(b"bye bye")
        client.shutdown_write()
        assert client.end() == (b"bye", CLEAN)
        upstream.wait_for_end()
    assert heard == [b"bye bye"]


def test_the_client_ends_at_once_and_listens_on(scripted, tls, way):
    """What docker does when stdin is not attached."""
    heard = []

    def script(peer):
        way.accept(peer)
        heard.append(peer.rest())
        for _ in range(100):
            peer.send(b"line\n")

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.shutdown_write()
        assert client.end() == (b"line\n" * 100, CLEAN)
    assert heard == [b""]


def test_words_behind_the_request_wait_for_the_answer(scripted, tls, way):
    """dockerd drops what comes in one packet with the head: the gate may not
    let it come so."""
    early = []
    heard = []

    def script(peer):
        peer.request()
        early.append(peer.reader.held)
        peer.sock.setblocking(False)
        try:
            early.append(peer.sock.recv(100))
        except BlockingIOError:
            pass
        peer.sock.settimeout(60)
        peer.send(way.answer)
        heard.append(peer.reader.exactly(5))

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(way.request + b"early")
        assert client.reader.head().status == way.status
        upstream.wait_for_end()
    assert heard == [b"early"] and early == [b""]


def test_words_behind_the_answer_are_not_lost(scripted, tls, way):
    def script(peer):
        peer.request()
        peer.send(way.answer + b"at once")
        peer.half_close()
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        assert client.end() == (b"at once", CLEAN)


def test_much_both_ways_at_once(scripted, tls, way):
    data = pseudo_random(8 * MIB)
    heard = []

    def script(peer):
        way.accept(peer)
        talker = threading.Thread(target=lambda: (peer.send(data), peer.half_close()))
        talker.start()
        heard.append(peer.rest())
        talker.join()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        got = []
        for i in range(0, len(data), MIB):
            client.send(data[i:i + MIB])
            got.append(client.reader.exactly(MIB))
        client.shutdown_write()
        assert client.end() == (b"", CLEAN)
        upstream.wait_for_end()
    assert b"".join(got) == data
    assert len(heard[0]) == len(data) and heard[0] == data


def test_a_stalled_dockerd_holds_the_client_not_the_memory(scripted, tls):
    way = WAYS["101"]
    size = 96 * MIB
    go = threading.Event()
    heard = []

    def script(peer):
        way.accept(peer)
        go.wait(60)
        total = 0
        while data := peer.sock.recv(MIB):
            total += len(data)
        heard.append(total)

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        gate.note_memory()
        block = bytes(MIB)

        def push():
            for _ in range(size // MIB):
                client.send(block)
            client.shutdown_write()

        pusher = threading.Thread(target=push)
        pusher.start()
        # Everything in between fills up and then nothing moves: the sender
        # is stuck in send() until the other end reads.
        pusher.join(1)
        assert pusher.is_alive(), "the gate swallowed all of it"
        assert gate.memory_since() < 16 * MIB
        go.set()
        pusher.join(60)
        assert not pusher.is_alive()
        upstream.wait_for_end()
    assert heard == [size]


def test_a_stalled_client_holds_dockerd_not_the_memory(scripted, tls):
    way = WAYS["101"]
    size = 96 * MIB
    stuck = threading.Event()

    def script(peer):
        way.accept(peer)
        peer.sock.settimeout(1)
        sent = 0
        block = bytes(MIB)
        while sent < size:
            try:
                sent += peer.sock.send(block[:size - sent])
            except TimeoutError:
                stuck.set()
                peer.sock.settimeout(60)
        peer.half_close()
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        gate.note_memory()
        assert stuck.wait(60), "the gate swallowed all of it"
        assert gate.memory_since() < 16 * MIB
        total = 0
        while data := client.recv():
            total += len(data)
        assert (total, client.ended) == (size, CLEAN)


def test_a_bare_fin_is_an_end_for_dockerd(scripted, tls, way):
    """TCP's end without TLS's: cut off, or a client without manners.  dockerd
    must see an end of some kind; nothing may hang."""
    def script(peer):
        way.accept(peer)
        peer.rest()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.send(b"foo")
        client.fin()
        upstream.wait_for_end()
        client.end()


def test_a_clients_reset_is_an_end_for_dockerd(scripted, tls, way):
    def script(peer):
        way.accept(peer)
        peer.rest()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.reset()
        upstream.wait_for_end()


def test_dockerds_reset_is_an_end_for_the_client(scripted, tls, way):
    """dockerd resets where it goes with input unread, which is no fault: what
    it said before is whole."""
    def script(peer):
        way.accept(peer)
        # Closed with words unread: a reset on a unix socket.
        while len(peer.sock.recv(1, 2)) < 1:    # MSG_PEEK
            pass
        peer.close()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.send(b"unread")
        assert client.end() == (b"", CLEAN)


def test_half_a_record_is_not_passed_on(scripted, tls):
    """A connection cut in the middle of a TLS record: what came before it
    arrives, nothing of it does."""
    way = WAYS["101"]
    heard = []

    def script(peer):
        way.accept(peer)
        heard.append(peer.rest())

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        way.open(client)
        client.send(b"whole")
        client.send_ciphertext_of(b"half", cut=3)
        client.fin()
        upstream.wait_for_end()
    assert upstream.faults or heard == [b"whole"]
    assert b"half" not in upstream.received()


# --- answers that do not upgrade -------------------------------------------------

INNER = request("POST", "/containers/create", ["Content-Type: application/json"],
                b'{"Image":"x","HostConfig":{"Privileged":true}}')


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 16\r\n\r\n{\"message\":\"no\"}",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"10\r\n{\"message\":\"no\"}\r\n0\r\n\r\n",
], ids=["404", "200", "409"])
def test_without_an_upgrade_there_is_no_tunnel(scripted, tls, answer):
    """A request sent "in the tunnel" must not reach dockerd unjudged."""
    def script(peer):
        peer.request()
        peer.send(answer)
        peer.rest()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("POST", "/exec/" + "a" * 64 + "/start",
                            UPGRADE[:2] + ["Content-Type: application/json"],
                            b'{"Tty":true}') + INNER)
        said = client.reader.answer()
        assert str(said.status).encode() in answer
        client.shutdown_write()
        client.end()
    # On its own connection, or on this one as a request of its own: rewritten
    # by the gate in both cases, never as the bytes that the client sent.
    assert INNER not in upstream.received()


def test_an_upgrade_where_none_is_known_is_refused(scripted):
    gate, upstream = scripted(lambda peer: peer.rest())
    with gate.connect() as client:
        answer = client.ask("GET", "/info", ["Connection: Upgrade", "Upgrade: tcp"])
        assert answer.status == 403 and b"rule upgrade" in answer.body
    assert upstream.received() == b""


def test_h2c_upgrades_session_and_grpc(scripted, tls):
    def script(peer):
        _, fields = peer.head()
        assert fields["upgrade"] == "h2c"
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                  b"Upgrade: h2c\r\n\r\nsettings first")
        peer.send(peer.rest())
        peer.half_close()

    for target in ("/session", "/grpc", "/v1.41/session"):
        gate, _ = scripted(script, tls=tls)
        with gate.connect() as client:
            client.send(request("POST", target, ["Connection: Upgrade", "Upgrade: h2c"]))
            head = client.reader.head()
            assert (head.status, head.headers["upgrade"].lower()) == (101, "h2c")
            assert client.reader.exactly(14) == b"settings first"
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            client.shutdown_write()
            assert client.end() == (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", CLEAN)


def test_a_websocket_attaches(scripted, tls):
    def script(peer):
        _, fields = peer.head()
        assert fields["upgrade"].lower() == "websocket"
        assert fields["sec-websocket-key"] == "dGhlIHNhbXBsZSBub25jZQ=="
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                  b"Upgrade: websocket\r\n"
                  b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        peer.send(peer.reader.exactly(7))
        peer.half_close()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/containers/x/attach/ws?stream=1", [
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
        head = client.reader.head()
        assert head.status == 101
        assert head.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        client.send(b"\x81\x81abcd\x00")
        assert client.reader.exactly(7) == b"\x81\x81abcd\x00"
