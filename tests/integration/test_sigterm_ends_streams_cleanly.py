# SPDX-License-Identifier: Apache-2.0
"""Stop accepting, finish answers, end streams with a close_notify, exit 0."""

import socket
import threading

import pytest

from clients import Lane
from terminal import Terminal
from tlsclient import CLEAN
from upstream import UPGRADED
from waiting import wait_until
from wire import request

LANES = "few"


def test_streams_end_with_close_notify(scripted, tls):
    def script(peer):
        line, _, _ = peer.request()
        if "attach" in line:
            peer.send(UPGRADED + b"hello")
        else:
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"5\r\nhello\r\n")
        peer.rest()

    gate, upstream = scripted(script, tls=tls, limits={"stop_ms": 500})
    with gate.connect() as attached, gate.connect() as events, gate.connect() as idle:
        attached.send(request("POST", "/containers/x/attach?stream=1&stdout=1",
                              ["Connection: Upgrade", "Upgrade: tcp"], b""))
        assert attached.reader.head().status == 101
        assert attached.reader.exactly(5) == b"hello"
        events.send(request("GET", "/events"))
        assert events.reader.head().status == 200
        assert events.reader.chunk() == b"hello"
        gate.terminate()
        assert attached.end() == (b"", CLEAN)
        assert events.end() == (b"", CLEAN)
        assert idle.end() == (b"", CLEAN)
        assert gate.process.wait(30) == 0
    upstream.wait_for_end()


def test_an_answer_under_way_is_finished(scripted, tls):
    asked, go = threading.Event(), threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        asked.set()
        go.wait(30)
        peer.send(b"world")
        peer.rest()

    gate, _ = scripted(script, tls=tls)
    with gate.connect() as client:
        client.send(request("GET", "/_ping"))
        assert asked.wait(30)
        gate.terminate()

        # It stops accepting first: then it has seen the signal.
        def deaf():
            try:
                socket.create_connection(("127.0.0.1", gate.port), 5).close()
                return False
            except OSError:
                return True

        assert wait_until(deaf, 30)
        go.set()
        assert client.reader.answer().body == b"helloworld"
        assert client.end() == (b"", CLEAN)
        assert gate.process.wait(30) == 0


@pytest.fixture
def own(lane, start_gate, home):
    gate = start_gate(lane.dockerd.socket, tls=lane.gate.tls, limits={"stop_ms": 500})
    return Lane(lane.dockerd, gate, lane.cli, home)


def test_docker_logs_and_run_it(own, name):
    logs = None
    try:
        with Terminal(own.gated.argv("run", "-it", "--name", name, "busybox", "sh"),
                      own.gated.env) as t:
            t.ask("echo $((6 * 7))\r", "42")
            logs = own.gated.start("logs", "-f", name)
            while b"42" not in logs.stdout.readline():
                assert logs.poll() is None
            own.gate.terminate()
            t.status()
            logs.communicate(timeout=60)
            assert own.gate.process.wait(30) == 0
        assert own.straight.ok("inspect", "-f", "{{.State.Running}}", name) == "true"
    finally:
        if logs is not None:
            logs.kill()
            logs.wait()
        own.remove(name)


def test_the_port_is_free_again(scripted):
    gate, _ = scripted(lambda peer: peer.rest())
    with gate.connect():
        gate.terminate()
        assert gate.process.wait(30) == 0
    gate.start()
    assert gate.listens()
