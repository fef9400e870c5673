# SPDX-License-Identifier: Apache-2.0
"""Behind an honest handshake: records that no library sends, floods of what
is passed over, windows of a few bytes.  Refused or harmless; and the gate is
afterwards as it was before."""

import hashlib
import socket
import struct
import threading

import pytest

from hostile_tls import (ALERT, CCS_RECORD, DATA, HANDSHAKE, Calm, Flood,
                         Turncoat, hello, message, record)
from payload import pseudo_random
from tlsclient import TlsClient, context
from upstream import OK, UPGRADED, answering
from wire import request

MIB = 1 << 20
PING = request("GET", "/_ping")
ATTACH = request("POST", "/containers/x/attach?stream=1&stdin=1&stdout=1",
                 ["Connection: Upgrade", "Upgrade: tcp"], b"")
KEY_UPDATE, FINISHED, CERTIFICATE, TICKET, HELLO_REQUEST = 24, 20, 11, 4, 0


@pytest.fixture
def gate(scripted, tls):
    made, _ = scripted(answering(*[OK] * 50), tls=tls)
    with Calm(made):
        yield made


@pytest.fixture
def turncoat(gate, tmp_path):
    """A client that was served once, and may do its worst."""
    with Turncoat(gate, str(tmp_path)) as client:
        client.put(DATA, PING)
        assert client.reader.answer().status == 200
        yield client


# --- handshakes in a connection that has had one -----------------------------


def test_what_is_of_no_use_behind_a_handshake(gate, tls, tmp_path):
    """A second ClientHello (renegotiation, CVE-2009-3555, CVE-2011-1473), key
    updates, tickets, certificates: the connection ends, with nothing of what
    is behind them served."""
    for kind, body in (
            (HANDSHAKE, hello(tls)), (HANDSHAKE, hello("1.2")),
            (HANDSHAKE, message(KEY_UPDATE, b"\0")),
            (HANDSHAKE, message(KEY_UPDATE, b"\1")),
            (HANDSHAKE, message(KEY_UPDATE, b"\2")),
            (HANDSHAKE, message(FINISHED, bytes(12))),
            (HANDSHAKE, message(CERTIFICATE, bytes(4))),
            (HANDSHAKE, message(TICKET, bytes(60))),
            (HANDSHAKE, message(HELLO_REQUEST, b"")),
            (HANDSHAKE, b"\x18\0\0"), (ALERT, b"\2\x28"), (ALERT, b"\1"), (99, b"x")):
        with Turncoat(gate, str(tmp_path)) as client:
            client.sock.sendall(client.keys.seal(kind, body) +
                                client.keys.seal(DATA, PING))
            assert client.is_cut()
            assert client.reader.held == b"", (kind, body)


def test_a_renegotiation_in_mid_download(scripted, tmp_path):
    """While a record has blocked: no byte comes twice."""
    size = 64 * MIB
    block = pseudo_random(MIB)

    def script(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // MIB):
            peer.send(block)

    gate, _ = scripted(script, tls="1.2")
    with Turncoat(gate, str(tmp_path)) as client:
        client.put(DATA, PING)
        assert client.reader.answer().status == 200
        client.put(DATA, request("GET", "/containers/x/export"))
        assert client.reader.head().status == 200
        got = client.reader.exactly(MIB) + client.reader.held
        client.put(HANDSHAKE, hello("1.2"))
        try:
            while data := client.recv():
                got += data
        except OSError:
            pass
    assert MIB <= len(got) < size
    assert (block * (size // MIB)).startswith(got)


@pytest.mark.parametrize("asks", [b"\0", b"\1"], ids=["told", "asked-back"])
def test_a_flood_of_key_updates(scripted, tmp_path, asks):
    """Each would cost new keys, and an answer (RFC 8446 4.6.3)."""
    gate, _ = scripted(answering(OK), tls="1.3")
    with Calm(gate):
        for _ in range(20):
            with Turncoat(gate, str(tmp_path)) as client:
                try:
                    for _ in range(1000):
                        client.put(HANDSHAKE, message(KEY_UPDATE, asks))
                except OSError:
                    pass
                assert client.is_cut()


# --- records that are broken -------------------------------------------------


def test_a_record_under_no_good_key(gate, tmp_path):
    """Altered, in the clear, sent twice, left out."""
    def alter(client):
        whole = bytearray(client.keys.seal(DATA, PING))
        whole[20] ^= 1
        return bytes(whole)

    def twice(client):
        whole = client.keys.seal(DATA, b"GET /_ping HTTP/1.1\r\n")
        return whole + whole

    def skip(client):
        client.keys.seal(DATA, PING)
        return client.keys.seal(DATA, PING)

    def in_the_clear(_):
        return record(DATA, PING)

    def alert_in_the_clear(_):
        return record(ALERT, b"\1\0")

    def hello_in_the_clear(_):
        return record(HANDSHAKE, hello())

    for make in (alter, twice, skip, in_the_clear, alert_in_the_clear,
                 hello_in_the_clear):
        with Turncoat(gate, str(tmp_path)) as client:
            client.sock.sendall(make(client))
            assert client.is_cut()
            assert client.reader.held == b"", make


def test_a_record_that_is_too_large(gate, tmp_path):
    """RFC 8446 5.2: 2^14 bytes, and what the cipher adds."""
    for body in (struct.pack("!BHH", DATA, 0x0303, 0xFFFF) + bytes(70000),
                 struct.pack("!BHH", DATA, 0x0303, 18500) + bytes(18500)):
        with Turncoat(gate, str(tmp_path)) as client:
            try:
                client.sock.sendall(body)
            except OSError:
                pass
            assert client.is_cut()


def test_the_largest_record(turncoat):
    head = (b"POST /images/load HTTP/1.1\r\nHost: a\r\nContent-Type: application/"
            b"x-tar\r\nContent-Length: %d\r\n\r\n")
    body = bytes(16384 - len(head % 16384))
    turncoat.put(DATA, head % len(body) + body)
    assert turncoat.reader.answer().status == 200
    turncoat.put(DATA, head % (len(body) + 1) + body + b"x")
    assert turncoat.is_cut()


def test_empty_records(turncoat):
    """A few are allowed, and mean nothing; a row of them ends it."""
    for i in range(len(PING)):
        turncoat.put(DATA, b"")
        turncoat.put(DATA, PING[i:i + 1])
    assert turncoat.reader.answer().status == 200
    for _ in range(1000):
        try:
            turncoat.put(DATA, b"")
        except OSError:
            break
    assert turncoat.is_cut()


def test_records_of_one_byte(scripted, tls, tmp_path):
    """An upload in them arrives whole, in bounded memory."""
    size = 20000
    body = pseudo_random(size)
    heard = []

    def script(peer):
        while True:
            heard.append(peer.request()[2])
            peer.send(OK)

    gate, _ = scripted(script, tls=tls)
    with Calm(gate), Turncoat(gate, str(tmp_path)) as client:
        client.put_each(DATA, request(
            "POST", "/images/load", ["Content-Type: application/x-tar"], body))
        assert client.reader.answer().status == 200
    assert body in heard


def test_padding(scripted, tmp_path):
    """TLS 1.3: any amount is nothing; but nothing alone is no record (RFC 8446
    5.4)."""
    gate, _ = scripted(answering(*[OK] * 9), tls="1.3")
    with Calm(gate), Turncoat(gate, str(tmp_path)) as client:
        for i in range(len(PING)):
            client.put(DATA, PING[i:i + 1], padding=16000)
        assert client.reader.answer().status == 200
        client.put(0, b"", padding=100)
        assert client.is_cut()


# --- floods of what is passed over -------------------------------------------


@pytest.mark.parametrize("where", ["idle", "stream"])
def test_a_flood_of_change_cipher_spec(scripted, tmp_path, where):
    """In TLS 1.3 it is passed over, even behind the handshake: whoever floods
    with it is one client among others, also where no deadline cuts it."""
    def script(peer):
        while True:
            line, _, _ = peer.request()
            peer.send(UPGRADED if "attach" in line else OK)
            if "attach" in line:
                peer.rest()

    gate, _ = scripted(script, tls="1.3")
    with Calm(gate):
        clients = [Turncoat(gate, str(tmp_path)) for _ in range(8)]
        if where == "stream":
            for client in clients:
                client.put(DATA, ATTACH)
                assert client.reader.head().status == 101
        with Flood([client.sock for client in clients], CCS_RECORD):
            for _ in range(40):
                with gate.connect() as other:
                    assert other.ask("GET", "/_ping").status == 200
        for client in clients:
            client.reset()          # what is under way is not wanted


def test_a_flood_of_warnings(scripted, tmp_path):
    """The same in TLS 1.2, where each has to be under the keys."""
    gate, _ = scripted(answering(*[OK] * 9), tls="1.2")
    with Calm(gate):
        clients = [Turncoat(gate, str(tmp_path)) for _ in range(8)]
        floods = [b"".join(client.keys.seal(ALERT, b"\1\x5a") for _ in range(5000))
                  for client in clients]
        done = []
        threads = [threading.Thread(
            target=lambda c=c, f=f: done.append(c.sock.sendall(f)))
            for c, f in zip(clients, floods)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with gate.connect() as other:
                assert other.ask("GET", "/_ping").status == 200
        for client in clients:      # and they are clients still
            client.put(DATA, PING)
            assert client.reader.answer().status == 200
            client.sock.close()
        assert len(done) == len(clients)


# --- tiny windows ------------------------------------------------------------


def small_window(gate, tls, size):
    """A client whose kernel takes no more than that from the wire."""
    real = socket.create_connection

    def tiny(address, timeout=None, **_):
        s = socket.socket()
        # Segments that fit: else the kernel's probes take minutes.
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, size // 2)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, size)
        s.settimeout(timeout)
        s.connect(address)
        return s

    folder = gate.certs.client("root")
    ctx = context(folder + "/ca.pem", folder, tls)
    socket.create_connection = tiny
    try:
        return TlsClient(("127.0.0.1", gate.port), ctx)
    finally:
        socket.create_connection = real


@pytest.mark.parametrize("way", ["download", "stream"])
def test_a_window_of_a_kilobyte(scripted, tls, way):
    """dockerd is held back, not the gate filled; and every byte comes, also
    when the window opens at last."""
    size = 16 * MIB
    block = pseudo_random(size)
    many = 4

    def script(peer):
        while True:
            line, _, _ = peer.request()
            if "_ping" in line:
                peer.send(OK)
                continue
            peer.send(UPGRADED if way == "stream" else
                      b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            peer.send(block)

    gate, _ = scripted(script, tls=tls)
    with Calm(gate):
        clients = [small_window(gate, tls, 1024) for _ in range(many)]
        for client in clients:
            client.send(ATTACH if way == "stream" else
                        request("GET", "/containers/x/export"))
            assert client.reader.head().status == (101 if way == "stream" else 200)
        got = [client.reader.exactly(48 * 1024) for client in clients]
        assert gate.memory_since() < 4 * MIB
        for i, client in enumerate(clients):
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, MIB)
            total = hashlib.sha256(got[i])
            left = size - len(got[i])
            while left:
                data = client.reader.exactly(min(left, 65536))
                total.update(data)
                left -= len(data)
            assert total.digest() == hashlib.sha256(block).digest()
            client.sock.close()


# --- half closed -------------------------------------------------------------


def test_who_closes_half_of_everything(scripted, tls):
    """TLS's end, TCP's, both, in either order; with an answer to come."""
    asked = threading.Semaphore(0)
    go = threading.Event()

    def script(peer):
        while True:
            line, _, _ = peer.request()
            if "export" in line:
                asked.release()
                assert go.wait(60)
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
            else:
                peer.send(OK)

    gate, _ = scripted(script, tls=tls)
    ways = ([], ["shutdown_write"], ["fin"], ["shutdown_write", "fin"], ["reset"])
    with Calm(gate):
        for before in (b"", PING[:9], request("GET", "/containers/x/export")):
            go.clear()
            for way in ways:
                client = gate.connect()
                client.send(before)
                if before.endswith(b"\r\n\r\n"):
                    assert asked.acquire(timeout=30)
                for step in way:
                    getattr(client, step)()
                if way == ["shutdown_write"] and before.endswith(b"\r\n\r\n"):
                    go.set()
                    assert client.reader.answer().body == b"late"
                client.sock.close()
            go.set()
