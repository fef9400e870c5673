# SPDX-License-Identifier: Apache-2.0
"""What a server has used so far, from /proc: processor time and memory."""

import os

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat after the command's name."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def tree(root):
    """root and all processes below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                children.setdefault(int(_stat(name)[1]), []).append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_s(pids):
    """User and system time: every thread, living or gone, and children that
    were waited for."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in pids) * TICK_S


def memory_kib(pids):
    """Resident memory."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            total += sum(int(line.split()[1]) for line in f
                         if line.startswith("VmRSS:"))
    return total
