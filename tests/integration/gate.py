# SPDX-License-Identifier: Apache-2.0
"""The gate under test, and the certificates for it and its clients."""

import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess

from tlsclient import TlsClient, context
from waiting import tail_of, wait_until

DINV = os.environ.get("DINV", "")
_numbers = itertools.count(1)


def run_dinv(*args):
    done = subprocess.run([DINV, *args], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"dinv {' '.join(args)}: exit {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")


def is_instrumented():
    """Built with a sanitizer, whose shadow memory is no measure of ours."""
    with open(DINV, "rb") as f:
        return b"__asan_init" in f.read()


class Certs:
    """A store made by dinv, and one folder for each client."""

    def __init__(self, folder):
        self.store = os.path.join(folder, "store")
        self.clients = os.path.join(folder, "clients")
        os.makedirs(self.clients)
        run_dinv("cert", "init", "-certs", self.store, "-host", "127.0.0.1")

    def client(self, name, unit=None):
        """The folder for DOCKER_CERT_PATH, made at the first call."""
        out = os.path.join(self.clients, f"{name}-{unit}")
        if not os.path.isdir(out):
            units = ["-ou", unit] if unit else []
            run_dinv("cert", "issue", "-certs", self.store, "-name", name,
                     *units, "-out", out)
        return out


class Gate:
    def __init__(self, folder, certs, socket_path, tls=None, policy="admin",
                 limits=None, flags=(), audit=None, stdout=None, under=()):
        number = next(_numbers)
        self.folder = folder
        self.certs = certs
        self.tls = tls
        self.log = os.path.join(folder, f"gate{number}.log")
        self.audit = audit or os.path.join(folder, f"gate{number}.audit")
        self.config = os.path.join(folder, f"gate{number}.json")
        config = {"limits": limits or {}}
        if tls is not None:
            config["tls"] = {"min": tls, "max": tls}
        with open(self.config, "w", encoding="ascii") as f:
            json.dump(config, f)
        self.port = free_port()
        self.argv = [DINV, "gate", "-listen", f"tcp://127.0.0.1:{self.port}",
                     "-upstream", f"unix://{socket_path}",
                     "-certs", certs.store, "-policy", policy,
                     "-audit", self.audit, "-config", self.config, *flags]
        self.under = under     # the command that starts it
        self.stdout = stdout                 # None: the log
        self.process = None
        self.told = False  # to end
        self.pass_fds = ()  # descriptors that it inherits
        self.noted = 0

    def start(self):
        self.told = False
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.under, *self.argv],
            stdin=subprocess.DEVNULL, stdout=self.stdout or open(self.log, "ab"),
            stderr=open(self.log, "ab"), pass_fds=self.pass_fds)
        up = wait_until(self.listens, 30,
                        or_else=lambda: self.process.poll() is not None)
        if not up or self.process.poll() is not None:
            raise RuntimeError("the gate did not start:\n" + tail_of(self.log))
        return self

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def connect(self, name="root", unit=None, timeout=30):
        """A raw TLS connection as that client."""
        ctx = context(os.path.join(self.certs.client(name, unit), "ca.pem"),
                      self.certs.client(name, unit), self.tls)
        return TlsClient(("127.0.0.1", self.port), ctx, timeout=timeout)

    def env(self, name="root", unit=None):
        """What makes a docker client use this gate."""
        return {"DOCKER_HOST": f"tcp://127.0.0.1:{self.port}",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": self.certs.client(name, unit)}

    def gates(self):
        """The pids of the processes that face the network, the newest last:
        the one that was started is their master."""
        return gates_of(self.process.pid)

    def pid(self):
        """The one that takes new connections."""
        return self.gates()[-1]

    def _memory(self, name):
        with open(f"/proc/{self.pid()}/status", encoding="ascii") as f:
            kib = re.search(rf"^{name}:\s+(\d+) kB$", f.read(), re.M).group(1)
        return int(kib) * 1024

    def peak_memory(self):
        """The most resident memory it ever had, in bytes."""
        return self._memory("VmHWM")

    def memory(self):
        """What it has now."""
        return self._memory("VmRSS")

    def data(self):
        """What it may write to, touched or not: what --data is about."""
        return self._memory("VmData")

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def set_limit(self, name, soft):
        """prlimit: "nofile" or "data"; None puts the hard one back."""
        soft = "" if soft is None else soft
        if soft == "":
            said = subprocess.run(
                ["prlimit", f"--pid={self.pid()}", f"--{name}", "--raw",
                 "--noheadings", "--output=HARD"], capture_output=True, text=True,
                check=True)
            soft = said.stdout.strip()
        subprocess.run(["prlimit", f"--pid={self.pid()}", f"--{name}={soft}:"],
                       check=True)

    def logged(self, text):
        with open(self.log, "rb") as f:
            return f.read().count(text.encode())

    def note_memory(self):
        self.noted = self.peak_memory()

    def memory_since(self):
        """How far the peak has risen since; 0 where that says nothing."""
        return 0 if is_instrumented() else self.peak_memory() - self.noted

    def flush_audit(self):
        """Returns when all records that the gate has made are in the file."""
        if self.process is None or self.process.poll() is not None:
            return
        said = self.reopened()
        os.kill(self.process.pid, signal.SIGUSR1)
        assert wait_until(lambda: self.reopened() > said, 30,
                          or_else=lambda: self.process.poll() is not None), \
            "the audit file was not opened anew:\n" + tail_of(self.log)

    def reopened(self):
        with open(self.log, "rb") as f:
            return f.read().count(b"audit: reopened")

    def audit_records(self):
        """Every record made until now."""
        self.flush_audit()
        return self.audit_lines()

    def audit_lines_raw(self):
        """The same as bytes, also those that a kill has torn."""
        try:
            with open(self.audit, "rb") as f:
                return f.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def audit_lines(self):
        """Every whole line of the audit file."""
        try:
            with open(self.audit, encoding="utf-8") as f:
                lines = f.read().split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines[:-1]]

    def wait_for_record(self, seconds=20, **fields):
        """The first record with these fields; it may come a moment late."""
        found = []

        def look():
            found[:] = [r for r in self.audit_lines()
                        if all(r.get(k) == v for k, v in fields.items())]
            return bool(found)

        assert wait_until(look, seconds), \
            f"no audit record with {fields} among {self.audit_records()[-5:]}"
        return found[0]

    def terminate(self):
        self.told = True
        os.kill(self.process.pid, signal.SIGTERM)

    def kill(self):
        """All of it at once, as when the machine loses its power."""
        gates = self.gates()
        self.process.kill()
        for pid in gates:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        assert wait_until(lambda: not any(map(comm, gates)), 30)

    def stop(self):
        """Ends it.  It must have lived until now, and must end well."""
        if self.process is None or self.process.returncode == 0:
            return
        if not self.told:
            assert self.process.poll() is None, self._ended()
            self.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.returncode == 0, self._ended()

    def _ended(self):
        return (f"the gate ended with {self.process.returncode}:\n"
                f"{tail_of(self.log)}")


def gates_of(master):
    """As Gate.gates(), of any master."""
    with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as f:
        children = [int(pid) for pid in f.read().split()]
    return sorted((pid for pid in children if comm(pid) == "dinv-gate"), key=born)


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def born(pid):
    """When, in ticks; 0 where it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return 0


# Below those that the kernel gives to who connects (ip_local_port_range), so
# that no client takes a port between free_port() and the gate's bind; each
# port once, from a place of this process's own, so that no other session does.
_ports = itertools.count(random.randrange(20000))


def free_port():
    while True:
        port = 12000 + next(_ports) % 20000
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
