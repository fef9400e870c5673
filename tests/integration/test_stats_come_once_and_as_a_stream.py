# SPDX-License-Identifier: Apache-2.0
import pytest

LANES = "few"


@pytest.fixture
def running(lane, name):
    lane.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    yield name
    lane.remove(name)


def test_once(lane, running):
    result = lane.same("stats", "--no-stream", "--format",
                       "{{.Name}} {{.PIDs}}", running)
    assert result.seen() == (0, f"{running} 1\n", "")


def test_as_a_stream(lane, running):
    def session(side):
        client = side.start("stats", "--format", "{{.Name}} {{.PIDs}}", running)
        try:
            seen = 0
            while seen < 2:
                line = client.stdout.readline()
                assert line, "the stream ended"
                seen += f"{running} 1".encode() in line
            return client.poll()
        finally:
            client.kill()
            client.wait()

    assert lane.same_of(session) is None


def test_top(lane, running):
    assert "sleep 600" in lane.same("top", running, "-o", "pid,args").out
