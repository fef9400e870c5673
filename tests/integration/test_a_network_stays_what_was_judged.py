# SPDX-License-Identifier: Apache-2.0
"""A network's name that is the beginning of another network's id.

While it is there the name goes before the id; once it is gone, dockerd 20.10
takes the same text for the id when the container starts.
"""

import json

LANES = "few"


def networks_of(side, container):
    said = side.ok("inspect", "-f", "{{json .NetworkSettings.Networks}}", container)
    return {n for n, e in json.loads(said).items() if e["IPAddress"]}


def swap(side, straight, name, prefix):
    """Whether it started, and where the container is then."""
    side.ok("network", "create", prefix)
    try:
        side.ok("create", "--name", name, "--network", prefix, "busybox", "sleep", "60")
    finally:
        straight.docker("network", "rm", prefix)
    started = side.docker("start", name)
    where = networks_of(straight, name)
    straight.docker("rm", "-f", name)
    return started, where


def test_a_name_does_not_become_an_id(team, name):
    root_id = team.straight.ok("network", "create", name + "-root")
    try:
        started, where = swap(team.straight, team.straight, name, root_id[:13])
        if team.dockerd.version == "20.10":
            assert name + "-root" in where, (started, where)
        started, where = swap(team.ci, team.straight, name, root_id[:13])
        assert started.status == 1 and where == set(), (started, where)
    finally:
        team.straight.docker("network", "rm", name + "-root")


def test_names_and_ids_of_networks_work_as_ever(team, name):
    net_id = team.ci.ok("network", "create", name)
    try:
        for said in (name, net_id, net_id[:12]):
            team.ci.ok("run", "-d", "--name", name, "--network", said, "--network-alias",
                       "there", "busybox", "sleep", "60")
            assert networks_of(team.straight, name) == {name}
            team.ci.ok("restart", "-t", "0", name)
            assert networks_of(team.straight, name) == {name}
            team.ci.ok("rm", "-f", name)
        team.ci.ok("run", "-d", "--name", name, "busybox", "sleep", "60")
        team.ci.ok("network", "connect", "--alias", "there", net_id[:12], name)
        assert networks_of(team.straight, name) == {"bridge", name}
        team.ci.ok("network", "disconnect", name, name)
        team.ci.ok("rm", "-f", name)
    finally:
        team.straight.docker("rm", "-f", name)
        team.straight.docker("network", "rm", name)
