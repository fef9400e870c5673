# SPDX-License-Identifier: Apache-2.0
"""Renewal and rollover while streams run: nobody who has a right notices."""

import datetime
import hashlib
import os
import signal
import socket
import ssl
import subprocess

import pytest

from clients import Side, cli_is_there
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


def shown(gate):
    """The certificate that the gate shows, as openssl prints it."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", gate.port), 30) as s, \
            ctx.wrap_socket(s) as tls:
        der = tls.getpeercert(True)
    return subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-text"], input=der,
        capture_output=True, check=True).stdout.decode()


def test_a_new_name_is_there_at_once(own, tls):
    gate = own.scripted(endless, tls=tls)
    with gate.connect("root") as client:
        client.send(b"GET /v1.41/containers/x/logs?follow=1&stdout=1 "
                    b"HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in client.reader.line()
        client.reader.until(b"first\r\n")
        assert "new.example" not in shown(gate)
        cert(gate, "renew", "-server", "-host", "new.example")
        assert wait_until(lambda: "DNS:new.example" in shown(gate), 20)
        assert "IP Address:127.0.0.1" in shown(gate)
        client.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv()


CA_CNF = """[ca]
default_ca=c
[c]
database=db
serial=n
new_certs_dir=.
default_md=sha256
policy=p
x509_extensions=x
[p]
commonName=supplied
[x]
subjectAltName=IP:127.0.0.1
extendedKeyUsage=serverAuth
"""


def put_old_certificate(gate, folder, days_left):
    """A server certificate with few days left, as if dinv had made it."""
    store = gate.certs.store
    now = datetime.datetime.now(datetime.timezone.utc)

    def when(days):
        return (now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")

    (folder / "cnf").write_text(CA_CNF)
    (folder / "db").write_text("")
    (folder / "n").write_text("4321\n")
    subprocess.run(["openssl", "req", "-new", "-key", f"{store}/docker.key",
                    "-subj", "/CN=old", "-out", "csr"], cwd=folder, check=True)
    subprocess.run(["openssl", "ca", "-config", "cnf", "-batch", "-notext",
                    "-cert", f"{store}/ca.crt", "-keyfile", f"{store}/ca-key.pem",
                    "-startdate", when(-1), "-enddate", when(days_left),
                    "-in", "csr", "-out", "crt"],
                   cwd=folder, check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert((folder / "crt").read_text())
    path = os.path.join(store, "issued.tsv")
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    issuer = lines[1].split("\t")[6]
    ends = int((now + datetime.timedelta(days=days_left)).timestamp())
    lines[-1:] = ["\t".join(["4321", "server", "valid", "0", "1", str(ends), issuer,
                             hashlib.sha256(der).hexdigest(), "old", ""]),
                  f"end\t{len(lines) - 1}"]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    os.replace(folder / "crt", os.path.join(store, "docker.crt"))


def test_the_gate_has_renewed_what_is_due(own, tmp_path):
    """By another process: the gate itself never opens the CA's key."""
    gate = own.scripted(answering(OK))
    first = shown(gate)
    put_old_certificate(gate, tmp_path, 0.2)
    gate.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "renewing certificates that are due"
                      in tail_of(gate.log, 1 << 20), 20)
    assert wait_until(lambda: "CN = old" not in shown(gate)
                      and shown(gate) != first, 20), tail_of(gate.log)
    assert "docker.crt expires in 1 days or less" in tail_of(gate.log, 1 << 20)
    assert tries(gate, own_context(gate, None, gate.certs.client("root"))) == 200


def test_without_the_cas_key_it_warns(own, tmp_path):
    gate = own.scripted(answering(OK))
    gate.stop()
    put_old_certificate(gate, tmp_path, 5)
    os.rename(os.path.join(gate.certs.store, "ca-key.pem"), tmp_path / "away")
    gate.start()
    assert wait_until(lambda: "docker.crt expires in 7 days or less"
                      in tail_of(gate.log, 1 << 20), 20)
    assert "CN = old" in shown(gate)
    assert "where that key is" in cert_fails(gate, "renew", "-server")


def test_a_start_renews_what_is_due(own, tmp_path):
    gate = own.scripted(answering(OK))
    gate.stop()
    put_old_certificate(gate, tmp_path, 0.2)
    gate.start()
    assert "CN = old" not in shown(gate)


def whole(out):
    """Every line from the first on, none left out."""
    lines = out.splitlines()
    return lines and lines == [b"n%d" % i for i in range(len(lines))]


DOCKERFILE = b"FROM busybox\nRUN i=0; while [ $i -lt 40 ]; do " \
    b"echo line$i; i=$((i+1)); sleep 0.05; done\n"


def test_streams_outlive_a_rollover(own, lane, home, name):
    if not cli_is_there(lane.cli):
        pytest.skip(f"docker {lane.cli} is not installed")
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    root = Side(lane.cli, home, gate.env("root"))
    late = gate.certs.client("late")
    loop = "i=0; while [ $i -lt 10000 ]; do echo n$i; i=$((i+1)); sleep 0.05; done"
    root.ok("run", "-d", "--name", name, "busybox", "sh", "-c", loop)
    logs = build = new_logs = None
    try:
        logs = root.start("logs", "-f", name)
        build = root.start("build", "--no-cache", "-")
        build.stdin.write(DOCKERFILE)
        build.stdin.close()
        build.stdin = None
        with Terminal(root.argv("run", "--rm", "-it", "busybox", "sh"),
                      root.env) as t:
            t.ask("echo $((6 * 7))\r", "42")
            cert(gate, "rollover")
            assert "under way" in cert_fails(gate, "rollover")
            # the old CA's clients, and the new one's, with their own ca.pem
            assert root.ok("version", "-f", "{{.Server.Os}}") == "linux"
            new = Side(lane.cli, home, gate.env("new"))
            assert wait_until(lambda: new.docker("version").status == 0, 20)
            t.ask("echo $((7 * 9))\r", "63")
            new_logs = new.start("logs", "-f", name)
            assert new_logs.stdout.readline() == b"n0\n"
            out, err = build.communicate(timeout=60)
            assert build.returncode == 0 and b"line39" in out + err, err
            t.ask("echo $((8 * 8))\r", "64")
            assert logs.poll() is None
            said = cert_fails(gate, "rollover", "-end")
            assert "of the old CA are still good" in said
            cert(gate, "renew", "-out", gate.certs.client("root"), "root")
            cert(gate, "rollover", "-end", "-anyway")
            old = Side(lane.cli, home, {**gate.env("new"), "DOCKER_CERT_PATH": late})
            assert wait_until(lambda: old.docker("version").status == 1, 20)
            assert root.ok("version", "-f", "{{.Server.Os}}") == "linux"
            assert new.ok("version", "-f", "{{.Server.Os}}") == "linux"
            # of streams, those that a certificate of the old CA opened end
            assert whole(logs.communicate(timeout=20)[0])
            assert new_logs.poll() is None
            new.ok("kill", name)
            assert whole(b"n0\n" + new_logs.stdout.read())
    finally:
        root.docker("rm", "-f", name)
        for p in (logs, build, new_logs):
            if p is not None and p.poll() is None:
                p.kill()
                p.communicate()
