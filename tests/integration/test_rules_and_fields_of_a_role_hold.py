# SPDX-License-Identifier: Apache-2.0
"""Rules with conditions, and fields that no table knows, before real dockerds."""

import json
import subprocess
from urllib.parse import quote

import pytest

from clients import Side
from gate import DINV

LANES = "few"

POLICY = """{
  "clients": [ { "match": { "cn": "*" }, "role": "ci" } ],
  "roles": {
    "ci": {
      "extends": "ci-runner",
      "fields": [ "HostConfig.NewInDocker99" ],
      "query": [ "ContainerInspect:newkey" ],
      "rules": [
        { "deny": [ "ContainerCreate" ],
          "when": { "body.HostConfig.Dns[]": "10.*" },
          "about": "ask ops for a DNS exception" },
        { "deny": [ "ContainerCreate" ],
          "when": { "body.Labels[job]": { "absent": true } } },
        { "deny": [ "ContainerDelete" ], "when": { "query.force": true } },
        { "allow": [ "VolumePrune" ],
          "when": { "query.filters": "{\\"label\\":{\\"job=none\\":true}}" } }
      ]
    }
  }
}
"""
JSON = ["Content-Type: application/json"]


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def ci(lane, start_gate, policy, home):
    """docker as a client of that role."""
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=policy)
    return gate, Side(lane.cli, home, gate.env("ci"))


def test_a_conditional_deny_holds(ci, name):
    _, docker = ci
    label = ["--label", "job=1"]
    result = docker.docker("run", "--rm", *label, "--dns", "9.9.9.9", "--dns", "10.0.0.1",
                           "busybox", "true")
    assert result.status == 125 and "ask ops for a DNS exception" in result.err, result
    assert "(rule denied, at HostConfig.Dns[1])" in result.err, result
    result = docker.docker("run", "--rm", "busybox", "true")
    assert result.status == 125 and "at Labels[job]" in result.err, result
    result = docker.docker("run", "--rm", *label, "--dns", "9.9.9.9", "busybox",
                           "cat", "/etc/resolv.conf")
    assert result.status == 0 and "9.9.9.9" in result.out, result
    docker.ok("create", "--name", name, *label, "busybox", "true")
    result = docker.docker("rm", "-f", name)
    assert result.status == 1 and "(rule denied, at force)" in result.err, result
    docker.ok("rm", name)


def test_a_conditional_allow_holds(ci):
    gate, docker = ci
    result = docker.docker("volume", "prune", "-f")
    assert result.status == 1 and "(rule op)" in result.err, result
    with gate.connect("ci") as client:
        answer = client.ask("POST", "/v1.41/volumes/prune?filters="
                            "%7b%22label%22:%7b%22job=none%22:true%7d%7d")
        assert answer.status == 200, answer.body


def test_a_named_field_reaches_dockerd(ci, name):
    """dockerd ignores it; what it would do with it is its maker's business."""
    gate, docker = ci
    body = {"Image": "busybox", "Labels": {"job": "1"},
            "HostConfig": {"newindocker99": {"a": [1, "b"]}}}
    with gate.connect("ci") as client:
        answer = client.ask("POST", f"/v1.41/containers/create?name={name}", JSON,
                            json.dumps(body).encode())
        assert answer.status == 201, answer.body
        gate.wait_for_record(event="decision", op="ContainerCreate",
                             notes="HostConfig.newindocker99 unjudged")
        answer = client.ask("GET", f"/v1.41/containers/{name}/json?newkey=1")
        assert answer.status == 200, answer.body
        answer = client.ask("GET", f"/v1.41/containers/{name}/json?other=1")
        assert answer.status == 403 and b"unknown-query" in answer.body
        body["HostConfig"]["NewInDocker98"] = True
        answer = client.ask("POST", "/v1.41/containers/create", JSON,
                            json.dumps(body).encode())
        assert answer.status == 403
        assert b"at HostConfig.NewInDocker98" in answer.body
    docker.ok("rm", name)


def test_a_named_field_goes_on_as_it_came(scripted, tls, policy):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        peer.rest()

    gate, _ = scripted(script, tls=tls, policy=policy)
    with gate.connect("ci") as client:
        answer = client.ask(
            "POST", "/v1.41/containers/create", JSON,
            b'{"Labels":{"job":"1"},"HostConfig":'
            b'{ "newindocker99" : [1e400, 18446744073709551616] }}')
        assert answer.status == 201
    assert seen[0][2] == (b'{"Labels":{"job":"1"},"HostConfig":'
                          b'{"newindocker99":[1e400,18446744073709551616]}}')


# --- readings ----------------------------------------------------------------

BOOLEANS = ["", "0", "1", "no", "No", "none", "NONE", "false", "FALSE", "true", "yes", "on",
            "t", "T", "f", "F", "00", "-0", " 0", "0 ", "\t0", "0\n", "\r\n0", "\v0",
            "\u00a00", "\u2003no", "\u3000false", "\u200b0", "\uff10", "\uff4e\uff4f", "n\u006f",
            "fal\u017fe", "None\u0085", "x"]
READER = """{
  "clients": [ { "match": { "ou": "yes" }, "role": "yes" },
               { "match": { "ou": "no" }, "role": "no" },
               { "match": { "cn": "*" }, "role": "admin" } ],
  "roles": {
    "yes": { "extends": "read-only",
             "rules": [ { "deny": [ "ContainerList" ], "when": { "query.size": true } } ] },
    "no": { "extends": "read-only",
            "rules": [ { "deny": [ "ContainerList" ], "when": { "query.size": false } } ] }
  }
}
"""


def test_booleans_of_queries_are_read_as_dockerd_reads_them(lane, start_gate, tmp_path, name):
    """What dockerd takes for true is denied by who denies true, and so on."""
    path = tmp_path / "reader.json"
    path.write_text(READER)
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=str(path))
    lane.straight.ok("create", "--name", name, "busybox", "true")
    seen = set()
    try:
        with gate.connect() as root, gate.connect("a", "yes") as yes, \
                gate.connect("a", "no") as no:
            for value in BOOLEANS:
                target = f"/v1.41/containers/json?all=1&size={quote(value)}"
                answer = root.ask("GET", target)
                assert answer.status == 200, (value, answer.body)
                is_true = "SizeRootFs" in json.loads(answer.body)[0]
                denier = yes if is_true else no
                assert denier.ask("GET", target).status == 403, (value, is_true)
                seen.add(is_true)
            target = "/v1.41/containers/json?all=1"
            assert yes.ask("GET", target).status == 200
            assert no.ask("GET", target).status == 403
    finally:
        lane.straight.docker("rm", name)
    assert seen == {True, False}


# --- the command -------------------------------------------------------------


def test_explain_tells_rule_and_notes(policy, tmp_path):
    def explain(body):
        path = tmp_path / "body.json"
        path.write_text(json.dumps(body))
        done = subprocess.run(
            [DINV, "policy", "explain", "-policy", policy, "-cn", "x", "-body", str(path),
             "POST", "/v1.41/containers/create"], capture_output=True, text=True,
            timeout=30, check=False)
        return done.returncode, done.stdout

    body = {"Image": "a", "Labels": {"job": "1"}, "HostConfig": {"newInDocker99": 1}}
    status, said = explain(body)
    assert status == 0 and "notes HostConfig.newInDocker99 unjudged\n" in said, said
    body["HostConfig"]["Dns"] = ["10.0.0.1"]
    status, said = explain(body)
    assert status == 3 and "rule  denied\nline  9\npath  HostConfig.Dns[0]\n" in said, said
    assert "notes" not in said
