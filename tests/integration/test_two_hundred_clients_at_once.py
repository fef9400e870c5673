# SPDX-License-Identifier: Apache-2.0
import threading

from clients import Lane
from wire import request

LANES = "few"

CLIENTS = 200


def test_all_connected_before_any_asks(lane):
    """200 open connections, then a request on each, then another."""
    clients = [lane.gate.connect() for _ in range(CLIENTS)]
    try:
        for _ in range(2):
            for client in clients:
                client.send(request("GET", "/version"))
            for client in clients:
                answer = client.reader.answer()
                assert answer.status == 200 and b"ApiVersion" in answer.body
    finally:
        for client in clients:
            client.sock.close()


def test_two_hundred_dockers(tls, dockerds, shared_gates, home):
    """Real clients, all started before any is waited for."""
    lane = Lane(dockerds("26.1"), shared_gates("26.1", tls), "26.1", home)
    clients = [lane.gated.start("version", "--format", "{{.Server.Version}}")
               for _ in range(CLIENTS)]
    said = [client.communicate(timeout=100) + (client.returncode,) for client in clients]
    assert {s for s in said} == {(said[0][0], b"", 0)}
    assert said[0][0].startswith(b"26.1")


def test_fifty_streams_at_once(lane, name):
    """Execs with stdin, all into one container."""
    streams = 50
    lane.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    faults = []

    def one(n):
        try:
            result = lane.gated.exec_stdin("exec", "-i", name, "cat", stdin=b"word %d\n" % n)
        except AssertionError as e:
            faults.append(e)
            return
        if (result.status, result.stdout) != (0, b"word %d\n" % n):
            faults.append(result)

    try:
        threads = [threading.Thread(target=one, args=(n,)) for n in range(streams)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
    finally:
        lane.remove(name)
