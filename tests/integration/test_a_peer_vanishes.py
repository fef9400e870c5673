# SPDX-License-Identifier: Apache-2.0
"""A client that is gone without a word: no FIN, no reset, no answer.  It is
found on streams, which have no deadline; one that only reads slowly is not
taken for it."""

import ctypes
import os
import subprocess
import threading

import pytest

from gate import free_port
from tlsclient import TlsClient, context
from upstream import OK
from waiting import wait_until
from wire import request

HERE, THERE = "198.18.77.1", "198.18.77.2"     # RFC 2544: nobody's
CLONE_NEWNET = 0x40000000
QUIET, BUSY = "/v1.41/containers/quiet/logs", "/v1.41/containers/busy/logs"


def sh(*argv):
    subprocess.run(argv, check=True, capture_output=True)


class Away:
    """A network namespace with one way to here, which can be cut."""

    def __init__(self):
        self.name = f"dinv{os.getpid()}"
        self.link = f"dv{os.getpid()}"
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", self.link, "type", "veth", "peer", "name", "there",
           "netns", self.name)
        sh("ip", "addr", "add", f"{HERE}/30", "dev", self.link)
        sh("ip", "link", "set", self.link, "up")
        sh("ip", "-n", self.name, "addr", "add", f"{THERE}/30", "dev", "there")
        sh("ip", "-n", self.name, "link", "set", "there", "up")

    def connect(self, gate, port):
        """A socket stays in the network that it was made in."""
        made = []

        def run():
            with open(f"/run/netns/{self.name}", "rb") as f:
                if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            folder = gate.certs.client("root")
            ctx = context(os.path.join(folder, "ca.pem"), folder)
            made.append(TlsClient((HERE, port), ctx))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return made[0]

    def cut(self):
        """From now on each packet gets lost."""
        for chain in ("INPUT", "OUTPUT"):
            sh("ip", "netns", "exec", self.name, "iptables", "-I", chain, "-j", "DROP")

    def remove(self):
        subprocess.run(["ip", "link", "del", self.link], check=False)
        subprocess.run(["ip", "netns", "del", self.name], check=False)


@pytest.fixture
def away():
    try:
        made = Away()
    except (subprocess.CalledProcessError, FileNotFoundError) as e:
        pytest.skip(f"no network namespace can be made here: {e}")
    yield made
    made.remove()


class Script:
    """quiet: a stream of nothing; busy: one that never stops."""

    def __init__(self):
        self.sent = 0

    def __call__(self, peer):
        line, _, _ = peer.request()
        if "/logs" not in line:
            peer.send(OK)
            return
        peer.sock.settimeout(None)
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        if "quiet" in line:
            peer.rest()
        while True:
            peer.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            self.sent += 1


def follow(client, target):
    client.send(request("GET", target + "?follow=1&stdout=1"))
    assert client.reader.head().status == 200
    return client


def test_it_is_found_and_a_slow_reader_is_not(scripted, away):
    port = free_port()
    script = Script()
    gate, upstream = scripted(script, limits={"dead_peer_ms": 4000},
                              flags=["-listen", f"tcp://{HERE}:{port}"])
    here = follow(gate.connect(), BUSY)          # reads no more, and lives
    quiet = follow(away.connect(gate, port), QUIET)
    stalled = follow(away.connect(gate, port), BUSY)
    reading = follow(away.connect(gate, port), BUSY)
    over = threading.Event()

    def read():
        reading.sock.settimeout(1)
        try:
            while not over.is_set():
                reading.recv()
        except OSError:
            pass

    thread = threading.Thread(target=read)
    thread.start()
    assert wait_until(lambda: script.sent > 20000, 60)   # all but one are full
    away.cut()

    def lost():
        return [r for r in gate.audit_lines() if r.get("ended") == "client_lost"]

    assert wait_until(lambda: len(lost()) == 3, 100), gate.audit_lines()[-6:]
    assert {r["client"]["addr"].split(":")[0] for r in lost()} == {THERE}
    # Who only does not read is there as long as it likes.
    got = 0
    while got < 4 << 20:
        got += len(here.reader.chunk())
    over.set()
    thread.join()
    for client in (here, quiet, stalled, reading):
        client.sock.close()
    assert wait_until(lambda: gate.descriptors() < 40, 30)
    assert len(upstream.peers) >= 4
