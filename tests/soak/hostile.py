# SPDX-License-Identifier: Apache-2.0
"""What strangers, and clients that mean no good, do to a gate.  Each job checks
that it got nowhere."""

import os
import socket
import ssl

from tlsclient import TlsClient, context
from wire import request

BAIT = "smuggled"   # a container of that name is a hostile job's success
BODY = b'{"Image":"busybox","Cmd":["true"]}'
SMUGGLED = (b"POST /v1.41/containers/create?name=" + BAIT.encode() + b" HTTP/1.1\r\n"
            b"Host: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(BODY), BODY))
GONE = (OSError, ssl.SSLError, EOFError)


def expect(right, what):
    if not right:
        raise AssertionError(what)


def ended(sock):
    """Reads until the gate's end, which has to come."""
    sock.settimeout(60)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass


def dial(s):
    return socket.create_connection(("127.0.0.1", s.gate.port), 30)


def garbage(s):
    for size in (1, 5, 300, 70000):
        with dial(s) as sock:
            try:
                sock.sendall(s.random.randbytes(size))
                sock.shutdown(socket.SHUT_WR)
                ended(sock)
            except ConnectionError:
                pass


def http_in_the_clear(s):
    with dial(s) as sock:
        sock.sendall(SMUGGLED)
        got = b""
        try:
            while data := sock.recv(4096):
                got += data
        except ConnectionResetError:
            pass
        expect(b"HTTP/1.1 2" not in got, got)


def slow_loris(s):
    """Handshakes, heads and bodies that never end; each is ended for them."""
    socks = []
    for first in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
        sock = dial(s)
        sock.sendall(first)
        socks.append(sock)
    clients = []
    for first in (b"GET /_ping HTTP/1.1\r\nHost:", b"POST /v1.41/containers/create"
                  b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  b"Content-Length: 5000\r\n\r\n{"):
        client = s.connect("job", "ci")
        client.send(first)
        clients.append(client)
    for client in clients:
        with client:
            answer = client.reader.answer()
            expect(answer.status == 408, answer)
    for sock in socks:
        with sock:
            ended(sock)


CUTS = [
    b"", b"GET /_pi", request("GET", "/_ping"),
    b"POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\n"
    b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{",
    b"PUT /v1.41/containers/lives/archive?path=/tmp HTTP/1.1\r\nHost: a\r\n"
    b"Content-Type: application/x-tar\r\nContent-Length: 500000\r\n\r\nxx",
    request("GET", "/v1.41/events"), request("GET", "/v1.41/images/busybox/get"),
    request("GET", "/v1.41/containers/lives/json"),
    request("POST", "/v1.41/containers/lives/attach?stream=1&stdin=1&stdout=1",
            ["Connection: Upgrade", "Upgrade: tcp"]),
]


def cut_in_each_state(s):
    with dial(s) as sock:
        sock.sendall(b"\x16\x03\x01")
    for first in CUTS:
        for how in ("reset", "fin", "close_notify"):
            client = s.connect()
            try:
                if first:
                    client.send(first)
                if how == "close_notify":
                    client.shutdown_write()
                if how == "reset":
                    client.reset()
            except GONE:
                pass
            client.sock.close()


def _gets_in(s, ctx):
    try:
        with TlsClient(("127.0.0.1", s.gate.port), ctx) as client:
            return client.ask("GET", "/_ping").status
    except GONE:
        return None


def _ca(s):
    return os.path.join(s.certs.client("root"), "ca.pem")


def no_certificate(s):
    expect(_gets_in(s, context(_ca(s))) is None, "in without a certificate")


def wrong_certificate(s):
    ctx = context(_ca(s), s.strangers.client("root"))
    expect(_gets_in(s, ctx) is None, "in with another CA's certificate")


def revoked_certificate(s):
    for version in ("1.2", "1.3"):
        ctx = context(_ca(s), s.certs.client("former"), version)
        expect(_gets_in(s, ctx) is None, "in with a revoked certificate")


def giant_heads(s):
    for head in (b"GET /_ping HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100000,
                 b"GET /_ping HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n",
                 b"GET /" + b"y" * 40000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
        with s.connect() as client:
            try:
                client.send(head)
                status = client.reader.answer().status
            except GONE:
                continue  # it was closed in the middle of its words
            expect(status in (414, 431), f"{head[:60]}: {status}")


def _smuggling():
    size = len(SMUGGLED)
    post = b"POST /v1.41/containers/prune HTTP/1.1\r\nHost: a\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n"
    yield post + b"Content-Length: 5\r\n" + chunked + b"\r\n0\r\n\r\n" + SMUGGLED
    yield post + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % size + SMUGGLED
    yield post + b"Content-Length: +0\r\n\r\n" + SMUGGLED
    yield post + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    yield post + chunked + b"\r\n0;x=\r\n\r\n" + SMUGGLED
    yield post + chunked + b"\r\n0\n\r\n" + SMUGGLED
    yield b"GET /_ping HTTP/1.0\r\nHost: a\r\n\r\n" + SMUGGLED
    yield b"GET /_ping HTTP/1.1\nHost: a\n\n" + SMUGGLED
    yield b"GET /_ping HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" + SMUGGLED
    yield b"GET http://a/_ping HTTP/1.1\r\nHost: a\r\n\r\n" + SMUGGLED
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED
    yield (b"GET /_ping HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
           b"Upgrade: tcp\r\n\r\n") + SMUGGLED


def smuggling(s):
    """All as root, who could make that container by asking for it."""
    for data in _smuggling():
        with s.connect() as client:
            try:
                client.send(data)
                first = client.reader.answer()
                rest, _ = client.end()
            except GONE:
                continue
            expect(first.status >= 400 or data.startswith(b"GET /_ping HTTP/1.1\r\nHost: a"
                                                          b"\r\nConnection: Upgrade"),
                   f"{data[:80]!r}: {first}")
            expect(b"HTTP/1.1" not in rest, f"{data[:80]!r}: also {rest!r}")


ALL = [garbage, http_in_the_clear, slow_loris, cut_in_each_state, cut_in_each_state,
       no_certificate, wrong_certificate, revoked_certificate, giant_heads, smuggling]
