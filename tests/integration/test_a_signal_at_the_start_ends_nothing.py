# SPDX-License-Identifier: Apache-2.0
"""SIGHUP, SIGUSR1 and SIGUSR2 while a gate is not ready yet: done when it is."""

import fcntl
import os
import signal
import subprocess
from types import SimpleNamespace

import pytest

from gate import Gate
from waiting import tail_of, wait_until


def has_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return bool(f.read().split())


@pytest.mark.parametrize("which,said", [(signal.SIGHUP, "reloaded policy="),
                                        (signal.SIGUSR1, "audit: reopened"),
                                        (signal.SIGUSR2, "upgraded: a new gate")])
def test_it_waits_for_the_gate(work, name, tmp_path, which, said):
    store = os.path.join(work, f"{name}-store")
    os.mkdir(store, 0o700)
    gate = Gate(work, SimpleNamespace(store=store), "/nonexistent.sock",
                audit=str(tmp_path / "audit"))
    with open(os.path.join(store, ".dinv.lock"), "wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)        # nobody makes certificates here, for now
        gate.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *gate.argv], stdin=subprocess.DEVNULL,
            stdout=open(gate.log, "ab"), stderr=subprocess.STDOUT)
        assert wait_until(lambda: has_child(gate.process.pid), 30), tail_of(gate.log)
        os.kill(gate.process.pid, which)
        os.kill(gate.process.pid, which)
    assert wait_until(lambda: said in tail_of(gate.log, 1 << 20), 30,
                      or_else=lambda: gate.process.poll() is not None), \
        (gate.process.poll(), tail_of(gate.log))
    gate.stop()
