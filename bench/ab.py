# SPDX-License-Identifier: Apache-2.0
"""Two builds of dinv in turns: what a change costs (run.sh, AB=).

What differs by a hundredth drowns in what else the machine does, so the two
alternate many times, each turn in a new process, and who goes first changes.
"""

import os
import statistics
import subprocess

import cost
from bench import (CERTS, DINV, MIB, OUT, WORK, Load, cpu_of, make_certs, say,
                   transfers, warm_up)
from servers import Dinv, wait_for

TURNS = int(os.environ.get("TURNS") or 20)
REQUESTS = 20000
HANDSHAKES = 200


def thread_cpu_s(pids):
    """Processor time in nanoseconds' grain: short turns need it."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def turn(program, upstream):
    server = Dinv(WORK, CERTS, upstream)
    server.program = program
    server.start()
    try:
        where = ["-p", str(server.port)]
        pids = cost.tree(server.process.pid)
        warm_up(pids, where)
        moved = transfers(pids, where, 32 * MIB)
        return {"a request, us": cpu_of(pids, where, "request",
                                        count=REQUESTS) / REQUESTS * 1e6,
                "a handshake, us": cpu_of(pids, where, "handshake",
                                          count=HANDSHAKES) / HANDSHAKES * 1e6,
                "a gigabyte down, ms": moved["down_s"] * 1e3,
                "a gigabyte up, ms": moved["up_s"] * 1e3}
    finally:
        server.stop()


def main():
    cost.cpu_s = thread_cpu_s
    builds = {"A": os.environ["AB"], "B": DINV}
    found = {name: [] for name in builds}
    make_certs()
    path = os.path.join(WORK, "upstream")
    upstream = subprocess.Popen([os.path.join(OUT, "upstream"), path],
                                stdin=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(path), 10, upstream)
    for i in range(TURNS):
        say(f"turn {i + 1} of {TURNS}")
        for name in sorted(builds, reverse=i % 2 == 1):
            found[name].append(turn(builds[name], path))
    upstream.kill()
    upstream.wait()
    for name, program in builds.items():
        print(f"{name} is {program}")
    for row in found["A"][0]:
        for name, turns in found.items():
            v = [t[row] for t in turns]
            print(f"{row}, {name}: median {statistics.median(v):.1f}, "
                  f"from {min(v):.1f} to {max(v):.1f}")
    if Load.failed_handshakes:
        print(f"handshakes that were tried again: {Load.failed_handshakes}")


main()
