# SPDX-License-Identifier: Apache-2.0
"""Forms in bodies, queries and paths that dockerd reads otherwise than others."""

import io
import tarfile

from reading.trial import API, JSON, Case, body_text, exists
from wire import request

FORM = "Content-Type: application/x-www-form-urlencoded"
PRIVILEGED = body_text('"HostConfig":{"Privileged":true}')


def form(target, body, ctype=FORM):
    def send(t):
        return request("POST", API + target.replace("NAME", t.name), [ctype],
                       body.replace("NAME", t.name).encode())
    return send


def image(suffix):
    return lambda t: t.get(f"/images/{t.name}{suffix}:1/json") is not None


def renamed(t):
    return (t.inspect("Name", name=t.name + "evil") or "")[-4:]


def running(t):
    return t.inspect("State", "Running")


def dockerfile():
    """A context whose build prints the links it sees; its end is beyond 4096 bytes."""
    out = io.BytesIO()
    text = b"FROM busybox\nRUN echo links: $(ls /sys/class/net)\n"
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return out.getvalue()[:2048] + b"\r\n" * 3072


def build(query, behind=b"", ctype="Content-Type: application/x-tar"):
    return lambda t: request("POST", f"{API}/build?nocache=1&{query}", [ctype],
                             dockerfile() + behind)


def links(t):
    """Did a step of the build see dockerd's own bridge?"""
    return "docker0" in t.said() if t.answer is not None else False


def part(name, value):
    return (f'\r\n--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            "--x--\r\n").encode()


NOT_TAKEN = "content-type"

FORMS = [
    Case("forms", "tag", form("/images/busybox/tag?repo=NAMEgood&tag=1", "repo=NAMEevil"),
         image("evil"), (201, True), 415, NOT_TAKEN),
    Case("forms", "case", form("/images/busybox/tag?repo=NAMEgood&tag=1", "repo=NAMEevil",
                               "Content-Type: Application/X-WWW-Form-Urlencoded; a=b"),
         image("evil"), (201, True), 415, NOT_TAKEN),
    Case("forms", "rename", form("/containers/NAME/rename?name=NAMEgood", "name=NAMEevil"),
         renamed, (204, "evil"), 415, NOT_TAKEN, ready=lambda t: t.run()),
    Case("forms", "kill", form("/containers/NAME/kill?signal=CONT", "signal=KILL"),
         running, (204, False), 415, NOT_TAKEN, ready=lambda t: t.run()),
    Case("forms", "pull",
         lambda t: form("/images/create?fromImage=127.0.0.1:1/good&tag=1",
                        f"fromImage=127.0.0.1:{t.ear.port}/evil")(t),
         lambda t: len(t.ear.taken()) > 0, (500, True), 415, NOT_TAKEN),
    Case("forms", "pull-becomes-import",
         lambda t: form("/images/create?fromImage=127.0.0.1:1/good&tag=1",
                        f"fromImage=&fromSrc=http://127.0.0.1:{t.ear.port}/")(t),
         lambda t: len(t.ear.taken()) > 0, (500, True), 415, NOT_TAKEN),
    # dockerd looks at the first 4096 bytes before it reads the form: they are the
    # context, and what follows is the form.
    Case("forms", "build-behind-4-kb", build("networkmode=none", b"&networkmode=host", FORM),
         links, (200, True), 415, NOT_TAKEN),
    # Read by /build alone, and behind the query: a key that the query has not.
    Case("forms", "build-multipart",
         build("q=0", part("networkmode", "host"),
               "Content-Type: multipart/form-data; boundary=x"),
         links, (200, True), 415, NOT_TAKEN),
    Case("forms", "tag-multipart",
         lambda t: request("POST", f"{API}/images/busybox/tag?repo={t.name}good&tag=1",
                           ["Content-Type: multipart/form-data; boundary=x"],
                           part("repo", t.name + "evil")),
         image("evil"), (201, False), 415, NOT_TAKEN),
]

QUERIES = [
    # dockerd takes the first, others the last.
    Case("query", "repeated-key-first", build("networkmode=host&networkmode=none"), links,
         (200, True), 403, "build-host-network"),
    Case("query", "repeated-key-last", build("networkmode=none&networkmode=host"), links,
         (200, False), 403, "repeated-query"),
    Case("query", "repeated-name",
         lambda t: request("POST", f"{API}/containers/create?name={t.name}&name={t.name}good",
                           JSON, body_text('"Tty":true')),
         exists, (201, True), 403, "repeated-query"),
    Case("query", "semicolon", build("networkmode=none;x&networkmode=host"), links,
         (200, True), 400, "target.query"),
    Case("query", "bad-escape", build("networkmode=none%zz&networkmode=host"), links,
         (200, True), 400, "target.query"),
    # Where dockerd checks the query as a whole, it refuses as well.
    Case("query", "semicolon-elsewhere",
         lambda t: request("POST", f"{API}/containers/create?name={t.name};x", JSON,
                           body_text('"Tty":true')),
         exists, (400, False), 400, "target.query"),
    Case("query", "bad-escape-elsewhere",
         lambda t: request("POST", f"{API}/containers/create?name={t.name}&x=%zz", JSON,
                           body_text('"Tty":true')),
         exists, (400, False), 400, "target.query"),
]


def path(target, prefix=""):
    return lambda t: request("POST", f"{prefix}{target}?name={t.name}", JSON, PRIVILEGED)


def old_start(t):
    t.api.must("POST", f"/containers/create?name={t.name}", {"Image": "busybox"})


def privileged(t):
    return t.inspect("HostConfig", "Privileged")


def at(name, target, straight, status, rule, row="path"):
    return Case(row, name, path(target), privileged, straight, status, rule)


PATHS = [
    at("escaped-letters", "/v1.41/c%6fntainers/cre%61te", (201, True), 403, "privileged"),
    at("escaped-version", "/%761.41/containers/create", (201, True), 403, "privileged"),
    at("escaped-slash", "/v1.41%2Fcontainers%2fcreate", (201, True), 403, "privileged"),
    at("dot-segments", "/x/../containers/create", (301, None), 400, "target"),
    at("escaped-dots", "/x/%2e%2e/containers/create", (301, None), 400,
       "target"),
    at("empty-segment", "//containers/create", (301, None), 400, "target"),
    at("slash-at-end", "/containers/create/", (404, None), 400, "target"),
    at("nul", "/containers/create%00", (404, None), 400, "target"),
    at("fragment", "/containers/create#x", (404, None), 400, "target"),
    at("absolute", "http://a/v1.41/containers/create", (201, True), 400, "target"),
    at("absolute-odd", "unix:///v1.41/containers/create", (201, True), 400, "target"),
    at("scheme-of-nothing", "foo:/v1.41/containers/create", (201, True), 400, "http.syntax"),
    at("zeros", "/v01.0041/containers/create", (201, True), 400, "target.version", "version"),
    at("more-numbers", "/v1.41.0.0/containers/create", (201, True), 400, "target.version",
       "version"),
    at("dot-behind", "/v1.41./containers/create", (201, True), 400, "target.version", "version"),
    at("none", "/containers/create", (201, True), 403, "privileged", "version"),
    at("too-new", "/v1.99/containers/create", (400, None), 403, "api-version", "version"),
    # Before 1.24 the body of start replaces HostConfig.
    Case("version", "too-old",
         lambda t: request("POST", f"/v1.23/containers/{t.name}/start", JSON,
                           b'{"Binds":["/:/h"]}'),
         lambda t: t.inspect("HostConfig", "Binds"),
         {"20.10": (204, ["/:/h"]), "26.1": (400, None)}, 400, "target.version", ready=old_start),
]

CASES = [*FORMS, *QUERIES, *PATHS]
