# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes: written by hand, read by the letter.

A library would hide what these tests look at: interim answers, framing, what
follows an answer, how a connection ends.
"""

import socket


class Answer:
    """One answer: status, headers (lower-case names), body, trailers."""

    def __init__(self, status, reason, headers, version):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.version = version
        self.body = b""
        self.trailers = {}

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:300]!r}>"


class Reader:
    """Reads answers from recv(), a function that returns b"" at the end."""

    def __init__(self, recv):
        self.recv = recv
        self.held = b""

    def _more(self):
        data = self.recv()
        if not data:
            raise EOFError(f"ended after {self.held!r}")
        self.held += data

    def line(self):
        while b"\n" not in self.held:
            self._more()
        line, self.held = self.held.split(b"\n", 1)
        return line.rstrip(b"\r")

    def exactly(self, size):
        while len(self.held) < size:
            self._more()
        data, self.held = self.held[:size], self.held[size:]
        return data

    def until(self, mark):
        while mark not in self.held:
            self._more()
        data, self.held = self.held.split(mark, 1)
        return data + mark

    def rest(self):
        try:
            while True:
                self._more()
        except EOFError:
            data, self.held = self.held, b""
            return data

    def fields(self):
        fields = {}
        while True:
            line = self.line()
            if not line:
                return fields
            name, _, value = line.partition(b":")
            name = name.decode("latin-1").lower()
            value = value.strip().decode("latin-1")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value

    def head(self):
        """The next head, interim (1xx) ones included; the body is left."""
        version, _, rest = self.line().decode("latin-1").partition(" ")
        if not version.startswith("HTTP/"):
            raise ValueError(f"not an answer: {version!r} {rest!r}")
        code, _, reason = rest.partition(" ")
        return Answer(int(code), reason, self.fields(), version)

    def answer(self, method="GET"):
        """The next final answer with its body."""
        answer = self.head()
        while 100 <= answer.status < 200 and answer.status != 101:
            answer = self.head()
        self.body_of(answer, method)
        return answer

    def body_of(self, answer, method="GET"):
        if method == "HEAD" or answer.status in (101, 204, 304):
            return
        if answer.headers.get("transfer-encoding") == "chunked":
            answer.body, answer.trailers = self.chunked()
        elif "content-length" in answer.headers:
            answer.body = self.exactly(int(answer.headers["content-length"]))
        else:
            answer.body = self.rest()

    def chunk(self):
        size = int(self.line().split(b";")[0], 16)
        data = self.exactly(size) if size else b""
        if size:
            self.line()
        return data

    def chunked(self):
        body = []
        while True:
            data = self.chunk()
            if not data:
                return b"".join(body), self.fields()
            body.append(data)


def request(method, target, headers=(), body=None, chunks=None, host="dinv"):
    """A request's bytes; headers is a list of pairs or whole lines."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [h if isinstance(h, str) else f"{h[0]}: {h[1]}" for h in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if chunks is not None:
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in [*chunks, b""])
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def unix_connect(path, timeout=30):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def unix_get(path, target):
    with unix_connect(path) as s:
        s.sendall(request("GET", target, ["Connection: close"]))
        return Reader(lambda: s.recv(65536)).answer()
