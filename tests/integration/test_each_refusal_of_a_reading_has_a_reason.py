# SPDX-License-Identifier: Apache-2.0
"""What the gate refuses for its reading, and what dockerd does with the same bytes.

The table is docs/threat-model.md's, "One reading"; its rows are the tables in
reading/.  Each case goes straight to dockerd's socket, where its effect is
seen, and then through the gate as ci-runner, where there must be none.
"""

import itertools
import os
import re

import pytest

from effect.world import Ear, Straight
from reading import bodies, frames, taken, targets
from reading.trial import Door, Trial, message
from waiting import wait_until
from wire import Reader, unix_connect

LANES = "few"

CASES = [*bodies.CASES, *targets.CASES, *frames.CASES]
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/threat-model.md")

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def doors():
    """get(dockerd): its api, and two listeners on its own loopback."""
    made = {}

    def get(dockerd):
        if dockerd.version not in made:
            pid = dockerd.holder.pid
            made[dockerd.version] = Straight(dockerd.socket), Ear(pid), Door(pid)
        return made[dockerd.version]

    yield get
    for each in made.values():
        for one in each:
            one.close()


@pytest.fixture
def trial(team, doors):
    """trial(case): a new Trial that is ready, and cleaned up after the test."""
    made = []

    def new(case):
        made.append(Trial(*doors(team.dockerd), f"reading{next(_numbers)}"))
        case.ready(made[-1])
        return made[-1]

    yield new
    for one in made:
        one.clean()


def ask_straight(team, case, t):
    """(status, what is seen then)"""
    with unix_connect(team.dockerd.socket) as s:
        s.sendall(case.send(t))
        reader = Reader(lambda: s.recv(65536))
        t.answer = reader.answer("POST")
        for _ in range(case.answers - 1):
            reader.answer("POST")
    wanted = case.expected(team.dockerd.version)[1]
    seen = []
    wait_until(lambda: seen.append(case.look(t)) or seen[-1] == wanted, 5)
    return t.answer.status, seen[-1]


def ask_gate(team, case, t):
    with team.gate.connect("job", "ci") as client:
        client.send(case.send(t))
        t.answer = client.reader.answer("POST")
        client.shutdown_write()
        client.end()
    return t.answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_straight_and_through_the_gate(team, trial, case):
    expected = case.expected(team.dockerd.version)
    assert ask_straight(team, case, trial(case)) == expected, "straight to dockerd"

    t = trial(case)
    before = case.look(t)
    seen = len(team.gate.audit_records())
    answer = ask_gate(team, case, t)
    assert answer.status == case.status, answer
    assert case.look(t) == before
    if case.rule:
        assert message(answer), answer
        assert wait_until(lambda: case.rule in rules(team, seen), 10), rules(team, seen)


def rules(team, seen):
    return [r.get("rule") for r in team.gate.audit_records()[seen:]]


@pytest.mark.parametrize("case", taken.CASES, ids=lambda case: case.name)
def test_one_meaning_is_taken(team, trial, case):
    """The same effect both ways."""
    assert ask_straight(team, case, trial(case)) == case.straight
    t = trial(case)
    answer = ask_gate(team, case, t)
    assert (answer.status, case.look(t)) == case.straight, answer


def documented():
    """Row -> its last cell: statuses and rules, from the table in the docs."""
    with open(DOCS, encoding="utf-8") as f:
        section = f.read().split("## One reading")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")]
            for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[-1] for row in rows}


def test_the_table_in_the_docs_is_this_one():
    said = documented()
    assert sorted(said) == sorted({case.row for case in CASES})
    for row, cell in said.items():
        cases = [case for case in CASES if case.row == row]
        cell = re.sub(r"\(.*\)", "", cell)
        words = set(re.findall(r"[\w.-]+", cell))
        assert words == {str(c.status) for c in cases} | {c.rule for c in cases if c.rule}, row
