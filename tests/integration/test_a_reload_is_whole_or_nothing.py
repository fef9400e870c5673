# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: policy and certificates anew, while streams go on."""

import os
import signal

import pytest

from upstream import OK
from waiting import tail_of, wait_until

BOTH = ('{"clients": [{"match": {"ou": "a"}, "role": "admin"},'
        ' {"match": {"ou": "b"}, "role": "admin"}]}')
ONLY_A = '{"clients": [{"match": {"ou": "a"}, "role": "admin"}]}'


def endless(peer):
    """Answers pings; logs are a stream that never ends by itself."""
    while True:
        line, _, _ = peer.request()
        if "/logs" in line:
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.send(b"5\r\nfirst\r\n")
            peer.rest()
            return
        peer.send(OK)


def write(path, text):
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(text)
    os.rename(path + ".new", path)


def reload(gate, word):
    """Sends SIGHUP and waits for what the log says of it."""
    before = tail_of(gate.log, 1 << 20).count(word)
    gate.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: tail_of(gate.log, 1 << 20).count(word) > before, 20), \
        tail_of(gate.log)


@pytest.fixture
def gate(scripted, work, name, tls):
    path = os.path.join(work, f"{name}-policy.json")
    write(path, BOTH)
    started, _ = scripted(endless, tls=tls, policy=path)
    started.policy_file = path
    return started


def follow(gate, unit):
    client = gate.connect("someone", unit)
    client.send(b"GET /v1.41/containers/x/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b"200" in client.reader.line()
    client.reader.until(b"first\r\n")
    return client


def test_a_mistake_changes_nothing(gate):
    write(gate.policy_file, '{"clients": [{"match": {"ou": "a"}, "role": "nobody"}]}')
    reload(gate, "not reloaded")
    assert f"{gate.policy_file}:1:" in tail_of(gate.log, 1 << 20)
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200


def test_new_requests_get_the_new_policy(gate):
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200
        write(gate.policy_file, ONLY_A)
        reload(gate, "reloaded policy")
        assert wait_until(lambda: client.ask("GET", "/_ping").status == 403, 20)


def test_streams_go_on_unless_their_client_lost_its_right(gate):
    with follow(gate, "a") as kept, follow(gate, "b") as cut:
        write(gate.policy_file, ONLY_A)
        reload(gate, "reloaded policy")
        rest, how = cut.end()
        assert (rest, how) == (b"", "close_notify")
        record = gate.wait_for_record(event="end", ended="policy")
        assert record["client"]["ou"] == ["b"]
        kept.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            kept.recv()
