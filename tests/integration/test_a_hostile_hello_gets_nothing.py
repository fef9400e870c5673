# SPDX-License-Identifier: Apache-2.0
"""Old protocols, weak ciphers, curves and signatures, early data, broken
handshakes: refused before dockerd hears of it, and the gate is as before."""

import os
import socket
import struct
import subprocess

import pytest

from hostile_tls import (ALERT, CCS_RECORD, CLIENT_HELLO, DATA, ECDSA_SHA1,
                         ECDSA_SHA256, HANDSHAKE, P256, RSA_SHA1, SERVER_HELLO,
                         X25519, Calm, Flood, Said, Turncoat, hello, message,
                         record, share, words)
from own_certs import Own
from tlsclient import TlsClient, context
from upstream import OK, answering
from waiting import wait_until

PROTOCOL_VERSION = 70       # RFC 8446 6.2
DOWNGRADE_1_2 = b"DOWNGRD\x01"     # RFC 8446 4.1.3
FALLBACK_SCSV = 0x5600


@pytest.fixture
def gate(scripted):
    """A gate as it is without a word about TLS: 1.2 and 1.3.  Who is refused
    is refused at once, and not by the deadline."""
    made, upstream = scripted(answering(*[OK] * 100),
                              limits={"handshake_ms": 120000})
    with Calm(made):
        heard = upstream.received()
        yield made
        assert upstream.received() == heard


def refused(said):
    return said.ended and said.server_hello() is None


# --- old protocols -----------------------------------------------------------

SSL2 = bytes.fromhex("802e0100020015001000100100800200800300800400800500800700c0"
                     "060040") + b"c" * 16


@pytest.mark.parametrize("old", [0x0300, 0x0301, 0x0302],
                         ids=["ssl3", "tls1.0", "tls1.1"])
def test_a_protocol_before_tls_1_2(gate, old):
    hi = hello("1.2", version=old, suites=[0xC009, 0xC013, 0x002F, 0x000A])
    said = Said(gate, record(HANDSHAKE, hi, old))
    assert refused(said) and said.alert() == PROTOCOL_VERSION, said
    # The same with suites of today's: it is the version.
    said = Said(gate, record(HANDSHAKE, hello("1.2", version=old), old))
    assert refused(said) and said.alert() == PROTOCOL_VERSION, said


def test_ssl_2(gate):
    assert refused(Said(gate, SSL2))


def test_supported_versions_without_a_good_one(gate):
    """RFC 8446 4.2.1: the extension counts, not the field."""
    for versions in ([0x0302], [0x0301, 0x0302], [0x0300], [0x7F1C], [0x0A0A]):
        more = [(43, bytes([2 * len(versions)]) + words(versions))]
        assert refused(Said(gate, record(HANDSHAKE, hello("1.2", more=more))))


@pytest.mark.parametrize("suites", [[0xC02B], [0xC02B, FALLBACK_SCSV]],
                         ids=["plain", "scsv"])
def test_a_downgrade_shows(gate, suites):
    """Who could do 1.3 and was made to ask for 1.2 sees it in the random, that
    the gate's key signs (RFC 8446 4.1.3)."""
    said = Said(gate, record(HANDSHAKE, hello("1.2", suites=suites)),
                until=lambda s: s.server_hello() or s.ended)
    body = said.server_hello()
    assert body is None or body[2:34].endswith(DOWNGRADE_1_2), said
    assert body is not None or FALLBACK_SCSV in suites


# --- weak choices ------------------------------------------------------------

WEAK_SUITES = {
    "rc4": 0x0005, "3des": 0x000A, "rsa-cbc": 0x002F, "rsa-gcm": 0x009C,
    "dhe-gcm": 0x009E, "psk-gcm": 0x00A8, "null": 0xC006, "export": 0x0003,
    "anonymous": 0xC018, "ecdhe-rc4": 0xC007, "ecdhe-3des": 0xC008,
    "ecdhe-cbc": 0xC009, "ecdhe-cbc-sha256": 0xC023, "ecdhe-ccm-8": 0xC0AE,
    "ecdh-gcm": 0xC02D, "aria": 0xC05C, "camellia": 0xC086,
}
WEAK_GROUPS = {
    "sect163k1": 1, "secp192r1": 19, "secp224r1": 21, "secp256k1": 22,
    "secp521r1": 25, "brainpoolP256r1": 26, "x448": 30, "ffdhe2048": 256,
    "any-prime-curve": 0xFF01, "unknown": 0x2A2A,
}


def test_weak_suites(gate):
    for name, suite in WEAK_SUITES.items():
        said = Said(gate, record(HANDSHAKE, hello("1.2", suites=[suite])))
        assert refused(said), (name, said)
    every = list(WEAK_SUITES.values())
    assert refused(Said(gate, record(HANDSHAKE, hello("1.2", suites=every))))


def test_weak_suites_of_tls_1_3(gate):
    for suite in (0x1304, 0x1305, 0x13FF, 0xC02B):
        said = Said(gate, record(HANDSHAKE, hello("1.3", suites=[suite])))
        assert refused(said), (hex(suite), said)


def test_a_good_suite_is_chosen_among_weak_ones(gate):
    """What the refusals above are worth: a good one gets an answer."""
    for tls, suite in (("1.2", 0xC02B), ("1.3", 0x1301)):
        suites = [*WEAK_SUITES.values(), suite]
        said = Said(gate, record(HANDSHAKE, hello(tls, suites=suites)),
                    until=lambda s: s.server_hello() or s.ended)
        body = said.server_hello()
        at = 35 + body[34]
        assert body[at:at + 2] == words([suite]), said


def test_weak_groups(gate, tls):
    for name, group in WEAK_GROUPS.items():
        shares = share(group, bytes(range(32)))
        said = Said(gate, record(HANDSHAKE, hello(tls, groups=[group], shares=shares)))
        assert refused(said), (name, said)


def test_points_that_are_none(gate):
    """The secret would be known to all, or no secret (RFC 7748 6.1, RFC 8446
    4.2.8.2)."""
    order_8 = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46a"
                            "da098deb9c32b1fd866205165f49b800")
    p = 2**255 - 19
    bad = [share(X25519, k) for k in (
        bytes(32), (1).to_bytes(32, "little"), order_8, p.to_bytes(32, "little"),
        (p + 1).to_bytes(32, "little"), (p - 1).to_bytes(32, "little"), b"", b"\x09")]
    off_curve = (1).to_bytes(32, "big")
    bad += [share(P256, k) for k in (
        b"\x04" + off_curve * 2, b"\x04" + bytes(64), b"\0", b"", b"\x04" + bytes(63),
        b"\x02" + off_curve, b"\x04" + b"\xff" * 64)]
    for key in bad:
        hi = hello("1.3", groups=[X25519, P256], shares=key)
        said = Said(gate, record(HANDSHAKE, hi))
        assert refused(said), (key.hex(), said)


def test_weak_signatures(gate, tls):
    """The gate signs with no SHA-1 and no MD5.  In TLS 1.3 its hello comes
    before it finds out."""
    for algorithms in ([ECDSA_SHA1], [RSA_SHA1, ECDSA_SHA1], [0x0101, 0x0103],
                       [0x0303], [0x0202], [0x7777]):
        hi = hello(tls, algorithms=algorithms)
        said = Said(gate, record(HANDSHAKE, hi))
        assert said.ended and (tls == "1.3" or refused(said)), (algorithms, said)


def flight_of(gate, hi):
    """Number -> body of the messages that answer a hello of TLS 1.2."""
    said = Said(gate, record(HANDSHAKE, hi),
                until=lambda s: b"\x0e\0\0\0" in s.data or s.ended)
    flight = b"".join(body for kind, body in said.records() if kind == HANDSHAKE)
    messages = {}
    while flight:
        size = int.from_bytes(flight[1:4], "big")
        messages[flight[0]], flight = flight[4:4 + size], flight[4 + size:]
    return messages


def test_no_weak_signature_is_asked_for(gate):
    """What the gate says that clients may sign with: nothing below SHA-256;
    and so does it."""
    messages = flight_of(gate, hello("1.2"))
    asked = messages[13]                        # CertificateRequest
    at = 1 + asked[0]
    size = int.from_bytes(asked[at:at + 2], "big")
    hashes = {asked[at + 2 + i] for i in range(0, size, 2)}
    assert hashes and hashes <= {4, 5, 6, 8}, asked   # SHA-256 up, PSS
    signed = messages[12]                       # ServerKeyExchange
    at = 4 + signed[3]
    assert signed[at:at + 2] == words([ECDSA_SHA256]), signed


def test_compression(gate):
    """CVE-2012-4929.  TLS 1.3 has none (RFC 8446 4.1.2: null alone)."""
    for methods in (b"\1\0", b"\1"):
        said = Said(gate, record(HANDSHAKE, hello("1.3", compression=methods)))
        assert refused(said), said
        body = flight_of(gate, hello("1.2", compression=methods))[SERVER_HELLO]
        assert body[35 + body[34] + 2] == 0, body


# --- client certificates -----------------------------------------------------

# How the key is made, with which hash the CA signs; None: it is let in.
WEAK_CERTIFICATES = {
    "rsa-2048": (["rsa:2048"], "sha256", None),
    "rsa-1024": (["rsa:1024"], "sha256", "key"),
    "sha-1": (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "sha1", "hash"),
    "secp224r1": (["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"], "sha256", ""),
    "secp256k1": (["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "sha256", ""),
    "ed25519": (["ed25519"], "sha256", ""),
}


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_certificate(folder, store, key, digest):
    openssl(folder, "req", "-new", "-newkey", *key, "-nodes", "-subj", "/CN=root",
            "-keyout", "key.pem", "-out", "csr")
    (folder / "ext").write_text("extendedKeyUsage=clientAuth\n")
    openssl(folder, "x509", "-req", "-in", "csr", "-days", "9", f"-{digest}",
            "-CA", os.path.join(store, "ca.crt"), "-extfile", "ext",
            "-CAkey", os.path.join(store, "ca-key.pem"), "-set_serial", "77",
            "-out", "cert.pem")


@pytest.fixture
def own(work, name):
    folder = os.path.join(work, f"own-{name}")
    os.mkdir(folder)
    own = Own(folder)
    yield own
    own.stop()


@pytest.mark.parametrize("kind", WEAK_CERTIFICATES)
def test_a_weak_certificate(own, tls, tmp_path, kind):
    key, digest, reason = WEAK_CERTIFICATES[kind]
    gate = own.scripted(answering(OK), tls=tls)
    make_certificate(tmp_path, gate.certs.store, key, digest)
    ctx = context(os.path.join(gate.certs.store, "ca.crt"), None, tls)
    ctx.set_ciphers("DEFAULT@SECLEVEL=0")       # the client minds nothing
    ctx.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    try:
        with TlsClient(("127.0.0.1", gate.port), ctx) as client:
            said = client.ask("GET", "/_ping").status
    except (OSError, EOFError) as e:
        said = str(e)
    if reason is None:
        assert said == 200
        return
    assert said != 200
    assert wait_until(lambda: any(
        r["event"] == "handshake" and reason in r["reason"]
        for r in gate.audit_records()), 20), gate.audit_records()


# --- sessions and early data -------------------------------------------------


def test_no_session_is_taken_up_again(scripted, tls):
    """A ticket would let in who has been revoked since; and without one there
    is no early data."""
    gate, _ = scripted(answering(OK), tls=tls)
    ctx = context(os.path.join(gate.certs.client("root"), "ca.pem"),
                  gate.certs.client("root"), tls)
    client = TlsClient(("127.0.0.1", gate.port), ctx)
    assert client.ask("GET", "/_ping").status == 200
    session = client.tls.session
    assert not session.has_ticket and session.ticket_lifetime_hint == 0
    client.sock.close()
    with socket.create_connection(("127.0.0.1", gate.port), 30) as raw:
        again = ctx.wrap_socket(raw, server_hostname="127.0.0.1",
                                session=session)
        assert not again.session_reused


def test_early_data(gate):
    """Sent with a ticket that nobody has issued: a replay could be a second
    container, so no byte of it may count."""
    identity = words([16]) + b"not of this gate" + bytes(4)
    binder = bytes([32]) + bytes(32)
    psk = words([len(identity)]) + identity + words([len(binder)]) + binder
    for more in ([(42, b"")], [(42, b""), (45, b"\1\1"), (41, psk)],
                 [(42, b""), (45, b"\1\0"), (41, psk)]):
        early = b"POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\n\r\n"
        said = Said(gate, record(HANDSHAKE, hello("1.3", more=more)), CCS_RECORD,
                    record(DATA, early + bytes(32)), record(DATA, early))
        assert said.ended
        assert not any(kind == DATA and b"HTTP" in body
                       for kind, body in said.records())


# --- handshakes in pieces ----------------------------------------------------


@pytest.mark.parametrize("size", [4, 5, 100])
def test_a_handshake_in_small_records(scripted, tls, tmp_path, size):
    """RFC 8446 5.1 allows it, and boxes on the way may do it: harmless."""
    gate, _ = scripted(answering(*[OK] * 9), tls=tls)
    with Calm(gate):
        with Turncoat(gate, str(tmp_path), split=size) as client:
            assert client.ask("GET", "/_ping").status == 200


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_handshake_in_records_of_less_than_a_head(scripted, tls, tmp_path, size):
    """Nobody's library does that: refused."""
    gate, _ = scripted(answering(*[OK] * 9), tls=tls)
    with Calm(gate):
        with pytest.raises(OSError):            # ssl.SSLError is one
            Turncoat(gate, str(tmp_path), split=size)


def test_a_hello_in_pieces_with_something_between(gate, tls):
    hi = hello(tls)
    for between in (record(ALERT, b"\1\0"), record(ALERT, b"\1\x5a"),
                    record(DATA, b"GET / HTTP/1.1\r\n\r\n"), CCS_RECORD,
                    record(HANDSHAKE, b"")):
        said = Said(gate, record(HANDSHAKE, hi[:50]), between,
                    record(HANDSHAKE, hi[50:]))
        assert refused(said), (between, said)


def test_a_message_that_never_ends(gate):
    """16 MiB announced, and brought: not held."""
    head = bytes([CLIENT_HELLO]) + b"\xff\xff\xff"
    pieces = [record(HANDSHAKE, head + bytes(16000))]
    pieces += [record(HANDSHAKE, bytes(16384))] * 1024
    assert refused(Said(gate, *pieces))


def test_records_that_are_too_large_or_empty(gate, tls):
    hi = hello(tls)
    for first in (struct.pack("!BHH", HANDSHAKE, 0x0303, 0xFFFF) + hi + bytes(66000),
                  struct.pack("!BHH", HANDSHAKE, 0x0303, 18500) + hi + bytes(19000),
                  record(HANDSHAKE, b""), record(ALERT, b""), record(DATA, b""),
                  record(HANDSHAKE, b"") * 1000 + record(HANDSHAKE, hi),
                  record(24, b"\1\x40\0"), record(0, hi), record(255, hi)):
        said = Said(gate, first)
        assert refused(said), (first[:16], said)


def test_a_heartbeat_is_not_answered(gate):
    said = Said(gate, record(HANDSHAKE, hello("1.2", more=[(15, b"\1")])),
                record(24, b"\1\x40\0"))
    assert said.ended and all(kind != 24 for kind, _ in said.records()), said


def test_messages_out_of_turn(gate, tls):
    """CVE-2014-0224 and its kind: a state is entered by its own message."""
    hi = record(HANDSHAKE, hello(tls))
    finished = record(HANDSHAKE, message(20, bytes(12)))
    certificate = record(HANDSHAKE, message(11, bytes(3)))
    for parts in ([finished], [certificate], [record(DATA, b"GET /")],
                  [CCS_RECORD, finished], [hi, hi], [hi, finished],
                  [hi, CCS_RECORD, finished], [hi, CCS_RECORD, certificate],
                  [hi, record(DATA, b"GET / HTTP/1.1\r\n\r\n")],
                  [record(HANDSHAKE, message(SERVER_HELLO, bytes(40)))]):
        said = Said(gate, *parts)
        assert said.ended, (parts, said)


def test_who_leaves_in_the_middle(gate, tls):
    """Half closed, reset, gone, after each byte count of a hello."""
    hi = record(HANDSHAKE, hello(tls, more=[(0xFDE8, bytes(200))]))
    for cut in [*range(12), 100, len(hi) - 1, len(hi)]:
        for leave in ("fin", "reset", "close"):
            with socket.create_connection(("127.0.0.1", gate.port), 30) as s:
                s.sendall(hi[:cut])
                if leave == "fin":
                    s.shutdown(socket.SHUT_WR)
                    try:
                        while s.recv(65536):
                            pass
                    except ConnectionResetError:
                        pass
                if leave == "reset":
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))


# --- floods ------------------------------------------------------------------

WARNING = record(ALERT, b"\1\x5a")       # user_canceled: passed over


@pytest.mark.parametrize("lead, again", [
    (b"", WARNING), (record(HANDSHAKE, hello("1.3")), CCS_RECORD)],
    ids=["warnings", "ccs"])
def test_a_flood_before_the_handshake_is_cut_by_its_deadline(scripted, lead, again):
    """What is passed over is no progress: the worker comes back to its other
    clients and to its clock, however fast it comes in."""
    gate, upstream = scripted(answering(OK), limits={"handshake_ms": 5000})
    with Calm(gate):
        heard = len(upstream.peers)
        sockets = [socket.create_connection(("127.0.0.1", gate.port), 30)
                   for _ in range(8)]           # each worker has some of them
        for s in sockets:
            s.sendall(lead)
        with Flood(sockets, again) as all_of_them:
            assert wait_until(all_of_them.are_cut, 30)
        for s in sockets:
            s.close()
        assert len(upstream.peers) == heard
