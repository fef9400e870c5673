# SPDX-License-Identifier: Apache-2.0
"""Whatever a client of ci-runner sends, dockerd does nothing against it.

Requests, honest ones and dangerous ones and those in disguise, go through the
gate to a real dockerd; then dockerd is asked what there is now, and that is
held against the policy by effect/judge.py.  The gate's word is not asked for.

    DINV_EFFECT_N      requests for each dockerd (1500)
    DINV_EFFECT_SECS   for so long instead, with a new seed each 5000
    DINV_EFFECT_SEED   this seed alone (default: a fixed one and a new one)
    DINV_EFFECT_ONLY   this request of it alone
"""

import json
import os
import random
import signal
import time

import pytest

from effect import sins
from effect.cases import Case, fill, post
from effect.sending import BATCH, Gated, Run, Ungated, race, told
from effect.spell import put, write
from effect.world import World

LANES = "few"

FIXED_SEED = 20
COUNT = int(os.environ.get("DINV_EFFECT_N", "1500"))
SECONDS = int(os.environ.get("DINV_EFFECT_SECS", "0"))
SEED = os.environ.get("DINV_EFFECT_SEED")
ONLY = os.environ.get("DINV_EFFECT_ONLY")


@pytest.fixture(scope="module")
def worlds(work):
    """get(dockerd): what the administrator made there, once."""
    made = {}

    def get(dockerd):
        if dockerd.version not in made:
            made[dockerd.version] = World(dockerd, f"{work}/effect{dockerd.version}")
        return made[dockerd.version]

    yield get
    for world in made.values():
        world.close()


@pytest.fixture
def world(worlds, team):
    return worlds(team.dockerd)


def run_of(world, gate, seed):
    return Run(world, Gated(gate), seed, lambda: gate.process.poll() is None)


def go(run, count):
    for start in range(0, count, BATCH):
        run.batch(range(start, min(start + BATCH, count)))
        if len(run.faults) > 20:
            break
    run.way.close()


def show(run, began):
    total = sum(run.statuses.values())
    print(f"\nseed {run.seed}: {total} requests in {time.monotonic() - began:.1f} s\n"
          + run.report())


def seeds():
    if SEED is not None:
        return [int(SEED)]
    return [FIXED_SEED, random.SystemRandom().randrange(1 << 32)]


@pytest.mark.skipif(SECONDS > 0, reason="DINV_EFFECT_SECS asks for another test")
def test_no_request_takes_effect_against_the_policy(world, team):
    signal.alarm(300 + COUNT // 5)
    for seed in seeds():
        run = run_of(world, team.gate, seed)
        began = time.monotonic()
        if ONLY is not None:
            c = run.case(int(ONLY))
            print(f"\n{c}\n{c.data!r}")
            print(run.one(c))
            run.faults += [(f.said, c) for f in world.check()]
        else:
            go(run, COUNT // len(seeds()))
            show(run, began)
            # The honest ones are no use where dockerd takes none of them.
            taken = sum(n for status, n in run.honest.items() if status and status < 400)
            assert taken > 0.98 * sum(run.honest.values()), run.honest
        assert not run.faults, "\n" + told(seed, run.faults)
    assert world.swarm_is_off()


@pytest.mark.skipif(SECONDS == 0, reason="for make fuzz F=effect SECS=n")
def test_for_as_long_as_was_asked(world, team):
    signal.alarm(SECONDS + 300)
    end = time.monotonic() + SECONDS / 2    # there are two dockerds
    seed = int(SEED) if SEED is not None else random.SystemRandom().randrange(1 << 32)
    while time.monotonic() < end:
        run = run_of(world, team.gate, seed)
        began = time.monotonic()
        for start in range(0, 5000, BATCH):
            run.batch(range(start, start + BATCH))
            if run.faults or time.monotonic() > end:
                break
        run.way.close()
        show(run, began)
        assert not run.faults, "\n" + told(seed, run.faults)
        seed += 1
    assert world.swarm_is_off()


def test_an_exec_by_a_name_that_changes_hands(world, team):
    made, refused, faults = race(world, team.gate, 60)
    assert not faults, faults
    assert made + refused > 0


# --- the judge has teeth -----------------------------------------------------


def plain_sins(world, index):
    """Every sin as it is: (Case, its value); numbered from index on."""
    for kind, path, body, table in (
            ("create", "/containers/create", {"Image": "busybox"}, sins.CREATE),
            ("volume", "/volumes/create", {}, sins.VOLUME),
            ("network", "/networks/create", {}, sins.NETWORK),
            ("update", "/containers/good/update", {}, sins.UPDATE),
            ("exec", "/containers/good/exec", {"Cmd": ["true"]}, sins.EXEC)):
        for name, where, values in table:
            for value in values:
                index += 1
                names = {**world.names(), "$N": str(index)}
                whole = dict(body)
                if kind in ("volume", "network"):
                    whole["Name"] = f"e{index}"
                elif kind == "create":
                    whole["Labels"] = {"effect": str(index)}
                text = write(put(whole, where, fill(value, names))).encode()
                data = post(path, text).to_bytes()
                yield Case(index, f"{kind}/{name}", False, data, "POST"), value


# What dockerd takes without any effect that it tells of: kinds and values.
# "20.10:" in front is for that dockerd alone.
NO_EFFECT = {
    # Fields of creation that update does not read, or does nothing about.
    "update/privileged", "update/binds", "update/devices", "update/cgroup-parent",
    "update/blkio", "update/oom-kill",
    # The default of cgroup v1; fields that came later; names of no network.
    "create/cgroupns", "20.10:create/annotations", "20.10:volume/cluster",
    '[{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"Options": [["remount"]]}}]',
    '"host "', '"HOST"', '{"/:/h": {}}',
}


def has_effect(version, kind, value):
    said = json.dumps(value)
    return not NO_EFFECT & {kind, said, f"{version}:{kind}", f"{version}:{said}"}


def is_for_later(world, value):
    """dockerd looks for a driver that there is not, for many seconds; or it
    takes a network that there is not, and says so at the start alone."""
    absent = ["tmp/x", "nfs", "LOCAL", "overlay"]
    if world.network("badnet") is None:
        absent.append("badnet")
    return any(word in json.dumps(value) for word in absent)


def a_volume(run, options):
    body = {"Name": f"e{run.base + 7}", "Driver": "local", "DriverOpts": options}
    data = post("/volumes/create", json.dumps(body).encode()).to_bytes()
    return Case(run.base + 7, "volume", not options, data, "POST")


@pytest.mark.skipif(SECONDS > 0 or ONLY is not None, reason="asked for something else")
def test_what_one_run_made_hides_nothing_of_the_next(world, team):
    """The seventh request of two runs makes a volume: honest, then not."""
    for options in ({}, {"type": "tmpfs", "o": "size=1m", "device": "tmpfs"}):
        run = Run(world, Ungated(team.dockerd.socket), 0)
        c = a_volume(run, options)
        assert run.one(c)[0] == 201
        said = [f.said for f in world.check() if run.owner(f, [c]) is c]
        assert bool(said) == bool(options), said


@pytest.mark.skipif(SECONDS > 0 or ONLY is not None, reason="asked for something else")
def test_the_judge_flags_what_dockerd_does_straight(world, team):
    """The same sins without the gate: dockerd does them, the judge says so."""
    done, flagged = {}, {}
    run = Run(world, Ungated(team.dockerd.socket), 0)
    every = [(c, value) for c, value in plain_sins(world, run.base)
             if not is_for_later(world, value)]
    named = [c for c, _ in every if c.kind.split("/")[0] in ("create", "volume", "network")]
    for c in named:
        done[c.index] = run.one(c)[0]
    for fault in world.check():
        owner = run.owner(fault, named)
        flagged.setdefault(owner and owner.index, []).append(fault.said)
    for c, _ in every[len(named):]:
        done[c.index] = run.one(c)[0]
        flagged[c.index] = [f.said for f in world.check()]
    missed = [(c.kind, value) for c, value in every
              if done[c.index] in (200, 201) and not flagged.get(c.index)]
    kinds = {c.kind for c, _ in every if flagged.get(c.index)}
    print(f"\n{len(every)} sins; dockerd took {sum(s in (200, 201) for s in done.values())};"
          f"\nflagged: {sorted(kinds)}\nnot flagged: {missed}\nloose: {flagged.get(None)}")
    assert len(kinds) > 25, kinds
    missed = [m for m in missed if has_effect(team.dockerd.version, *m)]
    assert not missed, missed


@pytest.mark.skipif(SECONDS > 0 or ONLY is not None, reason="asked for something else")
def test_the_disguises_work_straight(world, team):
    """What the gate stops is worth stopping: much of it works without it."""
    run = Run(world, Ungated(team.dockerd.socket), FIXED_SEED)
    sent = [c for c in map(run.case, range(800)) if not c.honest
            and c.kind.startswith("create/") and b"tmp/x" not in c.data][:200]
    for c in sent:
        run.one(c)
    faults = world.check()
    owners = {owner.index: owner for owner in (run.owner(f, sent) for f in faults) if owner}
    ways = sorted({way for c in owners.values() for way in c.how})
    print(f"\nof {len(sent)} dangerous requests {len(owners)} worked straight: {ways}")
    assert len(owners) > 20, faults
    assert {"folded", "repeated", "repeated_parent"} <= set(ways)
