# SPDX-License-Identifier: Apache-2.0
"""Silence is no fault: a stream may say nothing for longer than any deadline.

The gate here gives every state three seconds; the containers keep quiet for
twelve, and the silence is theirs: nothing in the test waits for a clock.
"""

import pytest

from clients import Lane

LANES = "few"

LIMITS = {"handshake_ms": 3000, "head_ms": 3000, "body_ms": 3000, "idle_ms": 3000}
QUIET = "echo first; sleep 12; echo last"


@pytest.fixture
def hasty(lane, start_gate, home):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, limits=LIMITS)
    return Lane(lane.dockerd, gate, lane.cli, home)


def finish(client, stdin=None):
    out, err = client.communicate(stdin, timeout=60)
    return out, err, client.returncode


def test_logs_attach_exec_wait_events_and_build(hasty, name, tmp_path):
    side = hasty.gated
    (tmp_path / "Dockerfile").write_text(
        f"FROM busybox\nRUN {QUIET} && echo {name}\n")
    side.ok("create", "-i", "--name", name, "busybox", "sh", "-c",
            f"read go; {QUIET}; exit 3")
    side.ok("run", "-d", "--name", f"{name}-idle", "busybox", "sleep", "600")
    clients = {}
    try:
        clients["events"] = side.start(
            "events", "--filter", f"container={name}", "--filter", "event=die",
            "--format", "{{.Action}}")
        # Its stdin is still open and silent when the first word is due.
        clients["start"] = side.start("start", "-ai", name)
        clients["start"].stdin.write(b"go\n")
        clients["start"].stdin.flush()
        assert clients["start"].stdout.readline() == b"first\n"
        clients["logs"] = side.start("logs", "-f", name)
        clients["wait"] = side.start("wait", name)
        clients["exec"] = side.start("exec", f"{name}-idle", "sh", "-c", QUIET)
        clients["exec -i"] = side.start("exec", "-i", f"{name}-idle", "sh", "-c",
                                        f"{QUIET}; cat")
        clients["build"] = side.start("build", "-q", str(tmp_path))
        clients["run"] = side.start("run", "--rm", "busybox", "sh", "-c", QUIET)

        assert finish(clients["logs"]) == (b"first\nlast\n", b"", 0)
        assert finish(clients["start"]) == (b"last\n", b"", 3)
        assert finish(clients["wait"]) == (b"3\n", b"", 0)
        assert finish(clients["exec"]) == (b"first\nlast\n", b"", 0)
        assert finish(clients["run"]) == (b"first\nlast\n", b"", 0)
        assert finish(clients["exec -i"], b"end\n") == (b"first\nlast\nend\n", b"", 0)
        out, err, status = finish(clients["build"])
        assert status == 0 and out.startswith(b"sha256:"), (out, err)
        assert clients["events"].stdout.readline() == b"die\n"
        assert clients["events"].poll() is None
    finally:
        for client in clients.values():
            client.kill()
            client.wait()
        hasty.remove(name, f"{name}-idle")


def test_an_idle_terminal_stays(hasty, name):
    """Nothing goes either way until the container speaks."""
    result = hasty.gated.docker(
        "run", "--rm", "-i", "busybox", "sh", "-c",
        "exec 2>&1; sleep 12; echo last", stdin=b"")
    assert result.seen() == (0, "last\n", "")
