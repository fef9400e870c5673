# SPDX-License-Identifier: Apache-2.0
"""Files that rotate under load, syslog and journal sockets, loggers that go."""

import glob
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from gate import DINV
from waiting import wait_until

LANES = "few"


def start(gate, target="/containers/none/start", times=1):
    with gate.connect() as client:
        return [client.ask("POST", target, (), b"").status for _ in range(times)]


@pytest.mark.parametrize("kind", ["syslog", "journal"])
def test_a_logger_gets_all_and_may_come_back(kind, lane, start_gate, logger):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      flags=["-audit", f"{kind}:{logger.path}", "-audit-required"])
    assert start(gate) == [404]
    assert wait_until(lambda: any(r["event"] == "end" for r in logger.records()), 20)
    for datagram in logger.got:
        if kind == "syslog":
            assert re.match(rb"<86>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ dinv \d+ audit - \{\"seq\":",
                            datagram), datagram
        else:
            assert b"\nMESSAGE={" in datagram and b"SYSLOG_IDENTIFIER=dinv\n" in datagram
    if kind == "journal":
        assert any(b"\nDINV_OP=ContainerStart\n" in d for d in logger.got)
    logger.stop()
    assert wait_until(lambda: start(gate) == [503], 20)
    assert gate.process.poll() is None
    logger.start()
    assert wait_until(lambda: start(gate) == [404], 20)
    gate.stop()
    numbers = [r["seq"] for r in logger.records()]
    assert numbers == list(range(1, len(numbers) + 1)), "a record is missing"


def test_files_rotate_under_load_and_none_is_missing(lane, start_gate, tmp_path):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=str(tmp_path / "audit.jsonl"), flags=["-audit-rotate-mb", "1"])
    threads = [threading.Thread(target=start, args=(gate,), kwargs={"times": 800})
               for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    gate.flush_audit()

    def moved():
        return sorted(glob.glob(gate.audit + ".2*"))

    def packed():
        return moved() and all(p.endswith(".gz") for p in moved())

    if shutil.which("gzip"):
        assert wait_until(packed, 60), moved()
    gate.stop()
    if shutil.which("gzip"):
        assert wait_until(packed, 60), moved()
    assert len(moved()) >= 2, os.listdir(tmp_path)
    done = subprocess.run([DINV, "audit", "verify", "-key", gate.audit + ".key",
                           *moved(), gate.audit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    count = int(re.search(r"holds: (\d+) records", done.stdout).group(1))
    assert count >= 2 * 4 * 800


def test_a_kill_under_load_tears_one_line_at_most(lane, start_gate, tmp_path):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=str(tmp_path / "audit.jsonl"))

    def load():
        try:
            start(gate, times=100000)
        except (OSError, EOFError, AssertionError, ValueError):
            pass                                 # its gate is gone

    for round_ in range(3):
        threads = [threading.Thread(target=load) for _ in range(4)]
        had = len(gate.audit_lines_raw())
        for t in threads:
            t.start()
        assert wait_until(lambda n=had: len(gate.audit_lines_raw()) > n + 200, 30)
        gate.process.kill()
        gate.process.wait()
        for t in threads:
            t.join()
        gate.start()
    assert start(gate) == [404]
    gate.stop()
    done = subprocess.run([DINV, "audit", "verify", "-key", gate.audit + ".key", gate.audit],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    torn = 0
    for line in gate.audit_lines_raw():
        try:
            json.loads(line)
        except ValueError:
            torn += 1
    assert torn <= 3


def test_a_logger_that_stands_still_holds_nobody_up(lane, start_gate, tmp_path):
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as still:
        still.bind(path)                         # and never reads, for now
        gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                          limits={"audit_queue_records": 100},
                          flags=["-audit", f"syslog:{path}"])
        assert set(start(gate, times=600)) == {404}
        got = []
        still.settimeout(30)
        while not got or b'"event":"lost"' not in got[-1]:
            got.append(still.recv(1 << 20))
        missing = json.loads(got[-1][got[-1].index(b"{"):])["records"]
        assert len(got) - 1 + missing >= 1200
        gate.stop()


def test_standard_output_that_is_slow_and_then_gone(lane, start_gate):
    """With -audit-required: what changes state waits for its reader."""
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      limits={"audit_queue_records": 100}, flags=["-audit", "-", "-audit-required"],
                      stdout=subprocess.PIPE)
    pipe = gate.process.stdout
    answers = start(gate, times=300)             # nobody reads, for now
    assert answers[0] == 404 and answers[-1] == 503 and set(answers) == {404, 503}
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
    got = []
    reader = threading.Thread(target=lambda: got.extend(iter(pipe.readline, b"")), daemon=True)
    reader.start()
    assert wait_until(lambda: start(gate) == [404], 20)
    assert wait_until(lambda: len(got) > 2 * answers.count(404), 20)
    numbers = [json.loads(line)["seq"] for line in list(got)]
    assert numbers == list(range(1, len(numbers) + 1))
    # Its reader goes: os.close() would wait for readline(), so by its number.
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), pipe.fileno())
    assert wait_until(lambda: start(gate) == [503], 20)
    gate.stop()


def test_no_more_files_are_kept_than_asked(lane, start_gate, tmp_path):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls,
                      audit=str(tmp_path / "audit.jsonl"),
                      flags=["-audit-rotate-mb", "1", "-audit-keep", "2"])
    for _ in range(4):
        start(gate, times=1000)
        gate.flush_audit()

    def moved():
        return sorted({p.removesuffix(".gz") for p in glob.glob(gate.audit + ".2*")})

    assert wait_until(lambda: len(moved()) == 2, 20), os.listdir(tmp_path)
    gate.stop()
    assert len(moved()) == 2, "one too many was removed"
