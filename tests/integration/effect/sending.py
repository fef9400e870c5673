# SPDX-License-Identifier: Apache-2.0
"""Cases on their way through the gate, or straight; batches and verdicts."""

import collections
import json
import re
import socket
import threading

from effect.cases import case, post
from effect.world import BASES, SECRET
from wire import Reader, request, unix_connect

BATCH = 100
PATIENCE_S = 10
HONEST_S = 60  # what is to be answered


class Gated:
    """Exact bytes over mutual TLS, as a client with OU ci."""

    def __init__(self, gate):
        self.gate = gate
        self.client = None

    def send(self, c):
        """(status or None, everything that came)."""
        if self.client is None:
            self.client = self.gate.connect("job", "ci", timeout=PATIENCE_S)
        try:
            self.client.sock.settimeout(HONEST_S if c.honest else PATIENCE_S)
            self.client.send(c.data)
            if c.strange or c.streams:
                return self._to_the_end(self.client, self.client.shutdown_write)
            answer = self.client.reader.answer(c.method)
            if answer.headers.get("connection", "").lower() == "close" or answer.status == 101 \
                    or "content-length" not in answer.headers and \
                    "transfer-encoding" not in answer.headers and answer.status not in (204, 304):
                self.close()
            return answer.status, answer.body
        except (EOFError, OSError, ValueError) as e:
            self.close()
            return None, repr(e).encode()

    def _to_the_end(self, client, shut):
        """For what may be answered by anything: half-close, and read it all."""
        first = client.reader.line()
        status = status_of(first)
        if status in (101, 200):
            # Lines for a process that should not be listening; what it says
            # back may have no end.
            client.send(b"typed\n")
            client.sock.settimeout(0.1)
        shut()
        rest = b""
        try:
            while data := client.recv():
                rest += data
        except socket.timeout:
            pass
        rest = client.reader.held + rest
        self.close()
        return status, first + b"\r\n" + rest

    def close(self):
        if self.client is not None:
            self.client.sock.close()
            self.client = None


class Ungated:
    """The same bytes to dockerd itself: what would have happened."""

    def __init__(self, path):
        self.path = path

    def send(self, c):
        with unix_connect(self.path, PATIENCE_S) as s:
            reader = Reader(lambda: s.recv(65536))
            try:
                s.sendall(c.data)
                first = reader.line()
                if status_of(first) in (101, 200):
                    s.sendall(b"typed\n")
                s.shutdown(socket.SHUT_WR)
                s.settimeout(0.3)
                try:
                    rest = reader.rest()
                except socket.timeout:
                    rest = reader.held
                return status_of(first), first + b"\r\n" + rest
            except (EOFError, OSError) as e:
                return None, repr(e).encode()

    def close(self):
        pass


def status_of(line):
    match = re.match(rb"HTTP/1\.\d (\d{3})", line)
    return int(match.group(1)) if match else None


class Run:
    """A number of cases of one seed, and what came of them.

    A volume is known by its name alone: one that an earlier run made would be
    no news where this run makes it again, and its removal, still under way,
    would take this run's.  So the numbers in names are a run's own.
    """

    def __init__(self, world, way, seed, is_alive=lambda: True):
        self.world = world
        self.way = way
        self.seed = seed
        self.base = world.next_base()
        self.is_alive = is_alive
        self.kinds = collections.Counter()
        self.statuses = collections.Counter()
        self.honest = collections.Counter()
        self.silent = []
        self.faults = []        # (what, Case or None)

    def case(self, index):
        return case(self.seed, index, self.world.names(), self.base)

    def one(self, c):
        """Sends one; faults that its answer shows."""
        status, came = self.way.send(c)
        said = "honest" if c.honest else "dangerous"
        self.kinds[f"{said} {c.kind.split('/')[0]}"] += 1
        self.statuses[f"{said} {status}"] += 1
        if status is None:
            self.silent.append((c, came))
        if SECRET in came:
            self.faults.append(("the answer holds a file of the host", c))
        if c.honest:
            self._honest(c, status, came)
        return status, came

    def _honest(self, c, status, came):
        self.honest[status] += 1
        # What is honest is well-formed too: dockerd has no reason for a 4xx.
        if status is None or 400 <= status < 500 or b"dinv:" in came[:300]:
            self.faults.append((f"an honest request was refused: {status} {came[:300]!r}", c))
        elif c.then_start and status == 201:
            exec_id = json.loads(came)["Id"]
            start = post(f"/exec/{exec_id}/start", b'{"Detach":true}')
            answer = self.way.send(type(c)(c.index, "exec-start", True, start.to_bytes(), "POST"))
            if answer[0] == 403:
                self.faults.append((f"an honest start of an exec was refused: {answer}", c))

    def batch(self, indices):
        """Sends them, asks dockerd, and finds out who did it."""
        sent = [self.case(i) for i in indices]
        for c in sent:
            self.one(c)
        assert self.is_alive(), f"the gate has ended, in {sent[0].index} to {sent[-1].index}"
        found = self.world.check()
        loose = []
        for fault in found:
            owner = self.owner(fault, sent)
            if owner is None:
                loose.append(fault)
            else:
                self.faults.append((fault.said, owner))
        if loose:
            self._pin_down(loose, sent)

    def owner(self, fault, sent):
        match = re.fullmatch(r"/?e(\d+)(:latest)?", fault.name)
        index = match.group(1) if match else fault.labels.get("effect")
        return next((c for c in sent if str(c.index) == index), None)

    def _pin_down(self, loose, sent):
        """Each again by itself.  What then does nothing is reported too."""
        pinned = 0
        for c in sent:
            self.way.send(c)
            for fault in self.world.check():
                pinned += 1
                self.faults.append((fault.said, c))
        if not pinned:
            self.faults += [(f"{f.said} (by one of {sent[0].index} to {sent[-1].index})", None)
                            for f in loose]

    def report(self):
        return "\n".join(f"  {name:28} {count}" for part in (self.kinds, self.statuses)
                         for name, count in sorted(part.items(), key=str))


def told(seed, faults, most=3):
    """A failure's text: what, which, the exact bytes, and how to see it again."""
    lines = [f"{count} x {kind}: {said}" for (kind, said), count in collections.Counter(
        (c.kind if c else "?", said[:200]) for said, c in faults).most_common(20)]
    for said, c in faults[:most]:
        lines.append(f"{said}\n    seed {seed}, {c}")
        if c is not None:
            lines.append(f"    bytes: {c.data[:5000]!r}\n    again: DINV_EFFECT_SEED={seed} "
                         f"DINV_EFFECT_ONLY={c.index % BASES} make e2e T=takes_effect")
    return "\n".join(lines)


def race(world, gate, count):
    """Execs by a name that changes hands between a container that is no
    danger and one that is: (made, refused, faults)."""
    twin = world._container("swapped", False)
    world.seen["containers"].add(twin)
    done = threading.Event()

    def swap():
        api = type(world.api)(world.socket)
        while not done.is_set():
            for moved, name in ((twin, "aside"), (world.bad, "swapped"), (world.bad, "bad"),
                                (twin, "swapped")):
                api.ask("POST", f"/containers/{moved}/rename?name={name}")
        api.close()

    api = world.api
    api.must("POST", f"/containers/{twin}/start")
    swapper = threading.Thread(target=swap)
    swapper.start()
    made = refused = 0
    try:
        with gate.connect("job", "ci") as client:
            for _ in range(count):
                answer = client.ask("POST", "/containers/swapped/exec",
                                    ["Content-Type: application/json"], b'{"Cmd":["id"]}')
                made += answer.status == 201
                refused += answer.status == 403
    finally:
        done.set()
        swapper.join()
    faults = world.check()
    faults += world._execs_of(api.must("GET", f"/containers/{twin}/json"))
    faults += world._execs_of(api.must("GET", f"/containers/{world.bad}/json"))
    api.must("DELETE", f"/containers/{twin}?force=1")
    return made, refused, faults
