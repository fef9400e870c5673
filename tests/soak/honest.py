# SPDX-License-Identifier: Apache-2.0
"""What clients of a gate do all day; each job checks what came back."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
import threading

from conftest import POLICY
from gate import run_dinv
from tlsclient import TlsClient, context
from waiting import wait_until
from wire import request

MIB = 1 << 20


def expect(right, what):
    if not right:
        raise AssertionError(what)


def same(got, data, what):
    if got != data:
        at = next((i for i, (a, b) in enumerate(zip(got, data)) if a != b),
                  min(len(got), len(data)))
        raise AssertionError(
            f"{what}: {len(got)} bytes of {len(data)}, the first fault at {at}")


# --- docker's own commands --------------------------------------------------------


def run_reads_stdin(s):
    data = s.data(MIB)
    result = s.ci.docker("run", "-i", "--rm", "busybox", "cat", stdin=data)
    expect(result.status == 0, result)
    same(result.stdout, data, "docker run -i")
    s.carried(2 * len(data))


def exec_reads_stdin(s):
    data = s.data(2 * MIB)
    result = s.root.docker("exec", "-i", "lives", "cat", stdin=data)
    expect(result.status == 0, result)
    same(result.stdout, data, "docker exec -i")
    s.carried(2 * len(data))


def echo_foo(s):
    """The line of the documents."""
    result = s.ci.run(["sh", "-c", "echo foo | docker run -i --rm busybox cat"])
    expect((result.status, result.out) == (0, "foo\n"), result)


def attach_reads_stdin(s):
    data, name = s.data(MIB), s.name()
    s.root.ok("create", "-i", "--name", name, "busybox", "sh", "-c",
              "cat; echo done >&2; exit 3")
    result = s.root.docker("start", "-ai", name, stdin=data)
    expect(result.status == 3 and result.err == "done\n", result)
    same(result.stdout, data, "docker start -ai")
    s.root.ok("rm", name)
    s.carried(2 * len(data))


def cp_both_ways(s):
    data, name = s.data(4 * MIB), s.name()
    with tempfile.TemporaryDirectory(dir=s.folder) as folder:
        there, back = os.path.join(folder, "there"), os.path.join(folder, "back")
        with open(there, "wb") as f:
            f.write(data)
        s.root.ok("cp", there, f"lives:/tmp/{name}")
        s.root.ok("cp", f"lives:/tmp/{name}", back)
        with open(back, "rb") as f:
            same(f.read(), data, "docker cp")
    s.root.ok("exec", "lives", "rm", f"/tmp/{name}")
    s.carried(2 * len(data))


def save_and_load(s):
    result = s.root.docker("save", "busybox")
    expect(result.status == 0, result)
    expect(hashlib.sha256(result.stdout).digest() == s.saved.digest(),
           f"docker save gave {len(result.stdout)} other bytes")
    loaded = s.root.docker("load", stdin=result.stdout)
    expect(loaded.status == 0 and "busybox" in loaded.out, loaded)
    s.carried(2 * len(result.stdout))


def _build(s, buildkit):
    data, name = s.data(2 * MIB), s.name()
    with tempfile.TemporaryDirectory(dir=s.folder) as folder:
        with open(os.path.join(folder, "data"), "wb") as f:
            f.write(data)
        with open(os.path.join(folder, "Dockerfile"), "w", encoding="ascii") as f:
            f.write("FROM busybox\nCOPY data /data\nRUN sha256sum /data\n")
        extra = ["--progress", "plain"] if buildkit else []
        result = s.root.docker("build", "--no-cache", *extra, "-t", name, folder,
                               env={"DOCKER_BUILDKIT": "1"} if buildkit else None)
    expect(result.status == 0 and hashlib.sha256(data).hexdigest() in
           result.out + result.err, result)
    s.root.ok("rmi", "-f", name)
    s.carried(len(data))


def build_without_buildkit(s):
    _build(s, False)


def build_with_buildkit(s):
    _build(s, True)


def logs_follow(s):
    name = s.name()
    s.events.expects(name)
    s.ci.ok("run", "-d", "--name", name, "busybox", "sh", "-c",
            "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done")
    result = s.ci.docker("logs", "-f", name)
    want = b"".join(b"line %d\n" % i for i in range(2000))
    expect(result.status == 0, result)
    same(result.stdout, want, "docker logs -f")
    s.ci.ok("rm", "-f", name)
    s.carried(len(want))


WITH_DOCKER = [run_reads_stdin, run_reads_stdin, exec_reads_stdin, exec_reads_stdin,
               echo_foo, attach_reads_stdin, cp_both_ways, cp_both_ways, save_and_load,
               build_without_buildkit, build_with_buildkit, logs_follow]


# --- by hand ----------------------------------------------------------------------


def kept_connection(s):
    with s.connect("job", "ci") as client:
        for target in ["/_ping", "/v1.41/version", "/v1.41/containers/lives/json",
                       "/v1.41/images/json"] * 25:
            answer = client.ask("GET", target)
            expect(answer.status == 200, f"{target}: {answer}")
            if target != "/_ping":
                json.loads(answer.body)
            s.carried(len(answer.body))


def pipelined(s):
    with s.connect() as client:
        client.send(request("GET", "/_ping") * 30)
        for _ in range(30):
            expect(client.reader.answer().body == b"OK", "a pipelined ping")


def archive(s):
    """PUT and GET by hand, in chunks of every size."""
    data, name = s.data(2 * MIB), s.name()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    packed, chunks, at = out.getvalue(), [], 0
    while at < len(packed):
        size = 1 + (at * 7919) % 100000
        chunks.append(packed[at:at + size])
        at += size
    with s.connect() as client:
        answer = client.ask("PUT", "/v1.41/containers/lives/archive?path=/tmp",
                            ["Content-Type: application/x-tar"], chunks=chunks)
        expect(answer.status == 200, answer)
        answer = client.ask("GET", f"/v1.41/containers/lives/archive?path=/tmp/{name}")
        expect(answer.status == 200, answer)
        with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
            same(tar.extractfile(name).read(), data, "archive")
    s.root.ok("exec", "lives", "rm", f"/tmp/{name}")
    s.carried(2 * len(data))


REFUSED = [
    ("POST", "/v1.41/containers/create",
     b'{"Image":"busybox","HostConfig":{"Privileged":true}}'),
    ("POST", "/v1.41/containers/create",
     b'{"Image":"busybox","HostConfig":{"Binds":["/etc:/x"]}}'),
    ("POST", "/v1.41/containers/create",
     b'{"Image":"busybox","HostConfig":{"NetworkMode":"host"}}'),
    ("POST", "/v1.41/containers/create", b'{"Image":"busybox","Image":"x"}'),
    ("POST", "/v1.41/swarm/init", b"{}"),
    ("POST", "/v1.41/plugins/x/enable?timeout=0", b""),
    ("GET", "/v1.41/no/such/operation", None),
]


def refusals(s):
    client = s.connect("job", "ci")
    for method, target, body in REFUSED * 20:
        answer = client.ask(method, target, ["Content-Type: application/json"]
                            if body else [], body=body)
        expect(answer.status == 403, f"{target} {body}: {answer}")
        if answer.headers.get("connection") == "close":
            client.sock.close()    # it was refused before its body was read
            client = s.connect("job", "ci")
    client.sock.close()
    with s.lock:
        s.done["refusals"] += 20 * len(REFUSED)


RAW = [kept_connection, kept_connection, pipelined, archive, refusals]


# --- meanwhile --------------------------------------------------------------------


def reload_policy(s):
    for text in (POLICY.replace("what", "what, again"), POLICY):
        s.write_policy(text)
        done = s.admin.run("reload")
        expect(done.returncode == 0, f"dinv reload: {done}")


def revoke_one(s):
    """A client that works, then is revoked: out, and its stream with it."""
    name = s.name()
    out = os.path.join(s.folder, "clients-" + name)
    run_dinv("cert", "issue", "-certs", s.certs.store, "-name", name, "-ou", "ci",
             "-out", out)
    ctx = context(os.path.join(out, "ca.pem"), out)
    with TlsClient(("127.0.0.1", s.gate.port), ctx) as client:
        expect(client.ask("GET", "/_ping").status == 200, "a new client")
        run_dinv("cert", "revoke", "-certs", s.certs.store, name)
        rest, how = client.end()
        expect(rest == b"" and how is not None, f"after it was revoked: {rest!r}")


class Events:
    """GET /events from the beginning to the end: nothing that happens is missed."""

    def __init__(self, s):
        self.s = s
        self.names = set()
        self.seen = set()
        self.stopping = False
        self.client = s.gate.connect(timeout=None)
        self.client.send(request("GET", "/v1.41/events"))
        answer = self.client.reader.head()
        expect(answer.status == 200, answer)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        text = b""
        try:
            while data := self.client.reader.chunk():
                *lines, text = (text + data).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if (event["Type"], event["Action"]) == ("container", "start"):
                        self.seen.add(event["Actor"]["Attributes"]["name"])
        except (EOFError, OSError, ValueError) as e:
            if not self.stopping:
                self.s.fault(f"the events' stream: {type(e).__name__} {e}")

    def expects(self, name):
        self.names.add(name)

    def judge(self):
        if not wait_until(lambda: self.names <= self.seen, 60):
            self.s.fault(f"events never seen of {self.names - self.seen}")

    def stop(self):
        self.stopping = True
        self.client.sock.close()
