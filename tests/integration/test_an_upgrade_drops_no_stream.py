# SPDX-License-Identifier: Apache-2.0
"""SIGUSR2: another program takes the listeners, streams stay with the old one."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess

import pytest

from admin import Admin
from gate import DINV
from test_a_gate_is_told_to_reload import Load
from test_a_reload_is_whole_or_nothing import BOTH, ONLY_A, endless, follow, reload, write
from waiting import tail_of, wait_until


def log_of(gate):
    return tail_of(gate.log, 1 << 20)


def upgrade(gate, says="upgraded: a new gate has taken over"):
    """Tells it, and waits for what comes of it."""
    before = log_of(gate).count(says)
    os.kill(gate.process.pid, signal.SIGUSR2)
    assert wait_until(lambda: log_of(gate).count(says) > before, 30), tail_of(gate.log)


@pytest.fixture
def admin(work, name):
    return Admin(work, name)


@pytest.fixture
def gate(scripted, work, name, tls, admin):
    path = os.path.join(work, f"{name}-policy.json")
    write(path, BOTH)
    started, _ = scripted(endless, tls=tls, policy=path, flags=admin.flags)
    started.policy_file = path
    return started


@pytest.fixture
def installed(start_gate, scripted, work, name, monkeypatch):
    """A gate that was started from a file of its own."""
    program = os.path.join(work, f"{name}-dinv")
    shutil.copy(DINV, program)
    monkeypatch.setattr("gate.DINV", program)
    started, _ = scripted(endless)
    started.program = program
    started.certs.client("someone", None)
    started.certs.client("root", None)
    return started


def replace(program, by):
    shutil.copy(by, program + ".new")
    os.rename(program + ".new", program)


def is_quiet(client):
    client.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv()
    client.sock.settimeout(30)


def test_streams_stay_and_new_ones_come_to_the_new_gate(gate, admin):
    master, old = gate.process.pid, gate.pid()
    with follow(gate, "a") as kept:
        upgrade(gate)
        new = gate.pid()
        assert new != old and gate.process.pid == master
        assert old in gate.gates()
        with follow(gate, "a") as later:
            is_quiet(kept)
            is_quiet(later)
        assert admin.get("/readyz").status == 200
    assert wait_until(lambda: gate.gates() == [new], 20), "the old one does not end"


def test_a_whole_run_goes_through_it(lane, start_gate):
    """stdin and stdout of a container, over two upgrades."""
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls)
    parts = [os.urandom(1 << 20).hex().encode() for _ in range(3)]
    run = subprocess.Popen(lane.gated.argv("run", "-i", "--rm", "busybox", "cat"), bufsize=0,
                           env={**lane.gated.env, **gate.env()}, stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    got = b""
    try:
        for i, part in enumerate(parts):
            if i > 0:
                upgrade(gate)
            run.stdin.write(part)
            run.stdin.flush()
            while len(got) < (i + 1) * len(part):
                got += os.read(run.stdout.fileno(), 1 << 16)
        run.stdin.close()
        got += run.stdout.read()
        assert run.wait(30) == 0
    finally:
        run.kill()
        run.wait()
    assert got == b"".join(parts)


class Polite(Load):
    """Clients that take "Connection: close" for what it says."""

    def _ask(self, gate, unit):
        try:
            while not self.over.is_set():
                with gate.connect("someone", unit) as client:
                    for _ in range(20):
                        answer = client.ask("GET", "/_ping")
                        self.answers.append(answer.status)
                        if answer.headers.get("connection") == "close":
                            break
        except Exception as e:  # pylint: disable=broad-except
            self.faults.append(e)


def test_under_load_nobody_is_turned_away(gate):
    with Polite(gate, "a") as load:
        for _ in range(5):
            upgrade(gate)
    assert set(load.answers) == {200}


def sockets_of(pid):
    """Its sockets, as descriptors of our own."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                fd = libc.syscall(438, process, int(name), 0)  # pidfd_getfd
                if fd == -1:
                    pytest.skip("descriptors of others cannot be had here: "
                                + os.strerror(ctypes.get_errno()))
                with socket.socket(fileno=fd) as s:
                    yield s
    finally:
        os.close(process)


def test_one_that_is_about_to_end(gate):
    """An old gate's end is seen by its socket before its process is gone."""
    with follow(gate, "a"):
        old = gate.pid()
        upgrade(gate)
        os.kill(old, signal.SIGSTOP)
        try:
            asks = [s for s in sockets_of(old) if s.type == socket.SOCK_SEQPACKET
                    and s.shutdown(socket.SHUT_RDWR) is None]
            assert asks
            upgrade(gate)
            assert old in gate.gates()
        finally:
            os.kill(old, signal.SIGCONT)
        assert wait_until(lambda: old not in gate.gates(), 20)
        with gate.connect("someone", "b") as client:
            assert client.ask("GET", "/_ping").status == 200


def test_another_program_in_its_place(installed):
    """The file was replaced, as a package manager does."""
    replace(installed.program, DINV)
    upgrade(installed)
    assert os.readlink(f"/proc/{installed.process.pid}/exe") == installed.program
    with installed.connect() as client:
        assert client.ask("GET", "/_ping").status == 200


@pytest.mark.parametrize("what", ["no program", "one that fails", "nothing"])
def test_a_broken_program_changes_nothing(installed, what):
    with open(installed.program + ".new", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 3\n" if what == "one that fails" else "")
    os.chmod(installed.program + ".new", 0o755)
    os.rename(installed.program + ".new", installed.program)
    if what == "nothing":
        os.unlink(installed.program)
    old = installed.pid()
    with follow(installed, None) as kept:
        upgrade(installed, says="not upgraded")
        is_quiet(kept)
        assert installed.gates() == [old]
        with installed.connect() as client:
            assert client.ask("GET", "/_ping").status == 200


def test_a_policy_with_a_mistake_changes_nothing(gate):
    write(gate.policy_file, "{")
    old = gate.pid()
    upgrade(gate, says="not upgraded")
    assert gate.gates() == [old]
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200


def test_a_certificate_that_cannot_be_read_changes_nothing(gate, certs):
    """Seen only when the new program runs already: it keeps the old gate."""
    served = os.path.join(certs.store, "docker.crt")
    with open(served, encoding="ascii") as f:
        text = f.read()
    old = gate.pid()
    try:
        write(served, "no certificate\n")
        upgrade(gate, says="not upgraded")
    finally:
        write(served, text)
    assert wait_until(lambda: gate.gates() == [old], 20)
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200
    upgrade(gate)


def test_old_streams_hear_of_a_new_policy(gate):
    with follow(gate, "a") as kept, follow(gate, "b") as cut:
        upgrade(gate)
        write(gate.policy_file, ONLY_A)
        reload(gate, "reloaded policy=")
        assert cut.end() == (b"", "close_notify")
        is_quiet(kept)


def test_a_stop_ends_old_and_new(gate):
    with follow(gate, "a"):
        upgrade(gate)
        gate.stop()
    assert "stopped" in log_of(gate)


def test_records_stay_one_chain(gate, tmp_path):
    with follow(gate, "a") as old:
        upgrade(gate)
        with follow(gate, "a"):
            pass
        old.sock.close()
        assert wait_until(lambda: len(gate.gates()) == 1, 20)
    gate.stop()
    ends = [r for r in gate.audit_lines() if r["event"] == "end"]
    assert len(ends) == 2
    done = subprocess.run([DINV, "audit", "verify", gate.audit, "-key", gate.audit + ".key"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
