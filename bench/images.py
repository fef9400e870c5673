#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What dinv adds to an image: size, start, memory.

    make images && python3 bench/images.py [ROUNDS]

dinv:debian as it is, and the same image with plain dockerd --tlsverify on the
same port, by turns, in one run, on a dockerd of our own.  Both find their
certificates made.

    start   from "docker run" to the first GET /_ping that is answered over
            mutual TLS
    memory  anonymous memory of the container's cgroup, five seconds later
"""

import os
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.setdefault("DINV_E2E_DIR", os.path.join(TOP, "build/e2e"))
sys.path[:0] = [os.path.join(TOP, "tests/integration"), os.path.join(TOP, "tests/images")]

from outer import Outer  # noqa: E402

PORT = 12376
RUN = f"docker run -d --name host -p {PORT}:2376 -v bench-certs:/certs"
# What dinv does too where --privileged is not given.
PLAIN = """
mount -o remount,bind,rw,nosuid,nodev,noexec /proc/sys
for g in /sys/fs/cgroup/*; do mount -o remount,bind,rw,nosuid,nodev,noexec "$g"; done
exec dockerd --tlsverify --tlscacert /certs/ca.crt --tlscert /certs/docker.crt \
    --tlskey /certs/docker.key -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock \
    --storage-driver overlay2
"""
WAYS = {"dinv": f"{RUN} dinv:debian",
        "dockerd": f"{RUN} --entrypoint sh dinv:debian -c '{PLAIN}'"}


def ping(folder):
    """In the network of the outer dockerd: asks until it is answered, and
    prints when that was."""
    import socket
    ctx = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    ctx.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", PORT), 5) as raw, \
                    ctx.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
                tls.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                if tls.recv(100).startswith(b"HTTP/1.1 200"):
                    print(time.monotonic())
                    return
        except OSError:
            pass
        time.sleep(0.005)
    sys.exit("no answer")


def memory(outer):
    name = outer.inspect("host")["Id"]
    for path, key in ((f"/sys/fs/cgroup/memory/docker/{name}/memory.stat", "total_rss"),
                      (f"/sys/fs/cgroup/docker/{name}/memory.stat", "anon")):
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                return int(re.search(rf"^{key} (\d+)$", f.read(), re.M).group(1))
    sys.exit("no cgroup of the container was found")


def one(outer, way, folder):
    poller = subprocess.Popen(
        outer.dockerd.inside(sys.executable, os.path.abspath(__file__), "ping", folder),
        stdout=subprocess.PIPE, text=True)
    began = time.monotonic()
    outer.sh(WAYS[way])
    answered = float(poller.communicate()[0])
    time.sleep(5)
    used = memory(outer)
    outer.sh("docker rm -fv host")
    return answered - began, used


def added(outer):
    """Bytes of the program and of the libraries that only it needs."""
    script = """
apt_libs=$(ldd /usr/bin/dinv | sed -n "s/.*=> \\(\\/[^ ]*\\) .*/\\1/p")
for f in /usr/bin/dinv $apt_libs; do
	case $f in */libc.so*|*/libz.so*|*/libm.so*) ;; *) stat -Lc %s $f ;; esac
done"""
    out = outer.sh(f"docker run --rm --entrypoint sh dinv:debian -c '{script}'")
    return sum(int(line) for line in out.split())


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    work = tempfile.mkdtemp(prefix="dinv-bench.")
    outer = Outer(work)
    outer.start()
    try:
        outer.sh("docker run -d --name host -v bench-certs:/certs dinv:debian")
        outer.ready("host")
        folder = outer.client("host", os.path.join(work, "client"))
        outer.sh("docker rm -fv host")
        found = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(one(outer, way, folder))
        size = outer.inspect("dinv:debian")["Size"]
        extra = added(outer)
    finally:
        outer.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{time.strftime('%Y-%m-%d')}, {rounds} rounds by turns, medians\n")
    print("| | dinv:debian | the same, plain dockerd --tlsverify | ratio |")
    print("| --- | --- | --- | --- |")
    print(f"| image, MB | {size / 1e6:.0f} | {(size - extra) / 1e6:.0f} | "
          f"{size / (size - extra):.2f} |")
    for i, (what, scale) in enumerate((("start to first answer, s", 1), ("memory at rest, MiB", 2**20))):
        a, b = (statistics.median(r[i] for r in found[way]) / scale for way in ("dinv", "dockerd"))
        print(f"| {what} | {a:.1f} | {b:.1f} | {a / b:.2f} |")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "ping":
        ping(sys.argv[2])
    else:
        main()
