# SPDX-License-Identifier: Apache-2.0
"""docs/policy.md, "Refusals as they are printed": commands and their lines.

Both are read out of the document and the commands are run, so that neither a
text nor the document changes alone.
"""

import os
import re
import shlex

import pytest

from clients import Side

LANES = "few"

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/policy.md")


def documented():
    """(command, line) for each command of the section."""
    with open(DOCS, encoding="utf-8") as f:
        section = f.read().split("## Refusals as they are printed")[1].split("\n## ")[0]
    lines = section.split("```console\n")[1].split("\n```")[0].splitlines()
    assert len(lines) % 2 == 0 and all(c.startswith("$ docker ") for c in lines[::2])
    return [(c[2:], line) for c, line in zip(lines[::2], lines[1::2])]


CASES = documented()


def test_there_are_ten_of_them():
    assert len(CASES) >= 10


@pytest.fixture
def db(team):
    """A privileged container that somebody else made."""
    team.straight.ok("create", "--name", "db", "--privileged", "busybox", "sleep", "600")
    yield
    team.straight.docker("rm", "-f", "db")


def asker(team, home, line):
    """Whose words these are."""
    if "role read-only" in line:
        return team.watch
    named = re.search(r'certificate "(.*?)"', line)
    if named:
        return Side(team.cli, home, team.gate.env(named.group(1)))
    return team.ci


@pytest.mark.parametrize("command, line", CASES, ids=[command for command, _ in CASES])
def test_the_line(team, db, home, tmp_path, command, line):
    (tmp_path / "Dockerfile").write_text("FROM busybox\n")
    result = asker(team, home, line).docker(*shlex.split(command)[1:], cwd=tmp_path)
    assert result.status != 0, result
    assert result.err.replace("\r", "\n").splitlines().count(line) == 1, \
        f"docs: {line}\ndocker: {result.err}"
    assert result.status in (1, 125) and len(line) < 330, line
