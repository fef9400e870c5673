# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps while a gate runs: certificates are judged by it, and
nothing else; deadlines are kept by one that never jumps."""

import os
import ssl
import struct
import subprocess

import pytest

from gate import DINV, is_instrumented
from own_certs import Own, cert
from test_a_gate_tells_how_it_is import endless_or_ping
from test_limits_shed_and_recover import GONE
from waiting import tail_of, wait_until
from wire import request


class Clock:
    """What the gate's process takes for the time of day: clock.c."""

    def __init__(self, folder):
        if is_instrumented():
            pytest.skip("nothing can be loaded before what instruments it")
        lib, self.path = str(folder / "clock.so"), str(folder / "clock")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", lib,
                        os.path.join(os.path.dirname(__file__), "clock.c")],
                       check=True)
        self.set(0)
        self.under = ["env", f"LD_PRELOAD={lib}", f"CLOCK_OFFSET={self.path}"]

    def set(self, days):
        """In place: the gate has it mapped."""
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(fd, struct.pack("q", days * 86400))
        os.close(fd)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def start(work, name, clock):
    """A gate with certificates of its own: it may come to renew them.  Its
    client's are good for ten days."""
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)

    def go(**limits):
        gate = own.scripted(endless_or_ping, under=clock.under, limits=limits)
        cert(gate, "issue", "-name", "root", "-days", "10", "-out",
             os.path.join(gate.certs.clients, "root-None"))
        return gate

    yield go
    own.stop()


def status(gate):
    try:
        with gate.connect() as client:
            return client.ask("GET", "/_ping").status
    except GONE as e:
        return e.reason if isinstance(e, ssl.SSLError) else "gone"


def connect(gate):
    """Until the gate knows the client, too."""
    client = gate.connect()
    assert client.ask("GET", "/_ping").status == 200
    return client


def test_forward_and_back(start, clock):
    gate = start(head_ms=600000, idle_ms=600000)
    stream, half, idle = connect(gate), connect(gate), connect(gate)
    stream.send(request("GET", "/v1.41/containers/x/logs?follow=1"))
    assert stream.reader.head().status == 200
    half.send(b"GET /_ping HTTP/1.1\r\nHost:")
    for days, said in ((30, "expired"), (-30, "starts in the future"), (0, None)):
        clock.set(days)
        if said is None:
            assert status(gate) == 200
        else:
            assert status(gate) != 200
            assert wait_until(lambda: said in tail_of(gate.log), 20), tail_of(gate.log)
    # Whoever was in, in whatever state, has noticed nothing.
    half.send(b" a\r\n\r\n")
    assert half.reader.answer().status == 200
    assert idle.ask("GET", "/_ping").status == 200
    stream.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        stream.recv()
    gate.stop()
    done = subprocess.run([DINV, "audit", "verify", "-key", gate.audit + ".key",
                           gate.audit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done


@pytest.mark.parametrize("days", [30, -30])
def test_deadlines_are_kept(start, clock, days):
    gate = start(head_ms=1500)
    with connect(gate) as client:
        client.send(b"GET /_ping HTTP/1.1\r\n")
        clock.set(days)
        answer = client.reader.answer()
        assert answer.status == 408
        # Told in milliseconds, which went on as ever.
        record = gate.wait_for_record(status=408)
        assert 0 <= record["duration_ms"] < 60000
