# SPDX-License-Identifier: Apache-2.0
"""/metrics: by the letter of the format, and true."""

import json
import os
import re
import socket
import ssl
import threading
import time

import pytest

import promtext
from admin import Admin
from own_certs import Own, cert
from test_a_gate_tells_how_it_is import endless_or_ping
from test_a_gate_is_told_to_reload import Load
from test_a_reload_is_whole_or_nothing import write
from tlsclient import TlsClient, context
from waiting import wait_until

POLICY = """{
  "clients": [
    { "match": { "ou": "a" }, "role": "admin" },
    { "match": { "ou": "b" }, "role": "ci-runner" },
    { "match": { "ou": "c" }, "role": "odd \\"\\\\" }
  ],
  "roles": { "odd \\"\\\\": { "extends": "read-only" } }
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
    return started


class Scrape:
    """The values of one scrape, or what has changed since another."""

    def __init__(self, admin):
        answer = admin.get("/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"] == \
            "text/plain; version=0.0.4; charset=utf-8"
        self.all = promtext.values(answer.body)

    def get(self, name, **labels):
        return self.all[name].get(frozenset(labels.items()), 0)


def grows(admin, before, by, name, **labels):
    """That value becomes larger by exactly so much (it may take a moment)."""
    want = before.get(name, **labels) + by
    if not wait_until(lambda: Scrape(admin).get(name, **labels) >= want, 20):
        return False
    return Scrape(admin).get(name, **labels) == want


def wait_for_calm(admin):
    """Until the connection that looked whether the gate listens is over."""
    assert wait_until(lambda: Scrape(admin).get(
        "dinv_handshake_failures_total", reason="lost") == 1, 20)
    assert wait_until(lambda: sum(
        Scrape(admin).all["dinv_connections_open"].values()) == 0, 20)


@pytest.mark.parametrize("text", [
    b"", b"a 1", b"a 1\n", b"# HELP a b\n# TYPE a gauge\na  1\n",
    b"# HELP a b\n# TYPE a gauge\na{x=\"\\q\"} 1\n",
    b"# HELP a b\n# TYPE a gauge\na{x=\"1\",} 1\n",
    b"# HELP a b\n# TYPE a gauge\na 1\na 2\n",
    b"# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\n",
    b"# HELP a b\n# TYPE a counter\na 1\n",
    b"# HELP a_total b\n# TYPE a_total counter\nb_total 1\n",
    b"# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
    b"# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 2\n"
    b"a_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
    b"# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
])
def test_the_reader_here_is_strict(text):
    with pytest.raises(promtext.Bad):
        promtext.parse(text)


def test_a_gate_that_did_nothing(gate, admin):
    s = Scrape(admin)
    assert s.get("dinv_build_info", version="0.1.0") == 1
    assert s.get("dinv_ready") == s.get("dinv_dockerd_up") == 1
    assert s.get("dinv_certificate_expiry_timestamp_seconds",
                 certificate="server") > s.get("process_start_time_seconds")
    assert s.get("dinv_refusals_total", rule="privileged") == 0
    fds = len(os.listdir(f"/proc/{gate.pid()}/fd"))
    # The scrape's own connection, and the test's look at the folder.
    assert abs(Scrape(admin).get("process_open_fds") - fds) <= 2
    assert s.get("process_resident_memory_bytes") > 1 << 20


def test_each_request_is_counted_once(gate, admin):
    wait_for_calm(admin)
    before = Scrape(admin)
    with gate.connect("one", "a") as client:
        for _ in range(7):
            assert client.ask("GET", "/_ping").status == 200
        assert client.ask("GET", "/no/such/thing").status == 200
    with gate.connect("two", "b") as client:
        body = b'{"Image": "x", "HostConfig": {"Privileged": true}}'
        assert client.ask("POST", "/v1.41/containers/create", body=body, headers=[
            "Content-Type: application/json"]).status == 403
        assert client.ask("POST", "/v1.41/swarm/init").status == 403
        assert client.ask("GET", "/v1.41/info", headers=["Expect: x"]).status == 417
    with gate.connect("three", "d") as client:
        assert client.ask("GET", "/_ping").status == 403
    name = "dinv_requests_total"
    for by, labels in (
            (7, {"operation": "SystemPing", "decision": "allow", "class": "2xx"}),
            (1, {"operation": "unknown", "decision": "allow", "class": "2xx"}),
            (1, {"operation": "SwarmInit", "decision": "deny", "class": "4xx"}),
            (1, {"operation": "ContainerCreate", "decision": "deny", "class": "4xx"}),
            (1, {"operation": "SystemPing", "decision": "deny", "class": "4xx"}),
            (1, {"operation": "unknown", "decision": "error", "class": "4xx"})):
        assert grows(admin, before, by, name, **labels), labels
    for rule in ("op", "privileged", "protocol", "no-client"):
        assert grows(admin, before, 1, "dinv_refusals_total", rule=rule), rule
    assert grows(admin, before, 8,
                 "dinv_upstream_first_byte_duration_seconds_count")
    assert grows(admin, before, 11, "dinv_policy_decision_duration_seconds_count")
    assert grows(admin, before, 3, "dinv_tls_handshake_duration_seconds_count")
    assert sum(Scrape(admin).all[name].values()) == 12


def test_streams_bytes_and_roles(gate, admin):
    before = Scrape(admin)
    with gate.connect("x", "c") as client:
        asked = (b"GET /v1.41/containers/x/logs?follow=1&stdout=1 HTTP/1.1\r\n"
                 b"Host: a\r\n\r\n")
        client.send(asked)
        assert b"200" in client.reader.line()
        client.reader.until(b"\r\n\r\n")
        s = Scrape(admin)
        odd = 'odd "\\'
        assert s.get("dinv_streams_open", role=odd) == 1
        assert s.get("dinv_connections_open", role=odd) == 1
        assert s.get("dinv_transferred_bytes_total", peer="client",
                     direction="received") == len(asked)
        # What was sent is counted when it has been: a moment later.
        assert wait_until(lambda: all(
            v > 0 for v in Scrape(admin).all[
                "dinv_transferred_bytes_total"].values()), 20)
    assert wait_until(
        lambda: Scrape(admin).get("dinv_streams_open", role=odd) == 0, 20)
    assert grows(admin, before, 1, "dinv_streams_total")


def test_failed_handshakes_have_a_reason(gate, admin, certs):
    wait_for_calm(admin)
    before = Scrape(admin)
    ca = os.path.join(certs.client("root"), "ca.pem")
    ctx = context(ca, version="1.2")
    with pytest.raises(ssl.SSLError):
        TlsClient(("127.0.0.1", gate.port), ctx).recv()
    ctx = context(ca)
    ctx.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError):
        TlsClient(("127.0.0.1", gate.port), ctx)
    name = "dinv_handshake_failures_total"
    assert grows(admin, before, 1, name, reason="no-certificate")
    assert grows(admin, before, 1, name, reason="protocol")
    lost = Scrape(admin)
    socket.create_connection(("127.0.0.1", gate.port)).close()
    assert grows(admin, lost, 1, name, reason="lost")


def test_a_slow_handshake_is_counted(scripted, admin):
    gate, _ = scripted(endless_or_ping, flags=admin.flags,
                       limits={"handshake_ms": 3000})
    with socket.create_connection(("127.0.0.1", gate.port)) as s:
        s.settimeout(20)
        assert s.recv(1) == b""
    assert wait_until(lambda: Scrape(admin).get(
        "dinv_handshake_failures_total", reason="timeout") == 1, 20)


def test_connections_turned_away_are_counted(scripted, admin):
    gate, _ = scripted(endless_or_ping, flags=admin.flags,
                       limits={"connections": 1})
    wait_for_calm(admin)
    with gate.connect() as client:
        assert client.ask("GET", "/_ping").status == 200
        before = Scrape(admin)
        with socket.create_connection(("127.0.0.1", gate.port)) as s:
            s.settimeout(20)
            assert s.recv(1) == b""
        assert grows(admin, before, 1, "dinv_connections_refused_total",
                     limit="connections")


def counted(admin):
    """How many requests have ended; one is counted after its last byte."""
    return sum(Scrape(admin).all["dinv_requests_total"].values())


def test_no_client_makes_a_new_name(gate, admin):
    """Whatever clients call things, the number of series stands."""
    with gate.connect("b" * 60, "b") as client:
        client.ask("GET", "/v1.41/containers/first/json")
        assert wait_until(lambda: counted(admin), 20)
        before = {n: len(v) for n, v in Scrape(admin).all.items()}
        for i in range(300):
            client.ask("GET", f"/v1.41/containers/c{i}/json")
            client.ask("GET", f"/v1.41/containers/c{i}/json?q{i}=1")
    for i in range(20):
        with gate.connect(f"name-{i}", "b") as client:
            client.ask("GET", "/_ping")
    after = {n: len(v) for n, v in Scrape(admin).all.items()}
    # One for the ping, one for unknown query keys.
    assert after.pop("dinv_requests_total") - before.pop("dinv_requests_total") <= 2
    assert after == before
    assert b"name-1" not in admin.get("/metrics").body


DASHBOARD = os.path.join(os.path.dirname(__file__),
                         "../../docs/grafana-dashboard.json")


def _expressions():
    with open(DASHBOARD, encoding="ascii") as f:
        board = json.load(f)
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for note in board["annotations"]["list"]:
        yield note["expr"]
    yield next(v["query"] for v in board["templating"]["list"]
               if v["name"] == "instance")


def test_the_dashboard_shows_what_there_is(gate, admin):
    with gate.connect("one", "a") as client:
        client.ask("GET", "/_ping")
    s = Scrape(admin)
    assert wait_until(lambda: counted(admin), 20)
    s = Scrape(admin)
    shown = set()
    for expr in _expressions():
        names = set(re.findall(r"\b(?:dinv|process)_[a-z0-9_]+", expr))
        assert names, expr
        for name in names:
            assert s.all.get(name), f"{name} is not there: {expr}"
        # Labels that are summed by or selected are labels of that metric.
        here = {label for n in names for labels in s.all[n] for label, _ in labels}
        asked = {w for by in re.findall(r"by \(([a-z, ]+)\)", expr)
                 for w in by.split(", ")} | set(re.findall(r"([a-z]+)=", expr))
        assert asked - {"instance"} <= here, expr
        shown |= {re.sub("_(bucket|sum|count)$", "", n) for n in names}
    # And nothing that is counted is forgotten.
    missing = {f for f in promtext.parse(admin.get("/metrics").body)} - shown
    assert missing == {"process_virtual_memory_bytes"}


@pytest.fixture
def with_revocations(work, name, admin):
    """A gate whose store has a list of revoked certificates."""
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    gate = own.scripted(endless_or_ping, flags=admin.flags)
    gate.certs.client("former")
    cert(gate, "revoke", "former")
    yield gate
    own.stop()


def test_the_alert_rules_ask_for_what_there_is(with_revocations, admin):
    with with_revocations.connect("one", "a") as client:
        client.ask("GET", "/_ping")
    assert wait_until(lambda: counted(admin), 20)
    ends = "dinv_certificate_expiry_timestamp_seconds"
    assert wait_until(
        lambda: Scrape(admin).get(ends, certificate="crl") > time.time(), 20)
    s = Scrape(admin)
    with open(os.path.join(os.path.dirname(DASHBOARD), "prometheus-alerts.yml"),
              encoding="ascii") as f:
        rules = re.findall(r"^ +expr: (.+)$", f.read(), re.M)
    assert len(rules) > 8
    for expr in rules:
        names = set(re.findall(r"\b(?:dinv|process)_[a-z0-9_]+", expr))
        assert names or expr.startswith("up{")
        for name in names:
            assert s.all.get(name), f"{name} is not there: {expr}"
        for label, value in re.findall(r'\b([a-z]+)=~?"([^"]+)"', expr):
            known = {v for n in names for labels in s.all[n]
                     for k, v in labels if k == label}
            if label not in ("job", "decision", "class"):
                assert set(value.split("|")) <= known, expr


def test_under_load_every_scrape_is_whole_and_nothing_is_lost(gate, admin):
    before = Scrape(admin)
    with Load(gate, "a") as load:
        last = before
        for _ in range(100):
            now = Scrape(admin)
            for name in ("dinv_connections_total",
                         "dinv_policy_decision_duration_seconds_count"):
                assert now.get(name) >= last.get(name)
            last = now
    assert set(load.answers) == {200}
    assert grows(admin, before, len(load.answers), "dinv_requests_total",
                 operation="SystemPing", decision="allow", **{"class": "2xx"})


def test_many_scrapers_at_once(gate, admin):
    faults = []

    def scrape():
        try:
            for _ in range(20):
                Scrape(admin)
        except Exception as e:  # pylint: disable=broad-except
            faults.append(e)

    threads = [threading.Thread(target=scrape) for _ in range(10)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not faults
    with gate.connect("one", "a") as client:
        assert client.ask("GET", "/_ping").status == 200
