# SPDX-License-Identifier: Apache-2.0
"""A Debian of one's own: its own root, process ids, network, and systemd.

Every change goes into memory and is gone with it; the tree below
(tests/integration/host.sh) is only read.  No container runs it, since dockerd
would not let systemd have a control group tree of its own.
"""

import os
import subprocess

from waiting import tail_of, wait_until

TREE = os.environ.get("DINV_DEBIAN", "")

# $0: the tree, $1: an empty folder.  A control group tree is made even where
# the machine has the old kind, without controllers then.
START = """
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$0,upperdir=$1/up,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs var/lib/docker
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for d in null zero random urandom full tty; do cp -a /dev/$d dev/; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
hostname vm
mkdir .old
pivot_root . .old  # in a chroot, docker exec would end up outside of it
umount -l /.old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
"""


class Host:
    def __init__(self, folder):
        self.folder = folder
        self.log = os.path.join(folder, "log")
        self.root = os.path.join(folder, "root")
        self.holder = None
        self.pid = None

    def start(self):
        os.makedirs(self.root)
        os.makedirs(os.path.join(TREE, "var/lib/docker"), exist_ok=True)
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL",
             "unshare", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup",
             "--propagation", "private", "--fork", "--kill-child=KILL",
             "sh", "-ec", START, os.path.realpath(TREE), self.root],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "wb"),
            stderr=subprocess.STDOUT)
        if not wait_until(self.has_booted, 90, or_else=lambda: self.holder.poll() is not None):
            self.stop()
            raise RuntimeError("no host:\n" + tail_of(self.log))
        return self

    def has_booted(self):
        try:
            with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children",
                      encoding="ascii") as f:
                self.pid = int(f.read().split()[0])
            if not os.readlink(f"/proc/{self.pid}/exe").endswith("/systemd/systemd"):
                return False
        except (IndexError, OSError):
            return False
        said = self.run("systemctl", "is-system-running").stdout.strip()
        return said in ("running", "degraded")

    def argv(self, *argv):
        return ["nsenter", "-t", str(self.pid), "--pid", "--mount", "--net", "--uts",
                "--ipc", "--cgroup", "--root", "env", "-C", "/root", *argv]

    def run(self, *argv, **options):
        """argv there, as root; what it printed and its status."""
        options = {"text": True, "timeout": 100, "stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            del options["stdin"]
        return subprocess.run(
            self.argv(*argv), capture_output=True, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
                 "DEBIAN_FRONTEND": "noninteractive", **options.pop("env", {})},
            **options)

    def ok(self, *argv, **options):
        done = self.run(*argv, **options)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def path(self, name):
        """Where a file of the host is for this side."""
        return f"/proc/{self.pid}/root{name}"

    def journal(self, unit):
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def stop(self):
        self.holder.kill()
        self.holder.wait()
