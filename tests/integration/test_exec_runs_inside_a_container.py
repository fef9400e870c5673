# SPDX-License-Identifier: Apache-2.0
import hashlib

import pytest

from payload import pseudo_random


@pytest.fixture
def running(lane, name):
    lane.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    yield name
    lane.remove(name)


def test_output_and_status(lane, running):
    result = lane.same("exec", running, "sh", "-c", "echo out; echo err >&2; exit 6")
    assert result.seen() == (6, "out\n", "err\n")


def test_statuses_of_what_cannot_start(lane, running):
    assert lane.same("exec", running, "/etc").status == 126
    assert lane.same("exec", running, "no-such-program").status in (126, 127)
    assert lane.same("exec", "no-such-container", "true").status == 1


def test_piped_stdin(lane, running):
    result = lane.same_of(lambda side: side.exec_stdin(
        "exec", "-i", running, "cat", stdin=b"foo\n"))
    assert result.seen() == (0, "foo\n", "")


def test_empty_stdin(lane, running):
    def session(side):
        with open("/dev/null", "rb") as nothing:
            return side.exec_stdin("exec", "-i", running, "cat", stdin=nothing)

    assert lane.same_of(session).seen() == (0, "", "")


def test_much_stdin(lane, running):
    data = pseudo_random(8 << 20)
    result = lane.same("exec", "-i", running, "sha256sum", stdin=data)
    assert result.out.split()[0] == hashlib.sha256(data).hexdigest()


def test_detached(lane, running):
    assert lane.gated.docker("exec", "-d", running, "touch", "/tmp/made").seen() == \
        (0, "", "")
    result = lane.gated.docker("exec", running, "sh", "-c",
                               "while [ ! -e /tmp/made ]; do sleep 0.1; done")
    assert result.status == 0, result


def test_environment_user_and_folder(lane, running):
    result = lane.same("exec", "-e", "A=b c", "-u", "user", "-w", "/tmp", running,
                       "sh", "-c", 'echo "$A"; id -un; pwd')
    assert result.out == "b c\nuser\n/tmp\n"
