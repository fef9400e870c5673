# SPDX-License-Identifier: Apache-2.0
"""The rows of docs/relay.md's table of ends in an exchange that no other file
has; and what becomes of a body where a stream begins."""

import json
import threading

from tlsclient import CLEAN
from upstream import OK, UPGRADED
from wire import request

TAR = ["Content-Type: application/x-tar"]


def test_get_is_asked_again_where_a_kept_connection_has_gone(scripted, tls):
    turns = iter(range(100))

    def script(peer):
        if next(turns) == 0:
            peer.request()
            peer.send(OK)
            peer.request()          # and goes without a word
            return
        while True:
            peer.request()
            peer.send(OK)

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
        assert client.ask("GET", "/_ping").status == 200
    assert len(upstream.peers) == 2


def test_post_is_not_asked_again(scripted, tls):
    """It may have been done."""
    turns = iter(range(100))

    def script(peer):
        peer.request()
        if next(turns) == 0:
            peer.send(OK)
            peer.request()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
        answer = client.ask("POST", "/containers/x/start", (), b"")
        assert answer.status == 502
        assert upstream.path in json.loads(answer.body)["message"]
    assert upstream.received().count(b"POST") == 1


def test_a_client_that_ends_after_its_request_gets_its_answer(scripted, tls):
    asked, ended = threading.Event(), threading.Event()

    def script(peer):
        peer.request()
        asked.set()
        assert ended.wait(30)
        peer.send(OK)
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/_ping"))
        assert asked.wait(30)
        client.shutdown_write()
        ended.set()
        assert client.reader.answer().body == b"ok"
        assert client.end() == (b"", CLEAN)


def test_half_a_body_is_no_body(scripted, tls):
    """dockerd must be able to tell that more was to come."""
    whole = []

    def script(peer):
        whole.append(peer.request())

    for framing in (b"Content-Length: 100\r\n\r\nhalf",
                    b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"):
        gate, upstream = scripted(script, tls=tls)
        with gate.connect() as client:
            client.send(b"POST /images/load HTTP/1.1\r\nHost: a\r\n"
                        b"Content-Type: application/x-tar\r\n" + framing)
            client.shutdown_write()
            client.end()
        upstream.wait_for_end()
    assert not whole


def test_a_client_that_leaves_lets_dockerd_stop(scripted, tls):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        peer.rest()

    for leave in ("reset", "fin", "close"):
        gate, upstream = scripted(script, tls=tls)
        with gate.connect() as client:
            client.send(request("GET", "/events"))
            assert client.reader.head().status == 200
            assert client.reader.chunk() == b"hello"
            if leave == "close":
                client.sock.close()
            else:
                getattr(client, leave)()
            upstream.wait_for_end()


def test_a_container_that_has_gone_is_talked_to_in_vain(scripted, tls):
    """dockerd closes both ways; the client goes on sending, and is not reset."""
    def script(peer):
        peer.request()
        peer.send(UPGRADED + b"all there is")

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("POST", "/containers/x/attach?stream=1&stdin=1&stdout=1",
                            ["Connection: Upgrade", "Upgrade: tcp"], b""))
        assert client.reader.head().status == 101
        upstream.wait_for_end()
        for _ in range(64):
            client.send(b"x" * 1024)
        client.shutdown_write()
        assert client.end() == (b"all there is", CLEAN)


def test_a_body_is_not_the_stream_behind_it(scripted, tls):
    """dockerode sends one with attach: dockerd leaves it unread, so that it
    would become stdin."""
    heard = []

    def script(peer):
        line, fields = peer.head()
        peer.send(UPGRADED)
        heard.append(peer.rest())
        peer.send(b"bye")
        peer.half_close()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("POST", "/containers/x/attach?stream=1&stdin=1",
                            ["Connection: Upgrade", "Upgrade: tcp",
                             "Content-Type: application/json"], b'{"t":1}'))
        assert client.reader.head().status == 101
        client.send(b"stdin")
        client.shutdown_write()
        assert client.end() == (b"bye", CLEAN)
        upstream.wait_for_end()
    assert heard == [b"stdin"]


def test_an_upload_is_passed_on_as_it_comes(scripted, tls):
    """Nothing is collected that policy does not have to read."""
    first = threading.Event()

    def script(peer):
        peer.head()
        assert peer.reader.chunk() == b"first"
        first.set()
        while peer.reader.chunk():
            pass
        peer.reader.fields()
        peer.send(OK)
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("POST", "/images/load", TAR + ["Transfer-Encoding: chunked"])
                    + b"5\r\nfirst\r\n")
        assert first.wait(30)
        client.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert client.reader.answer().status == 200
