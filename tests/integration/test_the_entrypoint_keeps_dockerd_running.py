# SPDX-License-Identifier: Apache-2.0
"""dinv without a command, as the first process of a container would run it.

It is process 1 of its own namespaces, with a real dockerd under it; the tests
kill what can be killed, and look at what is there afterwards.
"""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from clients import PATH, Side
from conftest import DOCKERD_BIN
from gate import DINV, run_dinv
from images import busybox_tar
from waiting import tail_of, wait_until
from wire import unix_get

# $0: the folder; then dinv and its flags.  What docker stop allows is 10 s.
START = """
mkdir -p /run/containerd
mount -t tmpfs tmpfs /run/containerd
ip link set lo up
exec "$@" -socket "$0/s" -data "$0/data" -certs "$0/certs" \
    -admin "unix://$0/admin/s" -dockerd-log "$0/dockerd.log" -- --exec-root "$0/exec" --pidfile "$0/pid"
"""


class InNetwork(Side):
    """A docker command line in the network of that process."""

    def __init__(self, home, env, pid):
        super().__init__("20.10", home, env)
        self.pid = pid

    def argv(self, *args):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *super().argv(*args)]


class Entry:
    def __init__(self, folder, home, version):
        self.folder = folder
        self.home = home
        self.log = os.path.join(folder, "dinv.log")
        self.socket = os.path.join(folder, "s")
        self.path = ":".join([*DOCKERD_BIN[version], PATH])
        self.holder = None
        os.makedirs(folder)

    def start(self, *flags, env=None):
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL",
             "unshare", "--net", "--mount", "--propagation", "private",
             "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
             "sh", "-ec", START, self.folder, DINV, *flags],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "ab"),
            stderr=subprocess.STDOUT, env={"PATH": self.path, **(env or {})})
        return self

    def until(self, condition, seconds=60):
        ended = lambda: self.holder.poll() is not None
        assert wait_until(condition, seconds, or_else=ended), tail_of(self.log)

    def pid(self):
        """dinv's."""
        found = self.children(self.holder.pid)
        assert found, "dinv has ended:\n" + tail_of(self.log)
        return found[0]

    @staticmethod
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]

    def child(self, word):
        """The child of dinv whose command line has this word; None if none."""
        for pid in self.children(self.pid()):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if word in f.read().split(b"\0"):
                        return pid
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        return None

    def answers(self):
        try:
            return unix_get(self.socket, "/_ping").status == 200
        except (OSError, EOFError):
            return False

    def straight(self):
        side = Side("20.10", self.home, {"DOCKER_HOST": f"unix://{self.socket}"})
        if not side.docker("images", "-q", "busybox").out:
            side.ok("import", "-", "busybox:latest", stdin=busybox_tar())
        return side

    def gated(self):
        out = os.path.join(self.folder, "client")
        if not os.path.isdir(out):
            run_dinv("cert", "issue", "-certs", os.path.join(self.folder, "certs"),
                     "-name", "root", "-out", out)
        env = {"DOCKER_HOST": "tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY": "1",
               "DOCKER_CERT_PATH": out}
        side = InNetwork(self.home, env, self.pid())
        self.until(lambda: side.docker("version").status == 0)
        return side

    def stop(self, seconds=10, status=0):
        """SIGTERM; it has to be over within that time."""
        began = time.monotonic()
        os.kill(self.pid(), signal.SIGTERM)
        assert self.holder.wait(seconds) == status, tail_of(self.log)
        assert time.monotonic() - began < seconds
        return tail_of(self.log)

    def kill(self):
        if self.holder is not None:
            self.holder.kill()
            self.holder.wait()
            wait_until(lambda: not self.answers(), 10)


@pytest.fixture
def entry(work, home, version, request):
    folder = os.path.join(work, f"entry-{version}-{abs(hash(request.node.name)) % 9999}")
    made = Entry(folder, home, version)
    yield made
    made.kill()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_client_works_and_a_stop_is_clean_within_ten_seconds(entry):
    entry.start("-tlsverify")
    entry.until(entry.answers)
    entry.straight()
    side = entry.gated()
    assert side.ok("run", "-i", "--rm", "busybox", "cat", stdin=b"foo\n") == "foo"
    folder = os.path.join(entry.folder, "admin")
    assert os.stat(folder).st_mode & 0o777 == 0o700
    run_dinv("reload", "-admin", f"unix://{folder}/s")
    # Passed on to the gate, whose process stays.
    gate = entry.child(b"gate")
    os.kill(entry.pid(), signal.SIGUSR2)
    entry.until(lambda: "upgraded: a new gate" in tail_of(entry.log, 1 << 20))
    assert entry.child(b"gate") == gate
    # Process 1 of a container ignores SIGTERM: docker would wait for 10 s.
    side.ok("run", "-d", "--name", "stubborn", "busybox", "sleep", "1000")
    side.ok("run", "-d", "--name", "always", "--restart", "always", "busybox",
            "sleep", "1000")
    said = entry.stop()
    assert "dockerd stopped: exit status 0" in said
    assert not os.path.exists(os.path.join(entry.folder, "pid"))

    entry.start("-tlsverify")
    entry.until(entry.answers)
    side = entry.gated()
    assert side.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}",
                   "stubborn") == "exited 137"
    assert side.ok("inspect", "-f", "{{.State.Status}}", "always") == "running"


def test_it_comes_up_again_after_it_was_killed(entry):
    entry.start("-local")
    entry.until(entry.answers)
    side = entry.straight()
    side.ok("run", "-d", "--name", "always", "--restart", "always", "busybox",
            "sleep", "1000")
    entry.kill()
    # The numbers in these files are in use again: 1 is dinv itself.
    for name in ("pid", "exec/containerd/containerd.pid"):
        with open(os.path.join(entry.folder, name), "w", encoding="ascii") as f:
            f.write("1")

    entry.start("-local")
    entry.until(entry.answers)
    assert side.ok("inspect", "-f", "{{.State.Status}}", "always") == "running"
    entry.stop()


def test_dockerd_and_gate_come_back_when_killed(entry):
    entry.start("-tlsverify")
    entry.until(entry.answers)
    side = entry.gated()
    dockerd, gate = entry.child(b"--pidfile"), entry.child(b"gate")

    os.kill(dockerd, signal.SIGKILL)
    # The gate is there, and says what is the matter.
    entry.until(lambda: "dockerd" in side.docker("ps").err, 10)
    assert entry.child(b"gate") == gate
    entry.until(lambda: side.docker("ps").status == 0)
    assert entry.child(b"--pidfile") not in (dockerd, None)

    os.kill(gate, signal.SIGKILL)
    entry.until(lambda: entry.child(b"gate") not in (gate, None)
                and side.docker("ps").status == 0)
    entry.stop()


def _listeners(pid):
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as f:
            for line in f.read().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A":
                    found.append((table, int(words[1].rsplit(":", 1)[1], 16)))
    return sorted(set(found))


def test_only_the_gate_listens(entry):
    entry.start()
    entry.until(entry.answers)
    both = [("tcp", 2375), ("tcp6", 2375)]
    expected = both if socket.has_ipv6 else both[:1]
    entry.until(lambda: _listeners(entry.pid()) == expected, 20)
    assert "NOT SECURE" in tail_of(entry.log)
    entry.stop()

    entry.start("-tlsverify", env={"LOCAL": "true", "DOCKER_OPTS": "--label 'a=b c'"})
    entry.until(entry.answers)
    assert _listeners(entry.pid()) == []
    assert entry.straight().ok("info", "-f", "{{.Labels}}") == "[a=b c]"
    entry.stop()


def test_a_door_beside_the_gate_is_refused():
    done = subprocess.run([DINV, "-tlsverify"], capture_output=True, text=True,
                          env={"DOCKER_OPTS": "-H tcp://0.0.0.0:2375"},
                          check=False, timeout=20)
    assert done.returncode == 2
    assert "must not listen" in done.stderr
