# SPDX-License-Identifier: Apache-2.0
"""The admin listener: health, readiness, and clients that mean it ill."""

import contextlib
import ctypes
import os
import pathlib
import socket
import subprocess
import time

import pytest

from admin import Admin, tcp_get
from gate import DINV, Certs, Gate, free_port
from upstream import Upstream
from waiting import tail_of, wait_until
from wire import request

PING = (b"HTTP/1.1 200 OK\r\nServer: Docker/26.1.5 (linux)\r\n"
        b"Content-Length: 2\r\n\r\nOK")


def pings(peer):
    while True:
        peer.request()
        peer.send(PING)


def endless_or_ping(peer):
    """No end for logs and images, an answer for all else."""
    line, _, _ = peer.request()
    if "/logs" in line or "/images/" in line:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.rest()
    else:
        peer.send(PING)


@pytest.fixture
def admin(work, name):
    return Admin(work, name)


@pytest.fixture
def gate(scripted, admin):
    return scripted(pings, flags=admin.flags)[0]


def test_health_and_readiness(gate, admin):
    assert admin.get("/healthz").status == 200
    answer = admin.get("/readyz")
    assert (answer.status, answer.body) == (200, b"ready\n")


SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17


@contextlib.contextmanager
def frozen(tid):
    """That thread stands still."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(what):
        if libc.ptrace(what, tid, None, None) == -1:
            raise OSError(ctypes.get_errno(), "ptrace")

    try:
        ptrace(SEIZE)
    except OSError as e:
        pytest.skip(f"threads cannot be stopped here: {e}")
    ptrace(INTERRUPT)
    os.waitpid(tid, 0x40000000)  # __WALL
    try:
        yield
    finally:
        ptrace(DETACH)


def workers(pid):
    """The threads of that name, the first one first."""
    tids = sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))
    return [t for t in tids
            if pathlib.Path(f"/proc/{pid}/task/{t}/comm").read_text() == "worker\n"]


def test_a_worker_that_hangs_is_no_health(gate, admin):
    # It listens a moment before they run, and each names itself.
    many = os.cpu_count()
    assert wait_until(lambda: len(workers(gate.pid())) == many, 20)
    threads = workers(gate.pid())
    assert admin.get("/healthz").status == 200
    with frozen(threads[0]):
        assert wait_until(lambda: admin.get("/healthz").status == 503, 60)
        assert b"worker 0 has not come by" in admin.get("/healthz").body
    assert wait_until(lambda: admin.get("/healthz").status == 200, 20)


def test_ready_goes_with_dockerd_and_comes_back(start_gate, work, name, admin):
    path = os.path.join(work, f"{name}.sock")
    start_gate(path, flags=admin.flags)
    answer = admin.get("/readyz")
    assert answer.status == 503
    assert b"dockerd does not listen" in answer.body
    assert admin.get("/healthz").status == 200

    dockerd = Upstream(path, pings)
    assert wait_until(lambda: admin.get("/readyz").status == 200, 20)
    dockerd.stop()
    os.unlink(path)
    assert wait_until(lambda: admin.get("/readyz").status == 503, 20)


def test_a_real_dockerd_is_ready(dockerds, start_gate, admin, version):
    start_gate(dockerds(version).socket, flags=admin.flags)
    assert admin.get("/readyz").status == 200


def test_a_dockerd_that_says_nothing_is_not_ready(scripted, admin):
    scripted(lambda peer: peer.rest(), flags=admin.flags)
    answer = admin.get("/readyz")
    assert (answer.status, answer.body) == (503, b"dockerd does not answer\n")


@pytest.mark.parametrize("said", [b"junk\r\n\r\n", b"", b"HTTP/1.1 500 No\r\n\r\n",
                                  b"X" * 100000])
def test_a_dockerd_that_talks_nonsense_is_not_ready(scripted, admin, said):
    def nonsense(peer):
        peer.head()
        peer.send(said)

    scripted(nonsense, flags=admin.flags)
    assert admin.get("/readyz").status == 503


CA = """
[ca]
default_ca = it
[it]
database = {0}/database
new_certs_dir = {0}
serial = {0}/serial
default_md = sha256
policy = names
x509_extensions = server
[names]
commonName = supplied
[server]
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth
"""


def let_expire(store, folder):
    """Puts a server certificate of years ago in place of the store's."""
    os.mkdir(folder)
    for name, text in (("database", ""), ("serial", "7777"),
                       ("config", CA.format(folder))):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    for words in (
            f"req -new -key {store}/docker.key -subj /CN=old -out {folder}/csr",
            f"ca -batch -config {folder}/config -cert {store}/ca.crt -notext"
            f" -keyfile {store}/ca-key.pem -in {folder}/csr -out {folder}/new"
            " -startdate 20010101000000Z -enddate 20010201000000Z"):
        subprocess.run(["openssl", *words.split()], check=True,
                       capture_output=True)
    os.rename(os.path.join(folder, "new"), os.path.join(store, "docker.crt"))


def test_an_expired_certificate_is_not_ready(work, name, admin):
    """The gate serves on with what it has; who watches hears of it."""
    own = Certs(os.path.join(work, f"{name}-certs"))
    dockerd = Upstream(os.path.join(work, f"{name}.sock"), pings)
    gate = Gate(work, own, dockerd.path, flags=admin.flags).start()
    try:
        assert admin.get("/readyz").status == 200
        let_expire(own.store, os.path.join(work, f"{name}-ca"))
        assert admin.get("/readyz").status == 200  # not read yet
        assert admin.run("reload").returncode == 0
        answer = admin.get("/readyz")
        assert answer.status == 503
        assert b"certificate has expired" in answer.body
    finally:
        gate.stop()
        dockerd.stop()


def test_a_stale_list_of_revocations_is_not_ready(work, name, admin):
    own = Certs(os.path.join(work, f"{name}-certs"))
    dockerd = Upstream(os.path.join(work, f"{name}.sock"), pings)
    gate = Gate(work, own, dockerd.path, flags=admin.flags).start()
    folder = os.path.join(work, f"{name}-ca")
    os.mkdir(folder)
    for file, text in (("database", ""), ("number", "01\n"), ("config", CA.format(
            folder).replace("[names]", f"crlnumber = {folder}/number\n[names]"))):
        with open(os.path.join(folder, file), "w", encoding="ascii") as f:
            f.write(text)
    try:
        assert admin.get("/readyz").status == 200
        subprocess.run(
            ["openssl", "ca", "-config", f"{folder}/config", "-gencrl",
             "-out", f"{own.store}/crl.pem", "-cert", f"{own.store}/ca.crt",
             "-keyfile", f"{own.store}/ca-key.pem",
             "-crl_lastupdate", "20200101000000Z",
             "-crl_nextupdate", "20200201000000Z"],
            check=True, capture_output=True)
        assert wait_until(lambda: admin.get("/readyz").status == 503, 20)
        assert b"stale, and nobody is let in" in admin.get("/readyz").body
        assert "crl, EXPIRED" in admin.run("status").stdout
    finally:
        gate.stop()
        dockerd.stop()


def test_draining_is_not_ready(scripted, admin):
    gate, _ = scripted(endless_or_ping, flags=admin.flags,
                       limits={"stop_ms": 20000})
    with gate.connect() as client:
        # An answer that never ends, and is no stream, holds the stop up.
        client.send(b"GET /v1.41/images/x/get HTTP/1.1\r\nHost: a\r\n")
        client.send(b"\r\n")
        client.reader.line()
        gate.terminate()
        assert wait_until(lambda: b"draining" in admin.get("/readyz").body, 20)
        # To the end, while clients are refused already.
        assert wait_until(lambda: not gate.listens(), 20)
        time.sleep(0.3)
        assert b"draining" in admin.get("/readyz").body


def test_only_plain_questions_are_answered(gate, admin):
    for method, target, status in (
            ("GET", "/", 404), ("GET", "/metricsx", 404), ("GET", "/healthz/", 404),
            ("GET", "/healthz?a", 404), ("POST", "/healthz", 405),
            ("GET", "/reload", 405), ("DELETE", "/reload", 405),
            ("GET", "//healthz", 404), ("GET", "http://a/healthz", 404)):
        assert admin.ask(method, target).status == status, (method, target)
    assert admin.ask("POST", "/reload", body=b"x").status == 413
    assert admin.ask("POST", "/reload", chunks=[b"x"]).status == 413
    assert admin.ask("GET", "/healthz", headers=["Expect: 100-continue"]).status == 400
    assert admin.ask("GET", "/healthz",
                     headers=["Connection: Upgrade", "Upgrade: h2c"]).status == 400
    assert admin.ask("GET", "/healthz", headers=["A: b"] * 500).status in (400, 431)
    assert admin.ask("GET", "/" + "a" * 9000).status == 431


def test_a_socket_that_others_reach_needs_to_be_asked_for(work, certs):
    port = free_port()
    argv = [DINV, "gate", "-listen", f"tcp://127.0.0.1:{free_port()}",
            "-upstream", f"unix://{work}/none", "-certs", certs.store,
            "-admin", f"tcp://0.0.0.0:{port}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 1
    assert "-insecure-admin-remote" in done.stderr
    gate = subprocess.Popen([*argv, "-insecure-admin-remote"],
                            stderr=subprocess.DEVNULL)
    try:
        def answers():
            try:
                return tcp_get(port, "/healthz").status == 200
            except OSError:
                return False

        assert wait_until(answers, 20)
    finally:
        gate.terminate()
        assert gate.wait(20) == 0


def test_a_taken_socket_is_refused_and_a_dead_one_is_not(gate, admin, start_gate):
    argv = [word.replace(str(gate.port), str(free_port())) for word in gate.argv]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 1
    assert "another program has it; choose another with -admin" in done.stderr
    assert admin.get("/healthz").status == 200
    gate.kill()
    gate.process = None
    assert os.path.exists(admin.path)
    again = start_gate("/none", flags=admin.flags)
    assert admin.get("/healthz").status == 200
    again.stop()
    assert not os.path.exists(admin.path)


def test_a_default_that_cannot_be_had_is_done_without(gate, admin, start_gate):
    other = start_gate("/none", flags=("-admin-default", admin.url))
    assert "no admin listener" in tail_of(other.log)
    assert other.listens()


def test_the_configuration_says_it_too(work, name, certs, admin):
    config = os.path.join(work, f"{name}-conf.json")
    with open(config, "w", encoding="ascii") as f:
        f.write('{ "admin": "%s" }' % admin.url)
    gate = subprocess.Popen(
        [DINV, "gate", "-listen", f"tcp://127.0.0.1:{free_port()}",
         "-certs", certs.store, "-config", config,
         "-admin-default", "unix:///nowhere/at/all"], stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: os.path.exists(admin.path), 20)
        assert admin.get("/healthz").status == 200
    finally:
        gate.terminate()
        assert gate.wait(20) == 0


# --- who means it ill ---------------------------------------------------------


def _serves(gate):
    with gate.connect() as client:
        return client.ask("GET", "/_ping").status == 200


def test_many_silent_ones_make_room(gate, admin):
    gate.certs.client("root")
    held = [admin.connect() for _ in range(200)]
    try:
        assert admin.get("/healthz").status == 200
        # The first ones had to go; the last ones are still heard.
        held[-1].sendall(request("GET", "/healthz"))
        assert held[-1].recv(20).startswith(b"HTTP/1.1 200")
        held[0].settimeout(20)
        assert held[0].recv(1) == b""
        assert _serves(gate)
    finally:
        for s in held:
            s.close()


@pytest.mark.parametrize("said", [b"", b"GET", b"GET /healthz HTTP/1.1\r\nA:"])
def test_half_a_request_is_cut(gate, admin, said):
    with admin.connect() as s:
        s.sendall(said)
        s.settimeout(30)
        assert s.recv(1) == b""
    assert _serves(gate)


def test_drips_are_cut(gate, admin):
    """Each byte is progress; the deadline is for the whole head."""
    with admin.connect() as s:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() < began + 60:
                s.sendall(b"A")
                assert _serves(gate)


def test_a_flood_behind_a_request_is_cut(gate, admin):
    with admin.connect() as s:
        s.sendall(request("GET", "/healthz"))
        with pytest.raises(OSError):
            for _ in range(100000):
                s.sendall(b"X" * 65536)
    assert admin.get("/healthz").status == 200


def test_who_goes_away_in_the_middle_harms_nobody(gate, admin):
    for said in (request("GET", "/readyz"), request("POST", "/reload"),
                 request("GET", "/healthz"), b"GET /"):
        for _ in range(50):
            s = admin.connect()
            s.sendall(said)
            s.close()
    assert wait_until(lambda: admin.get("/readyz").status == 200, 20)
    assert _serves(gate)
