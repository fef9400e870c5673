# SPDX-License-Identifier: Apache-2.0
"""host_paths, and symbolic links in the folders that a role may bind."""

import json
import os

import pytest

from clients import Side

LANES = "few"


@pytest.fixture
def tree(tmp_path):
    """A folder to read, one to write, and what nobody may see."""
    for name in ("cache/job", "out", "secret", "mine"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "secret/key").write_text("do not read")
    (tmp_path / "cache/job/file").write_text("read me")
    (tmp_path / "cache/near").symlink_to("job")
    (tmp_path / "cache/away").symlink_to(tmp_path / "secret")
    return tmp_path


@pytest.fixture
def side(lane, tree, start_gate, home):
    policy = tree / "policy.json"
    policy.write_text(json.dumps({
        "clients": [{"match": {"ou": "ci"}, "role": "paths"}],
        "roles": {"paths": {"extends": "ci-runner", "constraints": {"host_paths": [
            {"path": str(tree / "cache"), "mode": "ro"},
            {"path": str(tree / "out"), "mode": "rw"},
            {"path": str(tree / "mine"), "mode": "rw", "links": "trusted"}]}}}}))
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=str(policy))
    return Side(lane.cli, home, gate.env("job", "ci"))


def run(side, source, *command, mode="ro"):
    return side.docker("run", "--rm", "-v", f"{source}:/mnt:{mode}", "busybox",
                       *command)


def test_what_is_listed_is_bound(side, tree):
    assert run(side, tree / "cache", "cat", "/mnt/job/file").out == "read me"
    assert run(side, tree / "cache/job", "cat", "/mnt/file").out == "read me"
    assert run(side, tree / "cache/near", "cat", "/mnt/file").out == "read me"
    result = run(side, tree / "out", "touch", "/mnt/made", mode="rw")
    assert result.status == 0 and (tree / "out/made").exists(), result


def test_reading_makes_nothing(side, tree):
    """dockerd makes the folder of a bind where there is none, also for ro."""
    result = run(side, tree / "cache/nologin", "true")
    assert result.status == 125 and "which is not there" in result.err, result
    assert not (tree / "cache/nologin").exists()


def test_a_link_of_the_owner_leads_nowhere_else(side, tree):
    result = run(side, tree / "cache/away", "cat", "/mnt/key")
    assert result.status == 125, result
    assert "whose links lead elsewhere" in result.err, result


def test_a_link_that_a_container_made_is_not_followed(lane, side, tree, name, home):
    """What dockerd does with it, and what the gate does."""
    made = run(side, tree / "out", "ln", "-s", str(tree / "secret"), "/mnt/x", mode="rw")
    assert made.status == 0 and os.path.islink(tree / "out/x"), made
    straight = Side(lane.cli, home, {"DOCKER_HOST": f"unix://{lane.dockerd.socket}"})
    assert run(straight, tree / "out/x", "cat", "/mnt/key").out == "do not read"
    result = run(side, tree / "out/x", "cat", "/mnt/key")
    assert result.status == 125 and "where containers can make links" in result.err, result
    # A container that somebody else made with it is not entered either.
    straight.ok("run", "-d", "--name", name, "-v", f"{tree}/out/x:/mnt:ro", "busybox",
                "sleep", "600")
    try:
        result = side.docker("exec", name, "cat", "/mnt/key")
        assert result.status == 1 and "make links" in result.err, result
    finally:
        straight.docker("rm", "-f", name)


def test_a_trusted_folder_is_followed_and_not_left(side, tree):
    os.mkdir(tree / "mine/job")
    assert run(side, tree / "mine/job", "touch", "/mnt/y", mode="rw").status == 0
    assert run(side, tree / "mine/new", "touch", "/mnt/z", mode="rw").status == 0
    os.symlink(tree / "secret", tree / "mine/x")
    os.symlink(tree / "nowhere", tree / "mine/dangling")
    result = run(side, tree / "mine/x", "cat", "/mnt/key")
    assert result.status == 125 and "links lead elsewhere" in result.err, result
    result = run(side, tree / "mine/dangling", "true")
    assert result.status == 125 and "cannot follow" in result.err, result
