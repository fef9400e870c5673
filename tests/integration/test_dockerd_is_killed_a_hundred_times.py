# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for dockerd, again and again, under load; the gate stays as it was."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from conftest import make_dockerd
from gate import is_instrumented
from test_limits_shed_and_recover import GONE, answers
from waiting import wait_until
from wire import request

KILLS = 100

# A dockerd that starts within a moment: a process of its own, so that SIGKILL
# is what it is.  Half of each answer comes late, so that many die in mid-word.
SMALL = """
import os, socket, sys, threading, time
sys.path.insert(0, sys.argv[2])
from upstream import Peer
def serve(peer):
    try:
        while True:
            line, _, _ = peer.request()
            if "/logs" in line:
                peer.send(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                while True:
                    peer.send(b"5\\r\\ntick\\n\\r\\n")
                    time.sleep(0.005)
            peer.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 40000\\r\\n\\r\\n" + b"x" * 20000)
            time.sleep(0.002)
            peer.send(b"x" * 20000)
    except (OSError, EOFError):
        pass
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1000)
while True:
    threading.Thread(target=serve, args=(Peer(s.accept()[0]),), daemon=True).start()
"""


class Small:
    def __init__(self, path):
        self.path = path
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "-c", SMALL, self.path,
             os.path.dirname(__file__)], stdin=subprocess.DEVNULL)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Clients:
    """Ask and ask; an answer is whole, or a 502 or 503 that says why, or it is
    cut off in the middle.  Anything else is a fault."""

    def __init__(self, gate, n):
        self.gate = gate
        self.over = threading.Event()
        self.seen = {200: 0, 502: 0, 503: 0, "cut": 0, "stream": 0}
        self.faults = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(n)]
        for thread in self.threads:
            thread.start()

    def _saw(self, what):
        with self.lock:
            self.seen[what] += 1

    def _ask(self, client):
        client.send(request("GET", "/v1.41/info"))
        answer = client.reader.head()      # there is a head, whatever happens
        try:
            client.reader.body_of(answer)
        except EOFError:
            assert answer.status == 200 and client.ended == "close_notify"
            self._saw("cut")
            return False
        assert answer.status in (200, 502, 503), answer
        if answer.status == 200:
            assert answer.body == b"x" * 40000
        else:
            assert self.gate.argv[self.gate.argv.index("-upstream") + 1] in \
                answer.body.decode(), answer
        self._saw(answer.status)
        return answer.headers.get("connection") != "close"

    def _follow(self, client):
        client.send(request("GET", "/v1.41/containers/x/logs?follow=1&stdout=1"))
        answer = client.reader.head()
        if answer.status != 200:
            self._saw(answer.status)
            return
        try:
            while client.reader.chunk() == b"tick\n" and not self.over.is_set():
                pass
        except EOFError:
            assert client.ended == "close_notify"
        self._saw("stream")

    def _run(self, i):
        try:
            while not self.over.is_set():
                with self.gate.connect() as client:
                    if i % 3 == 0:
                        self._follow(client)
                        continue
                    while not self.over.is_set() and self._ask(client):
                        pass
        except Exception as e:  # pylint: disable=broad-except
            self.faults.append(e)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.over.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.big
def test_a_hundred_deaths_under_load(work, name, start_gate):
    small = Small(os.path.join(work, f"small-{name}.sock"))
    small.start()
    gate = start_gate(small.path)

    def works():
        with gate.connect() as client:
            return answers(client)

    memory = []
    assert wait_until(works, 30)
    # The audit key, the first of everything: what is open at rest.
    at_rest = gate.descriptors()
    try:
        for _ in range(5):
            with Clients(gate, 9) as load:
                for _ in range(KILLS // 5):
                    before = load.seen[200]
                    assert wait_until(lambda: load.seen[200] > before + 3 or load.faults, 60)
                    small.kill()
                    lost = load.seen[502] + load.seen[503]
                    assert wait_until(
                        lambda: load.seen[502] + load.seen[503] > lost or load.faults, 60)
                    small.start()
                    assert not load.faults, load.faults
            assert not load.faults, load.faults
            assert load.seen[503] and load.seen["stream"], load.seen
            assert wait_until(lambda: gate.descriptors() <= at_rest, 60), \
                gate.descriptors()
            memory.append(gate.memory())
        assert wait_until(works, 30)
    finally:
        small.kill()
    if not is_instrumented():
        assert memory[-1] < memory[1] + (1 << 20), memory


def test_a_real_one_dies_thrice_under_load(work, home, name, start_gate):
    dockerd = make_dockerd("20.10", os.path.join(work, f"k{name}"), home)
    gate = start_gate(dockerd.socket)
    over, said = threading.Event(), []

    def ask():
        while not over.is_set():
            try:
                with gate.connect() as client:
                    said.append(client.ask("GET", "/v1.41/containers/json").status)
            except GONE as e:
                said.append(e)
            over.wait(0.01)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(3):
            assert wait_until(lambda: said and said[-1] == 200, 60), said[-1:]
            dockerd.kill()
            assert wait_until(lambda: said[-1] == 503, 60), said[-1]
            dockerd.start()
        assert wait_until(lambda: said[-1] == 200, 60), said[-1]
    finally:
        over.set()
        thread.join()
        dockerd.kill()
        dockerd.remove()
    assert set(said) <= {200, 502, 503}, set(said)
