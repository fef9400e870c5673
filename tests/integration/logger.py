# SPDX-License-Identifier: Apache-2.0
"""What listens where syslog's or the journal's daemon would."""

import json
import os
import socket
import threading


class Logger:
    """A datagram socket, and all that it got."""

    def __init__(self, path):
        self.path = path
        self.got = []
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.thread = threading.Thread(target=self.run, args=(self.socket,), daemon=True)
        self.thread.start()

    def run(self, own):
        while True:
            try:
                data = own.recv(1 << 20)
            except OSError:
                return
            if data == b"stop":
                own.close()
                return
            self.got.append(data)

    def stop(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"stop", self.path)
        self.thread.join(20)
        os.unlink(self.path)

    def records(self):
        return [json.loads(d[d.index(b'{"seq"'):].decode()) for d in list(self.got)]
