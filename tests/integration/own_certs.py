# SPDX-License-Identifier: Apache-2.0
"""Gates whose certificates are theirs alone, for tests that change them."""

import os
import subprocess

from gate import DINV, Certs, Gate, run_dinv
from upstream import Upstream


class Own:
    """start(socket) starts a gate with a store of its own; stop() ends all."""

    def __init__(self, folder):
        self.folder = folder
        self.gates = []
        self.upstreams = []

    def start(self, socket_path, **options):
        folder = os.path.join(self.folder, f"g{len(self.gates)}")
        os.mkdir(folder)
        gate = Gate(folder, Certs(folder), socket_path, **options)
        self.gates.append(gate)
        return gate.start()

    def scripted(self, script, **options):
        """The same, before a scripted dockerd."""
        path = os.path.join(self.folder, f"u{len(self.upstreams)}.sock")
        self.upstreams.append(Upstream(path, script))
        return self.start(path, **options)

    def stop(self):
        for gate in self.gates:
            gate.stop()
        for upstream in self.upstreams:
            upstream.stop()


def cert(gate, command, *args):
    """dinv cert COMMAND at the gate's store."""
    run_dinv("cert", command, "-certs", gate.certs.store, *args)


def cert_fails(gate, command, *args):
    """The same, for what has to fail; what it said."""
    done = subprocess.run([DINV, "cert", command, "-certs", gate.certs.store,
                           *args], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1, done
    return done.stderr
