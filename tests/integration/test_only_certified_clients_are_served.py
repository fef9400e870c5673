# SPDX-License-Identifier: Apache-2.0
import os
import socket
import ssl

import pytest

from gate import Certs
from tlsclient import TlsClient, context
from upstream import OK, answering


def tries(gate, ctx):
    """What becomes of one request: a status, or the TLS error's text."""
    try:
        with TlsClient(("127.0.0.1", gate.port), ctx) as client:
            return client.ask("GET", "/_ping").status
    except EOFError:
        return "ended"
    except (ssl.SSLError, OSError) as e:
        return str(e)


def own_context(gate, tls, cert_dir):
    return context(os.path.join(gate.certs.client("root"), "ca.pem"), cert_dir, tls)


def test_with_a_certificate(scripted, tls):
    gate, _ = scripted(answering(OK), tls=tls)
    assert tries(gate, own_context(gate, tls, gate.certs.client("root"))) == 200


def test_without_a_certificate(scripted, tls):
    gate, upstream = scripted(answering(OK), tls=tls)
    said = tries(gate, own_context(gate, tls, None))
    assert said != 200, said
    assert not upstream.peers
    record = gate.wait_for_record(event="handshake")
    assert record["reason"]


@pytest.fixture(scope="module")
def other_ca(work):
    return Certs(os.path.join(work, "other-certs"))


def test_with_a_certificate_of_another_ca(scripted, tls, other_ca):
    gate, upstream = scripted(answering(OK), tls=tls)
    said = tries(gate, own_context(gate, tls, other_ca.client("root")))
    assert said != 200, said
    assert not upstream.peers
    gate.wait_for_record(event="handshake")


def test_a_server_certificate_is_no_clients(scripted, tls, tmp_path):
    """The gate's own pair, taken from its folder, does not make a client."""
    gate, upstream = scripted(answering(OK), tls=tls)
    for name in os.listdir(gate.certs.store):
        source = os.path.join(gate.certs.store, name)
        if name in ("docker.crt", "docker.key"):
            os.symlink(source, tmp_path / {"docker.crt": "cert.pem",
                                           "docker.key": "key.pem"}[name])
    said = tries(gate, own_context(gate, tls, str(tmp_path)))
    assert said != 200, said
    assert not upstream.peers


def test_the_server_is_who_it_says(scripted, tls, other_ca):
    """And the other way round: a client of another CA does not believe it."""
    gate, _ = scripted(answering(OK), tls=tls)
    ctx = context(os.path.join(other_ca.client("root"), "ca.pem"),
                  gate.certs.client("root"), tls)
    assert "CERTIFICATE_VERIFY_FAILED" in tries(gate, ctx)


def test_other_tls_versions_are_refused(scripted):
    for mine, theirs in (("1.2", "1.3"), ("1.3", "1.2")):
        gate, upstream = scripted(answering(OK), tls=mine)
        said = tries(gate, own_context(gate, theirs, gate.certs.client("root")))
        assert said != 200, said
        assert not upstream.peers


def test_protocols_by_name(scripted, tls):
    """http/1.1 is spoken; a client that insists on h2 gets nothing."""
    gate, upstream = scripted(answering(OK), tls=tls)
    ctx = own_context(gate, tls, gate.certs.client("root"))
    ctx.set_alpn_protocols(["h2", "http/1.1"])
    with TlsClient(("127.0.0.1", gate.port), ctx) as client:
        assert client.tls.selected_alpn_protocol() == "http/1.1"
        assert client.ask("GET", "/_ping").status == 200
    ctx.set_alpn_protocols(["h2"])
    before = upstream.received()
    assert tries(gate, ctx) != 200
    assert upstream.received() == before


def test_clear_text_is_not_answered_as_http(scripted):
    gate, upstream = scripted(answering(OK))
    with socket.create_connection(("127.0.0.1", gate.port), 30) as s:
        s.sendall(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n")
        said = b""
        try:
            while data := s.recv(4096):
                said += data
        except ConnectionResetError:
            pass
    assert not said.startswith(b"HTTP/1.1 200")
    assert not upstream.peers


def test_junk_does_not_hurt(scripted):
    gate, upstream = scripted(answering(OK))
    for junk in (b"\0" * 1000, b"\x16\x03\x03\xff\xff" + b"x" * 70000,
                 b"\x17\x03\x03\x00\x05hello", os.urandom(5000)):
        with socket.create_connection(("127.0.0.1", gate.port), 30) as s:
            try:
                s.sendall(junk)
                while s.recv(4096):
                    pass
            except OSError:
                pass
    assert not upstream.peers
    assert tries(gate, own_context(gate, None, gate.certs.client("root"))) == 200
