# SPDX-License-Identifier: Apache-2.0
"""Rules with conditions, and fields that no table knows, before real dockerds."""

import json

import pytest

from clients import Side

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
