# SPDX-License-Identifier: Apache-2.0
import base64
import json
import os
import stat

from clients import Lane

LANES = "few"

SECRET = "hunter2hunter2"
FIELDS = {"time", "event", "client", "id", "method", "path", "op", "object",
          "decision", "role", "rule", "json_path", "policy_line", "tenant", "notes"}
END_FIELDS = {"status", "client_bytes", "daemon_bytes", "duration_ms", "ended"}


def test_each_request_that_matters_has_two_records(lane, start_gate, home, name):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls)
    own = Lane(lane.dockerd, gate, lane.cli, home)
    result = own.gated.docker("run", "-i", "--rm", "--name", name, "busybox", "cat",
                              stdin=b"x" * 1000)
    assert result.status == 0
    gate.wait_for_record(event="end", op="ContainerAttach")
    gate.stop()
    records = gate.audit_records()
    decisions = {r["id"]: r for r in records if r["event"] == "decision"}
    ends = {r["id"]: r for r in records if r["event"] == "end"}
    assert {r["op"] for r in decisions.values()} >= {
        "ContainerCreate", "ContainerAttach", "ContainerStart"}
    assert set(decisions) == set(ends)
    for record in decisions.values():
        assert FIELDS <= set(record), record
        assert record["decision"] == "allow" and record["client"]["cn"] == "root"
        assert record["client"]["tls"] == f"TLSv{gate.tls}"
    attach = [r for r in ends.values() if r["op"] == "ContainerAttach"][0]
    assert END_FIELDS <= set(attach)
    assert attach["client_bytes"] == 1000 and attach["daemon_bytes"] >= 1000
    assert (attach["status"], attach["ended"]) == (101, "complete")
    assert stat.S_IMODE(os.stat(gate.audit).st_mode) == 0o600


def test_no_secret_is_written(lane, name, tmp_path):
    credentials = base64.urlsafe_b64encode(json.dumps(
        {"username": "me", "password": SECRET}).encode()).decode()
    gate = lane.gate
    with gate.connect() as client:
        client.ask("POST", "/images/create?fromImage=127.0.0.1:1/x&tag=y",
                   [("X-Registry-Auth", credentials)], b"")
    with gate.connect() as client:
        client.ask("POST", "/build?buildargs=%7B%22A%22%3A%22" + SECRET + "%22%7D",
                   ["Content-Type: application/x-tar", ("X-Registry-Config", credentials)],
                   b"\0" * 10240)
    lane.gated.ok("create", "--name", name, "-e", f"PASSWORD={SECRET}", "busybox",
                  "echo", SECRET)
    lane.gated.docker("start", "-a", name)
    lane.remove(name)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s\n")
    lane.gated.ok("build", "--secret", f"id=s,src={tmp_path}/secret", str(tmp_path),
                  env={"DOCKER_BUILDKIT": "1"})
    for path in (gate.audit, gate.log):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for spelling in (SECRET, credentials, credentials[:40],
                         base64.b64encode(SECRET.encode()).decode()):
            assert spelling not in text, path


def test_a_record_cannot_be_forged(lane):
    """What a peer says stays inside one line and one string."""
    for target in ("/containers/x%0a%7B%22event%22:%22forged%22%7D%22,/start",
                   "/containers/%22%2C%22role%22%3A%22x%22%E2%80%AE/start",
                   "/containers/%F0%9F%90%B3%C2%85%7F/start"):
        with lane.gate.connect() as client:
            assert client.ask("POST", target, (), b"").status in (400, 404)
    records = lane.gate.audit_records()      # each line is JSON, or this fails
    assert all(r["event"] in ("decision", "end", "handshake", "checkpoint")
               for r in records)
    assert all(r.get("role", "admin") in ("admin", "") for r in records)
