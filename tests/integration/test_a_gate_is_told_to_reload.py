# SPDX-License-Identifier: Apache-2.0
"""dinv reload: whole or not at all, and an answer that says what happened."""

import os
import subprocess
import threading

import pytest

from admin import Admin, tcp_get
from gate import DINV, free_port
from test_a_reload_is_whole_or_nothing import BOTH, ONLY_A, endless, follow, write
from upstream import OK
from waiting import tail_of, wait_until

TWO_MISTAKES = """{
  "clients": [
    { "match": { "ou": "a" }, "role": "nobody" },
    { "match": { "ou": "b" }, "rule": "admin" }
  ]
}
"""


@pytest.fixture
def admin(work, name):
    return Admin(work, name)


@pytest.fixture
def gate(scripted, work, name, admin):
    path = os.path.join(work, f"{name}-policy.json")
    write(path, BOTH)
    started, _ = scripted(endless, policy=path, flags=admin.flags)
    started.policy_file = path
    return started


class Load:
    """Clients that ask and ask; every answer has to come."""

    def __init__(self, gate, unit, clients=4):
        gate.certs.client("someone", unit)  # once, before they all want it
        self.over = threading.Event()
        self.answers = []
        self.faults = []
        self.threads = [threading.Thread(target=self._ask, args=(gate, unit))
                        for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, gate, unit):
        try:
            while not self.over.is_set():
                with gate.connect("someone", unit) as client:
                    for _ in range(20):
                        self.answers.append(client.ask("GET", "/_ping").status)
        except Exception as e:  # pylint: disable=broad-except
            self.faults.append(e)

    def __enter__(self):
        assert wait_until(lambda: len(self.answers) > 50 or self.faults, 30)
        return self

    def __exit__(self, *_):
        more = len(self.answers) + 50
        wait_until(lambda: len(self.answers) > more or self.faults, 30)
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.faults and len(self.answers) > more


def test_it_says_what_happened_and_has_happened(gate, admin):
    with follow(gate, "a") as kept, follow(gate, "b") as cut:
        write(gate.policy_file, ONLY_A)
        done = admin.run("reload")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"policy loaded: {gate.policy_file}\n" in done.stdout
        assert f"certificates read: {gate.certs.store}\n" in done.stdout
        assert "streams cut: 1 " in done.stdout
        # In force when it has returned: no waiting here.
        with gate.connect("someone", "b") as client:
            assert client.ask("GET", "/_ping").status == 403
        assert cut.end() == (b"", "close_notify")
        kept.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            kept.recv()


def test_a_bad_policy_changes_nothing_and_every_mistake_is_told(gate, admin):
    write(gate.policy_file, TWO_MISTAKES)
    check = subprocess.run([DINV, "policy", "check", gate.policy_file],
                           capture_output=True, text=True, check=False)
    done = admin.run("reload")
    assert done.returncode == 1
    assert done.stdout == ""
    *mistakes, last = done.stderr.splitlines()
    assert len(mistakes) > 1
    assert mistakes == check.stderr.splitlines()
    assert "nothing was changed" in last
    assert "not reloaded" in tail_of(gate.log)
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200


def test_a_broken_key_changes_nothing(gate, admin, certs, work, name):
    """The policy is good and new, the key is not: neither takes hold."""
    write(gate.policy_file, ONLY_A)
    key = os.path.join(certs.store, "docker.key")
    with open(key, encoding="ascii") as f:
        text = f.read()
    try:
        write(key, "this is no key\n")
        done = admin.run("reload")
    finally:
        write(key, text)
        os.chmod(key, 0o600)
    assert done.returncode == 1
    assert "docker.key" in done.stderr
    with gate.connect("someone", "b") as client:
        assert client.ask("GET", "/_ping").status == 200


def test_under_load_no_answer_is_lost(gate, admin):
    with Load(gate, "a") as load:
        for i in range(30):
            write(gate.policy_file, TWO_MISTAKES if i % 3 == 0 else BOTH)
            assert admin.run("reload").returncode == (1 if i % 3 == 0 else 0)
    assert set(load.answers) == {200}


def test_without_a_gate_it_says_what_to_do(work, name):
    done = Admin(work, name).run("reload")
    assert done.returncode == 1
    assert "start it with -admin" in done.stderr


def test_orders_are_taken_on_a_unix_socket_only(scripted, admin):
    port = free_port()
    gate, _ = scripted(lambda peer: (peer.request(), peer.send(OK)),
                       flags=("-admin", f"tcp://127.0.0.1:{port}"))
    assert tcp_get(port, "/healthz").status == 200
    answer = tcp_get(port, "/reload", "POST")
    assert answer.status == 403
    assert b"unix" in answer.body
    done = subprocess.run([DINV, "reload", "-admin", f"tcp://127.0.0.1:{port}"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refused (403)" in done.stderr
    assert "reloaded" not in tail_of(gate.log)


def test_others_are_not_obeyed(gate, admin):
    """Somebody opened the socket's mode: orders are still not his to give."""
    assert os.stat(admin.path).st_mode & 0o777 == 0o600
    os.chmod(admin.path, 0o666)
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         DINV, "reload", "-admin", admin.url],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refused (403)" in done.stderr, done.stderr
    assert gate.listens()
