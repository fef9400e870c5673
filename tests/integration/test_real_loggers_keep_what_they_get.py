# SPDX-License-Identifier: Apache-2.0
"""The journal and syslog as Debian has them: every record arrives as it was
made, is found by its fields, and the chain holds over what is read back."""

import json
import os
import re
import subprocess

import pytest

from gate import DINV
from real_logger import Journald, Rsyslogd
from waiting import wait_until

# Bytes that a logger may take for something else, in what is recorded.
ODD = "/containers/%E2%82%AC%22%5C%0A%25s%1b/start"


def not_found(peer):
    while True:
        peer.request()
        peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def ask(gate, target="/containers/none/start"):
    with gate.connect() as client:
        return client.ask("POST", target, (), b"").status


def ends_with(real, text):
    """Is the last record one with this, and the longest there?"""
    kept = real.lines()
    return kept and text in kept[-1] and any(len(line) > 20000 for line in kept)


@pytest.fixture(params=[Journald, Rsyslogd], ids=["journald", "rsyslogd"])
def real(request, work, name):
    if not os.path.exists(request.param.program):
        pytest.skip(f"{request.param.program} is not installed")
    made = request.param(os.path.join(work, name))
    made.start()
    yield made
    made.stop()


def test_all_of_it_also_across_a_restart(real, scripted, tmp_path):
    key = str(tmp_path / "key")
    gate, _ = scripted(not_found, flags=[
        "-audit", f"{real.kind}:{real.socket}", "-audit-key", key, "-audit-required"])
    assert [ask(gate) for _ in range(50)] == [404] * 50
    assert ask(gate, ODD) in (400, 404)
    assert ask(gate, "/containers/" + "x" * 20000 + "/start") == 404
    # What it has not read when it stops is lost: of no datagram one hears more.
    assert wait_until(lambda: ends_with(real, b'"status":404,'), 20), real.lines()[-3:]
    real.stop()
    assert wait_until(lambda: ask(gate) == 503, 20)
    real.start()
    assert wait_until(lambda: ask(gate) == 404, 20)
    gate.stop()
    assert wait_until(lambda: ends_with(real, b'"event":"checkpoint"'), 20), real.lines()[-3:]
    real.stop()
    records = [json.loads(line) for line in real.lines()]
    assert [r["seq"] for r in records] == list(range(1, len(records) + 1))
    assert len(records) >= 2 * 53
    exported = tmp_path / "exported"
    exported.write_bytes(b"".join(line + b"\n" for line in real.lines()))
    done = subprocess.run([DINV, "audit", "verify", "-key", key, str(exported)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"holds: {len(records)} records" in done.stdout
    ends = [r for r in records if r["event"] == "end" and r["op"] == "ContainerStart"
            and r["status"] == 404]
    if real.kind == "journal":
        found = real.lines("DINV_EVENT=end", "DINV_OP=ContainerStart", "DINV_STATUS=404")
        assert [json.loads(line) for line in found] == ends
    else:
        assert all(re.fullmatch(rb"authpriv\.info \S+ dinv audit", line)
                   for line in real.read("head"))
