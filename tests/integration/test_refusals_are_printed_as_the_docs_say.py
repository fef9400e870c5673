# SPDX-License-Identifier: Apache-2.0
"""docs/policy.md, "Refusals as they are printed": commands and their lines.

Both are read out of the document and the commands are run, so that neither a
text nor the document changes alone.  The lines below "Constraints" are those of
a role with the constraints above them.
"""

import json
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


def constrained():
    """(heading, its JSON, line) for each line of a role "ci"."""
    with open(DOCS, encoding="utf-8") as f:
        sections = f.read().split("\n## Constraints")[1].split("\n## ")[0].split("\n### ")[1:]
    for section in sections:
        text = re.search(r"```json\n(.*?)```", section, re.S).group(1)
        text = text.removeprefix('"constraints": ') if '"constraints"' in text else f"{{{text}}}"
        for line in re.findall(r"^(?:docker: )?Error response .*$", section, re.M):
            yield section.split("\n")[0], json.loads(text), line


CASES = documented()
CONSTRAINED = list(constrained())

# What gets the line with these words, of which the first that it has count; "there" is a container that runs.
COMMANDS = {
    "rule images": "run debian",
    "rule resources, at HostConfig.Memory": "run busybox",
    "rule resources, at Memory": "update --memory 4g --memory-swap 4g there",
    "rule capabilities": "run --cap-add SYS_ADMIN busybox",
    "rule require": "run --user root --cap-drop ALL --read-only "
                    "--security-opt no-new-privileges busybox",
    "rule host-paths": "run -v /etc:/h:ro busybox",
    "rule volumes": "volume create prod",
    "every address": "run -p 30000:80 busybox",
    "rule published-ports": "run -p 127.0.0.1:80:80 busybox",
    "rule networks": "run --network prod busybox",
    "rule devices": "run --device /dev/sda busybox",
    "rule restart": "run --restart always busybox",
    "rule exec": "exec -u 1000 there sh",
    "rule env": "run -e LD_PRELOAD=x busybox",
    "rule labels": "run -d busybox",
}


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


@pytest.mark.parametrize("constraints, line", [c[1:] for c in CONSTRAINED],
                         ids=[f"{c[0]}: {c[2]}" for c in CONSTRAINED])
def test_the_line_of_a_constraint(team, home, work, start_gate, name, constraints, line):
    path = os.path.join(work, f"{name}.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump({"clients": [{"match": {"ou": "ci"}, "role": "ci"}],
                   "roles": {"ci": {"extends": "ci-runner", "constraints": constraints}}}, f)
    gate = start_gate(team.dockerd.socket, policy=path)
    side = Side(team.cli, home, gate.env("job", "ci"))
    command = next(said for words, said in COMMANDS.items() if words in line)
    team.straight.ok("run", "-d", "--name", "there", "busybox", "sleep", "600")
    try:
        result = side.docker(*command.split())
    finally:
        team.straight.docker("rm", "-f", "there")
    assert result.err.splitlines().count(line) == 1, f"docs: {line}\ndocker: {result.err}"
    assert result.status in (1, 125), result
