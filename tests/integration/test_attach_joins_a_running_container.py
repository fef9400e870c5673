# SPDX-License-Identifier: Apache-2.0
"""attach without a terminal; with one, the keys that leave it.

A container that ends while somebody attaches may end first, whatever stands
in between: each of these goes on until the client has seen what it waits for.
"""

import pytest

from terminal import Terminal

ANSWER = "read a; echo out $a; echo err $a >&2; read b; exit 8"
TICK = "while [ ! -e /tmp/stop ]; do echo tick; sleep 0.1; done; exit 8"


@pytest.fixture
def container(lane, name):
    """start(side, *flags and command): the same container anew."""
    def start(side, *args):
        lane.remove(name)
        side.ok("run", "-d", "--name", name, *args)
        return name

    yield start
    lane.remove(name)


def test_stdin_goes_in_and_both_streams_come_out(lane, container):
    def session(side):
        client = side.start("attach", container(
            side, "-i", "busybox", "sh", "-c", ANSWER))
        try:
            client.stdin.write(b"word\n")
            client.stdin.flush()
            said = client.stdout.readline(), client.stderr.readline()
            client.stdin.write(b"end\n")
            client.stdin.close()
            return *said, client.wait(60)
        finally:
            client.kill()
            client.wait()

    assert lane.same_of(session) == (b"out word\n", b"err word\n", 8)


def test_without_stdin_output_is_followed_to_the_end(lane, container):
    def session(side):
        name = container(side, "busybox", "sh", "-c", TICK)
        client = side.start("attach", "--no-stdin", name)
        try:
            first = client.stdout.readline()
            side.ok("exec", name, "touch", "/tmp/stop")
            out, err = client.communicate(timeout=60)
            return first, set(out.split()) - {b"tick"}, err, client.returncode
        finally:
            client.kill()
            client.wait()

    assert lane.same_of(session) == (b"tick\n", set(), b"", 8)


def test_detach_keys_leave_it_running(lane, container):
    def session(side):
        name = container(side, "-it", "busybox", "sh")
        with Terminal(side.argv("attach", "--detach-keys", "ctrl-a,b", name),
                      side.env) as t:
            t.ask("echo $((6 * 7))\r", "42")
            t.type("\x01b")
            status = t.status()
        return status, side.ok("inspect", "-f", "{{.State.Running}}", name)

    assert lane.same_of(session)[1] == "true"
