# SPDX-License-Identifier: Apache-2.0
"""dinv audit query, tail and report over what a real gate has recorded."""

import csv
import io
import json
import os
import re
import subprocess
from html.parser import HTMLParser

import pytest

from gate import DINV
from waiting import wait_until

LANES = "few"


def audit(*args):
    done = subprocess.run([DINV, "audit", *args], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(gate, method, target, name="root", unit=None):
    with gate.connect(name, unit) as client:
        return client.ask(method, target, (), b"").status


@pytest.fixture
def gate(lane, start_gate, policy_file, tmp_path):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, policy=policy_file,
                      audit=str(tmp_path / "audit.jsonl"))
    for _ in range(3):
        assert ask(gate, "POST", "/containers/none/start") == 404
    assert ask(gate, "POST", "/containers/%3Cb%3E/start", "watcher", "watch") == 403
    assert ask(gate, "POST", "/swarm/leave", "watcher", "watch") == 403
    gate.flush_audit()
    return gate


def test_query_finds_by_all_that_it_takes(gate):
    def found(*flags):
        return [json.loads(line) for line in
                audit("query", "-o", "json", *flags, gate.audit).splitlines()]

    everything = found()
    assert everything == gate.audit_records()[:len(everything)]
    assert len(found("-event", "end", "-client", "root")) == 3
    assert len(found("-event", "end", "-client", "w*", "-decision", "deny")) == 2
    assert {r["op"] for r in found("-op", "@swarm")} == {"SwarmLeave"}
    assert len(found("-event", "end", "-object", "none")) == 3
    assert found("-from", "2999") == found("-to", "1999") == []
    assert found("-from", "20", "-to", "2999") == everything
    time = everything[2]["time"]
    assert everything[2] in found("-from", time, "-to", time)
    rows = list(csv.DictReader(io.StringIO(
        audit("query", "-o", "csv", "-event", "end", gate.audit), newline="")))
    assert [r["op"] for r in rows] == ["ContainerStart"] * 4 + ["SwarmLeave"]
    table = audit("query", "-decision", "deny", gate.audit)
    assert "watcher" in table and "\033" not in table


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]


def test_report_counts_and_draws(gate):
    text = audit("report", gate.audit)
    assert "5 requests, 2 of them refused" in text
    line = next(s.split() for s in text.splitlines() if s.split()[:1] == ["root"])
    assert line[1:3] == ["3", "0"]
    html = audit("report", "-html", gate.audit)
    page = Page(html)
    assert page.tags.count("svg") >= 4 and "rect" in page.tags
    assert page.links == [] and "script" not in page.tags and "<b>/" not in html


def test_report_leaves_no_hour_out(tmp_path):
    """Columns stand where their time is; what is long is cut where it shows."""
    name = "a-client-of-this-name-is-longer-than-its-place"
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(json.dumps(
        {"time": f"2026-11-2{day}T{hour}:10:00.000Z", "event": "end", "client": {"cn": name},
         "op": "ContainerAttach", "object": "0123456789ab" + "c" * 52, "decision": "allow",
         "duration_ms": 7_500_000}, separators=(",", ":")) + "\n"
        for day, hour in ((1, "22"), (2, "01"))))
    html = audit("report", "-html", str(file))
    assert re.findall(r">(\d\d:00|\d{4}-\d\d-\d\d)</text>", html) == [
        "22:00", "2026-11-21", "23:00", "00:00", "2026-11-22", "01:00"]
    left = [float(x) for x in re.findall(r'<rect class="ok" x="([\d.]+)" y="0.0"', html)]
    assert len(left) == 2 and left[1] - left[0] == 3 * 80
    assert ">0123456789ab<" in html and "cccc" not in html
    assert ">2 h 5 min<" in html and "2026-11-22 01:10:00" in html
    assert f">{name[:28]}&#8230;<title>{name}</title>" in html
    assert "later dinv" not in html
    file.write_text(file.read_text().replace('{"time"', '{"v":2,"time"', 1))
    assert "<b>1</b> records of a later dinv are not counted" in audit(
        "report", "-html", str(file))
    assert ": 1 requests" in audit("report", str(file))
    empty = tmp_path / "empty"
    empty.write_text("")
    assert "None." in audit("report", "-html", str(empty))


def test_tail_follows_over_a_rotation(gate, tmp_path):
    out = tmp_path / "tail.out"
    with open(out, "wb") as f:
        tail = subprocess.Popen([DINV, "audit", "tail", "-client", "watcher", gate.audit],
                                stdout=f, stderr=subprocess.STDOUT)
    try:
        def lines():
            return out.read_text().splitlines()

        assert wait_until(lambda: len(lines()) == 2, 20), lines()
        os.rename(gate.audit, gate.audit + ".old")
        ask(gate, "POST", "/swarm/leave", "watcher", "watch")
        gate.flush_audit()
        ask(gate, "POST", "/containers/y/start", "watcher", "watch")
        ask(gate, "POST", "/containers/z/start", "runner", "ci")
        assert wait_until(lambda: len(lines()) == 4, 20), lines()
        assert "SwarmLeave" in lines()[2] and " y " in lines()[3]
        assert tail.poll() is None
    finally:
        tail.terminate()
        tail.wait(20)
