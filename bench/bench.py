# SPDX-License-Identifier: Apache-2.0
"""The benchmark itself; run.sh starts it in namespaces of its own.

Each repetition goes once through all servers, so that whatever else the
machine does meets all of them.  A server is started anew each time: memory
is measured while its heap is still what a few requests made it.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import time

import cost
import report
from behaviour import DOCKER, Docker
from servers import PROXIES, Dockerd, NotThere, first_line, wait_for

WORK = os.environ["BENCH_WORK"]
OUT = os.environ["BENCH_OUT"]
DINV = os.environ["DINV"]
TLS = os.environ.get("TLS") or "1.3"
SUITE = os.environ.get("SUITE") or {
    "1.3": "TLS_AES_256_GCM_SHA384", "1.2": "ECDHE-ECDSA-AES256-GCM-SHA384"}[TLS]
REPS = int(os.environ.get("REPS") or 3)
ONLY = os.environ.get("ONLY", "").split()

MIB = 1 << 20
HANDSHAKES = 600
REQUESTS = 20000
MANY = 500
LONE_REQUESTS = 4000
STREAMS = 500
TRANSFERS, TRANSFER_BYTES = 4, 128 * MIB
GB = 1e9

CERTS = os.path.join(WORK, "certs")
CLIENT = os.path.join(WORK, "client")
LOAD = os.path.join(OUT, "load")


def say(text):
    print(f"  BENCH     {text}", file=sys.stderr, flush=True)


class Load:
    """A load generator at its two stops: all connections open, all done."""

    def __init__(self, where, mode, *args, clients=8, count=8, certs=CLIENT):
        self.mode = mode
        self.clients = clients
        self.process = subprocess.Popen(
            [LOAD, *where, *(["-C", certs] if certs else []), "-t", TLS,
             "-s", SUITE, "-c", str(clients), "-n", str(count), *args[:2], mode,
             *args[2:]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Its input ends, and so does it, wherever it stands."""
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    failed_handshakes = 0
    felt = {}       # by mode and clients, the last one's: rate, p50, p90, p99, max

    def reaches(self, word):
        said = self.process.stdout.readline().split()
        if said[:1] != [word]:
            return False
        if word == "done" or self.mode == "idle":
            Load.failed_handshakes += int(said[1])
        if word == "done":
            Load.felt[self.mode, self.clients] = [float(x) for x in said[2:]]
        return True

    def expect(self, word):
        if not self.reaches(word):
            raise RuntimeError(f"{self.mode}: {self.process.stderr.read()}")

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def settled_cpu(pids):
    """Processor time once the server has nothing left to do (or after 2 s)."""
    last = [-1.0]

    def stands_still():
        time.sleep(0.05)
        last.append(cost.cpu_s(pids))
        return last[-1] == last[-2]

    wait_for(stands_still, 2)
    return last[-1]


def cpu_of(pids, where, mode, *args, **load):
    """Seconds of processor time that one load cost these processes."""
    with Load(where, mode, *args, **load) as running:
        running.expect("ready")
        before = settled_cpu(pids)
        running.go()
        running.expect("done")
        return settled_cpu(pids) - before


def memory_of(pids, where, *target, held=None):
    """KiB that one more idle stream takes; held keeps them open."""
    before = cost.memory_kib(pids)
    with contextlib.ExitStack() as own:
        running = (held or own).enter_context(Load(
            where, "idle", "-b", "0", *target, clients=4, count=STREAMS))
        running.expect("ready")
        time.sleep(0.2)
        return (cost.memory_kib(pids) - before) / STREAMS


def asks_for_a_certificate(where):
    with Load(where, "request", clients=1, count=1, certs=None) as running:
        if not running.reaches("ready"):
            return True
        running.go()
        return not running.reaches("done")


def connections_and_requests(pids, where):
    return {
        "handshake_us": cpu_of(pids, where, "handshake",
                               count=HANDSHAKES) / HANDSHAKES * 1e6,
        "request_us": cpu_of(pids, where, "request",
                             count=REQUESTS) / REQUESTS * 1e6,
        "many_us": cpu_of(pids, where, "request", clients=MANY,
                          count=REQUESTS) / REQUESTS * 1e6,
        "lone_us": cpu_of(pids, where, "request", clients=1,
                          count=LONE_REQUESTS) / LONE_REQUESTS * 1e6}


def transfers(pids, where, each=TRANSFER_BYTES):
    """Seconds a gigabyte, to the client and from it."""
    moved = TRANSFERS * each / GB
    return {f"{mode}_s": cpu_of(pids, where, mode, "-b", str(each),
                                clients=TRANSFERS, count=TRANSFERS) / moved
            for mode in ("down", "up")}


def felt():
    """What the clients saw: rates, and times of the slower ones."""
    found = {}
    for mode, clients in (("handshake", 8), ("request", 8), ("request", MANY)):
        rate, p50, _, p99, _ = Load.felt[mode, clients]
        found.update({f"{mode}{clients}_rate": rate, f"{mode}{clients}_p50": p50,
                      f"{mode}{clients}_p99": p99})
    return found


def warm_up(pids, where):
    cpu_of(pids, where, "handshake", count=40)
    cpu_of(pids, where, "request", count=400)


def measure(server):
    """One repetition of rows 1 to 5."""
    where = ["-p", str(server.port)]
    pids = cost.tree(server.process.pid)
    if not asks_for_a_certificate(where):
        raise RuntimeError(f"{server.name} serves clients without certificate")
    warm_up(pids, where)
    pids = cost.tree(server.process.pid)
    figures = {"memory_kib": memory_of(pids, where)}
    figures.update(connections_and_requests(pids, where))
    figures.update(felt())
    figures.update(transfers(pids, where))
    return figures


def measure_dockerd(results, dockerd, container):
    """The same, of dockerd itself: what it does for these rows with or
    without a server in front.  containerd and shims do not count."""
    pids = [dockerd.process.pid]
    ways = {"dockerd": ["-p", str(dockerd.port)], "socket": ["-u", dockerd.socket]}
    attach = (f"/v1.41/containers/{container}/attach"
              "?stderr=1&stdin=1&stdout=1&stream=1")
    for where in ways.values():
        warm_up(pids, where)
    # It gives memory back when it likes, so earlier streams stay meanwhile.
    with contextlib.ExitStack() as held:
        for _ in range(REPS):
            results.add("dockerd", {"memory_kib": memory_of(
                pids, ways["dockerd"], attach, held=held)})
    for _ in range(REPS):
        for name, where in ways.items():
            results.add(name, {**connections_and_requests(pids, where), **felt()})


class Results:
    """Figures by server and row, of all repetitions."""

    def __init__(self):
        self.figures = {}
        self.notes = []

    def add(self, name, figures):
        for row, value in figures.items():
            self.figures.setdefault(name, {}).setdefault(row, []).append(value)

    def medians(self):
        return {name: {row: v if isinstance(v[0], str) else statistics.median(v)
                       for row, v in rows.items()}
                for name, rows in self.figures.items()}


def proxies(upstream, results=None):
    made = []
    for kind in PROXIES:
        if ONLY and kind.name not in ONLY:
            continue
        try:
            made.append(kind(WORK, CERTS, upstream))
        except NotThere as e:
            if results is not None:
                results.notes.append(str(e))
    return made


def start_upstream():
    """(the scripted dockerd's process, its socket)."""
    path = os.path.join(WORK, "upstream")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    upstream = subprocess.Popen([os.path.join(OUT, "upstream"), path],
                                stdin=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(path), 10, upstream)
    return upstream, path


def run_rows(results):
    upstream, path = start_upstream()
    servers = proxies(path, results)
    for rep in range(REPS):
        for server in servers:
            say(f"{server.name}, {rep + 1} of {REPS}")
            try:
                server.start()
                Load.failed_handshakes = 0
                results.add(server.name, measure(server))
                results.add(server.name,
                            {"failed": Load.failed_handshakes})
            except RuntimeError as e:
                results.notes.append(f"{server.name}, repetition {rep + 1}: "
                                     f"not measured: {' '.join(str(e).split())}")
                say(f"failed; {server.name}'s log ends so:\n{server.log_end()}")
            finally:
                server.stop()
    upstream.kill()
    upstream.wait()


def run_dockerd(results):
    """dockerd's own rows; then what docker does through each server."""
    if ONLY and "dockerd" not in ONLY:
        return
    try:
        dockerd = Dockerd(WORK, CERTS, "")
        docker = Docker(WORK, CLIENT, dockerd.socket)
        say("dockerd")
        dockerd.start()
        docker.import_image()
        container = docker.start_idle()
    except (NotThere, RuntimeError) as e:
        results.notes.append(f"dockerd, and what docker does: not run: {e}")
        return
    try:
        measure_dockerd(results, dockerd, container)
        results.add("dockerd", docker.behaves(dockerd.port))
        for server in proxies(dockerd.socket):
            say(f"docker through {server.name}")
            try:
                server.start()
                results.add(server.name, docker.behaves(server.port))
            except RuntimeError as e:
                results.notes.append(str(e))
            finally:
                server.stop()
    finally:
        dockerd.stop()


def make_certs():
    for args in (("init", "-certs", CERTS, "-host", "127.0.0.1"),
                 ("issue", "-certs", CERTS, "-name", "runner-7", "-ou", "ci",
                  "-out", CLIENT)):
        subprocess.run([DINV, "cert", *args], check=True,
                       stdout=subprocess.DEVNULL)


def main():
    import scale    # which uses this file
    began = time.monotonic()
    results = Results()
    make_certs()
    run_rows(results)
    run_dockerd(results)
    about = {
        "tls": f"TLS {TLS}, {SUITE}, X25519, ECDSA P-256, no resumption",
        "versions": [kind.version() for kind in (*PROXIES, Dockerd)
                     if kind.name in results.figures],
        "clients": [first_line("openssl", "version").partition(" (")[0],
                    first_line(DOCKER, "--version")],
        "reps": REPS, "streams": STREAMS, "seconds": time.monotonic() - began}
    # Written at once: the curves take long, and may fail.
    print(report.write(results, about, None))
    if os.environ.get("BENCH") != "peers":
        curves = scale.run()
        about["seconds"] = time.monotonic() - began
        print(report.write(results, about, curves))


if __name__ == "__main__":
    main()
