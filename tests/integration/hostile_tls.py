# SPDX-License-Identifier: Apache-2.0
"""TLS as attackers speak it: hellos written by hand, and records of any kind
under the keys of a connection that an honest library has opened.

The library writes its secrets to a key log (what SSLKEYLOGFILE is); from
those the client's write keys are made once more, so that a test can send what
no library would: empty records, key updates, a second ClientHello.
"""

import hashlib
import hmac
import os
import socket
import struct
import threading

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tlsclient import TlsClient, context
from waiting import wait_until

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO = 1, 2
CCS_RECORD = b"\x14\x03\x03\x00\x01\x01"
ECDSA_SHA256, ECDSA_SHA1, RSA_SHA1 = 0x0403, 0x0203, 0x0201
X25519, P256 = 29, 23
SUITES = {"1.2": 0xC02B, "1.3": 0x1301}     # AES-128-GCM, ECDSA


# --- a hello by hand ---------------------------------------------------------


def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def vector(body, size):
    return len(body).to_bytes(size, "big") + body


def words(numbers):
    return b"".join(n.to_bytes(2, "big") for n in numbers)


def share(group, key):
    return words([group]) + vector(key, 2)


def good_share(group=X25519):
    """Somebody's public key: the base point, which is a good one."""
    return share(group, (9).to_bytes(32, "little"))


def hello(tls="1.3", version=0x0303, suites=None, groups=(X25519, P256),
          algorithms=(ECDSA_SHA256,), shares=None, compression=b"\0", more=()):
    """A ClientHello message; more: pairs of an extension's number and body."""
    extensions = []
    if groups is not None:
        extensions.append((10, vector(words(groups), 2)))
        extensions.append((11, b"\1\0"))
    if algorithms is not None:
        extensions.append((13, vector(words(algorithms), 2)))
    if tls == "1.3":
        extensions.append((43, vector(words([0x0304]), 1)))
        extensions.append((51, vector(good_share() if shares is None else shares, 2)))
    extensions += more
    body = words([version]) + os.urandom(32) + vector(os.urandom(32), 1)
    body += vector(words(suites or [SUITES[tls]]), 2) + vector(compression, 1)
    body += vector(b"".join(words([n]) + vector(b, 2) for n, b in extensions), 2)
    return message(CLIENT_HELLO, body)


class Said:
    """What the gate says to bytes of ours, until it ends the connection or,
    at the latest, has said that much."""

    def __init__(self, gate, *parts, until=None):
        self.data = b""
        with socket.create_connection(("127.0.0.1", gate.port), 30) as s:
            self.ended = False
            try:
                for part in parts:
                    s.sendall(part)
                while not (until and until(self)):
                    data = s.recv(65536)
                    if not data:
                        self.ended = True
                        break
                    self.data += data
            except (ConnectionResetError, BrokenPipeError):
                self.ended = True

    def records(self):
        """Pairs of a kind and a body, of whole records."""
        at = 0
        while at + 5 <= len(self.data):
            kind, _, size = struct.unpack_from("!BHH", self.data, at)
            if at + 5 + size > len(self.data):
                return
            yield kind, self.data[at + 5:at + 5 + size]
            at += 5 + size

    def server_hello(self):
        """The body of its ServerHello, or None."""
        for kind, body in self.records():
            if kind == HANDSHAKE and body[0] == SERVER_HELLO:
                return body[4:4 + int.from_bytes(body[1:4], "big")]
        return None

    def alert(self):
        """The number of the fatal alert in the clear, or None."""
        for kind, body in self.records():
            if kind == ALERT and len(body) == 2 and body[0] == 2:
                return body[1]
        return None

    def __repr__(self):
        return f"<ended {self.ended}, records {list(self.records())}>"


# --- keys --------------------------------------------------------------------


def _expand_label(secret, label, size):
    """RFC 8446 7.1; the secret's length tells the hash."""
    info = size.to_bytes(2, "big") + vector(b"tls13 " + label, 1) + b"\0"
    digest = hashlib.sha384 if len(secret) == 48 else hashlib.sha256
    return hmac.new(secret, info + b"\1", digest).digest()[:size]


def _prf(secret, seed, size):
    """RFC 5246 5."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.new(secret, a, hashlib.sha256).digest()
        out += hmac.new(secret, a + seed, hashlib.sha256).digest()
    return out[:size]


class Keys13:
    def __init__(self, secret):
        size = 32 if len(secret) == 48 else 16
        self.key = AESGCM(_expand_label(secret, b"key", size))
        self.iv = _expand_label(secret, b"iv", 12)
        self.number = 0

    def _nonce(self):
        mask = self.number.to_bytes(12, "big")
        self.number += 1
        return bytes(a ^ b for a, b in zip(self.iv, mask))

    def seal(self, kind, body, padding=0):
        inner = body + bytes([kind]) + bytes(padding)
        head = struct.pack("!BHH", DATA, 0x0303, len(inner) + 16)
        return head + self.key.encrypt(self._nonce(), inner, head)

    def open(self, whole):
        """(kind, body) of a record with its head."""
        inner = self.key.decrypt(self._nonce(), whole[5:], whole[:5]).rstrip(b"\0")
        return inner[-1], inner[:-1]


class Keys12:
    def __init__(self, master, client_random, server_random):
        block = _prf(master, b"key expansion" + server_random + client_random, 40)
        self.key = AESGCM(block[:16])
        self.salt = block[32:36]
        self.number = 1          # the client's Finished was 0

    def seal(self, kind, body, padding=0):
        assert padding == 0, "TLS 1.2 has none with AES-GCM"
        number = self.number.to_bytes(8, "big")
        self.number += 1
        aad = number + struct.pack("!BHH", kind, 0x0303, len(body))
        sealed = number + self.key.encrypt(self.salt + number, body, aad)
        return record(kind, sealed)


def _key_log(path):
    """name -> secret, of the last connection."""
    with open(path, encoding="ascii") as f:
        lines = [line.split() for line in f if not line.startswith("#")]
    return {name: (bytes.fromhex(rand), bytes.fromhex(secret))
            for name, rand, secret in lines}


# --- a client that turns hostile ---------------------------------------------


class Turncoat(TlsClient):
    """A client like any other until after its handshake.  put() then sends
    records of its own making; recv() goes on as before.

    split: the handshake's records are cut into pieces of that many bytes.
    """

    def __init__(self, gate, folder, name="root", unit=None, split=None,
                 timeout=30):
        self.log = os.path.join(folder, f"keys{len(os.listdir(folder))}")
        cert_dir = gate.certs.client(name, unit)
        ctx = context(os.path.join(cert_dir, "ca.pem"), cert_dir, gate.tls)
        ctx.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")    # of TLS 1.2
        ctx.keylog_filename = self.log
        self.split = split
        self.received = b""
        super().__init__(("127.0.0.1", gate.port), ctx, timeout=timeout)
        assert "GCM" in self.tls.cipher()[0], self.tls.cipher()
        self.split = None
        self.keys = self._write_keys()

    def _write_keys(self):
        secrets = _key_log(self.log)
        if "CLIENT_TRAFFIC_SECRET_0" in secrets:
            return Keys13(secrets["CLIENT_TRAFFIC_SECRET_0"][1])
        client_random, master = secrets["CLIENT_RANDOM"]
        return Keys12(master, client_random, self.received[11:43])

    def _feed(self):
        data = self.sock.recv(65536)
        if len(self.received) < 43:
            self.received += data
        if data:
            self.from_peer.write(data)
        else:
            self.from_peer.write_eof()

    def _flush(self):
        data = self.to_peer.read()
        if self.split is None:
            if data:
                self.sock.sendall(data)
            return
        keys, seal, after_ccs = None, None, False
        while data:
            size = 5 + int.from_bytes(data[3:5], "big")
            one, data = data[:size], data[size:]
            if one[0] == HANDSHAKE and not after_ccs:
                self._send_split(lambda b: record(HANDSHAKE, b), one[5:])
            elif one[0] == DATA:
                if keys is None:
                    secret = _key_log(self.log)["CLIENT_HANDSHAKE_TRAFFIC_SECRET"][1]
                    keys, seal = Keys13(secret), Keys13(secret)
                kind, body = keys.open(one)
                self._send_split(lambda b, k=kind: seal.seal(k, b), body)
            else:
                after_ccs = after_ccs or one[0] == CCS
                self.sock.sendall(one)

    def _send_split(self, make, body):
        pieces = [body[i:i + self.split] for i in range(0, len(body), self.split)]
        self.sock.sendall(b"".join(make(piece) for piece in pieces))

    def put(self, kind, body, padding=0):
        self.sock.sendall(self.keys.seal(kind, body, padding))

    def put_each(self, kind, data):
        """Each byte in a record of its own."""
        self.sock.sendall(b"".join(
            self.keys.seal(kind, data[i:i + 1]) for i in range(len(data))))

    def is_cut(self):
        """Reads on: the gate has to end it, with an alert or without."""
        try:
            while self.recv():
                pass
        except OSError:         # an alert: ssl.SSLError is one
            pass
        return True


class Flood:
    """While it lasts, all these sockets send the same bytes again and again,
    as fast as they are read."""

    def __init__(self, sockets, again):
        self.block = again * 20000
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._one, args=(s,))
                        for s in sockets]

    def _one(self, s):
        s.settimeout(0.2)
        at = 0
        while not self.stop.is_set():
            try:
                at = (at + s.send(self.block[at:])) % len(self.block)
            except TimeoutError:
                pass
            except OSError:
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def are_cut(self):
        return not any(thread.is_alive() for thread in self.threads)


# --- and a gate that bears it ------------------------------------------------


class Calm:
    """with Calm(gate): afterwards it has no descriptor more than before, has
    not grown, and serves who is honest."""

    MEMORY = 4 << 20

    def __init__(self, gate, memory=MEMORY):
        self.gate = gate
        self.memory = memory

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.gate.process.pid}/fd"))

    def served(self):
        with self.gate.connect() as client:
            return client.ask("GET", "/_ping").status == 200

    def __enter__(self):
        assert self.served()
        self.before = 0

        def settled():
            last, self.before = self.before, self.descriptors()
            return last == self.before

        assert wait_until(settled, 30)
        self.gate.note_memory()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        assert self.gate.process.poll() is None, "the gate has died"
        assert self.served()
        assert wait_until(lambda: self.descriptors() <= self.before, 30), \
            f"{self.before} descriptors were {self.descriptors()}"
        assert self.gate.memory_since() < self.memory, self.gate.memory_since()
