# SPDX-License-Identifier: Apache-2.0
"""A dockerd that does as it is told: what a real one will not do on request.

script(peer) runs once for each connection, in a thread of its own.  All that
ever arrived is kept, so that a test can say what must not have.
"""

import socket
import threading

from waiting import wait_until
from wire import Reader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UPGRADED = (b"HTTP/1.1 101 UPGRADED\r\n"
            b"Content-Type: application/vnd.docker.raw-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
RAW_200 = (b"HTTP/1.1 200 OK\r\n"
           b"Content-Type: application/vnd.docker.raw-stream\r\n\r\n")


class Peer:
    """The gate, as seen from behind."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(30)
        self.received = b""
        self.done = threading.Event()
        self.reader = Reader(self._recv)

    def _recv(self):
        data = self.sock.recv(65536)
        self.received += data
        return data

    def head(self):
        """The next request: its line and its fields; the body is left."""
        return self.reader.line().decode("latin-1"), self.reader.fields()

    def request(self):
        """The next request with its body."""
        line, fields = self.head()
        if fields.get("transfer-encoding") == "chunked":
            body, _ = self.reader.chunked()
        else:
            body = self.reader.exactly(int(fields.get("content-length", "0")))
        return line, fields, body

    def send(self, data):
        self.sock.sendall(data)

    def send_slowly(self, data):
        """Byte by byte, each in a packet of its own."""
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])

    def rest(self):
        """All that comes until the gate's end."""
        return self.reader.rest()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        """A reset for the gate if it sent what was not read."""
        self.sock.close()


class Upstream:
    def __init__(self, path, script):
        self.path = path
        self.script = script
        self.peers = []
        self.faults = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1000)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            peer = Peer(sock)
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            self.script(peer)
        except (EOFError, OSError) as e:
            self.faults.append(e)
        finally:
            peer.done.set()
            peer.close()

    def received(self):
        return b"".join(peer.received for peer in self.peers)

    def wait_for_end(self, seconds=30):
        """Until every script has run to its end."""
        assert wait_until(lambda: self.peers and all(
            p.done.is_set() for p in self.peers), seconds), "a script is still running"

    def stop(self):
        self.listener.close()
        for peer in self.peers:
            peer.close()


def answering(*answers):
    """The script that reads a request for each of these answers."""
    def script(peer):
        for answer in answers:
            peer.request()
            peer.send(answer)
        peer.rest()
    return script
