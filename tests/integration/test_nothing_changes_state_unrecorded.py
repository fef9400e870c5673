# SPDX-License-Identifier: Apache-2.0
"""A full disk under the audit log, with -audit-required and without."""

import json
import os
import subprocess

import pytest

from waiting import wait_until

LANES = "few"
SIZE = 256 << 10


@pytest.fixture
def disk(tmp_path):
    """A folder with SIZE bytes to fill."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs",
                           str(tmp_path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr}")
    yield str(tmp_path)
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(disk):
    path = os.path.join(disk, "ballast")
    with open(path, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    return path


def ask(gate, method, target):
    with gate.connect() as client:
        answer = client.ask(method, target, (), b"")
        return answer.status, answer.body.decode()


def start(start_gate, lane, disk, **options):
    return start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=os.path.join(disk, "audit.jsonl"), **options)


def test_a_full_disk_stops_changes_and_not_reads(lane, disk, start_gate):
    gate = start(start_gate, lane, disk, flags=["-audit-required"])
    assert ask(gate, "POST", "/containers/none/start")[0] == 404
    ballast = fill(disk)
    said = []

    def refused():
        said[:] = ask(gate, "POST", "/containers/none/start")
        return said[0] == 503

    assert wait_until(refused, 20), said
    message = json.loads(said[1])["message"]
    assert "audit" in message and "No space left" in message
    assert ask(gate, "GET", "/containers/json")[0] == 200
    assert ask(gate, "GET", "/_ping")[0] == 200
    os.unlink(ballast)
    assert wait_until(lambda: not refused(), 20), said
    assert said[0] == 404
    records = gate.audit_records()       # each line is JSON, or this fails
    assert any(r.get("rule") == "audit-required" and r["status"] == 503
               for r in records if r["event"] == "end")
    assert not any(r["event"] == "lost" for r in records)


def test_what_was_lost_is_told(lane, disk, start_gate):
    gate = start(start_gate, lane, disk, limits={"audit_queue_records": 20})
    ballast = fill(disk)
    for _ in range(60):
        assert ask(gate, "POST", "/containers/none/start")[0] == 404
    os.unlink(ballast)
    assert wait_until(lambda: any(r["event"] == "lost" for r in gate.audit_lines()), 20)
    records = gate.audit_records()
    lost = sum(r["records"] for r in records if r["event"] == "lost")
    told = sum(r.get("op") == "ContainerStart" for r in records)
    assert lost + told == 120
    with open(gate.log, encoding="utf-8") as f:
        assert "audit records were lost" in f.read()
