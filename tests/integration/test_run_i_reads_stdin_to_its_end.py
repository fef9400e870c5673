# SPDX-License-Identifier: Apache-2.0
"""The row that nginx and hitch fail: stdin ends, and the output still comes."""

import hashlib
import os

import pytest

from clients import Lane
from payload import pseudo_random

LOOPS = int(os.environ.get("DINV_E2E_LOOPS", "25"))
MIB = 1 << 20


def test_piped_stdin_comes_back(any_lane):
    result = any_lane.same("run", "-i", "--rm", "busybox", "cat", stdin=b"foo\n")
    assert result.seen() == (0, "foo\n", "")


def test_empty_stdin_ends_at_once(any_lane):
    with open("/dev/null", "rb") as nothing:
        result = any_lane.same("run", "-i", "--rm", "busybox", "cat", stdin=nothing)
    assert result.seen() == (0, "", "")


def test_output_after_the_end_of_stdin_is_whole(lane):
    """The answer is only made once stdin has ended, and it is long."""
    script = "n=$(cat | wc -c); seq $n"
    result = lane.same("run", "-i", "--rm", "busybox", "sh", "-c", script,
                       stdin=b"x" * 50000)
    assert result.out == "".join(f"{n}\n" for n in range(1, 50001))


def test_stdin_that_nobody_reads_does_not_hold_the_client(lane):
    result = lane.same("run", "-i", "--rm", "busybox", "true", stdin=b"foo\n")
    assert result.seen() == (0, "", "")


def test_a_container_without_stdin_ignores_the_pipe(lane):
    result = lane.same("run", "--rm", "busybox", "sh", "-c", "cat; echo end",
                       stdin=b"foo\n")
    assert result.seen() == (0, "end\n", "")


def test_much_stdin_arrives_unchanged(lane):
    data = pseudo_random(64 * MIB)
    result = lane.gated.docker("run", "-i", "--rm", "busybox", "sh", "-c",
                               "cat | sha256sum", stdin=data)
    assert result.status == 0, result
    assert result.out.split()[0] == hashlib.sha256(data).hexdigest()


def test_much_goes_there_and_back_at_once(lane):
    data = pseudo_random(16 * MIB)
    result = lane.gated.docker("run", "-i", "--rm", "busybox", "cat", stdin=data)
    assert result.status == 0, result.err
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize("turn", [0, 1])
def test_again_and_again(tls, turn, dockerds, shared_gates, home):
    """DINV_E2E_LOOPS times for each TLS version, half on each dockerd."""
    version = ("20.10", "26.1")[turn]
    lane = Lane(dockerds(version), shared_gates(version, tls), version, home)
    for n in range((LOOPS + turn) // 2):
        result = lane.gated.docker("run", "-i", "--rm", "busybox", "cat",
                                   stdin=f"foo {n}\n".encode())
        assert (result.status, result.out) == (0, f"foo {n}\n"), f"turn {n}: {result}"
