# SPDX-License-Identifier: Apache-2.0
""""Play with Swarm": three hosts, a service of three replicas, all through
the gate as admin.

The service is on the hosts' own network mode: an overlay network with a
virtual address needs IPVS, which not every kernel has.
"""

import os

import pytest

from waiting import wait_until

NAMES = ("swarm1", "swarm2", "swarm3")


@pytest.fixture
def swarm(outer, here):
    outer.sh("docker network create swarmnet")
    for i, name in enumerate(NAMES):
        outer.sh(f"docker run -d --name {name} --hostname {name} --network swarmnet "
                 f"-p {12381 + i}:2376 dinv:debian")
    for name in NAMES:
        outer.ready(name)
        outer.give_images(name)
        outer.client(name, os.path.join(here, name))
    yield
    outer.run(f"docker rm -fv {' '.join(NAMES)}; docker network rm swarmnet")


def test_a_service_runs_on_three_hosts(outer, swarm, here):
    def on(i, command):
        return outer.sh(command, env={
            "DOCKER_HOST": f"tcp://127.0.0.1:{12381 + i}", "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": os.path.join(here, NAMES[i])})

    on(0, "docker swarm init")
    token = on(0, "docker swarm join-token -q worker")
    for i in (1, 2):
        said = on(i, f"docker swarm join --token {token} swarm1:2377")
        assert "joined a swarm as a worker" in said
    nodes = on(0, "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'")
    assert sorted(line.strip() for line in nodes.split("\n")) == \
        ["swarm1 Ready Leader", "swarm2 Ready", "swarm3 Ready"]
    on(0, "docker service create -d --name tasks --replicas 3 --network host "
          "--no-resolve-image --placement-pref spread=node.hostname busybox top")
    running = lambda: on(0, "docker service ls --format '{{.Name}} {{.Replicas}}'") == "tasks 3/3"
    assert wait_until(running, 60), \
        on(0, "docker service ps --no-trunc tasks") + outer.logs("swarm1")[-4000:]
    places = on(0, "docker service ps tasks --format '{{.Node}} {{.CurrentState}}'").split("\n")
    assert sorted(p.split()[0] for p in places if "Running" in p) == list(NAMES)
    for i in range(3):
        assert len(on(i, "docker ps -q").split()) == 1
    on(0, "docker service scale -d tasks=1")
    assert wait_until(lambda: on(0, "docker service ls --format '{{.Replicas}}'") == "1/1", 60)
    on(0, "docker service rm tasks")
    for i in (2, 1, 0):
        on(i, "docker swarm leave --force")
