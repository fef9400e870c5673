# SPDX-License-Identifier: Apache-2.0
"""Policy, the server's certificate and the list of revoked ones are replaced
again and again, while honest clients ask; each gets each answer."""

import os

import pytest

from admin import Admin
from own_certs import Own, cert
from test_a_gate_is_told_to_reload import Load
from test_a_gate_tells_how_it_is import PING
from test_a_reload_is_whole_or_nothing import BOTH, write
from waiting import wait_until

TIMES = 8
NOTICED = "certificates have changed: reloaded"


def pings(peer):
    while True:
        peer.request()
        peer.send(PING)


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    made = Own(folder)
    yield made
    made.stop()


def test_no_honest_request_fails(own, work, name, tls):
    path = os.path.join(work, f"{name}-policy.json")
    write(path, BOTH)
    admin = Admin(work, name)
    gate = own.scripted(pings, policy=path, tls=tls, flags=admin.flags)
    for i in range(TIMES):
        gate.certs.client(f"former{i}", "a")
    with Load(gate, "a") as load, Load(gate, "b") as other:
        for i in range(TIMES):
            before = len(load.answers), len(other.answers)
            noticed = gate.logged(NOTICED)
            write(path, BOTH + "\n" * i)
            assert admin.run("reload").returncode == 0
            cert(gate, "renew", "-server")
            cert(gate, "revoke", f"former{i}")
            assert wait_until(lambda: gate.logged(NOTICED) > noticed and
                              len(load.answers) > before[0] + 20 and
                              len(other.answers) > before[1] + 20, 60,
                              or_else=lambda: load.faults or other.faults)
    for one in (load, other):
        assert not one.faults, one.faults
        assert set(one.answers) == {200}
    assert gate.logged(NOTICED) >= TIMES
    with pytest.raises(Exception):
        with gate.connect("former0", "a") as client:
            client.ask("GET", "/_ping")
