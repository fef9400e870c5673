# SPDX-License-Identifier: Apache-2.0
"""docs/policy.schema.json and "dinv policy check" agree on what a policy is.

That both know the same members is a unit test's (test_policy_schema.c); here
it is values, presets, and every example of the documents.
"""

import glob
import json
import os
import re
import subprocess

import pytest
from jsonschema import Draft7Validator

from gate import DINV

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)


def text_of(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


SCHEMA = json.loads(text_of("docs", "policy.schema.json"))
DEFINITIONS = SCHEMA["definitions"]
VALIDATOR = Draft7Validator(SCHEMA)


def load(text):
    """JSON with comments, as the policy's language has it."""
    return json.loads(STRING_OR_COMMENT.sub(lambda m: m.group(1) or " ", text))


def complaints(value):
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
            for e in VALIDATOR.iter_errors(value)]


@pytest.fixture
def check(tmp_path):
    """check(policy): what dinv complains of, "" for nothing."""
    path = tmp_path / "policy.json"

    def run(value):
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        done = subprocess.run([DINV, "policy", "check", str(path)], check=False,
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == (1 if done.stderr else 0), done
        return done.stderr.replace(str(path), "FILE")

    return run


def refused_of(check, policies):
    """Which of these dinv refuses; files of one role or one client each.

    They become lines of one file: a process for each would take minutes.
    """
    lines, roles = [], "roles" in policies[0]
    for number, policy in enumerate(policies):
        part = json.dumps(policy["roles"]["t"] if roles else policy["clients"][0])
        lines.append(f'"t{number}": {part}' if roles else part)
    text = ",\n".join(lines)
    text = ('{ "clients": [], "roles": {\n' + text + "} }" if roles
            else '{ "clients": [\n' + text + "] }")
    said = {}
    for line in check(text).splitlines():
        number, message = re.match(r"FILE:(\d+):\d+: (.*)", line).groups()
        said[int(number) - 2] = message
    assert all(0 <= number < len(policies) for number in said), said
    return said


def role(members):
    return {"clients": [{"match": {"cn": "*"}, "role": "t", "tenant": "a"}],
            "roles": {"t": members}}


def constrained(members):
    return role({"extends": "ci-runner", "constraints": members})


# --- what stands in the repository -------------------------------------------


def as_policy(value):
    """The whole file for a part of one: a role's members, or constraints."""
    if "clients" in value or "roles" in value:
        return {"clients": [], **value}
    if set(value) <= set(DEFINITIONS["role"]["properties"]):
        return role({"extends": "ci-runner", **value})
    return constrained(value)


def documents():
    for path in sorted(glob.glob(os.path.join(TOP, "docs", "*.md"))) + [
            os.path.join(TOP, "README.md")]:
        blocks = re.findall(r"^```json\n(.*?)^```", text_of(path), re.S | re.M)
        for number, block in enumerate(blocks):
            block = block.strip()
            value = load(block if block.startswith("{") else "{" + block + "}")
            if path.endswith("policy.md") or "clients" in value or "roles" in value:
                yield f"{os.path.basename(path)} block {number + 1}", value


def test_every_example_and_preset_is_a_policy(check):
    seen = 0
    files = glob.glob(os.path.join(TOP, "policy", "presets", "*.json"))
    files += glob.glob(os.path.join(TOP, "docs", "*policy.json"))
    for name, value in [*documents(), *((p, load(text_of(p))) for p in files)]:
        policy = as_policy(value)
        assert complaints(policy) == [], (name, complaints(policy))
        assert check(policy) == "", (name, check(policy))
        seen += 1
    assert seen > len(files) > 4


# --- every member, with what it may hold and what not -------------------------

ROLE = {
    "extends": "ci-runner", "about": "text", "allow": ["@read", "ImagePrune"],
    "deny": ["@run", "SwarmInit"], "may": ["privileged"], "constraints": {},
    "buildkit": "unjudged", "fields": ["HostConfig.Foo", "ContainerCreate:Bar"],
    "query": ["ContainerInspect:foo"], "unknown_fields": "drop",
    "rules": [{"deny": ["@run"], "when": {"body.HostConfig.Dns[]": "10.*"}}],
    "audit": {"default": "metadata", "@read": "none", "ContainerCreate": "request"},
    "owned": True, "mode": "observe", "unconstrained": True,
}
CONSTRAINTS = {
    "images": {"run": ["a/*"], "pull": ["*"], "push": ["sha256:*"], "tag": [],
               "digest_only": True},
    "resources": {"memory": {"max": "2g", "required": True}, "swap": {"max": "4g"},
                  "cpus": {"max": "2.5"}, "pids": {"max": 5}, "shm": {"max": "1m"},
                  "storage": {"required": True}, "tmpfs": {"max": "1m"}},
    "capabilities": {"allow": ["CHOWN"], "drop": ["ALL"]},
    "require": ["no-new-privileges", "drop-all"],
    "host_paths": [{"path": "/srv", "mode": "ro"},
                   {"path": "/a", "mode": "rw", "links": "trusted"}],
    "volumes": {"drivers": ["nfs"], "names": ["ci-*"]},
    "ports": {"addresses": ["127.0.0.1"], "range": "1-9", "publish_all": True},
    "networks": {"modes": ["ci-*"], "drivers": ["macvlan"]},
    "devices": ["/dev/fuse"], "extra_hosts": ["a:host-gateway"],
    "log_drivers": ["journald"], "restart": ["no", "always"], "runtimes": ["runsc"],
    "security_options": ["seccomp=builtin"], "sysctls": ["net.*"],
    "ulimits": {"nofile": 5}, "env": {"deny": ["LD_*"]},
    "labels": {"require": ["job"], "force": {"team": "a"}},
    "exec": {"commands": ["ls"], "users": ["1"]}, "tty": False, "attach": False,
}
MATCH = {"cn": "x", "o": "x", "ou": "x", "san": "x", "fingerprint": "ab", "serial": "1",
         "uid": 5, "gid": "*", "anonymous": True}
RULE = {"deny": ["@run"], "allow": ["ImagePrune"], "when": {"query.filters": "x"},
        "about": "text"}
CONDITION = {"not": "x", "above": 1, "below": 2, "absent": True, "present": True}
# Of which kind of value each condition is.
PLACE = {"not": "body.Image", "above": "body.StopTimeout", "below": "body.StopTimeout",
         "absent": "body.Image", "present": "body.Image"}


def rule(members):
    return role({"extends": "ci-runner", "rules": [members]})


def with_rule_member(name, value):
    base = {"allow": ["ImagePrune"], "when": {"query.filters": "x"}}
    if name == "deny":
        base = {"when": {"query.filters": {"present": True}}}
    return rule({**base, name: value})


def with_condition(name, value):
    return rule({"deny": ["ContainerCreate"], "when": {PLACE[name]: {name: value}}})


# Each kind of object: the schema's properties, good values, a file with one.
PLACES = [
    (DEFINITIONS["role"], ROLE,
     lambda name, value: role({name: value} if name in ("extends", "unconstrained")
                              else {"extends": "tenant" if name == "owned" else "ci-runner",
                                    name: value})),
    (DEFINITIONS["constraints"], CONSTRAINTS,
     lambda name, value: constrained({name: value})),
    (DEFINITIONS["match"], MATCH,
     lambda name, value: {"clients": [{"match": {name: value}, "role": "admin"}]}),
    (DEFINITIONS["client"], {"match": {"o": "x"}, "role": "admin", "tenant": "{ou}",
                             "about": "text"},
     lambda name, value: {"clients": [{"match": {"cn": "*"}, "role": "admin", name: value}]}),
    (DEFINITIONS["ruleWhen"], RULE, with_rule_member),
    (DEFINITIONS["condition"]["anyOf"][2], CONDITION, with_condition),
    (SCHEMA, {"$schema": "x", "about": "x", "mode": "enforce", "clients": [], "roles": {}},
     lambda name, value: {"clients": [], name: value}),
]
PROBES = [None, True, False, 0, 1, -1, 2.5, 1 << 70, "", "x", "*", "/", "\u0007", "@read",
          "2g", "0g", "no", "ro", "1-9", "drop", [], ["x"], [""], [3], [["x"]], ["\u0007"],
          ["/a"], ["@reed"], ["@read"], ["always"], ["ALL"], {}, {"x": 1}, {"x": "y"},
          {"max": 1}, {"max": "1g"}, {"max": "1x"}, {"required": False}, [{}],
          [{"path": "a", "mode": "ro"}], [{"path": "/", "mode": "rx"}],
          [{"path": "/"}], {"query.filters": 1}, {"filters": "x"}]
# What the loader alone can know: names of roles, and what a path leads to.
LOADER_ONLY = {(name, value) for name in ("extends", "role") for value in
               ("x", "*", "/", "\u0007", "@read", "2g", "0g", "no", "ro", "1-9", "drop")}


def probes_of(schema, good, make):
    for name in schema["properties"]:
        for value in [good[name], *PROBES]:
            yield name, value, make(name, value)
            # One level down: members of a group.
            if isinstance(good[name], dict) and name != "when":
                for inner in good[name]:
                    for probe in PROBES if value is good[name] else ():
                        yield name, probe, make(name, {inner: probe})


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_both_refuse_the_same_values(check, place):
    schema, good, make = PLACES[place]
    assert set(schema["properties"]) == set(good)
    probes = [(name, value, policy) for name, value, policy in probes_of(schema, good, make)
              if isinstance(value, (list, dict)) or (name, value) not in LOADER_ONLY]
    policies = [policy for _, _, policy in probes]
    if schema is SCHEMA:
        said = {n: text for n, text in enumerate(map(check, policies)) if text}
    else:
        said = refused_of(check, policies)
    wrong = [(policy, said.get(number), complaints(policy))
             for number, policy in enumerate(policies)
             if (number in said) != (complaints(policy) != [])]
    assert not wrong, "\n".join(map(str, wrong))
    assert len(policies) - len(said) >= len(good) and len(said) > len(good)


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_both_take_every_member(check, place):
    _, good, make = PLACES[place]
    for name, value in good.items():
        policy = make(name, value)
        assert (check(policy), complaints(policy)) == ("", []), policy


def test_both_take_every_name_on_a_list(check):
    policy = role({"deny": DEFINITIONS["operation"]["enum"],
                   "allow": DEFINITIONS["operation"]["enum"],
                   "may": DEFINITIONS["rule"]["enum"]})
    assert (check(policy), complaints(policy)) == ("", [])


WRONG = [
    [], 3, {}, {"clients": {}}, {"clients": [3]}, {"clients": [{}]},
    {"clients": [{"match": {}, "role": "admin"}]},
    {"clients": [{"match": {"cn": "x"}}]},
    {"clients": [{"match": {"cn": "x", "uid": 0}, "role": "admin"}]},
    {"clients": [{"match": {"anonymous": True, "cn": "x"}, "role": "admin"}]},
    {"clients": [{"match": {"CN": "x"}, "role": "admin"}]},
    {"clients": [], "rolls": {}}, {"clients": [], "roles": {"": {}}},
    {"clients": [], "roles": {"a\u0007": {}}}, {"clients": [], "roles": {"a": []}},
    role({"alow": []}), role({"allow": ["ServiceKreate"]}), role({"allow": "@read"}),
    role({"unconstrained": True, "deny": []}), role({"unconstrained": True, "rules": []}),
    role({"may": ["op"]}), role({"fields": ["HostConfig.Mounts[]"]}),
    role({"query": ["foo"]}), constrained({"image": {}}),
    constrained({"images": {"runs": []}}),
    constrained({"resources": {"memory": {"max": "2g", "min": "1g"}}}),
    constrained({"host_paths": [{"path": "/a", "mode": "ro", "about": "x"}]}),
    constrained({"host_paths": [{"path": "/a", "mode": "ro", "links": True}]}),
    constrained({"host_paths": [{"mode": "ro", "links": "trusted"}]}),
    rule({}), rule({"deny": [], "when": {"query.all": True}}), rule({"deny": ["@run"]}), rule({"deny": ["@run"], "when": {}}),
    rule({"deny": ["@run"], "allow": ["@run"], "when": {"body.Image": "x"}}),
    rule({"deny": ["@run"], "when": {"body.": "x"}}),
    rule({"deny": ["@run"], "when": {"body.Image": {"not": "x", "absent": True}}}),
    rule({"deny": ["@run"], "when": {"body.Image": []}}),
    rule({"deny": ["@run"], "when": {"body.Image": "x"}, "about": "x" * 161}),
]


def test_both_refuse_mistakes(check):
    for policy in WRONG:
        assert check(policy) != "" and complaints(policy) != [], policy
