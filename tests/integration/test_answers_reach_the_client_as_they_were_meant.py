# SPDX-License-Identifier: Apache-2.0
"""Framing of answers, by a scripted dockerd; the last part is its misdeeds."""

import json
import threading

import pytest

from upstream import OK, answering
from wire import request

SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"


def ask(gate, method="GET", target="/_ping", **options):
    with gate.connect() as client:
        return client.ask(method, target, **options)


def test_content_length(scripted, tls):
    gate, _ = scripted(answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nApi-Version: 1.45\r\n\r\nhello"),
        tls=tls)
    answer = ask(gate)
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["api-version"] == "1.45"


def test_chunks_with_trailers(scripted, tls):
    gate, _ = scripted(answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n"
        b"5\r\nhello\r\n6\r\n world\r\n0\r\nX-End: yes\r\n\r\n"), tls=tls)
    answer = ask(gate)
    assert (answer.status, answer.body) == (200, b"hello world")
    assert answer.trailers in ({"x-end": "yes"}, {})


def test_each_chunk_passes_when_it_comes(scripted, tls):
    """Progress must not wait for more of it."""
    seen = threading.Semaphore(0)

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"one", b"two", b"three"):
            peer.send(b"%x\r\n%b\r\n" % (len(word), word))
            assert seen.acquire(timeout=60)
        peer.send(b"0\r\n\r\n")
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/events"))
        assert client.reader.head().status == 200
        for word in (b"one", b"two", b"three"):
            assert client.reader.chunk() == word
            seen.release()
        assert client.reader.chunk() == b""


def test_head_has_a_length_and_no_body(scripted, tls):
    gate, _ = scripted(answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", OK), tls=tls)
    with gate.connect() as client:
        answer = client.ask("HEAD", "/_ping")
        assert answer.status == 200
        assert client.ask("GET", "/_ping").body == b"ok"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body(scripted, status):
    gate, _ = scripted(answering(b"HTTP/1.1 %d Whatever\r\n\r\n" % status, OK))
    with gate.connect() as client:
        assert client.ask("POST", "/containers/x/start").status == status
        assert client.ask("GET", "/_ping").body == b"ok"


def test_an_answer_that_ends_with_the_connection(scripted, tls):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello")
        peer.half_close()
        peer.rest()
    gate, _ = scripted(script, tls=tls)
    answer = ask(gate)
    assert (answer.status, answer.body) == (200, b"hello")


def test_byte_by_byte(scripted, tls):
    def script(peer):
        peer.request()
        peer.send_slowly(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        peer.rest()
    gate, _ = scripted(script, tls=tls)
    assert ask(gate).body == b"hello world"


def test_interim_answers_do_not_end_the_exchange(scripted):
    gate, _ = scripted(answering(
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + OK))
    assert ask(gate).body == b"ok"


def test_hop_by_hop_headers_stay_on_their_hop(scripted):
    gate, upstream = scripted(answering(
        b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Stays: 2\r\n"
        b"Keep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n"))
    answer = ask(gate, headers=["Connection: X-Mine", "X-Mine: 3", "Keep-Alive: 4",
                                "Proxy-Connection: keep-alive"])
    assert "x-hop" not in answer.headers and "keep-alive" not in answer.headers
    assert answer.headers["x-stays"] == "2"
    sent = upstream.received().lower()
    assert b"x-mine" not in sent and b"proxy-connection" not in sent


# --- misdeeds ----------------------------------------------------------------


def is_error(answer, gate, upstream):
    """In dockerd's own form, and it says which socket."""
    assert answer.status == 502, answer
    message = json.loads(answer.body)["message"]
    assert upstream.path in message, message
    return True


JUNK = {
    "tls": b"\x16\x03\x01\x02\x00",
    "zeros": b"\0" * 100,
    "empty-lines": b"\r\n\r\n\r\n\r\n",
    "http-1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "http-9.9": b"HTTP/9.9 200 OK\r\n\r\n",
    "status-letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status-low": b"HTTP/1.1 99 Low\r\n\r\n",
    "no-colon": b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "length-negative": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length-huge": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                   b"Content-Length: 2\r\n\r\nab",
    "coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "huge": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000,
    "cut": b"HTTP/1.1 200 OK\r\nContent-Le",
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_a_junk_head_becomes_502(scripted, junk):
    def script(peer):
        peer.request()
        peer.send(junk)
        peer.half_close()
        peer.rest()
    gate, upstream = scripted(script)
    assert is_error(ask(gate), gate, upstream)


def test_no_answer_at_all_becomes_502(scripted, tls):
    gate, upstream = scripted(lambda peer: peer.request(), tls=tls)
    assert is_error(ask(gate), gate, upstream)


def test_half_a_head_becomes_502(scripted):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    gate, upstream = scripted(script)
    assert is_error(ask(gate), gate, upstream)


def test_101_that_nobody_asked_for_becomes_502(scripted):
    gate, upstream = scripted(answering(
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw"))
    assert is_error(ask(gate), gate, upstream)


def test_a_body_cut_short_is_not_made_whole(scripted, tls):
    """The client must be able to tell: less than the length, then the end."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/_ping"))
        assert client.reader.head().headers["content-length"] == "10"
        body, _ = client.end()
        assert body == b"hello"


def test_chunks_cut_short_are_not_made_whole(scripted, tls):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"5\r\nhello\r\n")
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/events"))
        assert client.reader.head().status == 200
        body, _ = client.end()
        assert b"hello" in body and not body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("chunks", [
    b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhelloXX6\r\n world\r\n0\r\n\r\n", b"fffffffffffffffff\r\nhello",
    b"5;a=b\r\nhello\r\n0\r\n\r\n",
], ids=["letters", "negative", "too-much", "overflow", "extension"])
def test_broken_chunks_end_the_connection(scripted, chunks):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        peer.rest()
    gate, _ = scripted(script)
    with gate.connect() as client:
        client.send(request("GET", "/events"))
        body, _ = client.end()
        assert not body.endswith(b"0\r\n\r\n"), body


@pytest.mark.parametrize("answer", [
    OK + SMUGGLED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + SMUGGLED,
    b"HTTP/1.1 204 No\r\n\r\n" + SMUGGLED,
], ids=["length", "chunks", "nobody"])
def test_a_second_answer_is_nobodys(scripted, answer):
    """Two answers to one request: the next request must not get the second."""
    gate, _ = scripted(answering(answer, OK))
    with gate.connect() as client:
        client.ask("GET", "/_ping")
        try:
            client.send(request("GET", "/_ping"))
            said = client.reader.answer().body
        except (EOFError, OSError):
            said = b""
        assert b"smuggled" not in said


def test_a_body_for_head_is_nobodys(scripted):
    gate, _ = scripted(answering(SMUGGLED[:-8] + SMUGGLED, OK))
    with gate.connect() as client:
        assert client.ask("HEAD", "/_ping").status == 200
        try:
            assert b"smuggled" not in client.ask("GET", "/_ping").body
        except (EOFError, OSError):
            pass


def test_length_and_chunks_at_once_are_read_one_way(scripted):
    gate, _ = scripted(answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"))
    answer = ask(gate)
    if answer.status == 200:
        assert answer.body == b"hello"
        assert not {"content-length", "transfer-encoding"} <= set(answer.headers)
    else:
        assert answer.status == 502


def test_the_gate_outlives_them_all(scripted):
    def script(peer):
        line, _, _ = peer.request()
        if "first" in line:
            peer.send(b"\x00" * 100)
        else:
            peer.send(OK)
            peer.rest()
    gate, _ = scripted(script)
    for _ in range(20):
        assert ask(gate, target="/containers/first/json").status == 502
    assert ask(gate).body == b"ok"
