# SPDX-License-Identifier: Apache-2.0
"""Observe a job, learn a policy from its records, enforce it: the job passes."""

import json
import os
import subprocess

from clients import Side
from gate import DINV

LANES = "few"

OBSERVE = {"clients": [{"match": {"ou": "ci"}, "role": "trial"}],
           "roles": {"trial": {"mode": "observe", "allow": ["@read"]}}}


def job(side, name):
    assert side.ok("run", "--rm", "busybox", "echo", "bar") == "bar"
    side.ok("network", "create", f"{name}-net")
    try:
        side.ok("run", "-d", "--name", name, "--network", f"{name}-net", "-v", "/usr:/h:ro",
                "--cap-add", "NET_ADMIN", "busybox", "sleep", "600")
        assert side.ok("exec", name, "echo", "foo") == "foo"
    finally:
        side.docker("rm", "-f", name)
        side.docker("network", "rm", f"{name}-net")


def test_what_was_seen_passes_and_nothing_else(lane, start_gate, work, home, name):
    path = os.path.join(work, f"{name}-observe.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump(OBSERVE, f)
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=path)
    job(Side(lane.cli, home, gate.env("runner", "ci")), name)
    ended = [r for r in gate.audit_records() if r["event"] == "decision"]
    gate.wait_for_record(event="end", id=ended[-1]["id"])
    learnt = subprocess.run([DINV, "policy", "learn", gate.audit], capture_output=True,
                            text=True, check=False)
    assert learnt.returncode == 0 and learnt.stderr == "", learnt
    path = os.path.join(work, f"{name}-learnt.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(learnt.stdout)
    assert subprocess.run([DINV, "policy", "check", path], check=False).returncode == 0
    strict = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=path)
    side = Side(lane.cli, home, strict.env("runner", "ci"))
    job(side, name)
    for args, rule in ((["create", "-v", "/etc:/h:ro", "busybox"], "host-paths"),
                       (["create", "-v", "/usr:/h", "busybox"], "host-paths"),
                       (["create", "--cap-add", "SYS_ADMIN", "busybox"], "capabilities"),
                       (["create", "--privileged", "busybox"], "privileged"),
                       (["volume", "create", name], "op")):
        result = side.docker(*args)
        assert result.status != 0 and f"(rule {rule}" in result.err, (args, result, learnt.stdout)
