# SPDX-License-Identifier: Apache-2.0
"""DOCKER_TLS_CERTDIR: what users of docker:dind have and expect."""

import os
import subprocess

import pytest

from test_the_entrypoint_keeps_dockerd_running import InNetwork, entry  # noqa: F401
from waiting import tail_of


@pytest.fixture
def version():
    return "26.1"


def client(entry):
    side = InNetwork(entry.home, {
        "DOCKER_HOST": "tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": os.path.join(entry.folder, "certs", "client"),
    }, entry.pid())
    entry.until(lambda: side.docker("version").status == 0)
    return side


def env(entry, **more):
    return {"DOCKER_TLS_CERTDIR": os.path.join(entry.folder, "certs"), **more}


def test_a_job_finds_its_certificates(entry):
    certs = os.path.join(entry.folder, "certs")
    entry.start(env=env(entry, DOCKER_TLS_SAN="DNS:docker.example,IP:10.9.8.7"))
    entry.until(entry.answers)
    assert client(entry).ok("version", "-f", "{{.Server.Os}}") == "linux"
    assert sorted(os.listdir(f"{certs}/client")) == ["ca.pem", "cert.pem", "key.pem"]
    assert not any(os.path.islink(f"{certs}/client/{n}") for n in os.listdir(f"{certs}/client"))
    assert os.stat(f"{certs}/client/key.pem").st_mode & 0o777 == 0o600
    text = subprocess.run(["openssl", "x509", "-noout", "-text", "-in",
                           f"{certs}/server/cert.pem"], check=True,
                          capture_output=True, text=True).stdout
    assert "DNS:docker.example" in text and "IP Address:10.9.8.7" in text
    subprocess.run(["openssl", "verify", "-CAfile", f"{certs}/ca/cert.pem",
                    f"{certs}/server/cert.pem", f"{certs}/client/cert.pem"],
                   check=True, capture_output=True)
    entry.stop()
    # a client's folder that outlived its CA
    key = open(f"{certs}/docker-client.key", "rb").read()
    for name in os.listdir(f"{certs}/client"):
        with open(f"{certs}/client/{name}", "w", encoding="ascii") as f:
            f.write("of another time\n")
    entry.start(env=env(entry))
    entry.until(entry.answers)
    assert client(entry).ok("version", "-f", "{{.Server.Os}}") == "linux"
    assert open(f"{certs}/client/key.pem", "rb").read() == key
    entry.stop()


DIND = """
set -e
mkdir -p ca server client
openssl genrsa -out ca/key.pem 2048
openssl req -new -key ca/key.pem -out ca/cert.pem -subj '/CN=docker:dind CA' -x509 -days 825
openssl genrsa -out server/key.pem 2048
openssl req -new -key server/key.pem -out server/csr.pem -subj '/CN=docker:dind server'
printf '[x]\\nsubjectAltName=IP:127.0.0.1\\n' > server/cnf
openssl x509 -req -in server/csr.pem -CA ca/cert.pem -CAkey ca/key.pem -CAcreateserial \
    -out server/cert.pem -days 825 -extfile server/cnf -extensions x
cp ca/cert.pem server/ca.pem
"""


def test_a_store_of_docker_dind_is_taken_over(entry):
    certs = os.path.join(entry.folder, "certs")
    os.makedirs(certs)
    subprocess.run(["sh", "-c", DIND], cwd=certs, check=True, capture_output=True)
    before = {name: open(f"{certs}/{name}", "rb").read() for name in
              ("ca/key.pem", "ca/cert.pem", "server/key.pem", "server/cert.pem")}
    entry.start(env=env(entry))
    entry.until(entry.answers)
    assert client(entry).ok("version", "-f", "{{.Server.Os}}") == "linux"
    for name, text in before.items():
        assert open(f"{certs}/{name}", "rb").read() == text, tail_of(entry.log)
    subprocess.run(["openssl", "verify", "-CAfile", f"{certs}/ca/cert.pem",
                    f"{certs}/client/cert.pem"], check=True, capture_output=True)
    entry.stop()
