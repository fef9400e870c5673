# SPDX-License-Identifier: Apache-2.0
"""A client on a terminal: typed at, read from, resized."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

DEADLINE = 60


class Terminal:
    def __init__(self, argv, env, rows=24, cols=80):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)
        self.seen = b""

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave,
            env={**env, "TERM": "xterm"}, preexec_fn=take_terminal)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def resize(self, rows, cols):
        """The kernel sends SIGWINCH to whoever is in the foreground."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if not ready:
            return None
        try:
            return os.read(self.master, 65536)
        except OSError:     # EIO: the last user of the slave has gone
            return b""

    def expect(self, text, seconds=DEADLINE):
        """Reads until text has come; forgets everything up to its end."""
        mark = text.encode()
        end = time.monotonic() + seconds
        while mark not in self.seen:
            data = self._read(end - time.monotonic())
            assert data, f"waited for {text!r}, saw {self.seen!r}" + \
                (" and then the end" if data == b"" else "")
            self.seen += data
        before, self.seen = self.seen.split(mark, 1)
        return before.decode("utf-8", "replace")

    def ask(self, command, answer, seconds=DEADLINE, nudge=lambda: None):
        """Repeats a command until its answer comes: for what follows later."""
        end = time.monotonic() + seconds
        while answer.encode() not in self.seen:
            assert time.monotonic() < end, \
                f"{command!r} never printed {answer!r}: {self.seen!r}"
            nudge()
            self.type(command)
            until = time.monotonic() + 1
            while answer.encode() not in self.seen and time.monotonic() < until:
                self.seen += self._read(until - time.monotonic()) or b""
        self.expect(answer)

    def resize_inside(self, rows, cols):
        """Resizes until a shell at the other end says so.

        docker listens for SIGWINCH only from a moment after its first resize
        on, and the kernel sends one only for a change: hence again and again.
        """
        def change():
            self.resize(rows + 1, cols)
            self.resize(rows, cols)

        self.ask("stty size\r", f"{rows} {cols}", nudge=change)

    def status(self, seconds=DEADLINE):
        """The client's exit status; what it printed last is in seen."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.seen += self._read(0.1) or b""
        assert self.process.poll() is not None, \
            f"still running; saw {self.seen!r}"
        return self.process.returncode
