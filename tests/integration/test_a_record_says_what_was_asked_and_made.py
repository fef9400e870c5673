# SPDX-License-Identifier: Apache-2.0
"""Audit records name the facts that a rule looks at, and what came of it."""

import json
import os

from jsonschema import Draft7Validator

LANES = "few"
SCHEMA = os.path.join(os.path.dirname(__file__), "..", "..", "docs",
                      "audit.schema.json")


def of(records, op, event):
    return [r for r in records if r.get("op") == op and r["event"] == event]


def test_facts_and_what_was_made(team, name):
    job, root = team.ci, team.root
    began = len(team.gate.audit_records())
    made = job.ok("create", "--name", name, "-m", "64m", "-e", "PW=hunter2",
                  "busybox", "sh", "-c", "echo --password=hunter2 x")
    try:
        job.ok("start", "-a", name)
        network = job.ok("network", "create", f"n{name}")
        volume = job.ok("volume", "create")
        refused = job.docker("run", "--rm", "--privileged", "--pid", "host",
                             "-v", "/etc:/x", "-p", "8080:80", "busybox", "true")
        assert refused.status == 125, refused
        up = job.ok("run", "-d", "busybox", "sleep", "1000")
        job.ok("exec", "-u", "0", up, "echo", "hello")
        by_root = root.ok("create", "busybox", "true")
    finally:
        job.docker("rm", "-fv", name)
        job.docker("network", "rm", f"n{name}")
    records = team.gate.audit_records()[began:]
    with open(SCHEMA, encoding="utf-8") as f:
        schema = Draft7Validator(json.load(f))
    for r in records:
        assert schema.is_valid(r), (r, list(schema.iter_errors(r)))

    creates = of(records, "ContainerCreate", "decision")
    facts = creates[0]["facts"]
    assert {"key": "name", "value": name} in facts["query"]
    assert facts["body"]["Image"] == "busybox"
    assert facts["body"]["HostConfig"]["Memory"] == 64 << 20
    assert facts["body"]["Cmd"][0] == "sh" and "Env" not in facts["body"]
    assert "hunter2" not in json.dumps(records)
    # The last that was refused says all that it asked for.
    body = creates[1]["facts"]["body"]
    assert creates[1]["decision"] == "deny"
    assert body["HostConfig"]["Privileged"] is True
    assert body["HostConfig"]["PidMode"] == "host"
    assert body["HostConfig"]["Binds"] == ["/etc:/x"]
    assert body["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostPort": "8080"}]}
    # A body that nobody reads tells nothing.
    assert "body" not in creates[-1].get("facts", {})

    ends = of(records, "ContainerCreate", "end")
    assert [r["made"] for r in ends] == [made, "", up, by_root]
    assert [r["made"] for r in of(records, "NetworkCreate", "end")] == [network]
    assert [r["made"] for r in of(records, "VolumeCreate", "end")] == [volume]
    (execed,) = of(records, "ContainerExec", "end")
    assert execed["object"] == up and len(execed["made"]) == 64
    assert of(records, "ExecStart", "decision")[0]["object"] == execed["made"]
    body = of(records, "ContainerExec", "decision")[0]["facts"]["body"]
    assert body == {"User": "0", "Cmd": ["echo", "hello"]}
    assert all("GCM" in r["client"]["cipher"] or "CHACHA" in r["client"]["cipher"]
               for r in records if r["event"] in ("decision", "end"))
    job.docker("volume", "rm", volume)
    job.docker("rm", "-f", up)
    root.docker("rm", by_root)
