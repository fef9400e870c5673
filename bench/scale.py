# SPDX-License-Identifier: Apache-2.0
"""The curves: what one more costs when there are many already (run.sh,
BENCH=scale).  dinv alone, judging and auditing, in front of the scripted
dockerd; processor time and memory of its process for one unit of work."""

import json
import os
import resource

import bench
import cost
from bench import CERTS, Load, WORK, cpu_of, say
from servers import DINV_POLICY, Dinv

CONNECTIONS = (1, 10, 100, 1000, 10000)
POLICY_CLIENTS = (1, 10, 100, 1000)
BODIES = (1 << 10, 1 << 15, 1 << 20, 1 << 25, 1 << 30, 1 << 32)
REQUESTS = 10000
HANDSHAKES = 200
# As many transfers as make this many bytes, within these bounds.
MOVED_BYTES, TRANSFERS_MOST, TRANSFERS_LEAST = 256 << 20, 4000, 1


class Gate:
    """with Gate(upstream, ...) as (where, pids)"""

    def __init__(self, upstream, clients=1):
        self.server = Dinv(WORK, CERTS, upstream)
        self.server.limits = {"connections": 20000,
                              "connections_per_address": 20000,
                              "connections_per_client": 20000}
        # The client that asks stands last.
        owner = '{{ "match": {{ "cn": "owner" }}, "role": "admin" }},'
        others = "\n".join(owner.replace("owner", f"owner-{i}")
                           for i in range(clients - 1))
        self.server.config = DINV_POLICY.replace(owner, others)

    def __enter__(self):
        self.server.start()
        where = ["-p", str(self.server.port)]
        pids = cost.tree(self.server.process.pid)
        bench.warm_up(pids, where)
        return where, pids

    def __exit__(self, *_):
        self.server.stop()


def request_us(where, pids, clients=8):
    return cpu_of(pids, where, "request", clients=clients,
                  count=REQUESTS) / REQUESTS * 1e6


def connections(upstream):
    """With so many idle streams held: what each took, and what a request and
    a handshake of somebody else cost beside them."""
    rows = []
    # two descriptors of the gate each, and some for those who ask beside them
    room = (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000) // 2
    for n in (min(n, room) for n in CONNECTIONS):
        say(f"scale: {n} idle streams")
        with Gate(upstream) as (where, pids):
            memory, cpu = cost.memory_kib(pids), bench.settled_cpu(pids)
            with Load(where, "idle", "-b", "0", clients=min(n, 4),
                      count=n) as held:
                held.expect("ready")
                after = bench.settled_cpu(pids)
                # Of a few, pages and what the warm-up left are too coarse.
                rows.append({
                    "n": n, "connection_us": (after - cpu) / n * 1e6
                    if n >= 100 else None,
                    "memory_kib": (cost.memory_kib(pids) - memory) / n
                    if n >= 100 else None,
                    "request_us": request_us(where, pids),
                    "handshake_us": cpu_of(
                        pids, where, "handshake",
                        count=HANDSHAKES) / HANDSHAKES * 1e6})
    return rows


def policy_clients(upstream):
    rows = []
    for n in POLICY_CLIENTS:
        say(f"scale: {n} clients in the policy")
        with Gate(upstream, clients=n) as (where, pids):
            rows.append({"n": n, "request_us": request_us(where, pids),
                         "handshake_us": cpu_of(
                             pids, where, "handshake",
                             count=HANDSHAKES) / HANDSHAKES * 1e6,
                         "memory_kib": cost.memory_kib(pids)})
    return rows


def bodies(upstream):
    """Small ones are a request each, so theirs is told as time for one."""
    rows = []
    with Gate(upstream) as (where, pids):
        for size in BODIES:
            count = min(TRANSFERS_MOST, max(TRANSFERS_LEAST, MOVED_BYTES // size))
            row = {"n": size}
            for mode in ("down", "up"):
                say(f"scale: bodies of {size} bytes, {mode}")
                clients = min(4, count)
                cpu = cpu_of(pids, where, mode, "-b", str(size),
                             clients=clients, count=count)
                row[f"{mode}_us"] = cpu / count * 1e6
                row[f"{mode}_s"] = cpu / count / size * 1e9
                row["memory_kib"] = cost.memory_kib(pids)
            rows.append(row)
    return rows


def run():
    upstream, path = bench.start_upstream()
    try:
        curves = {"connections": connections(path),
                  "policy": policy_clients(path), "bodies": bodies(path)}
    finally:
        upstream.kill()
        upstream.wait()
    with open(os.path.join(bench.OUT, "scale.json"), "w", encoding="ascii") as f:
        json.dump(curves, f, indent=1)
    return curves


def main():
    import report
    bench.make_certs()
    print(report.write_curves(run()))


if __name__ == "__main__":
    main()
