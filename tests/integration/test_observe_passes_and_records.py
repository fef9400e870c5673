# SPDX-License-Identifier: Apache-2.0
"""An observed role refuses nothing, and says what it would have refused."""

import json
import os

import pytest

from clients import Side

LANES = "few"

OBSERVE = {
    "clients": [{"match": {"ou": "ci"}, "role": "trial"},
                {"match": {"ou": "strict"}, "role": "strict"}],
    "roles": {"trial": {"mode": "observe", "allow": ["@read"]},
              "strict": {"extends": "trial"}},
}


@pytest.fixture
def observed(lane, start_gate, work, name):
    """A gate whose role for ci only observes, in front of this dockerd."""
    path = os.path.join(work, f"observe-{name}.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump(OBSERVE, f)
    return start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=path)


def decisions(gate, **fields):
    return [r for r in gate.audit_records() if r["event"] == "decision"
            and all(r.get(k) == v for k, v in fields.items())]


def test_what_a_role_would_refuse_runs_and_is_recorded(lane, observed, home, name):
    side = Side(lane.cli, home, observed.env("runner", "ci"))
    try:
        # Whether a privileged container starts is the machine's business.
        side.ok("create", "--privileged", "--cap-add", "SYS_ADMIN", "-v", "/tmp:/h:ro",
                "-e", "PASSWORD=SECRET", "--name", name, "busybox", "true")
        assert side.ok("inspect", "-f", "{{.HostConfig.Privileged}}", name) == "true"
        out = side.ok("run", "--rm", "-v", "/tmp:/h:ro", "--cap-add", "NET_ADMIN",
                      "busybox", "echo", "foo")
        assert out == "foo"
    finally:
        side.docker("rm", "-f", name)
    record = decisions(observed, op="ContainerCreate")[0]
    assert record["decision"] == "observe" and record["role"] == "trial"
    found = {f["rule"]: f for f in record["findings"]}
    assert set(found) == {"op", "privileged", "capabilities", "host-paths"}, found
    assert found["host-paths"]["value"] == "/tmp" and found["host-paths"]["how"] == "ro"
    assert found["capabilities"]["value"] in ("SYS_ADMIN", "CAP_SYS_ADMIN")
    assert "privileged containers" in found["privileged"]["message"]
    assert any(n["rule"] == "images" and n["how"] == "run" and
               n["value"] == "docker.io/library/busybox:latest" for n in record["needs"])
    # dockerd was asked what is started.
    start = decisions(observed, op="ContainerStart")[0]
    assert any(f["rule"] == "host-paths" for f in start["findings"])
    # Plain reads have a record; the role allows them.
    read = decisions(observed, op="ContainerInspect")[0]
    assert read["decision"] == "allow" and read["findings"] == []
    with open(observed.audit, encoding="utf-8") as f:
        assert "SECRET" not in f.read()
    with open(observed.log, encoding="utf-8") as f:
        assert "OBSERVING, NOT ENFORCING role=trial" in f.read()


def test_roles_beside_it_and_strangers_are_refused(lane, observed, home):
    strict = Side(lane.cli, home, observed.env("runner", "strict"))
    result = strict.docker("create", "--privileged", "busybox", "true")
    assert result.status != 0 and "role strict refuses" in result.err, result
    with observed.connect("somebody", "else") as client:
        assert client.ask("GET", "/containers/json").status == 403
    assert all("findings" not in r for r in observed.audit_records()
               if r.get("role") != "trial")


def test_what_nobody_can_read_goes_on_as_it_came(observed):
    """dockerd's own answers, not the gate's; but protocol is not observed."""
    with observed.connect("runner", "ci") as client:
        answer = client.ask("POST", "/no/such/operation",
                            ["Content-Type: application/json"], b"{}")
        assert answer.status == 404 and b"page not found" in answer.body
        answer = client.ask("POST", "/containers/create",
                            ["Content-Type: application/json"], b"{\"Image\":}")
        assert answer.status in (400, 500) and b"dinv" not in answer.body, answer.body
    with observed.connect("runner", "ci") as client:
        answer = client.ask("POST", "/containers/create", ["Content-Type: text/plain"],
                            b'{"Image":"no-such-image","Foo":[1]}')
        assert b"dinv" not in answer.body, answer.body
        answer = client.ask("POST", "/containers/gone/start")
        assert answer.status == 404 and b"No such container" in answer.body
    with observed.connect("runner", "ci") as client:
        answer = client.ask("GET", "/containers/json",
                            ["Connection: Upgrade", "Upgrade: tcp"])
        assert answer.status == 403
    rules = [[f["rule"] for f in r["findings"]] for r in decisions(observed)
             if "findings" in r]
    assert ["unknown-op"] in rules
    assert any("body" in r for r in rules)
    assert any("content-type" in r and "unknown-field" in r for r in rules)
    assert not any("not-found" in r for r in rules)
