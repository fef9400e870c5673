# SPDX-License-Identifier: Apache-2.0
"""One id for a request, at dockerd, in its records and with its client; and
the trace that its client says it belongs to."""

import json
import re
import subprocess

import pytest

from gate import DINV
from upstream import OK, RAW_200, UPGRADED, answering
from wire import request, unix_get

LANES = "few"

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
THEIRS = "hunter2-is-my-id"
ATTACH = "/v1.41/containers/x/attach?stream=1&stdin=1&stdout=1"
SHAPE = re.compile(r"[0-9a-f]+-[0-9]+-[0-9a-f]+")


def ids_sent(upstream):
    return re.findall(rb"^x-request-id: *(.*)\r$", upstream.received(), re.M | re.I)


@pytest.mark.parametrize("unit", [None, "ci"], ids=["admin", "ci-runner"])
def test_one_id_for_all_and_nobody_elses(scripted, policy_file, unit):
    own = OK.replace(b"\r\n\r\n", b"\r\nx-request-id: daemons\r\n\r\n")
    gate, upstream = scripted(answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + own, own), policy=policy_file)
    with gate.connect("job" if unit else "root", unit) as client:
        client.send(request("GET", "/_ping", [("X-Request-ID", THEIRS),
                                              ("traceparent", PARENT)]))
        assert "x-request-id" not in client.reader.head().headers
        first = client.reader.answer()
        second = client.ask("POST", "/images/create?fromImage=busybox&tag=1", [
            ("x-request-id", THEIRS), ("X-Request-Id", THEIRS), ("TraceParent", PARENT)], b"")
        assert first.body == second.body == b"ok"
    ids = [a.headers["x-request-id"] for a in (first, second)]
    assert all(SHAPE.fullmatch(i) for i in ids) and ids[0] != ids[1], ids
    assert ids_sent(upstream) == [i.encode() for i in ids]
    record = gate.wait_for_record(event="end", id=ids[1], traceparent=PARENT)
    assert record["v"] == 1
    assert f"traceparent: {PARENT}".encode() in upstream.received().lower()
    gate.flush_audit()
    with open(gate.audit, encoding="utf-8") as f:
        assert THEIRS not in f.read()
    for flags in (["-id", ids[1]], ["-trace", TRACE]):
        done = subprocess.run([DINV, "audit", "query", "-event", "end", "-o", "json",
                               *flags, gate.audit], capture_output=True, check=True)
        assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [ids[1]], flags


@pytest.mark.parametrize("value", ["", "00-x", PARENT.upper(), PARENT + "-" + THEIRS,
                                   PARENT.replace(TRACE, "0" * 32), "01" + PARENT[2:],
                                   f"{PARENT}\r\ntraceparent: {PARENT}"])
def test_what_is_no_trace_is_not_recorded(scripted, value):
    gate, _ = scripted(answering(OK))
    with gate.connect() as client:
        answer = client.ask("POST", "/containers/x/start", [("traceparent", value)], b"")
    record = gate.wait_for_record(event="end", id=answer.headers["x-request-id"])
    assert record["traceparent"] == ""


def test_an_answer_of_the_gates_own_has_it_too(scripted, policy_file):
    gate, upstream = scripted(lambda peer: peer.request(), policy=policy_file)
    asked = [("GET", "/v1.41/containers/json?bad=%zz", 400), ("GET", "/_ping", 502),
             ("POST", "/v1.41/secrets/create", 403)]
    for method, target, status in asked:
        with gate.connect("job", "ci") as client:
            client.send(request(method, target, [("X-Request-Id", THEIRS),
                                                 ("traceparent", PARENT)], b""))
            answer = client.reader.answer()
        assert answer.status == status, answer
        record = gate.wait_for_record(event="end", id=answer.headers["x-request-id"])
        assert (record["status"], record["traceparent"]) == (status, PARENT)
    assert THEIRS.encode() not in upstream.received()


@pytest.mark.parametrize("head", [UPGRADED, RAW_200], ids=["101", "200"])
def test_what_follows_a_hijacked_answer_is_untouched(scripted, head):
    def script(peer):
        peer.request()
        peer.send(head.replace(b"\r\n\r\n", b"\r\nX-Request-Id: daemons\r\n\r\n") + b"\0raw")
        peer.rest()
    gate, _ = scripted(script)
    wants = ["Connection: Upgrade", "Upgrade: tcp"] if head is UPGRADED else []
    with gate.connect() as client:
        client.send(request("POST", ATTACH, wants, b""))
        answer = client.reader.head()
        assert SHAPE.fullmatch(answer.headers["x-request-id"]), answer
        assert client.reader.exactly(4) == b"\0raw"


def test_a_real_dockerd_heeds_none_of_it(lane, name):
    """And says no id of its own; the client's own work goes on as ever."""
    with lane.gate.connect() as client:
        through = client.ask("GET", "/_ping", [("X-Request-Id", THEIRS)]).headers
    assert SHAPE.fullmatch(through.pop("x-request-id"))
    straight = unix_get(lane.dockerd.socket, "/_ping").headers
    assert set(through) == set(straight) - {"connection"}
    result = lane.same("run", "-i", "--rm", "--name", name, "busybox", "cat", stdin=b"foo\n")
    assert result.out == "foo\n"
