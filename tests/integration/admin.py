# SPDX-License-Identifier: Apache-2.0
"""The admin listener of a gate, as those who watch it see it."""

import os
import socket
import subprocess

from gate import DINV
from wire import Reader, request, unix_connect


class Admin:
    """Where one gate is watched and told: a unix socket of its own."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, f"{name}.admin")
        self.url = f"unix://{self.path}"
        self.flags = ("-admin", self.url)

    def connect(self, timeout=30):
        return unix_connect(self.path, timeout)

    def ask(self, method, target, **more):
        with self.connect() as s:
            s.sendall(request(method, target, **more))
            return Reader(lambda: s.recv(65536)).answer(method)

    def get(self, target):
        return self.ask("GET", target)

    def run(self, command, *flags):
        """dinv COMMAND at this gate: what it printed and its status."""
        return subprocess.run([DINV, command, "-admin", self.url, *flags],
                              capture_output=True, text=True, timeout=60,
                              check=False)


def tcp_get(port, target, method="GET"):
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        s.sendall(request(method, target))
        return Reader(lambda: s.recv(65536)).answer(method)
