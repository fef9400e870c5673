# SPDX-License-Identifier: Apache-2.0
"""SIGSTOP for dockerd: the gate's other work goes on, limits are those that the
documents say, and after SIGCONT nothing is missing."""

import json
import os
import select
import signal
import subprocess
import threading

import pytest

from admin import Admin
from clients import Lane
from conftest import make_dockerd
from payload import pseudo_random
from waiting import wait_until
from wire import request


@pytest.fixture
def still(work, home, name, start_gate, policy_file):
    """A dockerd that can be stopped, and a lane to it."""
    dockerd = make_dockerd("20.10", os.path.join(work, f"s{name}"), home)
    dockerd_pid = dockerd.pid()    # before containers make that hard to tell
    admin = Admin(work, name)
    gate = start_gate(dockerd.socket, policy=policy_file, flags=admin.flags,
                      limits={"fact_ms": 1500})
    lane = Lane(dockerd, gate, "20.10", home)
    lane.admin, lane.pid = admin, dockerd_pid
    yield lane
    os.kill(dockerd_pid, signal.SIGCONT)
    dockerd.kill()
    dockerd.remove()


def test_it_goes_on_where_it_was(still, name):
    """A stream, an upload and a question to policy in the middle of it."""
    data = pseudo_random(8 << 20)
    still.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    pid = still.pid
    cat = still.gated.start("exec", "-i", name, "cat")
    got = []
    reader = threading.Thread(target=lambda: got.append(cat.stdout.read()))
    reader.start()

    def write():
        cat.stdin.write(data)
        cat.stdin.close()

    writer = threading.Thread(target=write)
    cat.stdin.write(data[:1000])
    cat.stdin.flush()
    os.kill(pid, signal.SIGSTOP)
    writer_data, data = data, data[1000:]
    writer.start()
    # What needs no dockerd is answered.
    with still.gate.connect("job", "ci") as client:
        answer = client.ask("POST", "/v1.41/swarm/init", body=b"{}",
                            headers=["Content-Type: application/json"])
        assert answer.status == 403
    with still.gate.connect("job", "ci") as client:
        answer = client.ask("POST", f"/v1.41/containers/{name}/exec", body=b'{"Cmd":["x"]}',
                            headers=["Content-Type: application/json"])
        assert answer.status == 504, answer        # policy had a question
    status = json.loads(still.admin.get("/status").body)
    assert not status["ready"] and not status["dockerd"]["up"]
    # And what needs it waits, as it would without the gate.
    with still.gate.connect() as waits:
        waits.send(request("GET", "/_ping"))
        os.kill(pid, signal.SIGCONT)
        assert waits.reader.answer().body == b"OK"
    writer.join(60)
    reader.join(60)
    assert got and got[0] == writer_data
    assert cat.wait(30) == 0
    assert wait_until(lambda: json.loads(still.admin.get("/status").body)["ready"], 30)


def test_more_than_its_backlog(work, name, start_gate):
    """Where not even a connection is to be had, it is tried for 10 s, then 503;
    others are served meanwhile."""
    path = os.path.join(work, f"full-{name}.sock")
    full = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "/usr/bin/python3", "-c",
         "import socket, sys, time\ns = socket.socket(socket.AF_UNIX)\n"
         "s.bind(sys.argv[1]); s.listen(0); time.sleep(600)", path])
    try:
        assert wait_until(lambda: os.path.exists(path), 30)
        gate = start_gate(path, policy="ci-runner")
        clients = [gate.connect() for _ in range(5)]
        for client in clients:
            client.send(request("GET", "/_ping"))
        with gate.connect() as other:
            assert other.ask("POST", "/v1.41/swarm/init").status == 403
        # One is in the backlog, and waits.
        socks = {c.sock: c for c in clients}
        assert wait_until(lambda: len(select.select(list(socks), [], [], 0)[0]) == 4, 60)
        for sock in select.select(list(socks), [], [], 0)[0]:
            answer = socks[sock].reader.answer()
            assert answer.status == 503
            assert path in json.loads(answer.body)["message"]
        for client in clients:
            client.sock.close()
    finally:
        full.kill()
        full.wait()
