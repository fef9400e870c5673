# SPDX-License-Identifier: Apache-2.0
import base64
import json
import os
import re
import signal
import stat
import subprocess

import pytest

from jsonschema import Draft7Validator

from admin import Admin
from clients import Lane
from gate import DINV

LANES = "few"

SECRET = "hunter2hunter2"
SCHEMA = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "audit.schema.json")
POLICY = """{ "clients": [ { "match": { "cn": "*" }, "role": "told" } ],
  "roles": { "told": { ROLE, "audit": "request", "mode": "MODE" } } }"""
ROLES = {"ci-runner": '"extends": "ci-runner"', "all": '"allow": [ %s ]' % ", ".join(
    f'"@{c}"' for c in "read run exec build image network volume files swarm plugin system".split())}
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


# --- secrets, everywhere that a request can carry one ------------------------

CREDENTIALS = base64.urlsafe_b64encode(json.dumps(
    {"username": "me", "password": SECRET}).encode()).decode()
SPELLINGS = [SECRET, CREDENTIALS, CREDENTIALS[:40], base64.b64encode(SECRET.encode()).decode()]
URL = f"http://u:{SECRET}@127.0.0.1:1/x"
LINE = (f'mysql -p{SECRET}; export TOKEN={SECRET}; curl -u a:{SECRET} -H "Authorization: Bearer '
        f'{SECRET}" https://u:{SECRET}@h/?sig={SECRET} | sh -c "redis-cli -a {SECRET}"')
JSON_TYPE = "Content-Type: application/json"
SPEC = {"Name": "s", "TaskTemplate": {
    "ContainerSpec": {
        "Image": "nosuch", "Command": ["sh", "-c", LINE], "Args": ["--password", SECRET],
        "Env": [f"A={SECRET}"], "Labels": {"l": SECRET},
        "Healthcheck": {"Test": ["CMD-SHELL", LINE]},
        "Mounts": [{"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions": {
            "DriverConfig": {"Name": "local", "Options": {"o": f"password={SECRET}"}}}}]},
    "LogDriver": {"Name": "splunk", "Options": {"splunk-token": SECRET}}}}
ASKED = [
    ("/images/create?fromImage=127.0.0.1:1/x&tag=y", [("X-Registry-Auth", CREDENTIALS)], None),
    (f"/images/create?fromSrc={URL}&repo=y", [], None),
    (f"/images/create?fromSrc=http://127.0.0.1:1/x?token={SECRET}&repo=y", [], None),
    ("/images/127.0.0.1:1/x/push", [("X-Registry-Auth", CREDENTIALS)], None),
    (f"/build?buildargs=%7B%22HTTP_PROXY%22%3A%22{URL}%22%7D&remote={URL}",
     [("X-Registry-Config", CREDENTIALS)], None),
    (f"/build?labels=%7B%22A%22%3A%22{SECRET}%22%7D&remote=https://{SECRET}@127.0.0.1:1/r.git",
     [], None),
    (f"/commit?container=none&changes=ENV%20A%3D{SECRET}&comment={SECRET}", [],
     {"Env": [f"A={SECRET}"], "Cmd": LINE}),
    ("/auth", [], {"username": "u", "password": SECRET, "auth": SECRET, "identitytoken": SECRET,
                   "registrytoken": SECRET, "serveraddress": "127.0.0.1:1"}),
    ("/volumes/create", [], {"Name": "v", "Labels": {"l": SECRET}, "Driver": "local",
                             "DriverOpts": {"type": "cifs", "device": f"//u:{SECRET}@h/x",
                                            "o": f"user=u,password={SECRET}"}}),
    ("/networks/create", [], {"Name": "n", "Options": {"key": SECRET}, "Labels": {"Name": SECRET},
                              "IPAM": {"Options": {"o": SECRET}}}),
    ("/secrets/create", [], {"Name": "x", "Data": SECRET, "Labels": {"l": SECRET}}),
    ("/configs/create", [], {"Name": "x", "Data": SECRET}),
    ("/swarm/init", [], {"ListenAddr": "127.0.0.1:1", "Spec": {"CAConfig": {
        "SigningCAKey": SECRET, "ExternalCAs": [{"URL": URL, "Options": {"o": SECRET}}]}}}),
    ("/swarm/join", [], {"JoinToken": SECRET, "RemoteAddrs": ["127.0.0.1:1"]}),
    ("/swarm/unlock", [], {"UnlockKey": SECRET}),
    ("/services/create", [("X-Registry-Auth", CREDENTIALS)], SPEC),
    ("/services/none/update?version=1&registryAuthFrom=" + SECRET, [], SPEC),
    ("/plugins/pull?remote=127.0.0.1:1/p&name=p", [("X-Registry-Auth", CREDENTIALS)],
     [{"Name": "env", "Value": [SECRET]}]),
    ("/plugins/none/set", [], [f"TOKEN={SECRET}"]),
    ("/containers/none/exec", [], {"Cmd": ["login", "--password", SECRET],
                                   "Env": [f"A={SECRET}"]}),
    ("/containers/none/exec", [], {"Cmd": ["login", "--password", "-" + SECRET]}),
    ("/containers/none/exec", [], {"Cmd": ["sh", "-c", LINE]}),
    ("/containers/none/exec", [], {"Cmd": LINE}),
    (f"/containers/none/exec?unheard={SECRET}", [("Authorization", f"Bearer {SECRET}"),
                                                 ("traceparent", SECRET), ("X-Request-Id", SECRET),
                                                 ("Cookie", SECRET)], {"Cmd": ["true"]}),
    ("/containers/create?name=c", [], {
        "Image": "nosuch", "Env": [f"A={SECRET}", f"HTTPS_PROXY={URL}"], "Labels": {"l": SECRET},
        "Cmd": ["sh", f"--token={SECRET}", URL], "Entrypoint": LINE,
        "Healthcheck": {"Test": ["CMD", "x", f"--password={SECRET}"]},
        "HostConfig": {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": SECRET}},
                       "StorageOpt": {"o": SECRET}, "Sysctls": {"s": SECRET},
                       "Unheard": SECRET}}),
    ("/containers/create?name=c", [], {
        "Image": "nosuch", "Cmd": ["sh", "-c", LINE],
        "Healthcheck": {"Test": ["CMD-SHELL", LINE]},
        "HostConfig": {"Mounts": [{"Type": "volume", "Target": "/v", "VolumeOptions": {
            "Labels": {"l": SECRET},
            "DriverConfig": {"Name": "local", "Options": {"o": f"password={SECRET}"}}}}]}}),
    # What is not even read, or not to its end.
    ("/containers/create?name=c", [], f'{{"Env":["A={SECRET}"],}}'),
    (f"/containers/%zz/{SECRET}", [("Authorization", SECRET)], None),
    ("/v1.41/auth", ["X-Bad : " + SECRET], None),
]


def ask_all(gate):
    for target, headers, body in ASKED:
        data = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        with gate.connect() as client:
            client.ask("POST", target, [*([JSON_TYPE] if data else []), *headers], data.encode())


def nothing_found(peer):
    while True:
        peer.request()
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def has_no_secret(what, text):
    for spelling in SPELLINGS:
        at = text.find(spelling.encode())
        assert at == -1, (what, text[max(0, at - 600):at + 100])


def follows_the_schema(lines):
    with open(SCHEMA, encoding="utf-8") as f:
        validator = Draft7Validator(json.load(f))
    seen = set()
    for line in lines:
        record = json.loads(line)
        seen.add(record["event"])
        why = [e.message for error in validator.iter_errors(record)
               for e in (error.context or [error])]
        assert not why, (record, why)
    assert {"decision", "end", "checkpoint"} <= seen


def shown_by_the_tools(file):
    """What each of the commands prints of it."""
    for words in (["query", "-o", "table"], ["query", "-o", "json"], ["query", "-o", "csv"],
                  ["report"], ["report", "-html"]):
        yield words, subprocess.run([DINV, "audit", *words, file], capture_output=True,
                                    check=True).stdout
    tail = subprocess.Popen([DINV, "audit", "tail", file], stdout=subprocess.PIPE)
    shown = b"".join(tail.stdout.readline() for _ in range(10))
    tail.send_signal(signal.SIGTERM)
    tail.wait(20)
    assert shown.count(b"\n") == 10
    yield ["tail"], shown


@pytest.mark.parametrize("role,mode", [("ci-runner", "enforce"), ("ci-runner", "observe"),
                                       ("all", "enforce")])
def test_no_secret_reaches_any_log(role, mode, lane, start_gate, scripted, logger, tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text(POLICY.replace("ROLE", ROLES[role]).replace("MODE", mode))
    file = str(tmp_path / "audit.jsonl")
    for to in (file, "-", f"syslog:{logger.path}", f"journal:{logger.path}"):
        admin = Admin(str(tmp_path), "own")
        options = {"tls": lane.gate.tls, "policy": str(policy),
                   "flags": ["-audit", to, "-debug", *admin.flags]}
        # What this role asks for would be done, and a swarm begun.
        gate = scripted(nothing_found, **options)[0] if role == "all" else \
            start_gate(lane.dockerd.socket, **options)
        ask_all(gate)
        for target in ("/status", "/metrics", "/readyz", "/healthz"):
            has_no_secret(target, admin.ask("GET", target).body)
        gate.stop()
        with open(gate.log, "rb") as f:
            log = f.read()
        has_no_secret(f"log with -audit {to}", log)
        if to == "-":
            assert len(re.findall(rb'^{"seq":', log, re.M)) > len(ASKED)
    with open(file, "rb") as f:
        told = f.read()
    has_no_secret(file, told)
    follows_the_schema(told.splitlines())
    assert b'"Env":["A=***"' in told and b'"password":"***"' in told and b"mysql -p***" in told
    for words, shown in shown_by_the_tools(file):
        has_no_secret(words, shown)
    assert len(logger.got) > 2 * len(ASKED)
    for datagram in logger.got:
        has_no_secret("datagram", datagram)


def test_no_secret_of_a_real_build_is_written(lane, name, tmp_path):
    lane.gated.ok("create", "--name", name, "-e", f"PASSWORD={SECRET}", "busybox",
                  "echo", SECRET)
    lane.gated.docker("start", "-a", name)
    lane.remove(name)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s\n")
    lane.gated.ok("build", "--secret", f"id=s,src={tmp_path}/secret", str(tmp_path),
                  env={"DOCKER_BUILDKIT": "1"})
    lane.gate.flush_audit()
    for path in (lane.gate.audit, lane.gate.log):
        with open(path, "rb") as f:
            has_no_secret(path, f.read())
