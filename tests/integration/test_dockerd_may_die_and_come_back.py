# SPDX-License-Identifier: Apache-2.0
"""The gate itself never needs a restart."""

import json
import os

import pytest

from clients import Lane
from dockerd import Dockerd
from conftest import DOCKERD_BIN, make_dockerd
from waiting import wait_until


def test_absent_from_the_start(work, start_gate, tls, home):
    socket = os.path.join(work, "nobody.sock")
    gate = start_gate(socket, tls=tls)
    with gate.connect() as client:
        for _ in range(2):
            answer = client.ask("GET", "/_ping")
            assert answer.status == 503
            assert socket in json.loads(answer.body)["message"]


def test_a_file_that_is_no_socket(work, start_gate):
    path = os.path.join(work, "no-socket")
    with open(path, "w", encoding="ascii"):
        pass
    gate = start_gate(path)
    with gate.connect() as client:
        answer = client.ask("GET", "/_ping")
        assert answer.status == 503
        assert path in json.loads(answer.body)["message"]


@pytest.fixture
def mortal(version, work, home, name, start_gate):
    """A dockerd of the test's own, and a lane to it."""
    dockerd = make_dockerd(version, os.path.join(work, f"m{name}"), home)
    yield Lane(dockerd, start_gate(dockerd.socket), version, home)
    dockerd.kill()
    dockerd.remove()


def test_killed_in_the_middle_and_started_again(mortal, name):
    side = mortal.gated
    side.ok("run", "-d", "--name", name, "busybox", "sh", "-c",
            "while :; do echo tick; sleep 0.1; done")
    clients = [side.start("logs", "-f", name), side.start("attach", "--no-stdin", name),
               side.start("events"), side.start("wait", name)]
    try:
        for client in clients[:2]:
            assert client.stdout.readline() == b"tick\n"
        mortal.dockerd.kill()
        for client in clients:
            client.communicate(timeout=60)      # each ends; how is docker's choice
        result = side.docker("ps")
        assert result.status == 1
        assert mortal.dockerd.socket in result.err, result
        mortal.dockerd.start()
        assert side.docker("ps", "-a", "--format", "{{.Names}}").out == f"{name}\n"
        assert side.docker("run", "-i", "--rm", "busybox", "cat", stdin=b"foo\n").out == \
            "foo\n"
    finally:
        for client in clients:
            client.kill()
            client.wait()


def test_restarted_behind_a_kept_connection(mortal):
    """The next request on the same connection goes to the new dockerd."""
    with mortal.gate.connect() as client:
        assert client.ask("GET", "/_ping").body == b"OK"
        mortal.dockerd.stop()
        answer = client.ask("GET", "/_ping")
        assert answer.status in (502, 503)
        assert mortal.dockerd.socket in json.loads(answer.body)["message"]
    mortal.dockerd.start()
    with mortal.gate.connect() as client:
        assert client.ask("GET", "/_ping").body == b"OK"


def test_not_there_yet(work, version, home, name, start_gate):
    """A gate that is up first serves as soon as dockerd does."""
    dockerd = Dockerd(version, os.path.join(work, f"l{name}"), DOCKERD_BIN[version])
    gate = start_gate(dockerd.socket)
    try:
        with gate.connect() as client:
            assert client.ask("GET", "/_ping").status == 503
        dockerd.start()

        def serves():
            with gate.connect() as client:
                return client.ask("GET", "/_ping").status == 200

        assert wait_until(serves, 30)
    finally:
        dockerd.kill()
        dockerd.remove()
