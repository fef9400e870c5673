# SPDX-License-Identifier: Apache-2.0
"""--network, --pid and --ipc container:x as ci-runner: x is looked at first,
and what x has joined itself."""

import pytest

LANES = "few"


@pytest.fixture
def boxes(team, name):
    """One of each, and all of them gone at the end."""
    made = [f"{name}own", f"{name}root", f"{name}host", f"{name}chain", f"{name}joined"]
    team.ci.ok("run", "-d", "--name", made[0], "--ipc", "shareable", "busybox",
               "sh", "-c", "echo hello > /tmp/index.html; httpd -p 80 -h /tmp; sleep 600")
    team.straight.ok("create", "--name", made[1], "--cap-add", "SYS_ADMIN", "busybox")
    team.straight.ok("create", "--name", made[2], "--network", "host", "busybox")
    team.straight.ok("create", "--name", made[3], "--network", f"container:{made[2]}", "busybox")
    yield dict(zip(("own", "root", "host", "chain", "joined"), made))
    team.straight.docker("rm", "-f", *made)


def test_what_it_could_make(team, boxes):
    own = boxes["own"]
    assert team.ci.ok("run", "--rm", "--network", f"container:{own}", "busybox", "wget", "-q",
                      "-O", "-", "http://127.0.0.1/") == "hello"
    assert "sleep 600" in team.ci.ok("run", "--rm", "--pid", f"container:{own}", "busybox", "ps")
    team.ci.ok("run", "--rm", "--ipc", f"container:{own}", "busybox", "true")
    # It is entered, stopped and started as any.
    team.ci.ok("run", "-d", "--name", boxes["joined"], "--network", f"container:{own}",
               "busybox", "sleep", "600")
    assert team.ci.ok("exec", boxes["joined"], "wget", "-q", "-O", "-",
                      "http://127.0.0.1/") == "hello"
    team.ci.ok("restart", "-t", "0", boxes["joined"])
    box_id = team.ci.ok("inspect", "-f", "{{.Id}}", own)
    assert team.ci.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}",
                      boxes["joined"]) == f"container:{box_id}"


@pytest.mark.parametrize("which", ["root", "host", "chain"])
@pytest.mark.parametrize("flag", ["--network", "--pid", "--ipc"])
def test_what_it_could_not(team, boxes, which, flag):
    result = team.ci.docker("create", "--name", boxes["joined"], flag,
                            f"container:{boxes[which]}", "busybox")
    assert result.status == 1 and "dinv: role ci-runner refuses" in result.err, result
    assert team.straight.docker("inspect", boxes["joined"]).status == 1


def test_what_is_not_there(team, name):
    result = team.ci.docker("create", "--network", f"container:{name}none", "busybox")
    assert result.status == 1 and f"No such container: {name}none" in result.err, result
