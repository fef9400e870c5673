# SPDX-License-Identifier: Apache-2.0
"""dockerd may answer before it has the whole request, and then hang up.

The client is still sending.  It must get the answer, not a reset.
"""

import threading

import pytest

from wire import request

REFUSAL = (b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
           b"Content-Length: 17\r\n\r\n{\"message\":\"bad\"}")
HEAD = (b"POST /build HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
PIECE = b"x" * 65536
MUCH = 512     # pieces: 32 MiB, more than all the buffers on the way


def upload(client, pieces=MUCH):
    """Sends a chunked build context; whether all of it could be sent."""
    client.send(HEAD)
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    try:
        for _ in range(pieces):
            client.send(chunk)
        client.send(b"0\r\n\r\n")
        return True
    except OSError:
        return False


def first_chunk_then(act):
    def script(peer):
        peer.head()
        peer.reader.chunk()
        act(peer)
    return script


def hang_up(peer):
    peer.send(REFUSAL)
    peer.close()


def hang_up_half(peer):
    peer.send(REFUSAL)
    peer.half_close()
    peer.rest()


def say_close(peer):
    peer.send(REFUSAL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    peer.close()


def stall(peer):
    """Answers and then neither reads nor closes."""
    peer.send(REFUSAL)
    threading.Event().wait(20)


@pytest.mark.parametrize("act", [hang_up, hang_up_half, say_close, stall])
def test_in_the_middle_of_an_upload(scripted, tls, act):
    gate, _ = scripted(first_chunk_then(act), tls=tls)
    with gate.connect() as client:
        upload(client)
        answer = client.reader.answer()
        assert (answer.status, answer.body) == (400, b'{"message":"bad"}')


def test_before_any_of_the_body(scripted, tls):
    def script(peer):
        peer.head()
        hang_up(peer)
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        upload(client)
        answer = client.reader.answer()
        assert (answer.status, answer.body) == (400, b'{"message":"bad"}')


def test_while_the_client_waits_to_send(scripted, tls):
    """The client has sent half of its body and waits: the answer comes now."""
    gate, _ = scripted(first_chunk_then(hang_up_half), tls=tls)
    with gate.connect() as client:
        client.send(HEAD + b"5\r\nhello\r\n")
        answer = client.reader.answer()
        assert (answer.status, answer.body) == (400, b'{"message":"bad"}')


def test_the_rest_of_the_body_is_no_request(scripted):
    """After an early answer the client's bytes are still body: whatever the
    gate does next, it does not take them for a request."""
    inner = request("POST", "/containers/create", ["Content-Type: application/json"],
                    b'{"Image":"x","HostConfig":{"Privileged":true}}')
    gate, upstream = scripted(first_chunk_then(hang_up_half))
    with gate.connect() as client:
        client.send(HEAD + b"5\r\nhello\r\n")
        assert client.reader.answer().status == 400
        try:
            client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner))
            client.end()
        except OSError:
            pass
    assert b"POST /containers/create" not in upstream.received().split(b"hello")[0]
    assert len(upstream.peers) == 1


# --- Expect: 100-continue ------------------------------------------------------


EXPECTING = (b"POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\n"
             b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")


def test_100_continue_is_asked_for_and_given(scripted, tls):
    def script(peer):
        _, fields = peer.head()
        if fields.get("expect", "").lower() == "100-continue":
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = peer.reader.exactly(5)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
        peer.rest()
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(EXPECTING)
        assert client.reader.head().status == 100
        client.send(b"hello")
        assert client.reader.answer().body == b"hello"


def test_a_client_that_does_not_wait_for_100(scripted, tls):
    def script(peer):
        _, fields = peer.head()
        if "expect" in fields:
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                  + peer.reader.exactly(5))
        peer.rest()
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(EXPECTING + b"hello")
        assert client.reader.answer().body == b"hello"


def test_a_refusal_instead_of_100(scripted, tls):
    """Either dockerd's own refusal, or the gate has asked for the body and
    then passed the refusal on: an answer in any case."""
    def script(peer):
        peer.head()
        peer.send(REFUSAL)
        peer.rest()
    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(EXPECTING)
        answer = client.reader.head()
        if answer.status == 100:
            client.send(b"hello")
            answer = client.reader.head()
        assert answer.status == 400


def test_another_expectation_is_refused(scripted):
    gate, upstream = scripted(lambda peer: peer.rest())
    with gate.connect() as client:
        client.send(EXPECTING.replace(b"100-continue", b"200-ok"))
        assert client.reader.answer().status in (400, 417)
    assert upstream.received() == b""
