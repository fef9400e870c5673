# SPDX-License-Identifier: Apache-2.0
"""Whatever a client with services sends, the swarm does nothing against it.

As test_no_request_takes_effect_against_the_policy.py does for containers: a
swarm of one node, requests through the gate, honest ones, dangerous ones and
those in disguise; then dockerd is asked what services there are, what their
specs say and what the containers of their tasks became.

    DINV_EFFECT_SERVICES   requests for each dockerd (240)
    DINV_EFFECT_SEED       this seed alone (default: a fixed one and a new one)
"""

import collections
import json
import os
import random
import re
import signal

import pytest

from clients import Side
from conftest import make_dockerd
from effect.cases import Case, post
from effect.sending import Gated, Ungated
from effect.services import case, plain_sins
from effect.spell import Request
from effect.swarm import Swarm
from effect.world import BASES
from waiting import wait_until

COUNT = int(os.environ.get("DINV_EFFECT_SERVICES", "240"))
SEED = os.environ.get("DINV_EFFECT_SEED")
FIXED_SEED = 20
BATCH = 40

POLICY = {
    "clients": [{"match": {"ou": "ci"}, "role": "deploy"}],
    "roles": {"deploy": {"extends": "ci-runner", "allow": ["@swarm", "@plugin"]}},
}


@pytest.fixture(scope="module")
def swarms(work, home):
    """get(version): a dockerd of this file's own, which is a swarm."""
    made = {}

    def get(version):
        if version not in made:
            dockerd = make_dockerd(version, f"{work}/sw{version}", home)
            made[version] = dockerd, None
            made[version] = dockerd, Swarm(dockerd, f"{work}/swarm{version}")
        return made[version]

    yield get
    for dockerd, swarm in made.values():
        if swarm is not None:
            swarm.close()
        dockerd.remove()


def owner(fault, sent):
    match = re.match(r"e(\d+)", fault.name)
    return next((c for c in sent if match and str(c.index) == match.group(1)), None)


def told(seed, faults):
    lines = [f"{n} x {said[:200]}" for said, n in
             collections.Counter(said for said, _ in faults).most_common(20)]
    for said, c in faults[:4]:
        lines.append(f"{said}\n    seed {seed}: {c}\n    bytes: {c and c.data[:3000]!r}")
    return "\n" + "\n".join(lines)


def seeds():
    return [int(SEED)] if SEED else [FIXED_SEED, random.SystemRandom().randrange(1 << 32)]


def in_sequence(swarm, way, seed, index, base):
    """Sends request index.  The swarm counts a service's versions up by itself
    while it updates it: an honest update then comes again, with the version of
    now.  What an update does is waited for, so that the next overtakes none:
    the swarm would wait a minute for a task that was never to run."""
    for _ in range(50):
        c = case(seed, index, swarm.names(), base)
        status, came = way.send(c)
        if c.kind.startswith("update") and (status == 200 or c.honest):
            swarm.settle("mine")
        if not c.honest or b"update out of sequence" not in came:
            break
    return c, status, came


def test_no_service_takes_effect_against_the_policy(version, swarms, work, start_gate):
    signal.alarm(300 + 2 * COUNT)
    dockerd, swarm = swarms(version)
    path = os.path.join(work, "deploy.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump(POLICY, f)
    gate = start_gate(dockerd.socket, policy=path)
    for seed in seeds():
        way, base, faults = Gated(gate), swarm.next_base(), []
        statuses = collections.Counter()
        count = COUNT // len(seeds())
        for start in range(0, count, BATCH):
            sent = []
            for index in range(start, min(start + BATCH, count)):
                c, status, came = in_sequence(swarm, way, seed, index, base)
                sent.append(c)
                statuses["honest" if c.honest else "dangerous", status] += 1
                if b"SWMTKN" in came or b"SWMKEY" in came:
                    faults.append(("the answer lets a host into the swarm", c))
                if c.honest and (status is None or status >= 400):
                    faults.append((f"an honest request was refused: {status} {came[:300]!r}", c))
            faults += [(f.said, owner(f, sent)) for f in swarm.check()]
            assert gate.process.poll() is None, "the gate has ended"
        way.close()
        print(f"\nseed {seed}: {dict(statuses)}")
        assert not faults, told(seed, faults)
        assert statuses["dangerous", 403] > count // 4, statuses
        assert sum(n for (said, s), n in statuses.items() if said == "honest") > count // 20


# What dockerd takes without any effect that it tells of.
NO_EFFECT = {
    "container-fields", "privileged",       # no fields of a service
    "20.10 oom-score", "26.1 oom-score",    # came with API 1.46
    "20.10 seccomp", "20.10 apparmor",      # came with API 1.44
}


def test_the_judge_flags_what_the_swarm_does_straight(version, swarms):
    """The same sins without the gate: dockerd does them, the judge says so."""
    dockerd, swarm = swarms(version)
    way = Ungated(dockerd.socket)
    taken, sent = [], []
    for sin, value, index, body in plain_sins(swarm.next_base(), swarm.names()):
        c = Case(index, sin, False,
                 post("/services/create", json.dumps(body).encode()).to_bytes(), "POST")
        sent.append(c)
        if way.send(c)[0] == 201:
            taken.append((sin, value, c))
    flagged = collections.defaultdict(list)
    for fault in swarm.check():
        c = owner(fault, sent)
        flagged[c and c.index].append(fault.said)
    missed = [(sin, value) for sin, value, c in taken if not flagged[c.index]]
    kinds = {sin for sin, _, c in taken if flagged[c.index]}
    print(f"\ndockerd took {len(taken)} of {len(sent)}; flagged: {sorted(kinds)}\n"
          f"not flagged: {missed}\nloose: {flagged[None]}")
    assert all(c.index % BASES for c in sent)
    assert len(kinds) >= 9, kinds
    missed = [m for m in missed if not {m[0], f"{version} {m[0]}"} & NO_EFFECT]
    assert not missed, missed


def test_what_the_gate_stops_of_the_swarm_works_straight(version, swarms):
    """Going back to a spec that mounts the host, and the manager's token."""
    dockerd, swarm = swarms(version)
    names = swarm.names()
    way = Ungated(dockerd.socket)
    spec = {"Name": "was", "TaskTemplate": {"ContainerSpec": {"Image": "busybox"}}}
    back = post("/services/was/update", json.dumps(spec).encode(),
                [("version", names["$WAS"]), ("rollback", "previous")])
    try:
        assert way.send(Case(0, "rollback", False, back.to_bytes(), "POST"))[0] == 200
        assert any("bind" in f.said for f in swarm.check() if f.name == "was")
    finally:
        swarm.mend_was()
    tokens = Case(0, "tokens", False, Request("GET", "/swarm").to_bytes(), "GET")
    assert b"SWMTKN" in way.send(tokens)[1]


def test_a_service_on_a_network_that_is_allowed(version, swarms, work, home, start_gate):
    """docker service, as people type it; the network goes on by its id."""
    dockerd, swarm = swarms(version)
    role = {"extends": "ci-runner", "allow": ["@swarm", "@read"],
            "constraints": {"networks": {"drivers": ["overlay"]}}}
    path = os.path.join(work, "overlay.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump({**POLICY, "roles": {"deploy": role}}, f)
    gate = start_gate(dockerd.socket, policy=path)
    side = Side(version, home, gate.env("job", "ci"))
    side.ok("service", "create", "-d", "--name", "typed", "--network", "over", "--stop-grace-period",
            "1ms", "busybox", "sleep", "1000")
    try:
        def updated():
            # Its network is attached a moment later, which makes another version.
            done = side.docker("service", "update", "-d", "--env-add", "A=b", "typed")
            assert done.status == 0 or "out of sequence" in done.err, done
            return done.status == 0

        assert wait_until(updated, 30)
        spec = swarm.api.must("GET", "/services/typed")["Spec"]["TaskTemplate"]
        assert [n["Target"] for n in spec["Networks"]] == [swarm.over]
        assert spec["ContainerSpec"]["Env"] == ["A=b"]
        done = side.docker("service", "update", "-d", "--rollback", "typed")
        assert done.status != 0 and "rule unjudged, at rollback" in done.err, done
    finally:
        swarm.api.ask("DELETE", "/services/typed")
