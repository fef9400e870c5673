# SPDX-License-Identifier: Apache-2.0
"""Every field and query key that the Engine API has had is in dinv's tables.

The descriptions (moby api/swagger.yaml, one file for each version) are no part
of this repository; where they are not at hand these tests are skipped.  What
dinv knows is asked of `dinv policy explain`, one field at a time, under a role
that may everything: the only thing left to refuse is what is not known.
"""

import glob
import json
import os
import re
import subprocess

import pytest

from gate import DINV

yaml = pytest.importorskip("yaml")

API = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "engine-api")
METHODS = ("get", "head", "post", "put", "delete")

# In allOf of a description, and no operation of their own.
CLASSES = ["@read", "@run", "@exec", "@build", "@image", "@network", "@volume", "@files", "@swarm",
           "@plugin", "@system"]

# What keys of a map stand for; and what an element of a body must have beside
# the field that is asked about, so that nothing else is refused first.
BESIDE = {
    "ServiceCreate TaskTemplate.Networks[]": {"Target": "x"},
    "ServiceUpdate TaskTemplate.Networks[]": {"Target": "x"},
    "ServiceCreate Networks[]": {"Target": "x"},
    "ServiceUpdate Networks[]": {"Target": "x"},
    "ServiceCreate TaskTemplate.ContainerSpec.Mounts[]": {"Type": "volume"},
    "ServiceUpdate TaskTemplate.ContainerSpec.Mounts[]": {"Type": "volume"},
}

# Documented in another form than dockerd reads: a topology is documented as a
# map and read as {"Segments": {...}} (moby api/types/volume), and port bindings
# were documented without the list that they are.
NOT_SO = re.compile(r"(Requisite|Preferred)\[\]\.\*$|PortBindings\.\*\.\w+$")

# A header that dockerd reads of a constrained role's request must go on; these
# are read by nothing that dinv does not write itself.
HEADERS_NOT_SENT = {"content-type"}


def descriptions():
    found = {}
    for path in glob.glob(os.path.join(API, "swagger-v1.*.yaml")):
        minor = int(re.search(r"v1\.(\d+)\.yaml$", path).group(1))
        with open(path, encoding="utf-8") as f:
            found[minor] = yaml.load(f, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


@pytest.fixture(scope="module")
def described():
    found = descriptions()
    if not found:
        pytest.skip("the descriptions of the Engine API are not at hand")
    assert sorted(found) == list(range(25, max(found) + 1))
    return found


@pytest.fixture(scope="module")
def explain(tmp_path_factory):
    """explain(method, target, body): the rule that refuses it, or None."""
    folder = tmp_path_factory.mktemp("explain")
    rules = os.path.join(os.path.dirname(__file__), "..", "..", "policy", "rules.def")
    with open(rules, encoding="ascii") as f:
        may = re.findall(r'X\(\w+, "([a-z-]+)", 1,', f.read())
    assert len(may) > 25
    role = {"allow": CLASSES, "may": may, "buildkit": "unjudged"}
    policy = folder / "policy.json"
    policy.write_text(json.dumps({"clients": [{"match": {"cn": "x"}, "role": "all"}],
                                  "roles": {"all": role}}))

    def ask(method, target, body=None):
        argv = [DINV, "policy", "explain", "-policy", str(policy), "-cn", "x"]
        if body is not None:
            file = folder / "body.json"
            file.write_text(json.dumps(body))
            argv += ["-body", str(file)]
        done = subprocess.run([*argv, method, target], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stderr
        rule = re.search(r"^rule +(\S+)$", done.stdout, re.M)
        return rule.group(1) if done.returncode == 3 else None

    return ask


def operations(description):
    for path, methods in description["paths"].items():
        for method in METHODS:
            if method in methods:
                op = dict(methods[method])
                op["parameters"] = methods.get("parameters", []) + op.get("parameters", [])
                yield method.upper(), re.sub(r"\{\w+\}", "x", path), op


class Walk:
    """The places of a schema's fields: tuples of names, "[]" and "*"."""

    def __init__(self, description):
        self.definitions = description["definitions"]
        self.open = []

    def places(self, schema, at=()):
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            if name in self.open:
                return
            self.open.append(name)
            yield from self.places(self.definitions[name], at)
            self.open.pop()
            return
        for part in schema.get("allOf", []):
            yield from self.places(part, at)
        for key, value in (schema.get("properties") or {}).items():
            if key == "additionalProperties":
                continue    # a slip of the older descriptions: no field
            yield (*at, key)
            yield from self.places(value, (*at, key))
        if "items" in schema:
            yield from self.places(schema["items"], (*at, "[]"))
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            yield (*at, "*")
            yield from self.places(more, (*at, "*"))


def around(op, place, value):
    """A body that has value at place."""
    for depth in range(len(place) - 1, -1, -1):
        step, up = place[depth], op + " " + text(place[:depth])
        if step == "[]":
            value = [value]
        elif step == "*":
            value = {"k": value}
        else:
            value = {**BESIDE.get(up, {}), step: value}
    return value


def text(place):
    return ".".join(place).replace(".[]", "[]")


def json_body(op):
    for parameter in op["parameters"]:
        if parameter["in"] == "body" and parameter["schema"].get("type") != "string":
            return parameter["schema"]
    return None


def test_every_field_of_every_version_is_known(described, explain):
    """0.5 is of no type that a table has but one: what is known is refused by
    its type, or taken; what is not known is refused as such."""
    asked, unknown, seen, left_out, bodies = set(), [], set(), [], set()
    for minor in sorted(described, reverse=True):
        walk = Walk(described[minor])
        for method, path, op in operations(described[minor]):
            schema = json_body(op)
            if schema is None:
                continue
            bodies.add((method, path))
            for place in walk.places(schema):
                key = (method, path, place)
                if key in asked or place[-1] == "*" and "*" not in place[:-1] or \
                        NOT_SO.search(text(place)) or \
                        any(key[:2] == k[:2] and place[:len(k[2])] == k[2] for k in left_out):
                    continue
                asked.add(key)
                name = op["operationId"]
                rule = explain(method, path, around(name, place, 0.5))
                if rule == "unknown-field":
                    unknown.append(f"1.{minor} {name} {text(place)}")
                elif rule is None:
                    left_out.append(key)    # with all that it holds
                # Would it have been seen?
                beside = (*place[:-1], "NoSuchField")
                if place[-1] not in ("[]", "*") and (method, path, beside) not in seen:
                    seen.add((method, path, beside))
                    rule = explain(method, path, around(name, beside, 0.5))
                    if rule != "unknown-field":
                        unknown.append(f"1.{minor} {name} {text(beside)} is refused by {rule}")
    print(f"\n{len(asked)} fields of {len(bodies)} bodies")
    assert not unknown, "\n" + "\n".join(unknown)
    assert len(asked) > 400 and len(bodies) >= 25


def test_every_query_key_of_every_version_is_known(described, explain):
    asked, unknown = set(), []
    for minor in sorted(described, reverse=True):
        for method, path, op in operations(described[minor]):
            for parameter in op["parameters"]:
                key = (method, path, parameter["name"])
                if parameter["in"] != "query" or key in asked:
                    continue
                asked.add(key)
                rule = explain(method, f"{path}?{parameter['name']}=")
                if rule == "unknown-query":
                    unknown.append(f"1.{minor} {op['operationId']} {parameter['name']}")
    print(f"\n{len(asked)} query keys")
    assert explain("GET", "/info?nosuchkey=1") == "unknown-query"
    assert not unknown, "\n" + "\n".join(unknown)
    assert len(asked) > 100


def test_every_json_body_is_judged(described, explain):
    """No operation is left to unconstrained roles for want of a table."""
    left = []
    for minor in sorted(described, reverse=True):
        for method, path, op in operations(described[minor]):
            schema = json_body(op)
            if schema is not None and explain(method, path, around("", (), 0.5)) != "type":
                left.append(f"1.{minor} {op['operationId']}")
    assert not left, left


def test_every_header_is_passed_on(described):
    """forward.c keeps what dockerd reads."""
    source = os.path.join(os.path.dirname(__file__), "..", "..", "policy", "forward.c")
    with open(source, encoding="ascii") as f:
        kept = set(re.findall(r'^\t"([a-z-]+)",$', f.read(), re.M))
    assert "x-registry-auth" in kept
    named = {p["name"].lower() for d in described.values() for _, _, op in operations(d)
             for p in op["parameters"] if p["in"] == "header"}
    print(f"\n{sorted(named)}")
    assert named - HEADERS_NOT_SENT <= kept
