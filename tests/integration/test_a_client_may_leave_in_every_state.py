# SPDX-License-Identifier: Apache-2.0
"""Cut in each state of a connection, in each way there is; nothing stays."""

import socket

import pytest

from test_limits_shed_and_recover import GONE, answers
from upstream import OK, UPGRADED
from waiting import wait_until
from wire import request

JSON = "Content-Type: application/json"
UPGRADE = ["Connection: Upgrade", "Upgrade: tcp"]

# state -> what a client says to get there
STATES = {
    "idle": b"",
    "head": b"GET /_ping HTTP/1.1\r\nHos",
    "collect": b"POST /v1.41/volumes/create HTTP/1.1\r\nHost: a\r\nContent-Type: "
               b"application/json\r\nContent-Length: 500\r\n\r\n{",
    "fact": request("POST", "/v1.41/containers/silent/start"),
    "exchange-asked": request("GET", "/v1.41/containers/silent/json"),
    "exchange-up": b"PUT /v1.41/containers/silent/archive?path=/tmp HTTP/1.1\r\nHost: a"
                   b"\r\nContent-Type: application/x-tar\r\nContent-Length: 90000\r\n\r\nxx",
    "exchange-down": request("GET", "/v1.41/images/endless/get"),
    "relay": request("POST", "/v1.41/containers/x/attach?stream=1&stdin=1&stdout=1",
                     UPGRADE),
    "answer": request("POST", "/v1.41/swarm/init", [JSON], body=b"{}"),
    "linger": b"GET /_ping HTTP/1.0\r\n\r\n",
}


def script(peer):
    while True:
        line, _ = peer.head()
        if "/attach" in line:
            peer.send(UPGRADED)
            peer.rest()
            return
        if "silent" in line:
            peer.rest()
            return
        if "endless" in line:
            peer.sock.settimeout(None)
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                peer.send(b"x" * 65536)
        peer.send(OK)


def leave(client, how):
    if how == "reset":
        client.reset()
        return
    if how == "close_notify":
        try:
            client.shutdown_write()
        except GONE:
            pass
    client.sock.close()


@pytest.mark.big
def test_nothing_stays(scripted, policy_file, tls):
    # Where dockerd is asked for policy, nobody looks at the client meanwhile.
    gate, upstream = scripted(script, policy=policy_file, tls=tls,
                              limits={"fact_ms": 3000})
    with gate.connect() as client:
        assert answers(client)
    upstream.wait_for_end()
    before = gate.descriptors()
    for state, first in STATES.items():
        who = ("root",) if state in ("exchange-down", "relay") else ("job", "ci")
        for how in ("close", "reset", "close_notify"):
            for _ in range(3):
                client = gate.connect(*who)
                if first:
                    client.send(first)
                leave(client, how)
            assert wait_until(lambda: gate.descriptors() <= before, 60), \
                (state, how, before, gate.descriptors())
            upstream.wait_for_end()
    with gate.connect() as client:
        assert answers(client)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"])
def test_in_its_handshake(scripted, said, how):
    gate, upstream = scripted(script)
    with gate.connect() as client:
        assert answers(client)
    upstream.wait_for_end()
    before = gate.descriptors()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", gate.port)) as s:
            s.sendall(said)
            if how == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert wait_until(lambda: gate.descriptors() <= before, 30)
    with gate.connect() as client:
        assert answers(client)
