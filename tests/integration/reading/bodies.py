# SPDX-License-Identifier: Apache-2.0
"""JSON bodies that Go's encoding/json reads otherwise than a strict reader."""

from reading.trial import Case, JSON, bodies, body_text, exists
from wire import request

HC = "HostConfig"
PRIVILEGED = (HC, "Privileged")
TOWER = "[" * 100 + "]" * 100
TOWER_TOO_HIGH = "[" * 10_001 + "]" * 10_001
BIND = {"Type": "bind", "Source": "/", "Target": "/x"}
BIND_OF_OLD = {"Type": "bind", "Source": "/", "Target": "/y"}
MADE = (201, True)
# An error of 20.10 has the status 500.
NOT_MADE = {"20.10": (500, None), "26.1": (400, None)}
OF_OLD = {"20.10": MADE, "26.1": (400, None)}

FOLDED = [
    bodies("folded-names", "ascii", '"HOSTCONFIG":{"pRIVILEGED":true}', PRIVILEGED,
           MADE, "privileged"),
    bodies("folded-names", "long-s", '"Ho\u017ftConfig":{"Privileged":true}', PRIVILEGED,
           MADE, "privileged"),
    bodies("folded-names", "long-s-escaped", '"Ho\\u017ftConfig":{"Privileged":true}',
           PRIVILEGED, MADE, "privileged"),
    bodies("folded-names", "kelvin", '"HostConfig":{"Networ\u212aMode":"host"}',
           (HC, "NetworkMode"), (201, "host"), "host-namespaces"),
    bodies("folded-names", "kelvin-escaped", '"HostConfig":{"Networ\\u212aMode":"host"}',
           (HC, "NetworkMode"), (201, "host"), "host-namespaces"),
    # No fold in Go: an unknown name, which dockerd ignores.
    bodies("unknown-names", "dotless-i", '"HostConfig":{"Pr\u0131vileged":true}', PRIVILEGED,
           (201, False), "unknown-field"),
    bodies("unknown-names", "full-width", '"HostConfig":{"\uff30rivileged":true}', PRIVILEGED,
           (201, False), "unknown-field"),
    bodies("unknown-names", "blank-behind", '"HostConfig":{"Privileged ":true}', PRIVILEGED,
           (201, False), "unknown-field"),
]

def twice(name, first, again, path, straight):
    """Two members of one name: letter for letter, and in two spellings."""
    second = again.replace("HostConfig", "hostConfig").replace("Mounts", "mounts") \
        .replace("Labels", "labels")
    for suffix, text, rule in (("", again, "body"), ("-folded", second, "duplicate-field")):
        yield bodies("repeated-names", name + suffix, f"{first},{text}", path, straight, rule)


def mounts(*lists):
    return '"HostConfig":{' + ",".join(f'"Mounts":{text}' for text in lists) + "}"


REPEATED = [
    # What the first reader and the last reader of a name miss, each.
    bodies("repeated-names", "struct-first", '"HostConfig":{"Privileged":true},"HostConfig":{}',
           PRIVILEGED, MADE, "body"),
    *twice("struct-last", '"HostConfig":{}', '"HostConfig":{"Privileged":true}', PRIVILEGED,
           MADE),
    *twice("null-resets", '"HostConfig":{"Memory":67108864}', '"HostConfig":null',
           (HC, "Memory"), (201, 0)),
    *twice("maps-merge", '"Labels":{"a":"1"}', '"Labels":{"b":"2"}', ("Config", "Labels"),
           (201, {"a": "1", "b": "2"})),
    bodies("repeated-names", "scalar", '"HostConfig":{"Privileged":false,"privileged":true}',
           PRIVILEGED, MADE, "duplicate-field"),
    # A second array is read into the elements of the first.
    bodies("repeated-names", "slice-keeps-old-elements",
           mounts('[{"Type":"bind","Source":"/","Target":"/x"}]', '[{"Target":"/y"}]'),
           (HC, "Mounts"), (201, [BIND_OF_OLD]), "body"),
    bodies("repeated-names", "slice-is-half-replaced",
           mounts('[{"Type":"volume","Source":"v","Target":"/x"}]',
                  '[{"Type":"bind","Source":"/"}]').replace('"Mounts":[{"Type":"bind',
                                                            '"mounts":[{"Type":"bind'),
           (HC, "Mounts"), (201, [BIND]), "duplicate-field"),
    bodies("repeated-names", "slice-shows-old-elements-again",
           mounts('[{"Type":"tmpfs","Target":"/z"},{"Type":"bind","Source":"/","Target":"/x"}]',
                  "[{}]", '[{},{"Target":"/y"}]'),
           (HC, "Mounts", 1), (201, BIND_OF_OLD), "body"),
    # Keys of a map are data; the last value stays.
    bodies("repeated-names", "map-key", '"Labels":{"a":"1","a":"2"}', ("Config", "Labels"),
           (201, {"a": "2"}), "body"),
]

PLACES = [
    bodies("top-level", "privileged", '"Privileged":true', PRIVILEGED, MADE,
           "unknown-field"),
    bodies("top-level", "binds", '"HostConfig":null,"Binds":["/:/h"]', (HC, "Binds"),
           (201, ["/:/h"]), "unknown-field"),
    bodies("top-level", "beside-host-config", '"HostConfig":{},"Memory":67108864',
           (HC, "Memory"), (201, 67108864), "unknown-field"),
]

TEXTS = [
    bodies("broken-text", "nul-in-key", '"Labels":{"a\\u0000b":"1"}', ("Config", "Labels"),
           (201, {"a\0b": "1"}), "body"),
    bodies("broken-text", "nul-in-value", '"Env":["A=x\\u0000y"]', ("Config", "Env", 0),
           (201, "A=x\0y"), "body"),
    bodies("broken-text", "surrogates-collide", '"Labels":{"a\\ud800":"1","a\\udc01":"2"}',
           ("Config", "Labels"), (201, {"a\ufffd": "2"}), "body"),
    bodies("broken-text", "bytes-collide", body_text('"Labels":{"a\udcff":"1","a\udcfe":"2"}'),
           ("Config", "Labels"), (201, {"a\ufffd": "2"}), "body"),
    bodies("broken-text", "overlong", body_text('"Labels":{"\udcc0\udcaf":"1"}'),
           ("Config", "Labels"), (201, {"\ufffd\ufffd": "1"}), "body"),
    # dockerd refuses these too.
    bodies("not-json", "control-byte", '"Env":["A=\n"]', ("Id",), NOT_MADE, "body"),
    bodies("not-json", "byte-order-mark", b'\xef\xbb\xbf{"Image":"busybox"}', ("Id",),
           NOT_MADE, "body"),
    bodies("not-json", "comment", '/**/"Tty":true', ("Id",), NOT_MADE, "body"),
    bodies("not-json", "comma-at-end", '"Tty":true,', ("Id",), NOT_MADE, "body"),
    bodies("not-json", "single-quotes", "'Tty':true", ("Id",), NOT_MADE, "body"),
    bodies("not-json", "no-end", b'{"Image":"busybox"', ("Id",), NOT_MADE, "body"),
]

DEPTHS = [
    # The object is one level, and "platform" is what clients send and nobody reads.
    bodies("depth", "65", f'"platform":{"[" * 64 + "]" * 64},"Tty":true', ("Config", "Tty"),
           MADE, "body"),
    bodies("depth", "100", f'"x":{TOWER},"HostConfig":{{"Privileged":true}}', PRIVILEGED,
           MADE, "body"),
    bodies("depth", "10001", f'"x":{TOWER_TOO_HIGH},"Tty":true', ("Id",), NOT_MADE,
           "body"),
]

NUMBERS = [
    bodies("numbers", "exponent", '"HostConfig":{"Memory":1e9}', ("Id",), NOT_MADE, "type"),
    bodies("numbers", "exponent-of-nothing", '"HostConfig":{"Memory":67108864e0}', ("Id",),
           NOT_MADE, "type"),
    bodies("numbers", "fraction", '"HostConfig":{"Memory":67108864.0}', ("Id",), NOT_MADE,
           "type"),
    bodies("numbers", "past-64-bits", '"HostConfig":{"Memory":9223372036854775808}', ("Id",),
           NOT_MADE, "type"),
    bodies("numbers", "zero-in-front", '"HostConfig":{"Memory":067108864}', ("Id",), NOT_MADE,
           "body"),
    bodies("types", "text-for-bool", '"HostConfig":{"Privileged":"true"}', ("Id",), NOT_MADE,
           "type"),
    bodies("types", "number-for-bool", '"HostConfig":{"Privileged":1}', ("Id",), NOT_MADE,
           "type"),
    bodies("types", "text-for-list", '"HostConfig":{"Binds":"/:/h"}', ("Id",), NOT_MADE,
           "type"),
    # StrSlice: a string is taken for a list of one.
    bodies("types", "text-for-strslice", '"HostConfig":{"CapAdd":"SYS_ADMIN"}',
           (HC, "CapAdd"), (201, ["SYS_ADMIN"]), "capabilities"),
]

BEHIND = [
    bodies("trailing", "second-value",
           body_text('"HostConfig":{"Privileged":true}') + b' {"Image":"busybox"}', PRIVILEGED,
           OF_OLD, "body"),
    bodies("trailing", "junk", body_text('"HostConfig":{"Privileged":true}') + b"junk",
           PRIVILEGED, OF_OLD, "body"),
    # json.Decoder.More() takes these for the end of something.
    bodies("trailing", "brace", body_text('"HostConfig":{"Privileged":true}') + b"} junk",
           PRIVILEGED, MADE, "body"),
    bodies("trailing", "bracket", body_text('"HostConfig":{"Privileged":true}') + b"] junk",
           PRIVILEGED, MADE, "body"),
]


def typed(name, ctype, straight, status, rule):
    return Case("content-type", name,
                lambda t: request("POST", f"/v1.41/containers/create?name={t.name}",
                                  [f"Content-Type: {ctype}"], body_text('"Tty":true')),
                exists, straight, status, rule)


TYPES = [
    typed("text", "text/plain", (400, False), 403,
          "content-type"),
    typed("dotted-i", "appl\u0130cation/json".encode().decode("latin-1"), MADE, 415,
          "content-type"),
    typed("no-break-space", "application/json\u00a0".encode().decode("latin-1"), MADE, 415,
          "content-type"),
    typed("no-slash", "json", (400, False), 415, "content-type"),
    Case("content-type", "two",
         lambda t: t.create(body_text('"Tty":true'), ["Content-Type: text/plain"]),
         exists, MADE, 400, "http.framing"),
]

CASES = [*FOLDED, *REPEATED, *PLACES, *TEXTS, *DEPTHS, *NUMBERS, *BEHIND, *TYPES]
