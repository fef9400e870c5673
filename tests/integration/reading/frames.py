# SPDX-License-Identifier: Apache-2.0
"""Framing, heads and upgrades: where one request ends and the next begins.

In most of these, a second request stands where another reader would see a
body, or the other way round; it makes a privileged container.
"""

import base64

from reading.targets import PRIVILEGED, privileged
from reading.trial import API, JSON, Case
from wire import request

PING = f"GET {API}/version HTTP/1.1\r\nHost: a\r\n"
# A POST that dockerd answers with 404, and keeps the connection.
POST = f"POST {API}/containers/nobody/kill HTTP/1.1\r\nHost: a\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


def hidden(t):
    """The second request."""
    return t.create(PRIVILEGED)


def behind(head, before=b""):
    """head, then a second request; LENGTH in head counts before and it."""
    def send(t):
        tail = before + hidden(t)
        said = head.replace("LENGTH", str(len(tail)))
        return said.encode("latin-1") + tail
    return send


def smuggled(row, name, head, straight, rule, before=b""):
    return Case(row, name, behind(head, before), privileged, straight, 400, rule, answers=2)


def head(extra):
    """The head of a create request, before its framing."""
    return lambda t: (f"POST {API}/containers/create?name={t.name} HTTP/1.1\r\nHost: a\r\n"
                      f"Content-Type: application/json\r\n{extra}").encode("latin-1")


def framed(row, name, extra, body, straight, rule):
    """A create request whose framing some readers would not take."""
    extra = extra.replace("LENGTH", str(len(PRIVILEGED)))
    size = b"%x" % len(PRIVILEGED)
    data = body.replace(b"SIZE", size).replace(b"BODY", PRIVILEGED)
    return Case(row, name, lambda t: head(extra)(t) + b"\r\n" + data, privileged,
                straight, 400, rule)


MADE = (201, True)
GONE = (400, None)
LAST = b"0\r\n\r\n"
CHUNK = b"SIZE\r\nBODY\r\n" + LAST

LENGTHS = [
    smuggled("two-lengths", "chunked-and-length",
             POST + CHUNKED + "Content-Length: LENGTH\r\n\r\n", (404, True),
             "http.framing", LAST),
    smuggled("two-lengths", "length-and-chunked",
             POST + "Content-Length: LENGTH\r\n" + CHUNKED + "\r\n", (404, True),
             "http.framing", LAST),
    smuggled("two-lengths", "folded-coding",
             POST + "Content-Length: LENGTH\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
             (404, True), "http.syntax", LAST),
    smuggled("two-lengths", "coding-behind-bare-lf",
             POST + "Content-Length: LENGTH\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n",
             (404, True), "http.syntax", LAST),
    framed("two-lengths", "equal-lengths",
           "Content-Length: LENGTH\r\nContent-Length: LENGTH\r\n", b"BODY", MADE,
           "http.framing"),
    framed("two-lengths", "unequal-lengths",
           "Content-Length: 3\r\nContent-Length: LENGTH\r\n", b"BODY", GONE, "http.framing"),
    framed("length-spelling", "list", "Content-Length: LENGTH, LENGTH\r\n", b"BODY", GONE, "http.framing"),
    framed("length-spelling", "sign", "Content-Length: +LENGTH\r\n", b"BODY", GONE, "http.framing"),
    framed("length-spelling", "zeros", "Content-Length: 0000LENGTH\r\n", b"BODY", MADE, "http.framing"),
    framed("coding-spelling", "identity", "Transfer-Encoding: identity\r\n", b"BODY",
           (501, None), "http.framing"),
    framed("coding-spelling", "gzip", "Transfer-Encoding: gzip, chunked\r\n", CHUNK,
           (501, None), "http.framing"),
    framed("coding-spelling", "twice", CHUNKED + CHUNKED, CHUNK, (501, None), "http.framing"),
    framed("coding-spelling", "control-byte", "Transfer-Encoding: \x0bchunked\r\n", CHUNK,
           {"20.10": (501, None), "26.1": GONE}, "http.syntax"),
]

CHUNKS = [
    framed("chunk-spelling", "extension", CHUNKED, b"SIZE;a=b\r\nBODY\r\n" + LAST, MADE, "http.chunk"),
    framed("chunk-spelling", "zero-in-front", CHUNKED, b"0SIZE\r\nBODY\r\n" + LAST, MADE,
           "http.chunk"),
    framed("chunk-spelling", "blank-behind", CHUNKED, b"SIZE \r\nBODY\r\n" + LAST, MADE, "http.chunk"),
    framed("chunk-spelling", "bare-lf", CHUNKED, b"SIZE\nBODY\r\n" + LAST,
           {"20.10": MADE, "26.1": GONE}, "http.chunk"),
    framed("chunk-spelling", "17-digits", CHUNKED, b"100000000000000SIZE\r\nBODY\r\n" + LAST,
           {"20.10": (500, None), "26.1": GONE}, "http.chunk"),
    framed("chunk-spelling", "sign", CHUNKED, b"+SIZE\r\nBODY\r\n" + LAST,
           {"20.10": (500, None), "26.1": GONE}, "http.chunk"),
]

LINES = [
    Case("lines", "bare-lf",
         lambda t: hidden(t).replace(b"\r\n", b"\n"), privileged, MADE, 400, "http.syntax"),
    Case("lines", "folded", lambda t: t.create(PRIVILEGED, ["X: a", " b"]), privileged, MADE,
         400, "http.syntax"),
    Case("lines", "no-name", lambda t: t.create(PRIVILEGED, [": x"]), privileged,
         {"20.10": MADE, "26.1": GONE}, 400, "http.syntax"),
    Case("lines", "blank-before-colon", lambda t: t.create(PRIVILEGED, ["X : a"]), privileged,
         GONE, 400, "http.syntax"),
    Case("lines", "bare-cr", lambda t: t.create(PRIVILEGED, ["X: a\rb"]), privileged, GONE, 400,
         "http.syntax"),
    Case("lines", "nul", lambda t: t.create(PRIVILEGED, ["X: a\0b"]), privileged, GONE, 400, "http.syntax"),
    Case("lines", "empty-line-first", lambda t: b"\r\n" + hidden(t), privileged, GONE, 400, "http.syntax"),
    Case("lines", "two-hosts", lambda t: t.create(PRIVILEGED, ["Host: b"]), privileged, GONE,
         400, "http.framing"),
    Case("lines", "no-host", lambda t: hidden(t).replace(b"Host: dinv\r\n", b""), privileged,
         GONE, 400, "http.syntax"),
]


def http10(t):
    """A length to HTTP/1.0, chunks to everyone who looks at the coding."""
    second = hidden(t)
    size = b"%x\r\n" % len(second)
    first = (POST.replace("1.1", "1.0") + "Connection: keep-alive\r\n" + CHUNKED
             + f"Content-Length: {len(size)}\r\n\r\n").encode()
    return first + size + second + b"\r\n" + LAST


VERSIONS = [
    Case("http-version", "1.0-with-chunks", http10, privileged, (404, True), 505,
         "http.version", answers=2),
    Case("http-version", "1.0",
         lambda t: hidden(t).replace(b"HTTP/1.1", b"HTTP/1.0"), privileged, MADE, 505,
         "http.version"),
    Case("http-version", "1.2",
         lambda t: hidden(t).replace(b"HTTP/1.1", b"HTTP/1.2"), privileged, MADE, 505,
         "http.version"),
    Case("http-version", "2.0",
         lambda t: hidden(t).replace(b"HTTP/1.1", b"HTTP/2.0"), privileged, (505, None), 505,
         "http.version"),
    Case("http-version", "2-preface",
         lambda t: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden(t), privileged, (301, None), 505,
         "http.version"),
]


def exec_ready(t):
    t.run()
    made = t.api.must("POST", f"/containers/{t.name}/exec", {"Cmd": ["true"]})
    t.kept["exec"] = made["Id"]


def evil(t):
    return t.inspect("HostConfig", "Privileged", name=t.name + "evil")


def in_the_tunnel(target, body, upgrade="tcp"):
    def send(t):
        return request("POST", API + target.replace("EXEC", t.kept.get("exec", "0" * 64)),
                       [*JSON, "Connection: Upgrade", f"Upgrade: {upgrade}"], body) \
            + t.create(PRIVILEGED, name=t.name + "evil")
    return send


UPGRADES = [
    # dockerd answers these without an upgrade, and reads on.
    Case("upgrade", "exec-that-is-not", in_the_tunnel("/exec/EXEC/start", b'{"Detach":false}'),
         evil, (404, True), 404, "not-found", answers=2),
    Case("upgrade", "exec-detached", in_the_tunnel("/exec/EXEC/start", b'{"Detach":true}'),
         evil, (200, True), 200, "", ready=exec_ready, answers=2),
    Case("upgrade", "grpc-of-another-protocol", in_the_tunnel("/grpc", b"", "h3c"), evil,
         (500, True), 403, "upgrade", answers=2),
    Case("upgrade", "session-of-another-protocol", in_the_tunnel("/session", b"", "h3c"), evil,
         (400, True), 403, "upgrade", answers=2),
    # Of two it takes the first.
    Case("upgrade", "two",
         lambda t: in_the_tunnel("/grpc", b"", "h3c\r\nUpgrade: h2c")(t), evil, (500, True),
         400, "http.framing", answers=2),
    Case("upgrade", "where-there-is-none",
         in_the_tunnel("/containers/nobody/kill", b""), evil, (404, True), 403,
         "upgrade", answers=2),
    Case("upgrade", "h2c-by-the-way", in_the_tunnel("/containers/nobody/kill", b"", "h2c"),
         evil, (404, True), 403, "upgrade", answers=2),
]

def pull_with_password(t):
    password = base64.urlsafe_b64encode(b'{"username":"u","password":"p"}').decode()
    return request("POST", f"{API}/images/create?fromImage=127.0.0.1:{t.door.port}/x&tag=1",
                   ["Connection: X-Registry-Auth", f"X-Registry-Auth: {password}"], b"")


def password_was_sent(t):
    return any(b"\r\nAuthorization: Basic " in call for call in t.door.taken())


OTHERS = [
    Case("expect", "unknown", lambda t: t.create(PRIVILEGED, ["Expect: 200-ok"]), privileged,
         (417, None), 417, "http.expect"),
    # Two requests in one packet: each is judged, the second is refused.
    Case("pipeline", "second-request",
         lambda t: request("GET", API + "/version") + hidden(t), privileged, (200, True), 200,
         "privileged", answers=2),
    # dockerd obeys what Connection names: RFC 9110 7.6.1 wants it left out.
    Case("hop-by-hop", "registry-password", pull_with_password, password_was_sent,
         (500, True), 500, "",
         ready=lambda t: t.door.taken()),
]

CASES = [*LENGTHS, *CHUNKS, *LINES, *VERSIONS, *UPGRADES, *OTHERS]
