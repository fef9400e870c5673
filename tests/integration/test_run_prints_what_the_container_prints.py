# SPDX-License-Identifier: Apache-2.0
import pytest


def test_output_goes_to_its_own_stream_and_the_status_comes_back(any_lane):
    result = any_lane.same("run", "--rm", "busybox", "sh", "-c",
                           "echo to stdout; echo to stderr >&2; exit 7")
    assert result.seen() == (7, "to stdout\n", "to stderr\n")


@pytest.mark.parametrize("status, args", [
    (0, ["busybox", "true"]),
    (125, ["--memory", "1", "busybox", "true"]),
    (126, ["busybox", "/etc"]),
    (127, ["busybox", "no-such-program"]),
])
def test_exit_status(lane, status, args):
    assert lane.same("run", "--rm", *args).status == status


def test_long_output_is_whole(lane):
    result = lane.same("run", "--rm", "busybox", "seq", "200000")
    assert result.out == "".join(f"{n}\n" for n in range(1, 200001))


def test_a_detached_container_runs_on(lane, name):
    lane.gated.ok("run", "-d", "--name", name, "busybox", "sh", "-c", "echo hello")
    assert lane.same("wait", name).out == "0\n"
    assert lane.same("logs", name).out == "hello\n"
    assert lane.same("inspect", "--format", "{{.State.Status}}", name).out == "exited\n"
    assert lane.gated.ok("rm", name) == name
