# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline; and reading logs' ends."""

import os
import time


def wait_until(condition, seconds, or_else=None):
    """True once condition() is; False after the deadline or or_else().

    Asked again after as long as the answer took: what costs a docker client's
    start is not to keep a processor from those it waits for.
    """
    end = time.monotonic() + seconds
    while True:
        since = time.monotonic()
        if condition():
            return True
        if or_else is not None and or_else():
            return bool(condition())
        now = time.monotonic()
        if now > end:
            return False
        time.sleep(min(max(0.02, now - since), 1))


def tail_of(path, size=4000, since=0):
    """The last bytes of a file, none of them before the offset since."""
    try:
        with open(path, "rb") as f:
            end = os.fstat(f.fileno()).st_size
            f.seek(max(since, end - size, 0))
            return f.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
