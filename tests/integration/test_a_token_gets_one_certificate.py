# SPDX-License-Identifier: Apache-2.0
"""dinv cert token, the enrolment listener, dinv enroll and its -renew."""

import concurrent.futures
import contextlib
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from jsonschema import Draft7Validator

from clients import Side
from gate import DINV, free_port
from own_certs import Own, cert
from test_a_reload_is_whole_or_nothing import endless
from tlsclient import TlsClient, context
from upstream import OK, answering
from waiting import wait_until

LANES = "few"
SCHEMA = os.path.join(os.path.dirname(__file__), "..", "..", "docs",
                      "audit.schema.json")

POLICY = """{
  "roles": {
    "runner": { "extends": "admin-like", "allow": ["CertificateRenew"] },
    "admin-like": { "allow": ["@read", "@run"] },
    "watcher": { "allow": ["@read"], "mode": "observe" }
  },
  "clients": [
    { "match": { "ou": "ci" }, "role": "runner" },
    { "match": { "ou": "plain" }, "role": "admin-like" },
    { "match": { "ou": "watch" }, "role": "watcher" },
    { "match": { "cn": "root" }, "role": "admin" }
  ]
}
"""


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    yield own
    own.stop()


class Enrolment:
    """A gate with a listener for tokens."""

    def __init__(self, own, script=None, upstream=None, **options):
        self.port = free_port()
        policy = os.path.join(own.folder, "policy.json")
        with open(policy, "w", encoding="ascii") as f:
            f.write(POLICY)
        flags = ["-enroll", f"tcp://127.0.0.1:{self.port}"]
        options = {"policy": policy, "flags": flags, **options}
        self.gate = own.start(upstream, **options) if upstream else \
            own.scripted(script or answering(OK), **options)
        self.store = self.gate.certs.store

    def token(self, *args):
        done = subprocess.run(
            [DINV, "cert", "token", "-certs", self.store, *args],
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done
        assert re.fullmatch(r"dinv1-[0-9a-f]{32}-[0-9a-f]{64}\n", done.stdout)
        assert done.stdout.strip() not in done.stderr
        return done.stdout.strip()

    def enroll(self, token, folder, *args, host="127.0.0.1", port=None):
        return subprocess.run(
            [DINV, "enroll", "-out", str(folder), *args,
             f"https://{host}:{port or self.port}", "-"], input=token + "\n",
            capture_output=True, text=True, timeout=60, check=False)

    def renew(self, folder, *args):
        return subprocess.run(
            [DINV, "enroll", "-renew", "-out", str(folder), *args,
             f"https://127.0.0.1:{self.gate.port}"],
            capture_output=True, text=True, timeout=60, check=False)

    def connect(self, version=None, source=None):
        ctx = context(os.path.join(self.store, "ca.crt"), version=version)
        if source is None:
            return TlsClient(("127.0.0.1", self.port), ctx)
        return FromThere(source, self.port, ctx)

    def post(self, body, method="POST", target="/enroll", **options):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with self.connect(**options) as client:
            return client.ask(method, target, body=body)

    def records(self):
        return [r for r in self.gate.audit_records() if r["event"] == "enroll"]


class FromThere(TlsClient):
    """From another address of this machine."""

    def __init__(self, source, port, ctx):
        connect = socket.create_connection
        try:
            socket.create_connection = lambda address, timeout: connect(
                address, timeout=timeout, source_address=(source, 0))
            super().__init__(("127.0.0.1", port), ctx)
        finally:
            socket.create_connection = connect


def request_for(folder, name="key"):
    """(path of the key, request in PEM) by openssl, in its own words."""
    key = os.path.join(folder, f"{name}.pem")
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1",
                    "-noout", "-out", key], check=True, capture_output=True)
    return key, subprocess.run(
        ["openssl", "req", "-new", "-key", key, "-subj", "/OU=root/CN=root"],
        check=True, capture_output=True, text=True).stdout


def subject(path):
    return subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-subject", "-nameopt",
         "RFC2253"], check=True, capture_output=True, text=True).stdout.strip()


def test_a_laptop_comes_with_a_token_and_works(own, lane, home, tmp_path):
    here = Enrolment(own, upstream=lane.dockerd.socket, tls=lane.gate.tls)
    token = here.token("-name", "laptop-7", "-ou", "ci", "-o", "acme",
                       "-hours", "24")
    done = here.enroll(token, tmp_path / "me", "-gate",
                       f"127.0.0.1:{here.gate.port}")
    assert done.returncode == 0, done
    assert subject(tmp_path / "me/cert.pem") == \
        "subject=CN=laptop-7,OU=ci,O=acme"
    assert oct((tmp_path / "me/key.pem").stat().st_mode & 0o777) == "0o600"
    assert oct((tmp_path / "me").stat().st_mode & 0o777) == "0o700"
    env = dict(line.removeprefix("export ").replace("'", "").split("=", 1)
               for line in done.stdout.splitlines())
    side = Side(lane.cli, home, env)
    assert side.docker("ps").status == 0
    assert "@exec" not in POLICY  # the role is the one of the unit
    assert "refuses the operation ImagePrune" in \
        side.docker("image", "prune", "-f").err
    # Renewed by its own right; the next one works as well.
    before = (tmp_path / "me/cert.pem").read_bytes()
    key = (tmp_path / "me/key.pem").read_bytes()
    done = here.renew(tmp_path / "me", "-due")
    assert (done.returncode, done.stdout) == (0, ""), done
    done = here.renew(tmp_path / "me")
    assert done.returncode == 0 and done.stdout.startswith("renewed"), done
    assert (tmp_path / "me/cert.pem").read_bytes() != before
    assert (tmp_path / "me/key.pem").read_bytes() == key
    assert subject(tmp_path / "me/cert.pem") == \
        "subject=CN=laptop-7,OU=ci,O=acme"
    assert side.docker("ps").status == 0
    # A third one within the minute is too much; the second one still is good.
    done = here.renew(tmp_path / "me")
    assert done.returncode == 1 and "(429)" in done.stderr, done
    # On record: who came, with which token, what he got.  Never the token.
    record = here.records()[0]
    assert record["decision"] == "allow" and record["name"] == "laptop-7"
    assert record["client"]["addr"].startswith("127.0.0.1:")
    renewals = [r for r in here.gate.audit_records()
                if r.get("op") == "CertificateRenew" and r["event"] == "end"]
    assert [r["decision"] for r in renewals] == ["allow", "deny"]
    listed = json.loads(subprocess.run(
        [DINV, "cert", "list", "-certs", here.store, "-json"],
        capture_output=True, text=True, check=True).stdout)
    serials = [c["serial"] for c in listed if c["name"] == "laptop-7"]
    assert serials == [record["serial"], renewals[0]["object_id"]]
    assert renewals[1]["rule"] == "too-soon"
    with open(SCHEMA, encoding="utf-8") as f:
        schema = Draft7Validator(json.load(f))
    for r in here.gate.audit_records():
        assert schema.is_valid(r), (r, list(schema.iter_errors(r)))
    secret = token.split("-")[1].encode()
    for path in (here.gate.log, here.gate.audit,
                 os.path.join(here.store, "tokens.tsv"),
                 os.path.join(here.store, "issued.tsv")):
        with open(path, "rb") as f:
            assert secret not in f.read(), path
    # Taken back, it is neither let in nor renewed.
    cert(here.gate, "revoke", "laptop-7")
    assert wait_until(lambda: side.docker("ps").status != 0, 20)
    done = here.renew(tmp_path / "me")
    assert done.returncode == 1, done


def test_of_many_who_show_one_token_one_gets_a_certificate(own, tmp_path, tls):
    here = Enrolment(own, tls=tls)
    token = here.token("-name", "runner-*", "-ou", "ci")
    _, csr = request_for(tmp_path)

    def come(i):
        return here.post({"token": token, "name": f"runner-{i}", "csr": csr},
                         version=tls)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(come, range(6)))
    while any(a.status == 503 for a in answers):  # "try again in a moment"
        answers = [come(i) if a.status == 503 else a
                   for i, a in enumerate(answers)]
    assert sorted(a.status for a in answers) == [200] + [403] * 5
    good = json.loads(next(a.body for a in answers if a.status == 200))
    assert set(good) == {"name", "serial", "not_after", "certificate", "ca"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", good["not_after"])
    path = tmp_path / "cert.pem"
    path.write_text(good["certificate"])
    # What the request called itself is nobody's business.
    assert subject(path) == f"subject=CN={good['name']},OU=ci"
    assert b"this token was used" in next(
        a.body for a in answers if a.status == 403)
    assert [r["rule"] for r in here.records()].count("token-used") == 5


def overheard(here, token, tmp_path, chain, key):
    """What dinv enroll says, and sends, to a server with that chain."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(chain, key)
    got = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            try:
                with ctx.wrap_socket(listener.accept()[0],
                                     server_side=True) as s:
                    got.append(s.recv(1000))
            except OSError as e:
                got.append(e)

        thread = threading.Thread(target=serve)
        thread.start()
        done = here.enroll(token, tmp_path / "a",
                           port=listener.getsockname()[1])
        thread.join(30)
    return done, got


def test_whoever_is_on_the_way_does_not_see_the_token(own, tmp_path):
    here, other = Enrolment(own), Enrolment(own)
    token = here.token("-name", "a")
    # Another gate, with a CA of its own.
    done = here.enroll(token, tmp_path / "a", port=other.port)
    assert done.returncode == 1 and "not the gate that the token is for" in \
        done.stderr, done
    assert not (tmp_path / "a").exists()
    # One that shows the right CA's certificate behind a chain that does not
    # lead to it, and reads what it is sent.
    chain = tmp_path / "chain.pem"
    with open(os.path.join(other.store, "docker.crt"), encoding="ascii") as f, \
            open(os.path.join(here.store, "ca.crt"), encoding="ascii") as g:
        chain.write_text(f.read() + g.read())
    done, got = overheard(here, token, tmp_path,
                          chain, os.path.join(other.store, "docker.key"))
    assert done.returncode == 1 and "refused" in done.stderr, done
    assert len(got) == 1 and not (isinstance(got[0], bytes) and got[0]), got
    # A client of the right CA, whose certificate has the gate's name too.
    key, csr = request_for(tmp_path)
    files = {"csr": csr, "ext": "subjectAltName=IP:127.0.0.1\n"
                                "extendedKeyUsage=clientAuth\n"}
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    ca = os.path.join(here.store, "ca.crt")
    made = subprocess.run(
        ["openssl", "x509", "-req", "-in", tmp_path / "csr", "-CA", ca,
         "-CAkey", os.path.join(here.store, "ca-key.pem"), "-set_serial", "7",
         "-days", "3", "-extfile", tmp_path / "ext"], check=True,
        capture_output=True, text=True).stdout
    with open(ca, encoding="ascii") as f:
        chain.write_text(made + f.read())
    done, got = overheard(here, token, tmp_path, chain, key)
    assert done.returncode == 1 and "not a server's" in done.stderr, \
        done
    assert len(got) == 1 and not (isinstance(got[0], bytes) and got[0]), got
    # The right one under a name that it does not have.
    done = here.enroll(token, tmp_path / "a", host="127.0.0.2")
    assert done.returncode == 1, done
    # None of it used the token up.
    assert here.enroll(token, tmp_path / "a").returncode == 0


def test_a_token_does_not_stay_on_the_command_line(tmp_path):
    secret = "5" * 32
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = subprocess.Popen(
            [DINV, "enroll", "-out", str(tmp_path / "a"),
             f"https://127.0.0.1:{listener.getsockname()[1]}",
             f"dinv1-{secret}-{'0' * 64}"], stderr=subprocess.DEVNULL)
        try:
            listener.settimeout(30)
            with listener.accept()[0]:
                with open(f"/proc/{child.pid}/cmdline", "rb") as f:
                    assert secret.encode() not in f.read()
        finally:
            child.kill()
            child.wait(30)


def test_what_is_not_as_it_should_be_is_refused(own, tmp_path):
    here = Enrolment(own)
    token = here.token("-name", "a", "-ttl", "1h")
    _, csr = request_for(tmp_path)
    good = {"token": token, "csr": csr}
    where = iter(range(2, 250))  # each from an address of its own

    def ask(body, **options):
        return here.post(body, source=f"127.0.0.{next(where)}", **options)

    for body in (b"", b"{}", b"[]", b"null", b"{" * 1000, b"token=a",
                 json.dumps(good).encode() + b"x", {"token": token},
                 {**good, "ou": "root"}, {**good, "Token": token},
                 {**good, "csr": None}, {**good, "csr": 1},
                 {**good, "token": token[:-1]}, {**good, "token": token + "0"},
                 {**good, "token": token.upper()}):
        answer = ask(body)
        assert answer.status == 400, (body, answer)
    assert ask({**good, "csr": "x"}).status == 400
    assert ask({**good, "csr": csr[:200]}).status == 400
    assert ask({**good, "name": "b"}).status == 403
    assert ask({**good, "name": "a\u0000"}).status == 400
    wrong = "0" * 32 + token[38:]
    assert ask({**good, "token": "dinv1-" + wrong}).status == 403
    assert ask(good, target="/").status == 404
    assert ask(good, target="/enroll?a=b").status == 404
    assert ask(good, target="/v1.41/containers/json").status == 404
    assert ask(good, target="//enroll").status == 404
    assert ask(good, method="PUT").status == 405
    assert ask({**good, "csr": csr + "#" * 40000}).status == 413
    with here.connect() as client:
        client.send(b"POST /enroll HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert b" 400 " in client.reader.line()
    # The wrong protocol, half a request, none at all: the next one is served.
    with socket.create_connection(("127.0.0.1", here.port), 30) as s:
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while s.recv(1000):
                pass
    idle = [here.connect(source="127.0.1.1") for _ in range(8)]
    idle[0].send(b"POST /enroll HTTP/1.1\r\n")
    # The ninth of one address is shown the door, others are not.
    with pytest.raises((OSError, ssl.SSLError)):
        here.connect(source="127.0.1.1")
    answer = ask(good)
    assert answer.status == 200, answer
    for client in idle:
        client.sock.close()
    assert all(r["decision"] == "deny" for r in here.records()[:-1])


def test_who_guesses_has_to_wait(own, tmp_path):
    here = Enrolment(own)
    token = here.token("-name", "a")
    _, csr = request_for(tmp_path)
    wrong = {"token": "dinv1-" + "0" * 32 + token[38:], "csr": csr}
    for _ in range(10):
        assert here.post(wrong).status == 403
    answer = here.post(wrong)
    assert answer.status == 429 and answer.headers["retry-after"] == "60"
    good = {"token": token, "csr": csr}
    assert here.post(good).status == 429
    assert here.post(good, source="127.0.0.2").status == 200


def relay(one, other):
    """Bytes both ways, until both have ended."""

    def copy(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=copy, args=(other, one))
    thread.start()
    copy(one, other)
    thread.join(30)


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
def test_who_is_shown_the_door_knocks_again(own, tmp_path, reset):
    """A dozen machines behind one address: the ninth has to wait."""
    here = Enrolment(own)
    token = here.token("-name", "a")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            s = listener.accept()[0]
            if reset:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            s.close()
            with listener.accept()[0] as s, socket.create_connection(
                    ("127.0.0.1", here.port), 30) as gate:
                relay(s, gate)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = here.enroll(token, tmp_path / "a",
                           port=listener.getsockname()[1])
        assert done.returncode == 0, done
        thread.join(30)
    if reset:
        return
    # Nobody but the door: it gives up, and says so.
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def slam():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        threading.Thread(target=slam, daemon=True).start()
        done = here.enroll(token, tmp_path / "b",
                           port=listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    assert done.returncode == 1 and "closed the connection" in done.stderr, done
    assert not (tmp_path / "b").exists()


def test_a_role_that_may_not_is_not_renewed(own, tmp_path):
    here = Enrolment(own, script=endless)
    for unit, status in (("plain", 403), ("watch", 403), ("ci", 200)):
        token = here.token("-name", f"of-{unit}", "-ou", unit)
        assert here.enroll(token, tmp_path / unit).returncode == 0
        done = here.renew(tmp_path / unit)
        assert (done.returncode == 0) == (status == 200), done
        if status == 403:
            assert "CertificateRenew" in done.stderr, done
    # By another key than the certificate's; with another's certificate.
    _, csr = request_for(tmp_path)
    folder = str(tmp_path / "ci")
    ctx = context(os.path.join(folder, "ca.pem"), folder)
    with TlsClient(("127.0.0.1", here.gate.port), ctx) as client:
        for body, status in ((csr.encode(), 400), (b"", 400), (b"x" * 10, 400),
                             (b"\x30\x82\x01\x00\x00", 400),  # as DER
                             (b"\xff" * 10, 400), (b"x" * 300000, 400)):
            answer = client.ask("POST", "/_dinv/renew", body=body,
                                headers=["Content-Type: application/pkcs10"])
            assert answer.status == status, answer
        # The connection goes on, and nothing of it reached dockerd.
        assert client.ask("GET", "/_dinv/renew").status == 403
        assert client.ask("GET", "/_ping").status == 200
    # Who is root by policy may; nobody else's word makes him so.
    cert(here.gate, "issue", "-name", "root", "-out", str(tmp_path / "root"))
    done = here.renew(tmp_path / "root")
    assert done.returncode == 0, done


def test_without_the_key_nothing_is_signed_and_no_token_is_lost(own, tmp_path):
    here = Enrolment(own)
    token = here.token("-name", "a", "-ttl", "1h")
    here.gate.certs.client("root")  # made before the directory is held
    _, csr = request_for(tmp_path)
    good = {"token": token, "csr": csr}
    key = os.path.join(here.store, "ca-key.pem")
    os.rename(key, key + ".away")
    answer = here.post(good)
    assert answer.status == 503 and b"ca-key.pem" in answer.body, answer
    assert here.records()[-1]["decision"] == "error"
    os.rename(key + ".away", key)
    # A table of tokens that cannot be read: nobody guesses there.
    table = os.path.join(here.store, "tokens.tsv")
    os.rename(table, table + ".good")
    with open(table, "w", encoding="ascii") as f:
        f.write("dinv-tokens\t1\n")
    for _ in range(11):
        answer = here.post(good)
        assert answer.status == 503 and b"log says" in answer.body, answer
    os.rename(table + ".good", table)
    # A directory that somebody holds: it takes time, and is done then.
    with open(os.path.join(here.store, ".dinv.lock"), "w", encoding="ascii") as f:
        holder = subprocess.Popen(["flock", f.name, "cat"],
                                  stdin=subprocess.PIPE)
        try:
            assert wait_until(lambda: subprocess.run(
                ["flock", "-n", f.name, "true"], check=False).returncode, 20)
            client = here.connect()
            body = json.dumps(good).encode()
            client.send(b"POST /enroll HTTP/1.1\r\nHost: a\r\nContent-Length: "
                        b"%d\r\n\r\n" % len(body) + body)
            # The gate serves others meanwhile.
            with here.gate.connect() as other:
                assert other.ask("GET", "/_ping").status == 200
        finally:
            holder.stdin.close()
            holder.wait(30)
        assert client.reader.answer("POST").status == 200
        client.sock.close()


def test_the_listener_shows_what_is_in_the_store_now(own, tmp_path):
    here = Enrolment(own)
    token = here.token("-name", "a")
    cert(here.gate, "renew", "-server", "-host", "new.example")
    # CAs of others, for their clients: more than a TLS message holds.
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null",
         "-subj", "/CN=other", "-days", "9"], check=True, capture_output=True,
        text=True).stdout
    ca = os.path.join(here.store, "ca.crt")
    ctx = context(ca)
    with open(ca, "a", encoding="ascii") as f:
        f.write(made * 60)

    def is_taken_up():
        with open(here.gate.log, encoding="utf-8") as f:
            return "enrolment: certificates have changed" in f.read()

    # Nobody has to come twice for it.
    assert wait_until(is_taken_up, 20)
    TlsClient(("127.0.0.1", here.port), ctx, "new.example").sock.close()
    done = here.enroll(token, tmp_path / "a")
    assert done.returncode == 0, done


def test_no_certificates_where_nobody_asks_for_any(own, tmp_path):
    store = os.path.join(own.folder, "store")
    for flags, said in (
            (["-tls"], "-tlsverify"), (["-insecure-plain"], "-tlsverify"),
            (["-enroll", "unix:///x"], "tcp://"), (["-enroll", "x"], "x")):
        done = subprocess.run(
            [DINV, "gate", "-certs", store, "-upstream", "unix:///x",
             "-listen", f"tcp://127.0.0.1:{free_port()}",
             *(["-enroll", f"tcp://127.0.0.1:{free_port()}"]
               if "-enroll" not in flags else []), *flags],
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and said in done.stderr, done
    for args, said in (
            (["https://h:2378"], "token"), (["https://h:2378", "x"], "token"),
            (["-renew", "-out", str(tmp_path)], "-renew needs"),
            (["ftp://h", "dinv1-" + "0" * 32 + "-" + "0" * 64], "https://")):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("DOCKER_")}
        done = subprocess.run([DINV, "enroll", *args], capture_output=True,
                              text=True, timeout=60, check=False, env=env)
        assert done.returncode == 2 and said in done.stderr, (args, done)
