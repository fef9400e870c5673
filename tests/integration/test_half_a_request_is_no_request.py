# SPDX-License-Identifier: Apache-2.0
"""A client that ends in the middle of its body asked for nothing."""

import pytest


HALF = (b"POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\n"
        b"Content-Length: 10\r\n\r\nhello")
HALF_CHUNKED = (b"POST /images/load HTTP/1.1\r\nHost: a\r\n"
                b"Content-Type: application/x-tar\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


@pytest.mark.parametrize("how", ["shutdown_write", "fin", "reset"])
@pytest.mark.parametrize("half", [HALF, HALF_CHUNKED], ids=["length", "chunks"])
def test_an_end_in_mid_body(scripted, tls, half, how):
    """dockerd sees the end too, and not the last chunk that never came."""
    def script(peer):
        peer.rest()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(half)
        getattr(client, how)()
        upstream.wait_for_end()
        if how != "reset":
            assert client.end()[0] == b""
    got = upstream.received().rstrip(b"\r\n")
    # What was cut may have been dropped whole; an end was said, so it passes.
    assert got.endswith(b"hello") or (how != "shutdown_write" and b"hello" not in got)
    record = gate.wait_for_record(event="end", op="ImageLoad")
    assert record["ended"] == "client_lost"


@pytest.mark.parametrize("how", ["fin", "reset"])
def test_a_client_that_leaves_a_stream(scripted, tls, how):
    """dockerd stops working for nobody."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send(b"5\r\nfirst\r\n")
        peer.rest()

    gate, upstream = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(b"GET /v1.41/events HTTP/1.1\r\nHost: a\r\n\r\n")
        client.reader.until(b"first\r\n")
        getattr(client, how)()
        upstream.wait_for_end()


def test_a_client_that_leaves_behind_a_full_lane(scripted):
    """Its bytes fill what the gate reads ahead; then it resets."""
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.send(b"5\r\nfirst\r\n")
        peer.rest()

    gate, upstream = scripted(script)
    with gate.connect() as client:
        client.send(b"GET /v1.41/events HTTP/1.1\r\nHost: a\r\n\r\n")
        client.reader.until(b"first\r\n")
        client.send(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n" * 3000)
        client.reset()
        upstream.wait_for_end(60)
