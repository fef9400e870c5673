# SPDX-License-Identifier: Apache-2.0
"""Rules with conditions, by effect: what dockerd made is held against them.

Bodies that say what a rule denies, plainly and in every disguise of
effect/spell.py, go to a real dockerd through a gate whose role also leaves out
what it does not know.  Where a container comes of one, dockerd is asked what
it is like.
"""

import json
import os
import random

import pytest

from effect import spell
from effect.cases import post

LANES = "few"

COUNT = int(os.environ.get("DINV_EFFECT_N", "150"))
POLICY = """{
  "clients": [
    { "match": { "ou": "denied" }, "role": "denied" },
    { "match": { "ou": "allowed" }, "role": "allowed" },
    { "match": { "cn": "*" }, "role": "admin" }
  ],
  "roles": {
    "denied": {
      "extends": "ci-runner",
      "unknown_fields": "drop",
      "fields": [ "HostConfig.Foo", "ContainerCreate:Bar" ],
      "rules": [
        { "deny": [ "ContainerCreate" ], "when": { "body.HostConfig.Dns[]": "10.*" } },
        { "deny": [ "@run" ], "when": { "body.HostConfig.NanoCpus": { "above": 1000000000 } } },
        { "deny": [ "@run" ], "when": { "body.HostConfig.Memory": { "below": 16777216 } } },
        { "deny": [ "ContainerCreate" ], "when": { "body.HostConfig.ReadonlyRootfs": true } },
        { "deny": [ "ContainerCreate" ], "when": { "body.HostConfig.Init": { "present": true } } },
        { "deny": [ "ContainerCreate" ], "when": { "body.StopTimeout": { "present": true } } },
        { "deny": [ "ContainerCreate" ], "when": { "body.Tty": true } },
        { "deny": [ "ContainerCreate" ], "when": { "body.User": { "not": [ "1*", "2*" ] } } },
        { "deny": [ "ContainerCreate" ], "when": { "body.Labels[role]": { "present": true } } },
        { "deny": [ "ContainerCreate" ], "when": { "body.Env[]": [ "SECRET=*", "SECRET" ] } },
        { "deny": [ "ContainerCreate" ], "when": { "body.Cmd[]": "sh" } }
      ]
    },
    "allowed": {
      "extends": "read-only",
      "unknown_fields": "drop",
      "rules": [
        { "allow": [ "ContainerCreate" ],
          "when": { "body.HostConfig.Dns[]": "9.*", "body.Labels[job]": "a", "body.Tty": false,
                    "body.HostConfig.Memory": { "above": 16777216, "below": 99999999 } } }
      ]
    }
  }
}
"""
M = 1 << 20
BODY = {"Image": "busybox", "Tty": False, "Labels": {"job": "a"},
        "HostConfig": {"Memory": 64 * M, "Dns": ["9.9.9.9"]}}
SINS = [
    (("HostConfig", "Dns"), [["10.0.0.1"], ["9.9.9.9", "10.0.0.1"], ["10.0.0.1", "9.9.9.9"], []]),
    (("HostConfig", "NanoCpus"), [1000000001, 1500000000]),
    (("HostConfig", "Memory"), [0, 7 * M, None, 16 * M - 1]),
    (("HostConfig", "ReadonlyRootfs"), [True]),
    (("HostConfig", "Init"), [True, False]),
    (("HostConfig", "Privileged"), [True]),
    (("HostConfig", "Binds"), [["/:/h"]]),
    (("StopTimeout",), [0, 7]),
    (("Tty",), [True]),
    (("User",), ["0", "root", "0:0"]),
    (("Labels",), [{"role": "prod"}, {"job": "a", "role": ""}, {"job": "b"}, {"Job": "a"}]),
    (("Env",), [["A=1", "SECRET=2"], ["SECRET"]]),
    (("Cmd",), [["sh", "-c", "x"], "sh", ["env", "sh"]]),
]


def faults_of_denied(c):
    host, config = c["HostConfig"], c["Config"]
    if any(d.startswith("10.") for d in host.get("Dns") or []):
        yield "Dns"
    if host["NanoCpus"] > 1000000000:
        yield "NanoCpus"
    if host["Memory"] < 16 * M:
        yield "Memory"
    if host["ReadonlyRootfs"]:
        yield "ReadonlyRootfs"
    if host.get("Init") is not None:
        yield "Init"
    if config.get("StopTimeout") is not None:
        yield "StopTimeout"
    if config["Tty"]:
        yield "Tty"
    if config["User"] and config["User"][0] not in "12":
        yield "User"
    if "role" in (config["Labels"] or {}):
        yield "Labels"
    if any(e.startswith("SECRET") for e in config["Env"] or []):
        yield "Env"
    # The image's own command is none of the request's.
    if config["Cmd"] not in (None, ["sh"]) and "sh" in config["Cmd"]:
        yield "Cmd"
    if host["Privileged"] or host["Binds"]:
        yield "what ci-runner is refused"


def faults_of_allowed(c):
    host, config = c["HostConfig"], c["Config"]
    dns = host.get("Dns") or []
    if not dns or not all(d.startswith("9.") for d in dns):
        yield "Dns"
    if (config["Labels"] or {}).get("job") != "a":
        yield "Labels"
    if config["Tty"]:
        yield "Tty"
    if not 16 * M < host["Memory"] < 99999999:
        yield "Memory"
    if host["Privileged"] or host["Binds"]:
        yield "what read-only is refused"


def bodies(rng, count):
    """(what was done, text): honest ones, and sins plain and in disguise."""
    for _ in range(count):
        path, values = rng.choice(SINS)
        value = rng.choice(values)
        change = rng.choice([spell.plain, *spell.DISGUISES])
        text = change(rng, BODY, path, value)
        yield f"{change.__name__} {'.'.join(path)}={value!r}", text


@pytest.mark.parametrize("unit, faults_of", [
    ("denied", faults_of_denied), ("allowed", faults_of_allowed)], ids=["denied", "allowed"])
def test_no_disguise_passes_a_condition(lane, start_gate, tmp_path, unit, faults_of):
    path = tmp_path / "policy.json"
    path.write_text(POLICY)
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=str(path))
    seed = random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    wrong, made, refused = [], 0, 0
    with gate.connect() as root:
        honest = [("honest", json.dumps(BODY))] * 3
        for said, text in [*honest, *bodies(rng, COUNT)]:
            if isinstance(text, str):
                text = text.encode("utf-8", "surrogatepass")
            with gate.connect("job", unit) as client:
                client.send(post("/v1.41/containers/create", text).to_bytes())
                answer = client.reader.answer("POST")
            if answer.status != 201:
                assert said != "honest", answer.body
                refused += 1
                continue
            made += 1
            made_id = json.loads(answer.body)["Id"]
            inspected = root.ask("GET", f"/v1.41/containers/{made_id}/json")
            wrong += [(fault, said, text) for fault in faults_of(json.loads(inspected.body))]
            assert root.ask("DELETE", f"/v1.41/containers/{made_id}").status == 204
    print(f"\nseed {seed}: {made} made, {refused} refused")
    assert not wrong, (seed, wrong[:5])
    assert made > len(honest) and refused > COUNT // 3


def test_the_same_is_a_fault_without_the_rules(lane):
    """Each kind of sin, as it is, makes a container that is told apart."""
    seen = set()
    with lane.gate.connect() as root:
        for path, values in SINS:
            for value in values:
                text = spell.plain(None, BODY, path, value).encode()
                client = root.ask("POST", "/v1.41/containers/create",
                                  ["Content-Type: application/json"], text)
                if client.status != 201:
                    continue
                target = f"/v1.41/containers/{json.loads(client.body)['Id']}"
                made = json.loads(root.ask("GET", target + "/json").body)
                if list(faults_of_denied(made)) + list(faults_of_allowed(made)):
                    seen.add(path)
                assert root.ask("DELETE", target).status == 204
    assert seen == {path for path, _ in SINS}
