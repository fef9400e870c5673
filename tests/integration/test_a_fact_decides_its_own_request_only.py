# SPDX-License-Identifier: Apache-2.0
"""What dockerd says of one object is never taken for word of another."""

import json

from waiting import wait_until

ID = "%064x"


def inspected(number, binds):
    body = json.dumps({"Id": ID % number, "HostConfig": {"Binds": binds},
                       "Mounts": []}).encode()
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)) + body


def test_an_answer_that_comes_too_late(scripted, tls):
    """The first question times out; its answer comes all the same, later.

    It says that the container is harmless.  The second question is about one
    that is not, and must not be decided by it.
    """
    asked = []

    def script(peer):
        line, _, _ = peer.request()
        asked.append(line)
        if "/containers/slow/" in line:
            wait_until(lambda: len(asked) > 1, 30)  # for ever, as seen from here
            peer.send(inspected(1, None))
        else:
            peer.send(inspected(2, ["/:/host"]))
        peer.rest()

    gate, upstream = scripted(script, tls=tls, policy="ci-runner",
                              limits={"fact_ms": 3000})
    body = b'{"Cmd":["id"]}'
    with gate.connect() as client:
        slow = client.ask("POST", "/v1.41/containers/slow/exec",
                          ["Content-Type: application/json"], body)
        assert slow.status == 504
        evil = client.ask("POST", "/v1.41/containers/evil/exec",
                          ["Content-Type: application/json"], body)
        assert evil.status == 403
        assert "host path" in json.loads(evil.body)["message"]
    assert len(upstream.peers) == 2  # a new connection for a new question
    assert b"/exec" not in upstream.received()


def test_more_than_the_answer(scripted, tls):
    """Two answers to one question: the second is nobody's."""
    def script(peer):
        peer.request()
        peer.send(inspected(1, None) + inspected(1, None))
        peer.rest()

    gate, upstream = scripted(script, tls=tls, policy="ci-runner",
                              limits={"fact_ms": 2000})
    with gate.connect() as client:
        # The exec itself goes on a connection of its own, and is not answered
        # by what is left over: the script takes it for another question.
        answer = client.ask("POST", "/v1.41/containers/x/exec",
                            ["Content-Type: application/json"], b'{"Cmd":["id"]}')
        assert answer.status == 200
    assert len(upstream.peers) == 2


def test_the_full_id_goes_on(scripted, tls):
    """What was looked at is what is used, whatever it is called by then."""
    def script(peer):
        peer.request()
        peer.send(inspected(7, None))
        line, _, _ = peer.request()
        assert ID % 7 in line
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        peer.rest()

    gate, upstream = scripted(script, tls=tls, policy="ci-runner")
    with gate.connect() as client:
        assert client.ask("POST", "/v1.41/containers/name/start").status == 204
    upstream.wait_for_end()
    assert not upstream.faults
    assert gate.wait_for_record(event="end", op="ContainerStart")["object_id"] == ID % 7
