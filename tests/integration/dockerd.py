# SPDX-License-Identifier: Apache-2.0
"""A dockerd of one's own, in namespaces of its own.

Network, mounts and process ids are private, so that two dockerds and the
machine's own neither see nor disturb each other, and so that nothing is left
when the namespace's first process goes: the kernel ends every container and
drops every mount with it.
"""

import os
import shutil
import signal
import subprocess

from waiting import tail_of, wait_until
from wire import unix_get

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"

# $0: the folder.  dockerd would use a containerd that listens on the
# machine's usual socket; the empty folder hides it.
START = """
mkdir -p /run/containerd
mount -t tmpfs tmpfs /run/containerd
ip link set lo up
exec dockerd --host "unix://$0/docker.sock" --data-root "$0/data" \
    --exec-root "$0/exec" --pidfile "$0/pid" --shutdown-timeout 1 \
    --storage-driver "$1" --log-level warn
"""


class Dockerd:
    def __init__(self, version, folder, bin_dirs=()):
        self.version = version
        self.folder = folder
        self.socket = os.path.join(folder, "docker.sock")
        self.log = os.path.join(folder, "dockerd.log")
        self.path = ":".join([*bin_dirs, SYSTEM_PATH])
        self.driver = None
        self.holder = None

    def start(self):
        """With the driver it had; the first time, with one that works."""
        tried = [self.driver] if self.driver else ["overlay2", "vfs"]
        for driver in tried:
            if self._start_with(driver):
                self.driver = driver
                return
            self.kill()
        raise RuntimeError(
            f"dockerd {self.version} did not start:\n{tail_of(self.log)}")

    def _start_with(self, driver):
        os.makedirs(self.folder, exist_ok=True)
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL",
             "unshare", "--net", "--mount", "--propagation", "private",
             "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
             "docker-init", "--", "sh", "-ec", START, self.folder, driver],
            stdin=subprocess.DEVNULL,
            stdout=open(self.log, "ab"), stderr=subprocess.STDOUT,
            env={"PATH": self.path, "HOME": self.folder})
        return wait_until(self.answers, 60, or_else=self.has_ended)

    def has_ended(self):
        return self.holder is None or self.holder.poll() is not None

    def answers(self):
        try:
            return unix_get(self.socket, "/_ping").status == 200
        except OSError:
            return False

    def pid(self):
        """dockerd's process id as this side sees it."""
        init = _only_child(self.holder.pid)
        return _only_child(init)

    def stop(self):
        """The polite way: dockerd ends its containers, then itself."""
        if self.has_ended():
            return
        try:
            os.kill(self.pid(), signal.SIGTERM)
            self.holder.wait(30)
        except (LookupError, ProcessLookupError, subprocess.TimeoutExpired):
            self.kill()

    def kill(self):
        """The other way: everything in the namespaces is gone at once."""
        if self.holder is not None:
            self.holder.kill()
            self.holder.wait()
        # As a restart of the machine would: dockerd takes the process ids of
        # its last life for running processes.
        shutil.rmtree(os.path.join(self.folder, "exec"), ignore_errors=True)
        for name in ("docker.sock", "pid"):
            if os.path.exists(os.path.join(self.folder, name)):
                os.unlink(os.path.join(self.folder, name))

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, *argv):
        """The command line that runs argv in this dockerd's network."""
        # Of the holder's: containers' shims become its grandchildren too, and
        # which of those is dockerd is no longer told by their number.
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *argv]

    def listens_inside(self, port):
        """Does somebody listen on 127.0.0.1 there?"""
        with open(f"/proc/{self.holder.pid}/net/tcp", encoding="ascii") as f:
            return f" 0100007F:{port:04X} 00000000:0000 0A " in f.read()


class Registry:
    """An image registry that only this dockerd reaches, as 127.0.0.1:5000."""

    CONFIG = """
version: 0.1
log: {{ level: warn }}
storage: {{ filesystem: {{ rootdirectory: {folder}/store }} }}
http: {{ addr: "127.0.0.1:5000" }}
"""

    def __init__(self, dockerd):
        self.folder = os.path.join(dockerd.folder, "registry")
        os.makedirs(self.folder)
        self.log = os.path.join(self.folder, "log")
        config = os.path.join(self.folder, "config.yml")
        with open(config, "w", encoding="ascii") as f:
            f.write(self.CONFIG.format(folder=self.folder))
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL",
             *dockerd.inside("docker-registry", "serve", config)],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "wb"),
            stderr=subprocess.STDOUT, env={"PATH": SYSTEM_PATH})
        self.dockerd = dockerd
        if not wait_until(self.listens, 30):
            raise RuntimeError("no registry:\n" + tail_of(self.log))

    def listens(self):
        return self.dockerd.listens_inside(5000)

    def stop(self):
        self.process.kill()
        self.process.wait()


def _only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        children = f.read().split()
    if len(children) != 1:
        raise LookupError(f"process {pid} has children {children}")
    return int(children[0])
