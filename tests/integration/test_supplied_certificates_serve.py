# SPDX-License-Identifier: Apache-2.0
"""A PKI of somebody else's: RSA, P-384, intermediates, and its own lists."""

import os
import subprocess

import pytest

from gate import DINV, Certs, Gate, free_port
from tlsclient import TlsClient, context
from upstream import OK, Upstream, answering
from waiting import wait_until

MAKE = """
set -e
new() { # KIND NAME
    case $1 in
    rsa) openssl genrsa -out $2.key 2048 ;;
    *) openssl ecparam -name $1 -genkey -noout -out $2.key ;;
    esac
}
sign() { # NAME CA EXTENSIONS
    printf "[x]\\n$3\\n" > $1.cnf
    openssl req -new -key $1.key -subj "/O=Ex/CN=$1" -out $1.csr
    openssl x509 -req -in $1.csr -CA $2.crt -CAkey $2.key -CAcreateserial \
        -days 9 -sha384 -extfile $1.cnf -extensions x -out $1.crt
}
new $1 root
openssl req -x509 -new -key root.key -sha256 -days 99 -subj "/O=Ex/CN=root ca" -out root.crt
new $1 mid
sign mid root "basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign"
new $1 server
sign server mid "subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth"
for c in good bad; do
    new $1 $c
    sign $c mid "extendedKeyUsage=clientAuth"
    mkdir $c
    cat $c.crt mid.crt > $c/cert.pem
    cp $c.key $c/key.pem
done
mkdir store
cat root.crt mid.crt > store/ca.crt
cat server.crt mid.crt > store/docker.crt
cp server.key store/docker.key
"""

LIST = """
set -e
: > db; echo 01 > n
printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=db\\ncrlnumber=n\\ndefault_md=sha256\\ndefault_crl_days=9\\n' > cnf
openssl ca -config cnf -revoke bad.crt -keyfile mid.key -cert mid.crt
openssl ca -config cnf -gencrl -keyfile mid.key -cert mid.crt -out list.pem
mv list.pem store/crl.pem
"""


class Supplied:
    def __init__(self, folder):
        self.store = str(folder / "store")


def run(folder, script, *args):
    done = subprocess.run(["sh", "-c", script, "sh", *args], cwd=folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["rsa", "prime256v1", "secp384r1"])
def test_a_chain_and_its_list(work, tmp_path, name, tls, kind):
    run(tmp_path, MAKE, kind)
    before = {n: (tmp_path / "store" / n).read_bytes()
              for n in os.listdir(tmp_path / "store")}
    upstream = Upstream(os.path.join(work, f"supplied-{name}.sock"), answering(OK))
    gate = Gate(str(tmp_path), Supplied(tmp_path), upstream.path, tls=tls)

    def status(who):
        # root.crt alone: the intermediate has to come from the server
        ctx = context(str(tmp_path / "root.crt"), str(tmp_path / who), tls)
        try:
            with TlsClient(("127.0.0.1", gate.port), ctx) as client:
                return client.ask("GET", "/_ping").status
        except (OSError, EOFError) as e:
            return str(e)

    try:
        gate.start()
        assert status("good") == 200
        assert status("bad") == 200
        run(tmp_path, LIST)
        assert wait_until(lambda: "REVOKED" in str(status("bad")).upper(), 20)
        assert status("good") == 200
        assert {n: (tmp_path / "store" / n).read_bytes() for n in before} == before
    finally:
        gate.stop()
        upstream.stop()


def encrypt(store, key, folder):
    subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc",
                    "-in", f"{store}/{key}", "-passout", f"file:{folder}/pass",
                    "-out", f"{store}/{key}.new"], check=True, capture_output=True)
    os.replace(f"{store}/{key}.new", f"{store}/{key}")


def test_keys_with_a_passphrase(work, tmp_path, name):
    certs = Certs(str(tmp_path))
    (tmp_path / "pass").write_text("a pass phrase\nanother line\n")
    (tmp_path / "wrong").write_text("a pass phrase \n")
    for key in ("docker.key", "ca-key.pem"):
        encrypt(certs.store, key, tmp_path)
    given = ["-key-pass-file", str(tmp_path / "pass")]

    def dinv(*args):
        return subprocess.run([DINV, "cert", *args], cwd=tmp_path, text=True,
                              capture_output=True, check=False)

    issue = ["issue", "-certs", certs.store, "-name", "ann", "-out", "ann"]
    assert "has a passphrase" in dinv(*issue).stderr
    said = dinv(*issue, "-key-pass-file", "wrong")
    assert said.returncode == 1 and "not the one in the file" in said.stderr
    assert "pass phrase" not in said.stderr
    assert dinv(*issue, *given).returncode == 0
    upstream = Upstream(os.path.join(work, f"pass-{name}.sock"), answering(OK))
    gate = Gate(str(tmp_path), certs, upstream.path, flags=given)
    ctx = context(str(tmp_path / "ann/ca.pem"), str(tmp_path / "ann"), None)
    try:
        gate.start()
        with TlsClient(("127.0.0.1", gate.port), ctx) as client:
            assert client.ask("GET", "/_ping").status == 200
        assert dinv("revoke", "-certs", certs.store, *given, "ann").returncode == 0
        assert dinv("renew", "-certs", certs.store, *given, "ann").returncode == 1
    finally:
        gate.stop()
        upstream.stop()
    without = Gate(str(tmp_path), certs, upstream.path)
    with pytest.raises(RuntimeError, match="docker.key"):
        without.start()


def test_a_passphrase_is_no_reason_to_do_without(work, tmp_path, name):
    """All that sign: the gate's processes, a rollover, the entrypoint."""
    certs = Certs(str(tmp_path))
    for key in ("docker.key", "ca-key.pem"):
        (tmp_path / "pass").write_text(f"of {key}\n")
        encrypt(certs.store, key, tmp_path)
        os.rename(tmp_path / "pass", tmp_path / key)
    of_ca, of_server = str(tmp_path / "ca-key.pem"), str(tmp_path / "docker.key")

    def dinv(*args, **options):
        return subprocess.run([DINV, *args], cwd=tmp_path, text=True, timeout=60,
                              capture_output=True, check=False, **options)

    def cert(command, *args):
        return dinv("cert", command, "-certs", certs.store, *args)

    upstream = Upstream(os.path.join(work, f"pass-{name}.sock"), answering(OK))
    port = free_port()
    gate = Gate(str(tmp_path), certs, upstream.path, flags=[
        "-key-pass-file", of_server, "-ca-pass-file", of_ca,
        "-enroll", f"tcp://127.0.0.1:{port}"])
    try:
        gate.start()
        token = cert("token", "-name", "ann").stdout
        done = dinv("enroll", "-out", "ann", f"https://127.0.0.1:{port}", "-",
                    input=token)
        assert done.returncode == 0, done
    finally:
        gate.stop()
        upstream.stop()
    assert "has a passphrase" in cert("renew", "-server").stderr
    assert "docker.key" in cert("renew", "-server", "-key-pass-file", of_ca).stderr
    done = cert("renew", "-server", "-key-pass-file", of_ca,
                "-server-pass-file", of_server)
    assert done.returncode == 0, done
    # Something is missing, so the CA's key is needed at the start.
    os.unlink(f"{certs.store}/docker-client.crt")
    start = ["-tlsverify", "-certs", certs.store, "-dockerd", "/bin/false",
             "-socket", str(tmp_path / "s")]
    assert "has a passphrase" in dinv(*start).stderr
    assert not os.path.exists(f"{certs.store}/docker-client.crt")
    done = dinv(*start, "-key-pass-file", of_server, "-ca-pass-file", of_ca)
    assert os.path.exists(f"{certs.store}/docker-client.crt"), done
    assert "has a passphrase" in cert("rollover").stderr
    done = cert("rollover", "-key-pass-file", of_ca)
    assert done.returncode == 0 and "has no passphrase" in done.stderr, done
    done = cert("rollover", "-end", "-anyway", "-key-pass-file", of_ca,
                "-server-pass-file", of_server)
    assert done.returncode == 0, done
