# SPDX-License-Identifier: Apache-2.0
"""testcontainers (Node.js) as ci-runner, with its Ryuk switched off.

What it does is in node/testcontainers.js.  It connects to published ports, so
it runs where dockerd does, and so does its gate.
"""

import os

import pytest

from clients import E2E, Side
from gate import Gate

LANES = "few"

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node/testcontainers.js")


class GateInside(Gate):
    """A gate in dockerd's network, which only it and its clients reach."""

    def __init__(self, dockerd, *args, **options):
        super().__init__(*args, **options)
        self.dockerd = dockerd
        self.argv = dockerd.inside(*self.argv)

    def listens(self):
        return self.dockerd.listens_inside(self.port)


@pytest.fixture
def inside(lane, work, certs, policy_file, home, name):
    """run(*args, **env): the script as ci-runner; run.straight without the gate."""
    gate = GateInside(lane.dockerd, work, certs, lane.dockerd.socket, tls=lane.gate.tls,
                      policy=policy_file).start()
    sides = {"gated": Side(lane.cli, home, gate.env("job", "ci")), "straight": lane.straight}

    def run(side, *args, **env):
        return sides[side].run(
            lane.dockerd.inside("node", SCRIPT, name, *args),
            env={"NODE_PATH": os.path.join(E2E, "node/node_modules"),
                 "PATH": "/usr/local/bin:/usr/bin:/bin", **env})

    yield run
    gate.stop()
    lane.straight.docker("rmi", "-f", f"committed-{name}:1", f"built-{name}")


def test_a_session(inside, name):
    result = inside("gated", TESTCONTAINERS_RYUK_DISABLED="true")
    assert result.status == 0, result
    waited = ["log line", "ports", "health", "http", "command", "all", "the end"]
    said = [line for line in result.out.splitlines() if not line.startswith("waited")]
    assert [line for line in result.out.splitlines() if line.startswith("waited")] == \
        [f"waited for {what} 64" for what in waited]
    assert said == [
        'port "hello\\n"',
        f'exec ["{name}\\ncopied at start\\n",3]',
        'copied "later\\n"',
        'archive true',
        'alias "hello\\n"',
        'restarted "again\\n"',
        'logs "ready to serve\\n"',
        'committed true',
        'built 64',
        'done',
    ]


def test_the_same_without_the_gate(inside):
    """So that a failure above is the gate's."""
    result = inside("straight", TESTCONTAINERS_RYUK_DISABLED="true")
    assert result.status == 0 and result.out.endswith("done\n"), result


def test_ryuk_is_refused_and_its_user_told_how_to_switch_it_off(inside, lane, name):
    # Its image is there, so that the answer is not that of a pull.
    lane.straight.ok("tag", "busybox", f"ryuk-{name}:1")
    result = inside("gated", "one", RYUK_CONTAINER_IMAGE=f"ryuk-{name}:1")
    lane.straight.ok("rmi", f"ryuk-{name}:1")
    assert result.status == 1
    assert 'refuses the host path "/var/run/docker.sock"' in result.err, result
    assert "testcontainers: set TESTCONTAINERS_RYUK_DISABLED=true" in result.err, result
    assert "rule host-paths, at HostConfig.Binds[0]" in result.err, result
