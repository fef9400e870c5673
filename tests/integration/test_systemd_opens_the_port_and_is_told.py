# SPDX-License-Identifier: Apache-2.0
"""Socket activation, and what a service manager hears from the gate.

systemd itself is not pid 1 where tests run: its own systemd-socket-activate
passes the sockets, and NOTIFY_SOCKET is a socket of the test's.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from admin import Admin
from gate import Gate
from tlsclient import context
from upstream import OK, Upstream, answering
from waiting import tail_of, wait_until
from wire import request, unix_get

LANES = "few"

# $1: a descriptor; the rest: a program that finds it as systemd would pass it.
PASS = 'exec 3<&$1 && shift && LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'


def instead_of_its_port(gate, *listen):
    at = gate.argv.index("-listen")
    gate.argv[at:at + 2] = [word for url in listen for word in ("-listen", url)]


def ping(gate):
    with gate.connect() as client:
        return client.ask("GET", "/_ping").status


@contextlib.contextmanager
def running(gate):
    try:
        yield gate.start()
    except BaseException:
        print(tail_of(gate.log))
        raise
    finally:
        gate.stop()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None,
                    reason="no systemd-socket-activate here")
def test_docker_through_a_socket_of_systemds(lane, work, certs, name):
    """One port for IPv4 and IPv6, as ListenStream=2376 is, and a unix socket."""
    admin = Admin(work, name)
    path = os.path.join(work, f"{name}.sock")
    gate = Gate(work, certs, lane.dockerd.socket, flags=admin.flags)
    instead_of_its_port(gate, "fd://local", "fd://")
    any_host = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
    gate.argv[:0] = ["systemd-socket-activate", "-l", f"{any_host}:{gate.port}",
                     "-l", path, "--fdname=tls:local"]
    with running(gate):
        result = lane.gated.run(lane.gated.argv("run", "-i", "--rm", "busybox", "cat"),
                                stdin=b"foo\n", env=gate.env())
        assert result.seen() == (0, "foo\n", "")
        record = gate.wait_for_record(event="decision", op="ContainerAttach")
        assert record["client"]["addr"].startswith("127.0.0.1:"), record
        assert unix_get(path, "/_ping").body == b"OK"
        status = json.loads(admin.run("status", "-json").stdout)
        assert [(x["addr"], x["security"]) for x in status["listeners"]] == [
            (f"unix://{path}", "none"), (f"tcp://{any_host}:{gate.port}", "mutual-tls")]
    assert os.path.exists(path), "the file is systemd's, not the gate's"


def passed(gate, listener):
    """The gate with that listener as systemd would pass it."""
    instead_of_its_port(gate, "fd://")
    gate.argv[:0] = ["bash", "-c", PASS, "bash", str(listener.fileno())]
    gate.port = listener.getsockname()[1]
    gate.pass_fds = (listener.fileno(),)
    return gate


@pytest.fixture
def upstream(work, name):
    made = Upstream(os.path.join(work, f"{name}.up"), answering(OK))
    yield made
    made.stop()


def test_clients_wait_while_the_gate_is_started_anew(work, certs, upstream):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gate = passed(Gate(work, certs, upstream.path), listener)
        with running(gate):
            assert ping(gate) == 200
        assert gate.process.returncode == 0
        early = socket.create_connection(("127.0.0.1", gate.port), 30)
        with running(gate), early:
            ctx = context(os.path.join(certs.client("root"), "ca.pem"), certs.client("root"))
            with ctx.wrap_socket(early, server_hostname="127.0.0.1") as tls:
                tls.sendall(request("GET", "/_ping"))
                assert tls.recv(12) == b"HTTP/1.1 200"


def watched(pid):
    """How many descriptors each event loop of the process looks at."""
    counts = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:[eventpoll]":
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
                    counts.append(f.read().count("tfd:"))
        except FileNotFoundError:
            continue  # closed meanwhile
    return counts


def test_every_worker_takes_its_part(work, certs, upstream):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, \
            contextlib.ExitStack() as clients:
        gate = passed(Gate(work, certs, upstream.path), listener)
        with open(gate.config, "w", encoding="ascii") as f:
            json.dump({"workers": 3}, f)
        with running(gate):
            with gate.connect():  # it has started
                pass
            idle = watched(gate.pid())
            assert len(idle) == 3

            def one_more():
                clients.enter_context(socket.create_connection(("127.0.0.1", gate.port), 30))
                return min(watched(gate.pid())) > max(idle)

            assert wait_until(one_more, 30), watched(gate.pid())


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_manager_hears_how_the_gate_is(work, certs, upstream, name, kind):
    address = os.path.join(work, f"{name}.notify")
    policy = os.path.join(work, f"{name}.json")
    with open(policy, "w", encoding="ascii") as f:
        f.write('{ "clients": [ { "match": { "cn": "root" }, "role": "admin" } ] }')
    if kind == "abstract":
        address = "@" + address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(30)
        manager.bind(address.replace("@", "\0"))
        heard = []

        def hear(*lines):
            """The next word that is not for the watchdog."""
            while True:
                heard.append(manager.recv(4096).decode().split("\n"))
                if heard[-1] != ["WATCHDOG=1"]:
                    break
            assert [x for x in lines if x in heard[-1]] == list(lines), heard

        gate = Gate(work, certs, upstream.path, policy=policy)
        gate.argv[:0] = ["env", f"NOTIFY_SOCKET={address}", "WATCHDOG_USEC=400000"]
        with running(gate):
            hear("READY=1", "STATUS=ready")
            assert ping(gate) == 200
            os.kill(gate.process.pid, signal.SIGHUP)
            hear("RELOADING=1")
            assert heard[-1][1].startswith("MONOTONIC_USEC=")
            hear("READY=1", "STATUS=reloaded")
            with open(policy, "w", encoding="ascii") as f:
                f.write("{")
            os.kill(gate.process.pid, signal.SIGHUP)
            hear("RELOADING=1")
            hear("READY=1", "STATUS=not reloaded: see the log")
            assert manager.recv(4096) == b"WATCHDOG=1"
            gate.terminate()
            hear("STOPPING=1")


def refused(work, certs, name, listen, **environment):
    gate = Gate(work, certs, f"/nobody/{name}")
    instead_of_its_port(gate, *listen)
    done = subprocess.run(gate.argv, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **environment})
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    return done.stderr


def test_what_was_not_passed_is_not_waited_for(work, certs, name):
    assert "systemd has passed no socket" in refused(work, certs, name, ["fd://"])
    # another's
    assert "systemd has passed no socket" in refused(
        work, certs, name, ["fd://"], LISTEN_PID="1", LISTEN_FDS="1")


def test_what_nobody_takes_is_refused(work, certs, name):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gate = Gate(work, certs, f"/nobody/{name}")
        done = subprocess.run(
            ["bash", "-c", PASS, "bash", str(listener.fileno()), *gate.argv],
            capture_output=True, text=True, timeout=60, check=False,
            pass_fds=[listener.fileno()])
        assert done.returncode == 1 and "no -listen fd:// takes it" in done.stderr, done
