# SPDX-License-Identifier: Apache-2.0
"""What two parsers could read in two ways is refused, whoever sends it.

The table is docs/relay.md's, "What is refused before policy is asked".  The
client here is an administrator; dockerd must not see a byte of these.
"""

import json

import pytest

from gate import Gate
from upstream import OK, Upstream, answering
from wire import request

PING = "GET /_ping HTTP/1.1\r\nHost: a\r\n"
LOAD = "POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

# name, status, bytes
REFUSED = [
    # Two lengths for one body.
    ("chunked-and-length", 400, LOAD + CHUNKED + "Content-Length: 5\r\n\r\n0\r\n\r\n"),
    ("length-and-chunked", 400, LOAD + "Content-Length: 5\r\n" + CHUNKED + "\r\n0\r\n\r\n"),
    ("two-lengths", 400, LOAD + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    ("equal-lengths", 400, LOAD + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("length-list", 400, LOAD + "Content-Length: 5, 5\r\n\r\nhello"),
    ("length-sign", 400, LOAD + "Content-Length: +5\r\n\r\nhello"),
    ("length-negative", 400, LOAD + "Content-Length: -5\r\n\r\nhello"),
    ("length-hex", 400, LOAD + "Content-Length: 0x5\r\n\r\nhello"),
    ("length-empty", 400, LOAD + "Content-Length: \r\n\r\n"),
    ("length-huge", 400, LOAD + "Content-Length: 99999999999999999999\r\n\r\nhello"),
    ("length-blank-inside", 400, LOAD + "Content-Length: 1 0\r\n\r\nhello"),
    ("two-codings", 400, LOAD + CHUNKED + CHUNKED + "\r\n0\r\n\r\n"),
    ("coding-list", 400, LOAD + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("coding-identity", 400, LOAD + "Transfer-Encoding: identity\r\n\r\n"),
    ("coding-unknown", 400, LOAD + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("coding-empty", 400, LOAD + "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    ("coding-tab", 400, LOAD + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    # Lines.
    ("folded", 400, PING + "X: a\r\n b\r\n\r\n"),
    ("folded-coding", 400, LOAD + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("bare-lf", 400, "GET /_ping HTTP/1.1\nHost: a\n\n"),
    ("bare-lf-in-one-line", 400, PING + "X: a\nTransfer-Encoding: chunked\r\n\r\n"),
    ("bare-cr", 400, PING + "X: a\rY: b\r\n\r\n"),
    ("nul-in-value", 400, PING + "X: a\0b\r\n\r\n"),
    ("nul-in-target", 400, "GET /_pi\0ng HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("control-in-value", 400, PING + "X: a\x01b\r\n\r\n"),
    ("blank-before-colon", 400, LOAD + "Content-Length : 5\r\n\r\nhello"),
    ("blank-before-name", 400, "GET /_ping HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("no-name", 400, PING + ": x\r\n\r\n"),
    ("no-colon", 400, PING + "X\r\n\r\n"),
    ("name-no-token", 400, PING + "X(y): z\r\n\r\n"),
    ("empty-line-first", 400, "\r\n" + PING + "\r\n"),
    ("two-blanks", 400, "GET  /_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("tab-in-line", 400, "GET\t/_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("blank-in-target", 400, "GET /_ping x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method-lower", 400, "get /_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no-host", 400, "GET /_ping HTTP/1.1\r\n\r\n"),
    ("two-hosts", 400, PING + "Host: b\r\n\r\n"),
    ("two-types", 400, LOAD + "Content-Type: a/b\r\nContent-Length: 0\r\n\r\n"),
    # Versions.
    ("http-1.0", 505, "GET /_ping HTTP/1.0\r\nHost: a\r\n\r\n"),
    ("http-1.2", 505, "GET /_ping HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("http-2.0", 505, "GET /_ping HTTP/2.0\r\nHost: a\r\n\r\n"),
    ("http-0.9", 400, "GET /_ping\r\n\r\n"),
    ("http-lower", 400, "GET /_ping http/1.1\r\nHost: a\r\n\r\n"),
    ("http-11", 505, "GET /_ping HTTP/11\r\nHost: a\r\n\r\n"),
    ("h2-preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # Targets.
    ("absolute", 400, "GET http://a/_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute-odd", 400, "GET unix:///info HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("authority", 400, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("asterisk", 400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fragment", 400, "GET /_ping#x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("dots", 400, "GET /x/../_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("dots-encoded", 400, "GET /x/%2e%2e/_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("two-slashes", 400, "GET //_ping HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-percent", 400, "GET /_p%zzing HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("percent-nul", 400, "GET /_ping%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("bad-percent-in-query", 400, "GET /info?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("semicolon-in-query", 400, "GET /info?a=1;b=2 HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Size.
    ("head-huge", 431, PING + "X: " + "y" * 100_000 + "\r\n\r\n"),
    ("headers-many", 431, PING + "".join(f"X{n}: y\r\n" for n in range(500)) + "\r\n"),
    ("target-huge", 414, "GET /" + "a" * 40_000 + " HTTP/1.1\r\nHost: a\r\n\r\n"),
    # Others.
    ("expectation", 417, LOAD + "Expect: 200-ok\r\nContent-Length: 0\r\n\r\n"),
    ("form", 415, "POST /containers/x/kill HTTP/1.1\r\nHost: a\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\nsignal=9"),
    ("not-http", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 100),
]

# Sizes and ends of chunks; the head is good, so dockerd may have seen that.
BAD_CHUNKS = [
    ("letters", "zz\r\nhello\r\n0\r\n\r\n"),
    ("negative", "-5\r\nhello\r\n0\r\n\r\n"),
    ("sign", "+5\r\nhello\r\n0\r\n\r\n"),
    ("prefix", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("empty", "\r\nhello\r\n0\r\n\r\n"),
    ("zero-in-front", "05\r\nhello\r\n0\r\n\r\n"),
    ("blank-behind", "5 \r\nhello\r\n0\r\n\r\n"),
    ("blank-in-front", " 5\r\nhello\r\n0\r\n\r\n"),
    ("overflow", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("extension", "5;a=b\r\nhello\r\n0\r\n\r\n"),
    ("bare-lf-behind-size", "5\nhello\r\n0\r\n\r\n"),
    ("bare-lf-behind-data", "5\r\nhello\n0\r\n\r\n"),
    ("too-much-data", "5\r\nhelloX\r\n0\r\n\r\n"),
    ("bare-lf-at-end", "5\r\nhello\r\n0\n\n"),
    ("bad-trailer", "5\r\nhello\r\n0\r\nno colon\r\n\r\n"),
    ("framing-in-trailer", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
]

# What hides behind the bad request; it must not become one.
HIDDEN = b"DELETE /containers/victim HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def shared(work, certs, dockerds):
    """One gate and one scripted dockerd for all rows."""
    upstream = Upstream(f"{work}/ambiguous.sock", answering(OK, OK, OK))
    gate = Gate(work, certs, upstream.path).start()
    yield gate, upstream
    gate.stop()
    upstream.stop()


@pytest.mark.parametrize("status, text", [row[1:] for row in REFUSED],
                         ids=[row[0] for row in REFUSED])
def test_in_the_head(shared, status, text):
    gate, upstream = shared
    before = upstream.received()
    with gate.connect() as client:
        client.send(text.encode("latin-1") + HIDDEN)
        answer = client.reader.answer()
        assert answer.status == status
        assert json.loads(answer.body)["message"]
        # One answer, and the end: what follows cannot be trusted to be where
        # it seems to be.
        rest, _ = client.end()
        assert rest == b""
    assert upstream.received() == before


@pytest.mark.parametrize("text", [row[1] for row in BAD_CHUNKS],
                         ids=[row[0] for row in BAD_CHUNKS])
def test_in_the_chunks(shared, text):
    gate, upstream = shared
    before = len(upstream.received())
    with gate.connect() as client:
        client.send((LOAD + CHUNKED + "\r\n").encode() + text.encode() + HIDDEN)
        answer = client.reader.answer()
        assert answer.status == 400
        assert client.end()[0] == b""
    assert b"victim" not in upstream.received()[before:]


@pytest.mark.parametrize("behind", ["victim", "0\r\n\r\n" + HIDDEN.decode()])
def test_a_body_is_never_a_request(shared, behind):
    """The honest spelling of both framings, with a request for a body."""
    gate, upstream = shared
    body = behind.encode()
    for framing in ({"body": body}, {"chunks": [body]}):
        before = len(upstream.received())
        with gate.connect() as client:
            answer = client.ask("POST", "/images/load",
                                ["Content-Type: application/x-tar"], **framing)
            assert answer.status == 200
        sent = upstream.received()[before:]
        head, _, rest = sent.partition(b"\r\n\r\n")
        assert b"victim" not in head and b"victim" in rest


def test_what_goes_upstream_is_written_anew(shared):
    """No spelling of the client's survives."""
    gate, upstream = shared
    before = len(upstream.received())
    with gate.connect() as client:
        client.send(b"GET /%76%31.41/containers/%6Ason?all=%31&limit=5 HTTP/1.1\r\n"
                    b"hOST: evil\r\nuser-AGENT: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
        answer = client.reader.answer()
    if answer.status == 400:        # an encoded version prefix may be refused
        with gate.connect() as client:
            client.send(b"GET /v1.41/containers/%6Ason?all=%31&limit=5 HTTP/1.1\r\n"
                        b"hOST: evil\r\nuser-AGENT: x\r\n\r\n")
            answer = client.reader.answer()
    assert answer.status == 200
    sent = upstream.received()[before:]
    assert sent.startswith(b"GET /v1.41/containers/json?all=1&limit=5 HTTP/1.1\r\n")
    assert b"evil" not in sent and b"hOST" not in sent


def test_many_requests_on_one_connection(scripted, tls):
    def script(peer):
        while True:
            line, _, body = peer.request()
            target = line.split()[1].encode()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b%b" %
                      (len(target) + len(body), target, body))

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        for n in range(50):
            assert client.ask("GET", f"/containers/c{n}/json").body == \
                b"/containers/c%d/json" % n
            answer = client.ask("POST", "/images/load",
                                ["Content-Type: application/x-tar"], chunks=[b"a", b"b"])
            assert answer.body == b"/images/loadab"


def test_pipelined_requests_are_answered_in_order(scripted, tls):
    def script(peer):
        while True:
            line, _, body = peer.request()
            said = line.split()[1].encode() + b" " + body
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" %
                      (len(said), said))

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(b"".join(
            request("GET", f"/containers/c{n}/json")
            + request("POST", "/images/load", ["Content-Type: application/x-tar"],
                      b"body %d" % n) for n in range(20)))
        for n in range(20):
            assert client.reader.answer().body == b"/containers/c%d/json " % n
            assert client.reader.answer().body == b"/images/load body %d" % n


def test_a_pipeline_ends_where_a_request_is_refused(scripted):
    gate, upstream = scripted(answering(OK, OK, OK))
    with gate.connect() as client:
        client.send(request("GET", "/_ping") + b"junk\r\n\r\n" + HIDDEN)
        assert client.reader.answer().status == 200
        assert client.reader.answer().status == 400
        assert client.end()[0] == b""
    assert b"victim" not in upstream.received()


def test_connection_close_is_honoured(scripted, tls):
    gate, _ = scripted(answering(OK, OK), tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/_ping", ["Connection: close"])
                    + request("GET", "/_ping"))
        answer = client.reader.answer()
        assert answer.status == 200
        assert answer.headers["connection"].lower() == "close"
        assert client.end() == (b"", "close_notify")


def test_a_request_byte_by_byte(scripted, tls):
    """Each byte in a TLS record of its own."""
    bodies = []

    def script(peer):
        bodies.append(peer.request()[2])
        peer.send(OK)
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    data = request("POST", "/images/load", ["Content-Type: application/x-tar"],
                   chunks=[b"hello", b"world"])
    with gate.connect() as client:
        for i in range(len(data)):
            client.send(data[i:i + 1])
        assert client.reader.answer().status == 200
    assert bodies == [b"helloworld"]
