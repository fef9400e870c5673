# SPDX-License-Identifier: Apache-2.0
"""dinv audit verify against every kind of change, over kills and rotations."""

import gzip
import os
import shutil
import stat
import subprocess

import pytest

from gate import DINV

LANES = "few"


def verify(*files, key=None):
    done = subprocess.run([DINV, "audit", "verify", *(["-key", key] if key else []),
                           *files], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def act(gate, times=3):
    for _ in range(times):
        with gate.connect() as client:
            assert client.ask("POST", "/containers/none/start", (), b"").status == 404


@pytest.fixture
def kept(lane, start_gate, tmp_path):
    """Lines of one chain: a gate that was killed in mid-write, and its next life."""
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=str(tmp_path / "audit.jsonl"))
    act(gate)
    gate.flush_audit()
    gate.kill()
    with open(gate.audit, "ab") as f:
        f.write(b'{"seq":9,"prev":"00')          # what a kill leaves
    gate.start()
    act(gate)
    gate.stop()
    with open(gate.audit, "rb") as f:
        return gate, f.read().splitlines(keepends=True)


def test_each_kind_of_change_is_named(kept, tmp_path):
    gate, lines = kept
    key = str(tmp_path / "pub.pem")
    with open(key, "wb") as f:
        f.write(subprocess.run([DINV, "audit", "key", gate.audit + ".key"],
                               check=True, capture_output=True).stdout)
    assert stat.S_IMODE(os.stat(gate.audit + ".key").st_mode) == 0o600
    assert verify(gate.audit, key=key)[0] == 0
    torn = next(i for i, line in enumerate(lines) if line.startswith(b'{"seq":9,"prev":"00'))
    assert lines[torn + 1].startswith(b'{"seq":')
    # the line that is tampered with
    n = next(i for i, line in enumerate(lines) if i > 1 and b"none" in line)
    changes = {
        "changed": lines[:n] + [lines[n].replace(b"none", b"some")] + lines[n + 1:],
        "removed": lines[:n] + lines[n + 1:],
        "twice": lines[:n] + [lines[n]] + lines[n:],
        "moved": lines[:n] + [lines[n + 1], lines[n]] + lines[n + 2:],
        "no record put in": lines[:n] + [b"{}\n"] + lines[n:],
        "the torn line changed": lines[:torn] + [b"{\n"] + lines[torn + 1:],
        "the beginning cut off": lines[1:],
        "a signature": lines[:-1] + [lines[-1].replace(b'"signature":"M', b'"signature":"N')],
        "the last checkpoint unmade": lines[:-1] + [
            lines[-1].replace(b"checkpoint", b"decision")],
    }
    path = str(tmp_path / "tampered")
    for what, text in changes.items():
        with open(path, "wb") as f:
            f.writelines(text)
        status, said = verify(path, key=key)
        if what == "the beginning cut off":
            assert status == 0 and "begins with number 2" in said, said
        elif what == "the last checkpoint unmade":  # as good as cut off
            assert status == 0 and " 0 records after the last one" not in said, said
        else:
            assert status == 1 and "BROKEN " + path in said, (what, said)
        if what in ("changed", "removed"):
            assert f"{path}:{n + 1}: " in said, (what, said)
    shutil.copy(gate.audit, path)
    with open(path, "rb+") as f:
        f.truncate(os.path.getsize(path) - 5)
    assert "torn" in verify(path, key=key)[1]


def test_a_forged_chain_has_no_signature(kept, lane, start_gate, tmp_path):
    gate, _ = kept
    other = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                       audit=str(tmp_path / "forged.jsonl"))
    act(other)
    other.stop()
    assert verify(other.audit)[0] == 0
    status, said = verify(other.audit, key=gate.audit + ".key")
    assert status == 1 and "another key" in said


def test_the_chain_goes_on_across_files(lane, start_gate, tmp_path):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=str(tmp_path / "audit.jsonl"))
    files = []
    for n in range(3):
        act(gate)
        files.append(f"{gate.audit}.{n}")
        os.rename(gate.audit, files[-1])
        gate.flush_audit()
    act(gate)
    gate.stop()
    with open(files[0], "rb") as f, gzip.open(files[0] + ".gz", "wb") as z:
        z.write(f.read())
    files[0] += ".gz"
    key = gate.audit + ".key"
    status, said = verify(*files, gate.audit, key=key)
    assert status == 0, said
    assert verify(files[0], files[2], gate.audit, key=key)[0] == 1
    assert verify(files[1], files[0], files[2], gate.audit, key=key)[0] == 1
    assert verify(*files[1:], gate.audit, key=key)[0] == 0
