# SPDX-License-Identifier: Apache-2.0
"""dockerd lets a form in the body override the query that policy judged."""

import pytest

from upstream import OK, answering

FORM = "application/x-www-form-urlencoded"

# Go: mime.ParseMediaType trims and lower-cases by Unicode, not by ASCII.
DISGUISES = {
    "plain": FORM,
    "case": "Application/X-WWW-Form-Urlencoded",
    "parameter": FORM + "; charset=utf-8",
    "dotted-I": "appl\u0130cation/x-www-form-urlencoded",
    "kelvin": FORM.replace("k", "\u212a") + "\u212a",
    "no-break-space": FORM + "\u00a0",
    "next-line": "\u0085" + FORM,
    "em-space": FORM + "\u2003; a=b",
    "multipart": "multipart/form-data; boundary=x",
    "multipart-case": "MultiPart/Form-Data; boundary=x",
    "no-slash": "x-www-form-urlencoded",
    "empty": "",
    "parameter-odd": "application/x-tar; a=\u00a0",
}


@pytest.mark.parametrize("role", ["admin", "ci-runner"])
@pytest.mark.parametrize("kind", DISGUISES)
def test_form_in_disguise(scripted, kind, role):
    gate, upstream = scripted(answering(OK), policy=role)
    body = b"fromSrc=http://127.0.0.1/"
    head = ("POST /v1.41/images/create?fromImage=busybox HTTP/1.1\r\nHost: a\r\n"
            f"Content-Type: {DISGUISES[kind]}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with gate.connect() as client:
        client.send(head + body)
        answer = client.reader.answer("POST")
    assert answer.status in (400, 415)
    assert upstream.received() == b""


@pytest.mark.parametrize("role", ["admin", "ci-runner"])
def test_bulk_has_a_type_of_our_own(scripted, role):
    gate, upstream = scripted(answering(OK), policy=role)
    with gate.connect() as client:
        answer = client.ask("POST", "/v1.41/images/load",
                            ["Content-Type: text/x-anything"], b"tar")
        assert answer.status == 200
    assert b"\r\nContent-Type: application/x-tar\r\n" in upstream.received()
    assert b"anything" not in upstream.received()


def test_a_form_without_a_body_is_none(scripted):
    """curl -X POST -d '' says form and sends nothing."""
    gate, upstream = scripted(answering(OK))
    with gate.connect() as client:
        answer = client.ask("POST", "/v1.41/containers/x/start",
                            [f"Content-Type: {FORM}"], b"")
        assert answer.status == 200
    assert b"form" not in upstream.received()
