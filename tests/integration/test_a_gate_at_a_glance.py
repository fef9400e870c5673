# SPDX-License-Identifier: Apache-2.0
"""dinv status: what a gate says of itself, in words and as JSON."""

import json
import os

import pytest

from admin import Admin
from test_a_gate_tells_how_it_is import PING, endless_or_ping
from test_a_reload_is_whole_or_nothing import write
from upstream import Upstream
from waiting import wait_until

POLICY = """{
  "clients": [
    { "match": { "ou": "a" }, "role": "admin" },
    { "match": { "ou": "b" }, "role": "read-only" }
  ]
}
"""


@pytest.fixture
def admin(work, name):
    return Admin(work, name)


@pytest.fixture
def gate(scripted, work, name, admin):
    path = os.path.join(work, f"{name}-policy.json")
    write(path, POLICY)
    started, _ = scripted(endless_or_ping, policy=path, flags=admin.flags)
    started.policy_file = path
    return started


def status(admin):
    return json.loads(admin.run("status", "-json").stdout)


def roles(admin):
    return {r["role"]: (r["connections"], r["streams"])
            for r in status(admin)["roles"]}


def test_it_says_what_there_is(gate, admin):
    done = admin.run("status")
    assert (done.returncode, done.stderr) == (0, "")
    for part in (", ready, up ", f"tcp://127.0.0.1:{gate.port} (mutual-tls)",
                 ", 26.1.5\n", "certificate  server, 3", "certificate  ca, ",
                 f"policy       {gate.policy_file}, loaded 20",
                 f"audit        {gate.audit}, written ", "lost 0\n"):
        assert part in done.stdout, done.stdout
    said = status(admin)
    assert said["ready"] is True and said["not_ready"] == []
    assert said["dockerd"]["up"] is True
    assert said["policy"]["reloads"] == 0


def test_clients_and_streams_are_counted_by_role(gate, admin):
    assert wait_until(lambda: roles(admin) == {}, 20)
    with gate.connect("someone", "a") as one, gate.connect("else", "b") as two:
        assert one.ask("GET", "/_ping").status == 200
        assert two.ask("GET", "/_ping").status == 200
        assert two.ask("POST", "/v1.41/containers/x/kill").status == 403
        assert roles(admin) == {"admin": (1, 0), "read-only": (1, 0)}
        # A request is counted when it is over, a moment after its answer.
        counts = {"total": 3, "allowed": 2, "observed": 0, "refused": 1,
                  "failed": 0}
        assert wait_until(lambda: status(admin)["requests"] == counts, 20)
        said = status(admin)
        assert said["connections"] == 2
        # Beside records there are the log's own lines ("opened").
        assert wait_until(lambda: status(admin)["audit"]["written"] == len(
            [r for r in gate.audit_records() if "client" in r]) > 0, 20)

        with gate.connect("third", "a") as stream:
            stream.send(b"GET /v1.41/containers/x/logs?follow=1&stdout=1 "
                        b"HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200" in stream.reader.line()
            assert roles(admin) == {"admin": (2, 1), "read-only": (1, 0)}
            # Another policy, other roles: everybody is counted anew.
            write(gate.policy_file, POLICY.replace("read-only", "builder"))
            assert admin.run("reload").returncode == 0
            assert roles(admin) == {"admin": (2, 1), "builder": (1, 0),
                                    "read-only": (0, 0)}
    assert wait_until(lambda: set(roles(admin).values()) == {(0, 0)}, 20)
    said = status(admin)
    assert said["connections"] == 0
    assert said["policy"]["reloads"] == 1


def test_a_client_without_a_role_is_counted_too(gate, admin):
    with gate.connect("someone", "c") as client:
        assert client.ask("GET", "/_ping").status == 403
        assert roles(admin) == {"(none)": (1, 0)}


def test_not_ready_is_status_one(gate, admin, start_gate, work, name):
    other = Admin(work, f"{name}b")
    path = os.path.join(work, f"{name}b.sock")
    start_gate(path, flags=other.flags)
    done = other.run("status")
    assert done.returncode == 1
    assert "NOT READY" in done.stdout
    assert "dockerd does not listen" in done.stdout
    assert "DOWN" in done.stdout
    dockerd = Upstream(path, lambda peer: (peer.request(), peer.send(PING)))
    try:
        assert wait_until(lambda: other.run("status").returncode == 0, 20)
    finally:
        dockerd.stop()
    assert admin.run("status").returncode == 0


def test_without_a_gate_it_says_what_to_do(work, name):
    done = Admin(work, name).run("status")
    assert done.returncode == 1
    assert "start it with -admin" in done.stderr


def test_a_real_dockerd_tells_its_version(dockerds, start_gate, admin, version):
    start_gate(dockerds(version).socket, flags=admin.flags)
    assert status(admin)["dockerd"]["version"].startswith(version)


def test_a_role_that_only_observes_is_told(gate, admin):
    assert status(admin)["policy"]["observes"] is False
    write(gate.policy_file, POLICY.replace(
        '"read-only" }', '"trial" }').rstrip()[:-1] +
        ', "roles": { "trial": { "mode": "observe", "allow": ["@read"] } } }')
    assert admin.run("reload").returncode == 0
    assert status(admin)["policy"]["observes"] is True
    assert "OBSERVES" in admin.run("status").stdout
    with gate.connect("else", "b") as client:
        assert client.ask("POST", "/v1.41/containers/x/kill").status == 200
    assert wait_until(lambda: status(admin)["requests"]["observed"] == 1, 20)
    assert b'decision="observe",class="2xx"} 1' in admin.get("/metrics").body
