# SPDX-License-Identifier: Apache-2.0
"""The process that faces the network, once it is somebody else's: what it may
do is tried in the running gate itself (docs/threat-model.md, "Rights")."""

import errno
import os
import re
import signal
import subprocess

import pytest

from gate import DINV, is_instrumented
from intruder import Intruder
from upstream import OK, answering
from waiting import tail_of, wait_until

AT_FDCWD = -100
REFUSED = {-errno.EPERM, -errno.EACCES, -errno.ENOSYS}
PAGE = 4096

# what is tried: number of the system call (x86-64), arguments; {certs} and
# {gate} are the certificate directory and a pid
TRIES = {
    "open the CA's key": (257, AT_FDCWD, b"{certs}/ca-key.pem\0", 0, 0),
    "open the server's key": (257, AT_FDCWD, b"{certs}/docker.key\0", 0, 0),
    "open a client's key": (2, b"{certs}/docker-client.key\0", 0, 0),
    "open what everybody may": (257, AT_FDCWD, b"/etc/passwd\0", 0, 0),
    "openat2": (437, AT_FDCWD, b"/etc/passwd\0", b"\0" * 24, 24),
    "read memory of others": (257, AT_FDCWD, b"/proc/1/mem\0", 0, 0),
    "create a file": (257, AT_FDCWD, b"/tmp/dinv-intruder\0", os.O_CREAT | os.O_WRONLY, 0o600),
    "remove a file": (87, b"/tmp/dinv-intruder\0"),
    "rename a file": (82, b"/tmp/dinv-intruder\0", b"/tmp/dinv-intruder2\0"),
    "make a folder": (83, b"/tmp/dinv-intruder\0", 0o700),
    "read a link": (89, b"/proc/self/exe\0", b"\0" * 64, 64),
    "start a program": (59, b"/bin/true\0", 0, 0),
    "start a program by descriptor": (322, 2, b"\0", 0, 0, 0x1000),
    "fork": (57,),
    "vfork": (58,),
    "clone without threads": (56, signal.SIGCHLD, 0, 0, 0, 0),
    "clone3": (435, b"\0" * 88, 88),
    "a socket to the network": (41, 2, 1, 0),
    "a socket to this machine": (41, 1, 1, 0),
    "a socket of netlink": (41, 16, 3, 0),
    "a pair of sockets": (53, 1, 1, 0, b"\0" * 8),
    "connect": (42, 2, b"\1\0/run/docker.sock\0", 18),
    "bind": (49, 2, b"\2\0\0\0\0\0\0\0" + b"\0" * 8, 16),
    "listen": (50, 2, 1),
    "trace its master": (101, 16, "{master}", 0, 0),
    "kill its master": (62, "{master}", 0),
    "write into others": (311, "{master}", 0, 0, 0, 0, 0),
    "another descriptor of others": (434, "{master}", 0),
    "become root": (105, 0),
    "become root, with all three": (117, 0, 0, 0),
    "groups": (116, 0, 0),
    "change its root": (161, b"/\0"),
    "mount": (165, b"none\0", b"/tmp\0", b"tmpfs\0", 0, 0),
    "other namespaces": (272, 0x10000000),
    "enter namespaces": (308, 2, 0),
    "capabilities": (126, b"\x22\x05\x08\x20" + b"\0" * 4, b"\xff" * 24),
    "be dumped again": (157, 4, 1, 0, 0, 0),
    "code in memory": (9, 0, PAGE, 7, 0x22, -1, 0),
    "code that was data": (10, 0x400000, PAGE, 5),
    "io_uring": (425, 8, b"\0" * 120),
    "bpf": (321, 0, 0, 0),
    "keys of the kernel": (250, 0, -1, 0),
    "perf": (298, b"\0" * 128, 0, -1, -1, 0),
    "userfaultfd": (323, 0),
    "higher limits": (160, 7, b"\xff" * 16),
    "another's limits": (302, 0, 7, b"\xff" * 16, 0),
    "truncate what it may write": (77, 2, 0),
    "a longer queue of signals to others": (129, "{master}", signal.SIGTERM, b"\0" * 128),
}


@pytest.fixture
def gate(scripted):
    if is_instrumented():
        pytest.skip("a build with a sanitizer is not confined")
    started = scripted(answering(OK))[0]
    with started.connect() as client:  # it serves, so it has no rights any more
        assert client.ask("GET", "/_ping").status == 200
    return started


def filled(arg, gate):
    if isinstance(arg, str):
        return gate.process.pid
    if isinstance(arg, bytes):
        return arg.replace(b"{certs}", gate.certs.store.encode())
    return arg


def test_nothing_of_it_is_allowed(gate):
    with Intruder(gate.pid()) as intruder:
        # It is a real caller: what is allowed works.
        assert intruder.call(39) == gate.pid()
        got = {what: intruder.call(call, *(filled(a, gate) for a in args))
               for what, (call, *args) in TRIES.items()}
    assert {what: n for what, n in got.items() if n not in REFUSED} == {}
    assert gate.gates() == [gate.pid()]
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", f.read(), re.M))


def test_it_is_nobody_and_may_nothing(gate):
    for tid in os.listdir(f"/proc/{gate.pid()}/task"):
        status = status_of(f"{gate.pid()}/task/{tid}")
        assert "0" not in status["Uid"].split() + status["Gid"].split()
        assert status["Groups"] == ""
        for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[caps], 16) == 0, caps
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_its_master_is_not_there_for_the_network(gate):
    """What listens or is connected are descriptors of the gate's: the master
    holds listeners for the next gate, and no connection."""
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        port = f"{gate.port:04X}"
        inodes = {row[9] for row in rows if row[1].endswith(f":{port}") and row[3] == "01"}
        assert inodes
        held = set()
        for fd in os.listdir(f"/proc/{gate.process.pid}/fd"):
            try:
                held.add(os.readlink(f"/proc/{gate.process.pid}/fd/{fd}"))
            except FileNotFoundError:
                pass
        assert not held & {f"socket:[{i}]" for i in inodes}


def test_without_its_master_it_ends(gate):
    """Revocations would not reach it any more."""
    left = gate.pid()
    gate.process.kill()
    gate.process.wait()
    assert wait_until(lambda: not os.path.exists(f"/proc/{left}"), 30), tail_of(gate.log)
    gate.process = None


def test_a_gate_that_dies_is_the_end_of_all(gate):
    os.kill(gate.pid(), signal.SIGKILL)
    assert gate.process.wait(30) == 1
    assert "the gate was ended by signal 9" in tail_of(gate.log)
    gate.process = None


def test_who_it_becomes_can_be_chosen(start_gate, work):
    gate = start_gate(os.path.join(work, "none.sock"), flags=["-user", "23760"])
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 503
    assert set(status_of(gate.pid())["Uid"].split()) == {"23760"}


def test_nobody_of_that_name(certs):
    done = subprocess.run([DINV, "gate", "-certs", certs.store, "-user", "no-such-user"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "-user no-such-user: there is no such user" in done.stderr
