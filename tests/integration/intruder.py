# SPDX-License-Identifier: Apache-2.0
"""System calls made by another process, as if somebody had taken it over.

x86-64 only: a thread that waits in a system call is stopped, given another
one to make, and put back as it was.
"""

import ctypes
import platform

import pytest

ATTACH, DETACH, STEP, GETREGS, SETREGS = 16, 17, 9, 12, 13
WALL = 0x40000000
REGS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip "
        "cs eflags rsp ss fs_base gs_base ds es fs gs").split()
# Where its own stack has nothing: below the red zone, and beyond.
SCRATCH = 16384


class _Regs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGS]


class Intruder:
    def __init__(self, pid):
        if platform.machine() != "x86_64":
            pytest.skip("system calls of others are made on x86-64 only")
        self.pid = pid
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p,
                                     ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        self.saved = _Regs()
        self.memory = None

    def _ptrace(self, what, data=None):
        if self.libc.ptrace(what, self.pid, None, data) == -1:
            raise OSError(ctypes.get_errno(), f"ptrace {what}")

    def _wait(self):
        assert self.libc.waitpid(self.pid, None, WALL) == self.pid

    def __enter__(self):
        try:
            self._ptrace(ATTACH)
        except OSError as e:
            pytest.skip(f"processes cannot be traced here: {e}")
        self._wait()
        self._ptrace(GETREGS, ctypes.byref(self.saved))
        self.memory = open(f"/proc/{self.pid}/mem", "r+b", buffering=0)
        self.memory.seek(self.saved.rip - 2)
        assert self.memory.read(2) == b"\x0f\x05", "it is in no system call"
        return self

    def __exit__(self, *_):
        self._ptrace(SETREGS, ctypes.byref(self.saved))
        self._ptrace(DETACH)
        self.memory.close()

    def call(self, number, *args):
        """What the system call returned; bytes are put into its memory."""
        regs = _Regs.from_buffer_copy(self.saved)
        at = self.saved.rsp - SCRATCH
        for name, arg in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), args):
            if isinstance(arg, bytes):
                self.memory.seek(at)
                self.memory.write(arg + b"\0" * (16 - len(arg) % 16))
                arg, at = at, at + len(arg) + 16
            setattr(regs, name, arg & 0xffffffffffffffff)
        regs.rax, regs.orig_rax, regs.rip = number, 0xffffffffffffffff, self.saved.rip - 2
        self._ptrace(SETREGS, ctypes.byref(regs))
        for _ in range(3):  # the first step may end before it has begun
            self._ptrace(STEP)
            self._wait()
            self._ptrace(GETREGS, ctypes.byref(regs))
            if regs.rip == self.saved.rip:
                break
        return ctypes.c_longlong(regs.rax).value
