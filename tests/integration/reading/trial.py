# SPDX-License-Identifier: Apache-2.0
"""One ambiguous request, and where to look for what it did.

A Case says what is sent and what dockerd does with it when nobody stands in
between.  A Trial is one sending of it, under a name that nobody used before.
"""

import dataclasses
import json
import typing

from effect.world import Ear
from wire import request

API = "/v1.41"
JSON = ["Content-Type: application/json"]


def body_text(members):
    """A container's create body; members is JSON text without its braces."""
    return ('{"Image":"busybox",' + members + "}").encode("utf-8", "surrogateescape")


class Door(Ear):
    """A registry that asks for a password, on dockerd's own loopback."""

    ANSWER = (b"HTTP/1.1 401 Unauthorized\r\nDocker-Distribution-Api-Version: registry/2.0\r\n"
              b'WWW-Authenticate: Basic realm="door"\r\nContent-Length: 0\r\n'
              b"Connection: close\r\n\r\n")

    def _listen(self):
        while True:
            try:
                peer, _ = self.sock.accept()
                peer.settimeout(5)
                self.calls.append(peer.recv(4000))
                peer.sendall(self.ANSWER)
                peer.close()
            except OSError:
                return


class Trial:
    def __init__(self, api, ear, door, name):
        self.api = api      # effect.world.Straight
        self.ear = ear      # effect.world.Ear
        self.door = door
        self.name = name
        self.kept = {}      # what ready() found out
        self.answer = None

    def get(self, target):
        return self.api.get(target)

    def inspect(self, *path, name=None):
        """A value of what inspect says of the container; None where there is none."""
        at = self.get(f"/containers/{name or self.name}/json")
        for step in path:
            if at is None:
                return None
            at = at.get(step) if isinstance(at, dict) else at[step] if len(at) > step else None
        return at

    def create(self, body=b'{"Image":"busybox","HostConfig":{"Privileged":true}}',
               headers=(), name=None, **framing):
        """A create request's bytes; it is dangerous unless told otherwise."""
        return request("POST", f"{API}/containers/create?name={name or self.name}",
                       [*JSON, *headers], body if not framing else None, **framing)

    def run(self):
        """A container of this name that runs."""
        made = self.api.must("POST", f"/containers/create?name={self.name}",
                             {"Image": "busybox", "Cmd": ["sleep", "600"]})
        self.api.must("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def said(self):
        """dockerd's answer, as text."""
        return self.answer.body.decode("utf-8", "replace") if self.answer else ""

    def clean(self):
        for name in (self.name, self.name + "evil", self.name + "good"):
            self.api.ask("DELETE", f"/containers/{name}?force=1&v=1")
            self.api.ask("DELETE", f"/images/{name}:1")


@dataclasses.dataclass
class Case:
    row: str            # of the table in docs/threat-model.md
    name: str
    send: typing.Callable[[Trial], bytes]
    # What is looked at before and after; what stands there afterwards where
    # dockerd was asked straight, with the status it answered.
    look: typing.Callable[[Trial], object]
    straight: object    # (status, seen), or {version: (status, seen)}
    # The gate's answer to ci-runner, and the rule in its audit record.
    status: int
    rule: str
    ready: typing.Callable[[Trial], None] = lambda t: None
    answers: int = 1    # how many dockerd gives when asked straight

    def expected(self, version):
        return self.straight[version] if isinstance(self.straight, dict) else self.straight

    @property
    def id(self):
        return f"{self.row}-{self.name}"


def bodies(row, name, members, path, straight, rule, status=403):
    """A case of a create body, looked at with inspect."""
    data = members if isinstance(members, bytes) else body_text(members)
    return Case(row, name, lambda t: t.create(data), lambda t: t.inspect(*path),
                straight, status, rule)


def exists(t):
    return t.get(f"/containers/{t.name}/json") is not None


def message(answer):
    try:
        return json.loads(answer.body)["message"]
    except (ValueError, KeyError, TypeError):
        return answer.body.decode("utf-8", "replace")
