# SPDX-License-Identifier: Apache-2.0
"""One client certificate of each bad kind: out, on record, and docker says
why.  Made by openssl, so that dinv does not judge its own work."""

import os
import subprocess

import pytest

from clients import Side
from own_certs import Own
from waiting import wait_until

LANES = "few"

CNF = """[ca]
default_ca=c
[c]
database=db
serial=n
new_certs_dir=.
default_md=sha256
policy=p
unique_subject=no
[p]
commonName=supplied
[client]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
[server]
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:root
[plain]
basicConstraints=CA:FALSE
[wild]
extendedKeyUsage=clientAuth
subjectAltName=DNS:*.example
[sub]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
"""

PAST = ("20200101000000Z", "20200201000000Z")
FUTURE = ("20900101000000Z", "20900201000000Z")
NOW = ("20200101000000Z", "20900101000000Z")

# kind: extensions, dates, what the audit record says, what docker prints of
# it; None: it is let in
KINDS = {
    "good": ("client", NOW, None, None),
    "expired": ("client", PAST, "has expired", "expired certificate"),
    "not-yet-valid": ("client", FUTURE, "starts in the future", "expired certificate"),
    "for-servers": ("server", NOW, "extendedKeyUsage", "unsupported certificate"),
    "wrong-ca": ("client", NOW, "not correctly signed", "unknown certificate authority"),
    "too-deep": ("client", NOW, "not correctly signed", "unknown certificate authority"),
    # Names are what the policy says of them: CN alone is a name, and a star
    # is a character.
    "cn-alone": ("plain", NOW, None, None),
    "wildcard": ("wild", NOW, None, None),
}


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    yield own
    own.stop()


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def request(folder, name, cn):
    openssl(folder, "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={cn}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")


def sign(folder, name, ca, extensions, dates):
    cert, key = ca
    openssl(folder, "ca", "-config", "cnf", "-batch", "-notext", "-rand_serial",
            "-cert", cert, "-keyfile", key, "-extensions", extensions,
            "-startdate", dates[0], "-enddate", dates[1],
            "-in", f"{name}.csr", "-out", f"{name}.crt")


def make(folder, store, kind):
    """The folder for DOCKER_CERT_PATH."""
    extensions, dates, *_ = KINDS[kind]
    (folder / "cnf").write_text(CNF)
    (folder / "db").write_text("")
    ca = os.path.join(store, "ca.crt"), os.path.join(store, "ca-key.pem")
    if kind == "wrong-ca":
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other",
                "-keyout", "other.key", "-out", "other.crt")
        ca = "other.crt", "other.key"
    if kind == "too-deep":  # our CA's path length is 0
        request(folder, "sub", "sub")
        sign(folder, "sub", ca, "sub", NOW)
        ca = "sub.crt", "sub.key"
    request(folder, "leaf", "*.example" if kind == "wildcard" else "root")
    sign(folder, "leaf", ca, extensions, dates)
    chain = (folder / "leaf.crt").read_text()
    if kind == "too-deep":
        chain += (folder / "sub.crt").read_text()
    (folder / "cert.pem").write_text(chain)
    os.rename(folder / "leaf.key", folder / "key.pem")
    os.symlink(os.path.join(store, "ca.crt"), folder / "ca.pem")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_certificate(own, lane, home, tmp_path, kind):
    gate = own.start(lane.dockerd.socket, tls=lane.gate.tls)
    make(tmp_path, gate.certs.store, kind)
    said = Side(lane.cli, home, {**gate.env(), "DOCKER_CERT_PATH": str(tmp_path)}) \
        .docker("version", "-f", "{{.Server.Os}}")
    _, _, reason, alert = KINDS[kind]
    if kind == "wrong-ca" and lane.gate.tls == "1.2":
        # Go looks for a certificate of the CAs that the gate names, has none.
        reason, alert = "client sent no certificate", "handshake failure"
    if reason is None:
        assert (said.status, said.out) == (0, "linux\n"), said
        return
    assert said.status == 1, said
    assert alert in said.err, said
    assert wait_until(lambda: any(
        r["event"] == "handshake" and reason in r["reason"]
        for r in gate.audit_records()), 20), gate.audit_records()
