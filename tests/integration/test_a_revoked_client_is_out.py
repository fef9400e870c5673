# SPDX-License-Identifier: Apache-2.0
"""dinv cert revoke: out within a moment, and nobody else notices."""

import os
import resource
import signal
import subprocess
import time

import pytest

from clients import Side, cli_is_there
from gate import DINV, Gate
from own_certs import Own, cert, cert_fails
from terminal import Terminal
from test_a_reload_is_whole_or_nothing import endless
from test_only_certified_clients_are_served import own_context, tries
from upstream import OK, answering
from waiting import tail_of, wait_until

LANES = "few"


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    yield own
    own.stop()


def is_out(gate, tls, who):
    """Waits until a handshake as `who` fails; what it failed with."""
    said = []

    def look():
        said[:] = [tries(gate, own_context(gate, tls, gate.certs.client(who)))]
        return said[0] not in (200, "ended")  # cut while it was served

    assert wait_until(look, 20)
    return said[0]


def refused_for(gate, tls, who, reason):
    """Tries until an audit record says so: a try that is under way while the
    certificates change may just be cut."""
    def look():
        tries(gate, own_context(gate, tls, gate.certs.client(who)))
        return any(r["event"] == "handshake" and reason in r["reason"]
                   for r in gate.audit_records())

    assert wait_until(look, 20), gate.audit_records()


def test_handshakes_fail_with_a_reason(own, tls):
    gate = own.scripted(answering(OK), tls=tls)
    for who in ("root", "eve"):
        assert tries(gate, own_context(gate, tls, gate.certs.client(who))) == 200
    cert(gate, "revoke", "-reason", "keyCompromise", "eve")
    is_out(gate, tls, "eve")
    refused_for(gate, tls, "eve", "revoked")
    said = tries(gate, own_context(gate, tls, gate.certs.client("eve")))
    assert "REVOKED" in said.upper(), said
    assert tries(gate, own_context(gate, tls, gate.certs.client("root"))) == 200


def test_by_serial_and_by_file(own):
    gate = own.scripted(answering(OK))
    mine = gate.certs.client("ann")
    cert(gate, "revoke", os.path.join(mine, "cert.pem"))
    is_out(gate, None, "ann")
    other = os.path.join(gate.certs.client("bob"), "cert.pem")
    serial = subprocess.run(["openssl", "x509", "-in", other, "-noout", "-serial"],
                            capture_output=True, text=True, check=True).stdout
    cert(gate, "revoke", serial.strip().split("=")[1])
    is_out(gate, None, "bob")


def test_open_streams_are_cut_and_idle_connections_closed(own, tls):
    gate = own.scripted(endless, tls=tls)

    def follow(who):
        client = gate.connect(who)
        client.send(b"GET /v1.41/containers/x/logs?follow=1&stdout=1 "
                    b"HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in client.reader.line()
        client.reader.until(b"first\r\n")
        return client

    with follow("root") as kept, follow("eve") as cut, \
            gate.connect("eve") as idle:
        assert idle.ask("GET", "/_ping").status == 200
        begin = time.monotonic()
        cert(gate, "revoke", "eve")
        assert cut.end() == (b"", "close_notify")
        took = time.monotonic() - begin
        assert idle.end()[1] == "close_notify"
        record = gate.wait_for_record(event="end", ended="revoked")
        assert record["client"]["cn"] == "eve"
        print(f"cut {took:.3f} s after the command began")
        kept.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            kept.recv()


def test_who_takes_away_list_and_ledger_lets_nobody_in(own):
    gate = own.scripted(answering(OK))
    for who in ("eve", "root"):
        gate.certs.client(who)
    cert(gate, "revoke", "eve")
    is_out(gate, None, "eve")
    for file in ("crl.pem", "issued.tsv"):
        os.unlink(os.path.join(gate.certs.store, file))
    os.kill(gate.process.pid, signal.SIGHUP)
    assert wait_until(lambda: "crl.pem and issued.tsv are gone" in
                      tail_of(gate.log), 20), tail_of(gate.log)
    assert "REVOKED" in is_out(gate, None, "eve").upper()
    assert tries(gate, own_context(gate, None, gate.certs.client("root"))) == 200


def test_without_the_list_nobody_knows_who_was_revoked(own):
    gate = own.scripted(answering(OK))
    cert(gate, "revoke", gate.certs.client("eve") + "/cert.pem")
    is_out(gate, None, "eve")
    crl = os.path.join(gate.certs.store, "crl.pem")
    os.rename(crl, crl + ".away")
    assert wait_until(lambda: "crl.pem is missing" in tail_of(gate.log, 1 << 20), 20)
    is_out(gate, None, "eve")  # the old list stays in force
    second = Gate(gate.folder, gate.certs, "/nowhere.sock")
    with pytest.raises(RuntimeError, match="crl.pem is missing"):
        second.start()
    # an older one is no better
    os.rename(crl + ".away", crl)
    old = open(crl, "rb").read()
    cert(gate, "revoke", gate.certs.client("bob") + "/cert.pem")
    is_out(gate, None, "bob")
    with open(crl, "wb") as f:
        f.write(old)
    second = Gate(gate.folder, gate.certs, "/nowhere.sock")
    with pytest.raises(RuntimeError, match="older than what was revoked"):
        second.start()
    is_out(gate, None, "bob")
    cert(gate, "crl", "-renew")
    assert tries(gate, own_context(gate, None, gate.certs.client("root"))) == 200


CA_CNF = """[ca]
default_ca=c
[c]
database=db
crlnumber=n
default_md=sha256
"""


def test_a_stale_list_refuses_everybody(own, tmp_path):
    gate = own.scripted(answering(OK))
    root = gate.certs.client("root")
    (tmp_path / "cnf").write_text(CA_CNF)
    (tmp_path / "db").write_text("")
    (tmp_path / "n").write_text("01\n")
    crl = os.path.join(gate.certs.store, "crl.pem")
    subprocess.run(
        ["openssl", "ca", "-config", "cnf", "-gencrl", "-out", crl,
         "-cert", os.path.join(gate.certs.store, "ca.crt"),
         "-keyfile", os.path.join(gate.certs.store, "ca-key.pem"),
         "-crl_lastupdate", "20200101000000Z",
         "-crl_nextupdate", "20200201000000Z"],
        cwd=tmp_path, check=True, capture_output=True)
    is_out(gate, None, "root")
    refused_for(gate, None, "root", "CRL is expired")
    # and it is somebody else's: not replaced
    assert "not made here" in cert_fails(gate, "revoke", "root")
    os.unlink(crl)
    assert wait_until(
        lambda: tries(gate, own_context(gate, None, root)) == 200, 20)


def test_docker_is_told_and_others_go_on(own, lane, home, name):
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    cli = lane.cli
    if not cli_is_there(cli):
        pytest.skip(f"docker {cli} is not installed")
    root, eve = (Side(cli, home, gate.env(who)) for who in ("root", "eve"))
    loop = "i=0; while [ $i -lt 10000 ]; do echo n$i; i=$((i+1)); sleep 0.05; done"
    root.ok("run", "-d", "--name", name, "busybox", "sh", "-c", loop)
    mine = theirs = None
    try:
        mine = root.start("logs", "-f", name)
        theirs = eve.start("logs", "-f", name)
        assert theirs.stdout.readline() == b"n0\n"
        with Terminal(root.argv("exec", "-it", name, "sh"), root.env) as t:
            t.ask("echo $((6 * 7))\r", "42")
            cert(gate, "revoke", "eve")
            _, err = theirs.communicate(timeout=20)
            said = eve.docker("version")
            assert said.status == 1
            assert "revoked" in said.err, said
            t.ask("echo $((7 * 9))\r", "63")
            t.type("exit\r")
            assert t.status() == 0
        root.ok("kill", name)
        out, err = mine.communicate(timeout=30)
        lines = out.split()
        assert lines == [b"n%d" % i for i in range(len(lines))] and lines, err
    finally:
        for p in (mine, theirs):
            if p is not None and p.poll() is None:
                p.kill()
                p.communicate()
        root.docker("rm", "-f", name)


def test_a_gate_out_of_descriptors_comes_back_to_it(own):
    # The limit of a process of another user takes a capability.
    gate = own.scripted(answering(OK), flags=["-user", "root"])
    assert tries(gate, own_context(gate, None, gate.certs.client("eve"))) == 200
    pid = gate.pid()
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert soft == hard
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    cert(gate, "revoke", "eve")
    assert wait_until(lambda: "Too many open files" in tail_of(gate.log, 1 << 20), 20)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert is_out(gate, None, "eve")


def test_a_pipe_in_a_file_s_place_holds_nothing_up(own):
    gate = own.scripted(answering(OK))
    assert tries(gate, own_context(gate, None, gate.certs.client("eve"))) == 200
    served = os.path.join(gate.certs.store, "docker.crt")
    os.rename(served, served + ".away")
    os.mkfifo(served)
    assert wait_until(lambda: "cannot use the server certificate"
                      in tail_of(gate.log, 1 << 20), 20)
    os.rename(served + ".away", served)
    cert(gate, "revoke", "eve")
    assert is_out(gate, None, "eve")


def test_a_reload_is_told_what_is_wrong_with_the_ledger(own, tmp_path):
    gate = own.scripted(answering(OK), flags=("-admin", f"unix://{tmp_path}/a"))
    with open(os.path.join(gate.certs.store, "issued.tsv"), "ab") as f:
        f.write(b"torn")
    done = subprocess.run([DINV, "reload", "-admin", f"unix://{tmp_path}/a"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "issued.tsv:" in done.stdout + done.stderr
