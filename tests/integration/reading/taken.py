# SPDX-License-Identifier: Apache-2.0
"""Odd spellings that have one meaning: taken, and written anew."""

from reading.bodies import HC
from reading.trial import API, JSON, Case, body_text
from wire import request

COMMAND = ("Config", "Cmd")


def taken(name, members, path, seen, ctype=JSON[0], target="/containers/create", coding=None):
    body = body_text(members)

    def send(t):
        data = request("POST", f"{API}{target}?name={t.name}", [ctype], body)
        if coding is None:
            return data
        chunks = request("POST", f"{API}{target}?name={t.name}", [ctype], chunks=[body])
        return chunks.replace(b": chunked", b": " + coding)

    return Case("taken", name, send, lambda t: t.inspect(*path), (201, seen), 201, "")


CASES = [
    # Exact where a double is not.
    taken("memory-of-54-bits", '"HostConfig":{"Memory":9007199254740993}', (HC, "Memory"),
          9007199254740993),
    taken("interval-of-63-bits", '"Healthcheck":{"Interval":9223372036854775807}',
          ("Config", "Healthcheck", "Interval"), 9223372036854775807),
    taken("minus-nothing", '"HostConfig":{"Memory":-0}', (HC, "Memory"), 0),
    taken("text-for-list-of-one", '"Cmd":"true"', COMMAND, ["true"]),
    taken("other-case", '"cmd":["true"]', COMMAND, ["true"]),
    taken("escapes", '"Cmd":["\\u0074rue","\\/","\\ud83d\\ude00"]', COMMAND,
          ["true", "/", "\U0001f600"]),
    taken("depth-of-64", f'"platform":{"[" * 63 + "]" * 63},"Cmd":["true"]', COMMAND, ["true"]),
    taken("blanks", ' \r\n\t"Cmd" : [ "true" ] ', COMMAND, ["true"]),
    taken("type-in-capitals", '"Cmd":["true"]', COMMAND, ["true"],
          "Content-Type: Application/JSON"),
    taken("type-with-charset", '"Cmd":["true"]', COMMAND, ["true"],
          "Content-Type: application/json; charset=utf-16"),
    taken("coding-in-capitals", '"Cmd":["true"]', COMMAND, ["true"], coding=b"Chunked"),
    taken("coding-with-blanks", '"Cmd":["true"]', COMMAND, ["true"], coding=b"  chunked \t"),
    # A gate that obeyed would send a body without a length, or none.
    Case("taken", "connection-names-type-and-length",
         lambda t: t.create(body_text('"Cmd":["true"]'),
                            ["Connection: Content-Type, Content-Length"]),
         lambda t: t.inspect(*COMMAND), (201, ["true"]), 201, ""),
    taken("escaped-path", '"Cmd":["true"]', COMMAND, ["true"],
          target="/c%6fntainers%2fcre%61te"),
]
