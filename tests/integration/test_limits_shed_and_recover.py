# SPDX-License-Identifier: Apache-2.0
"""Each limit, reached: what is too much goes, who is in stays, and afterwards
all is as before."""

import json
import socket
import ssl
import threading

import pytest

from admin import Admin
from gate import is_instrumented
from test_deadlines_and_caps_hold import answers, handshakes
from test_metrics_are_what_happened import Scrape, grows
from upstream import OK
from waiting import tail_of, wait_until
from wire import request

BIG = 16 << 20
GONE = (OSError, ssl.SSLError, EOFError)


@pytest.fixture
def admin(work, name):
    return Admin(work, name)


def patient(peer):
    """A dockerd that answers as long as it is asked; /big with much."""
    while True:
        line, _, _ = peer.request()
        if " /v1.41/images/big/get " in line:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
            for _ in range(BIG >> 16):
                peer.send(b"x" * 65536)
        else:
            peer.send(OK)


def serves(gate):
    client = handshakes(gate)
    if client is None:
        return False
    with client:
        return answers(client)


def stalled(gate, first=b""):
    """A connection that says that much, and no more."""
    s = socket.create_connection(("127.0.0.1", gate.port), 30)
    s.sendall(first)
    return s


def is_open(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


# --- by client ------------------------------------------------------------------


def test_one_client_has_its_share(scripted, admin, tls):
    gate, upstream = scripted(patient, tls=tls, flags=admin.flags,
                              limits={"connections_per_client": 3})
    before = Scrape(admin)
    ones = [gate.connect("one") for _ in range(3)]
    assert all(answers(c) for c in ones)
    for _ in range(5):
        with gate.connect("one") as surplus:
            answer = surplus.ask("GET", "/_ping")
            assert answer.status == 429 and answer.headers["connection"] == "close"
            assert "connections_per_client is 3" in json.loads(answer.body)["message"]
            assert surplus.end() == (b"", "close_notify")
    # Another client, and the same name in another unit, are others.
    for who in (("two",), ("one", "ci")):
        with gate.connect(*who) as other:
            assert answers(other)
    assert all(answers(c) for c in ones)
    assert grows(admin, before, 5, "dinv_connections_refused_total",
                 limit="connections_per_client")
    assert "limits.connections_per_client" in tail_of(gate.log)
    assert gate.wait_for_record(status=429)["rule"] == "connections-per-client"
    ones.pop().sock.close()

    def another():
        with gate.connect("one") as client:
            return answers(client)

    assert wait_until(another, 30)


def test_far_too_many_of_one_client_are_closed(scripted, tls):
    """As many again are told; what comes then ends behind its handshake, and
    those that do not ask are not waited for."""
    gate, _ = scripted(patient, tls=tls, limits={"connections_per_client": 2})
    ones = [gate.connect("one") for _ in range(2)]
    assert all(answers(c) for c in ones)
    surplus = [gate.connect("one") for _ in range(2)]
    with gate.connect("one") as gone:
        assert gone.end() == (b"", "close_notify")
    for client in surplus:  # they are told nothing: they asked for nothing
        assert client.end() == (b"", "close_notify")
    assert all(answers(c) for c in ones)


# --- handshakes -----------------------------------------------------------------


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_the_oldest_handshake_makes_room(scripted, admin, first):
    """A deadline is no help here: it is longer than the test."""
    gate, _ = scripted(patient, flags=admin.flags,
                       limits={"handshakes": 8, "handshake_ms": 600000})
    before = Scrape(admin)
    slow = [stalled(gate, first) for _ in range(60)]
    try:
        for _ in range(10):
            assert serves(gate)
        assert wait_until(lambda: sum(map(is_open, slow)) <= 8, 30)
        assert is_open(slow[-1])
        assert Scrape(admin).get("dinv_connections_refused_total",
                                 limit="handshakes") >= 52 + before.get(
            "dinv_connections_refused_total", limit="handshakes")
        # Not a line for each of them.
        assert 1 <= gate.logged("limits.handshakes") <= 30
    finally:
        for s in slow:
            s.close()
    assert serves(gate)


# --- descriptors ----------------------------------------------------------------


def test_few_descriptors_are_few_connections(scripted, admin):
    """300 of them: (300 - 192) / 2 = 54 connections, which all work."""
    gate, _ = scripted(patient, flags=admin.flags,
                       under=["prlimit", "--nofile=300:300", "--"])
    assert "enough for 54 connections" in tail_of(gate.log)
    clients = []

    def full():
        clients[:] = [c for c in clients if answers(c)]
        while len(clients) < 54 and (client := handshakes(gate)):
            clients.append(client)
        return len(clients) == 54 and all(answers(c) for c in clients)

    assert wait_until(full, 60)
    before = Scrape(admin)
    for _ in range(20):
        assert handshakes(gate) is None
    assert grows(admin, before, 20, "dinv_connections_refused_total",
                 limit="connections")
    assert all(answers(c) for c in clients)
    for client in clients:
        client.sock.close()
    assert wait_until(lambda: serves(gate), 30)
    assert gate.logged("cannot accept") == 0


def test_out_of_descriptors(scripted):
    """What the system takes away in the middle of work, it may give back."""
    gate, _ = scripted(patient, flags=["-user", "root"])  # set_limit()
    one, fresh = gate.connect(), gate.connect()
    assert answers(one)
    gate.set_limit("nofile", gate.descriptors())
    # One of them at least finds no descriptor left.
    waiting = [stalled(gate)]
    assert wait_until(lambda: gate.logged("cannot accept: Too many open files")
                      or waiting.append(stalled(gate)), 30)
    assert answers(one)
    answer = fresh.ask("GET", "/_ping")
    assert answer.status == 503
    assert "no descriptor left" in json.loads(answer.body)["message"]
    gate.set_limit("nofile", None)
    assert wait_until(lambda: serves(gate), 30)
    assert answers(one) and answers(fresh)
    assert gate.logged("cannot accept") < 30
    for s in waiting:
        s.close()


# --- memory ---------------------------------------------------------------------


def test_out_of_memory(scripted):
    """Each allocation may fail; what needs it ends, the gate does not."""
    if is_instrumented():
        pytest.skip("a sanitizer's own memory counts too")
    gate, _ = scripted(patient, policy="ci-runner", flags=["-user", "root"])
    with gate.connect() as one:
        assert answers(one)
        body = b'{"Image":"busybox","Env":["A=%b"]}' % (b"x" * 900000)
        asked = request("POST", "/v1.41/containers/create",
                        ["Content-Type: application/json"], body=body)
        failed = 0
        for spare in (0, 64, 128, 256, 512, 700, 900, 1024, 1500, 2048, 3072):
            gate.set_limit("data", gate.data() + (spare << 10))
            for _ in range(4):
                try:
                    with gate.connect() as client:
                        client.send(asked)
                        failed += client.reader.answer().status != 200
                except (OSError, ssl.SSLError, EOFError):
                    failed += 1
        assert failed > 0, "there was memory enough"
    gate.set_limit("data", None)
    assert wait_until(lambda: serves(gate), 30)
    with gate.connect() as client:
        client.send(asked)
        assert client.reader.answer().status == 200


def test_slow_readers_hold_a_lane_each(scripted):
    """60 clients that read nothing of 16 MiB: the gate holds under 1 MiB for
    each, and serves others meanwhile."""
    gate, upstream = scripted(patient)
    assert serves(gate)
    gate.note_memory()
    slow = [gate.connect() for _ in range(60)]
    for client in slow:
        client.send(request("GET", "/v1.41/images/big/get"))
    assert wait_until(lambda: len(upstream.peers) >= 61, 30)
    for _ in range(10):
        assert serves(gate)
    assert gate.memory_since() < 60 << 20
    # And nothing of it is lost to who begins to read after all.
    with slow.pop() as client:
        answer = client.reader.head()
        assert answer.status == 200
        got, client.reader.held = len(client.reader.held), b""
        while got < BIG:
            data = client.recv()
            assert data and not data.strip(b"x")
            got += len(data)
        assert got == BIG
    for client in slow:
        client.sock.close()
    assert serves(gate)


# --- slow loris -----------------------------------------------------------------


def test_many_slow_ones_hinder_nobody(scripted, policy_file):
    """In a handshake, a head and a body at once; honest clients go on."""
    gate, _ = scripted(patient, policy=policy_file)
    head = (b"POST /containers/create HTTP/1.1\r\nHost: a\r\nContent-Type: "
            b"application/json\r\nContent-Length: 100000\r\n\r\n{")
    slow = [stalled(gate, b"\x16\x03") for _ in range(100)]
    clients = [gate.connect("job", "ci") for _ in range(100)]
    for n, client in enumerate(clients):
        client.send(head if n % 2 else head[:30])
    stop = threading.Event()

    def drip():
        while not stop.wait(0.05):
            for client in clients:
                try:
                    client.send(b" ")
                except (OSError, ssl.SSLError):
                    pass

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        for _ in range(50):
            assert serves(gate)
    finally:
        stop.set()
        thread.join()
        for s in slow + [c.sock for c in clients]:
            s.close()
    assert serves(gate)
