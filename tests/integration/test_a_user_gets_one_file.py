# SPDX-License-Identifier: Apache-2.0
"""dinv cert issue -context and -csr, dinv cert bundle: ready for docker."""

import os
import stat
import subprocess
import tarfile

import pytest

from clients import Side
from gate import DINV
from own_certs import Own

LANES = "few"


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    yield own
    own.stop()


def dinv(folder, *args):
    done = subprocess.run([DINV, "cert", *args], cwd=folder, timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    return done.stdout


def test_a_context_is_imported_and_used(own, lane, home, tmp_path, name):
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    said = dinv(tmp_path, "issue", "-certs", gate.certs.store, "-name", "ann",
                "-context", f"c{name}", "-gate", f"127.0.0.1:{gate.port}")
    file = tmp_path / f"c{name}.dockercontext"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    side = Side(lane.cli, home, {"DOCKER_CONFIG": str(tmp_path / "config")})
    first = said.splitlines()[0].replace("'", "").split()
    assert first == ["docker", "context", "import", f"c{name}", file.name]
    assert side.run([*side.argv(), *first[1:]], cwd=tmp_path).status == 0
    version = side.docker("--context", f"c{name}", "version", "-f",
                          "{{.Server.Version}}")
    assert version.status == 0 and version.out, version


def test_a_tar_is_unpacked_and_used(own, lane, home, tmp_path):
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    dinv(tmp_path, "issue", "-certs", gate.certs.store, "-name", "it's me")
    said = dinv(tmp_path, "bundle", "-certs", gate.certs.store, "-gate",
                f"127.0.0.1:{gate.port}", "it's me")
    assert stat.S_IMODE((tmp_path / "it's me.tar").stat().st_mode) == 0o600
    with tarfile.open(tmp_path / "it's me.tar") as tar:
        assert [(m.name, m.mode) for m in tar] == [
            ("it's me/ca.pem", 0o644), ("it's me/cert.pem", 0o644),
            ("it's me/key.pem", 0o600)]
    there = tmp_path / "there"
    there.mkdir()
    os.rename(tmp_path / "it's me.tar", there / "it's me.tar")
    side = Side(lane.cli, home, {})
    script = said + f"exec '{side.argv()[0]}' version -f '{{{{.Server.Os}}}}'\n"
    done = side.run(["sh", "-euc", script], cwd=there)
    assert done.out.strip() == "linux", done


def test_a_key_need_not_leave_its_owner(own, lane, home, tmp_path):
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    for kind in ("rsa:2048", "ec:P-256", "ec:P-384"):
        folder = tmp_path / kind
        folder.mkdir()
        algorithm, _, size = kind.partition(":")
        how = (["-newkey", kind] if algorithm == "rsa" else
               ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{size}"])
        subprocess.run(["openssl", "req", "-new", *how, "-nodes", "-subj",
                        "/CN=root", "-keyout", "key.pem", "-out", "csr.pem"],
                       cwd=folder, check=True, capture_output=True)
        dinv(folder, "issue", "-certs", gate.certs.store, "-name", "bob",
             "-csr", "csr.pem", "-out", ".")
        side = Side(lane.cli, home, {
            **gate.env(), "DOCKER_CERT_PATH": str(folder)})
        assert side.ok("run", "--rm", "busybox", "echo", kind) == kind
        record = [r for r in gate.audit_records()
                  if r.get("op") == "ContainerCreate"][-1]
        assert record["client"]["cn"] == "bob"  # not what the request says


def test_a_request_that_is_not_its_keys_is_refused(own, tmp_path):
    """The signature says that who asks has the key."""
    gate = own.scripted(lambda peer: None)
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a",
                    "-keyout", "k", "-outform", "DER", "-out", "csr"],
                   cwd=tmp_path, check=True, capture_output=True)
    der = bytearray((tmp_path / "csr").read_bytes())
    der[der.index(b"a", 20)] ^= 3
    (tmp_path / "csr").write_bytes(der)
    done = subprocess.run([DINV, "cert", "issue", "-certs", gate.certs.store,
                           "-name", "a", "-csr", "csr"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not signed by its own key" in done.stderr, done
    assert not (tmp_path / "a").exists()
