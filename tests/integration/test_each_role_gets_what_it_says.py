# SPDX-License-Identifier: Apache-2.0
"""read-only, admin, and nobody, by the same policy file."""

import pytest

LANES = "few"


@pytest.fixture
def container(team, name):
    team.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    yield name
    team.straight.docker("rm", "-f", name)


def test_read_only_reads(team, container):
    for args in (["version"], ["info"], ["ps", "-a"], ["images"], ["inspect", container],
                 ["logs", container], ["top", container], ["diff", container],
                 ["stats", "--no-stream", container], ["network", "ls"],
                 ["volume", "ls"], ["history", "busybox"], ["image", "inspect", "busybox"],
                 ["events", "--since", "0", "--until", "1"], ["system", "df"],
                 ["port", container]):
        result = team.watch.docker(*args)
        assert result.status == 0, (args, result)


def test_read_only_writes_nothing_and_takes_no_files(team, container, tmp_path, name):
    for args in (["run", "--rm", "busybox", "true"], ["create", "busybox"],
                 ["exec", container, "true"], ["stop", container], ["kill", container],
                 ["rm", "-f", container], ["rename", container, "x"],
                 ["pause", container], ["restart", container],
                 ["cp", f"{container}:/etc/passwd", str(tmp_path / "file")],
                 ["cp", "/etc/passwd", f"{container}:/tmp"],
                 ["export", "-o", str(tmp_path / "tar"), container],
                 ["save", "-o", str(tmp_path / "tar"), "busybox"],
                 ["commit", container, "x"], ["tag", "busybox", "x"], ["rmi", "busybox"],
                 ["pull", "busybox"], ["build", "-"], ["load"],
                 ["volume", "create", name], ["network", "create", name],
                 ["update", "--memory", "32m", container],
                 ["system", "prune", "-f"], ["swarm", "init"], ["login", "-u", "a", "-p", "b",
                                                                "127.0.0.1:5000"]):
        result = team.watch.docker(*args, stdin=b"FROM busybox\n")
        assert result.status != 0, (args, result)
        assert "read-only" in result.err, (args, result)
    # Of an answer to attach docker shows the status alone.
    result = team.watch.docker("attach", container)
    assert result.status == 1 and "received 403" in result.err, result
    assert team.straight.ok("inspect", "-f", "{{.State.Status}}", container) == "running"


def test_a_client_that_matches_nothing_gets_nothing(team):
    seen = len(team.gate.audit_records())
    for args in (["version"], ["ps"], ["run", "--rm", "busybox", "true"]):
        result = team.stranger.docker(*args)
        assert result.status != 0, result
    refused = [r for r in team.gate.audit_records()[seen:] if r["event"] == "decision"]
    assert refused and all(r["decision"] == "deny" and r["rule"] == "no-client"
                           and r["client"]["cn"] == "somebody" for r in refused)


def test_units_do_not_come_from_names(team, certs):
    """A common name that looks like a unit is a name."""
    with team.gate.connect("ci") as client:
        assert client.ask("GET", "/containers/json").status == 403
    with team.gate.connect("OU=ci") as client:
        assert client.ask("GET", "/containers/json").status == 403
    with team.gate.connect("root", "other") as client:
        assert client.ask("GET", "/containers/json").status == 200


def test_headers_do_not_say_who_one_is(team):
    with team.gate.connect("somebody", "else") as client:
        answer = client.ask("GET", "/containers/json", [
            "X-SSL-Client-CN: root", "X-Forwarded-Client-Cert: Subject=CN=root",
            "X-Remote-User: root", "Authorization: Basic cm9vdDpyb290"])
        assert answer.status == 403


def test_admin_may_do_everything(team, name):
    root = team.root
    try:
        root.ok("create", "--name", name, "--privileged", "-v", "/tmp:/h", "--pid", "host",
                "--net", "host", "--cap-add", "ALL", "--device", "/dev/null",
                "--security-opt", "seccomp=unconfined", "busybox", "true")
        assert root.ok("inspect", "-f", "{{.HostConfig.Privileged}}", name) == "true"
        assert root.ok("plugin", "ls", "-q") == ""
        assert root.docker("run", "--rm", "-v", "/etc:/h:ro", "busybox", "test", "-e",
                           "/h/passwd").status == 0
        # dockerd's business: the gate knows neither field nor operation.
        with team.gate.connect() as client:
            answer = client.ask("POST", "/no/such/operation",
                                ["Content-Type: application/json"], b"{}")
            assert answer.status == 404 and b"page not found" in answer.body
    finally:
        team.straight.docker("rm", "-f", name)
