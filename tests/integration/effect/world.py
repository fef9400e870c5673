# SPDX-License-Identifier: Apache-2.0
"""What an administrator made, and dockerd's own words about what is new.

Everything here speaks to dockerd's unix socket, past the gate.
"""

import collections
import ctypes
import json
import os
import queue
import socket
import threading

from effect.judge import Judge
from effect.spell import quoted
from waiting import wait_until
from wire import Reader, request, unix_connect

API = "/v1.41"
SECRET = b"the-secret-of-the-host"
BASES = 1000000     # no run has more requests
LOOP = "while read -r line; do echo \"got $line\"; done; sleep 100000"

Fault = collections.namedtuple("Fault", "said name labels")


class Straight:
    """A client of dockerd's socket that keeps its connection."""

    def __init__(self, path):
        self.path = path
        self.sock = None

    def ask(self, method, target, body=None):
        """(status, value)."""
        headers = []
        data = None
        if body is not None:
            headers, data = ["Content-Type: application/json"], json.dumps(body).encode()
        elif method == "POST":
            data = b""
        said = request(method, API + target, headers, data)
        if self.sock is None:
            self.sock = unix_connect(self.path, 60)
            self.reader = Reader(lambda: self.sock.recv(1 << 20))
        self.sock.sendall(said)
        answer = self.reader.answer(method)
        try:
            return answer.status, json.loads(answer.body) if answer.body else None
        except ValueError:
            return answer.status, answer.body

    def get(self, target):
        status, value = self.ask("GET", target)
        return value if status == 200 else None

    def must(self, method, target, body=None):
        status, value = self.ask(method, target, body)
        assert status < 400, f"{method} {target}: {status} {value}"
        return value

    def close(self):
        if self.sock is not None:
            self.sock.close()


class Events:
    """dockerd's events as they happen, read by a thread."""

    def __init__(self, path):
        self.queue = queue.Queue()
        self.sock = unix_connect(path, None)
        self.sock.sendall(request("GET", API + "/events"))
        self.reader = Reader(lambda: self.sock.recv(1 << 20))
        self.reader.head()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        held = b""
        try:
            while True:
                held += self.reader.chunk()
                *lines, held = held.split(b"\n")
                for line in lines:
                    self.queue.put(json.loads(line))
        except (EOFError, OSError, ValueError):
            self.queue.put(None)

    def until(self, is_last):
        """Everything up to the event for which is_last holds."""
        found = []
        while True:
            event = self.queue.get(timeout=60)
            assert event is not None, "dockerd's events ended"
            if is_last(event):
                return found
            found.append(event)

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Ear:
    """A port on dockerd's own loopback that counts who calls."""

    def __init__(self, pid):
        self.calls = []
        self.sock = None
        maker = threading.Thread(target=self._make, args=(pid,))
        maker.start()
        maker.join()
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _make(self, pid):
        """Only this thread moves into the other network."""
        libc = ctypes.CDLL(None, use_errno=True)
        fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            if libc.setns(fd, 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            self.sock = socket.create_server(("127.0.0.1", 0))
        finally:
            os.close(fd)

    def _listen(self):
        while True:
            try:
                peer, _ = self.sock.accept()
                peer.settimeout(1)
                self.calls.append(peer.recv(200))
                peer.close()
            except socket.timeout:
                self.calls.append(b"")
            except OSError:
                return

    def taken(self):
        calls, self.calls = self.calls, []
        return calls

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class World:
    def __init__(self, dockerd, folder):
        self.folder = folder
        self.socket = dockerd.socket
        os.makedirs(folder)
        with open(os.path.join(folder, "secret"), "wb") as f:
            f.write(SECRET)
        self.api = Straight(dockerd.socket)
        self.ear = Ear(dockerd.holder.pid)
        self.marks = 0
        self.runs = 0
        self.volumes = {}
        self.networks = {}
        self.removals = queue.Queue()
        self.remover = threading.Thread(target=self._remove, daemon=True)
        self.seen = collections.defaultdict(set)
        self._make()
        for kind in ("containers", "volumes", "networks", "images"):
            self.seen[kind] = self._ids(kind)
        self.events = Events(dockerd.socket)
        self.remover.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # --- making --------------------------------------------------------------

    def _container(self, name, start, **more):
        body = {"Image": "busybox", "Cmd": ["sleep", "100000"], **more}
        made = self.api.must("POST", f"/containers/create?name={name}", body)["Id"]
        if start:
            self.api.must("POST", f"/containers/{made}/start")
        return made

    def _make(self):
        api = self.api
        for name in ("good", "bad", "priv", "plain"):
            api.ask("DELETE", f"/containers/{name}?force=1&v=1")
        api.must("POST", "/volumes/create", {"Name": "own"})
        api.must("POST", "/volumes/create", {"Name": "badvol", "DriverOpts": {
            "type": "none", "o": "bind", "device": self.folder}})
        self.own = api.must("POST", "/networks/create", {"Name": "own"})["Id"]
        self.host = api.must("GET", "/networks/host")["Id"]
        # Internal: on a parent of its own.  Not every kernel has the driver.
        api.ask("POST", "/networks/create", {"Name": "badnet", "Driver": "macvlan",
                                             "Internal": True})
        plain = self._container("plain", False, HostConfig={})
        self.plain = api.must("GET", f"/containers/{plain}/json")
        api.must("DELETE", f"/containers/{plain}")
        self.bad = self._container("bad", True, Cmd=["sh", "-c", LOOP], OpenStdin=True, HostConfig={
            "Binds": [f"{self.folder}:/h"], "Init": True})
        self.priv = self._container("priv", False, HostConfig={"Privileged": True})
        self.judge = Judge(self.plain, {self.bad: "bad", self.priv: "priv"},
                           self._volume, self.network)
        self._make_good()

    def _make_good(self):
        """The container that everybody may touch, with one dangerous exec."""
        self.api.ask("DELETE", "/containers/good?force=1")
        self.good = self._container("good", True, HostConfig={"Init": True})
        self.bad_exec = self.api.must("POST", f"/containers/{self.good}/exec",
                                      {"Cmd": ["id"], "Privileged": True})["Id"]
        self.judge.dangerous[self.bad_exec] = "exec"
        self.execs = {self.bad_exec}
        self.seen["containers"].add(self.good)

    def names(self):
        return {"$BAD": "bad", "$BADID": self.bad, "$BADPREFIX": self.bad[:12],
                "$BADVOL": "badvol", "$PRIV": "priv", "$PRIVID": self.priv,
                "$GOODID": self.good, "$OWNNET": self.own, "$HOSTNET": self.host,
                "$HOSTPREFIX": self.host[:12], "$EXEC": self.bad_exec,
                "$FOLDER": self.folder, "$PORT": str(self.ear.port)}

    def next_base(self):
        """The first number of a run; see sending.py, Run."""
        self.runs += 1
        return self.runs * BASES

    def _volume(self, name):
        if name not in self.volumes:
            self.volumes[name] = self.api.get(f"/volumes/{name}")
        return self.volumes[name]

    def network(self, name):
        """By whatever dockerd takes for it; None where there is none."""
        if name not in self.networks:
            self.networks[name] = self.api.get(f"/networks/{quoted(name).replace('/', '%2F')}")
        return self.networks[name]

    # --- what is new ---------------------------------------------------------

    def _list(self, kind):
        target = {"containers": "/containers/json?all=1", "volumes": "/volumes",
                  "networks": "/networks", "images": "/images/json?all=1"}[kind]
        found = self.api.must("GET", target)
        return (found["Volumes"] or []) if kind == "volumes" else found

    def _ids(self, kind):
        return {x.get("Id") or x["Name"] for x in self._list(kind)}

    def _new(self, kind):
        found = [x for x in self._list(kind)
                 if (x.get("Id") or x["Name"]) not in self.seen[kind]]
        self.seen[kind] |= {x.get("Id") or x["Name"] for x in found}
        return found

    def check(self):
        """Every Fault since the last check; what was new is removed."""
        self.networks.clear()
        faults = self._happened()
        for fresh in self._new("containers"):
            c = self.api.get(f"/containers/{fresh['Id']}/json")
            if c is None:
                continue
            name, labels = c["Name"], c["Config"]["Labels"] or {}
            faults += [Fault(f, name, labels) for f in self.judge.container(c)]
            faults += self._execs_of(c)
            self.removals.put(f"/containers/{fresh['Id']}?force=1&v=1")
        faults += self._good()
        for v in self._new("volumes"):
            faults += [Fault(f, v["Name"], v["Labels"] or {}) for f in self.judge.new_volume(v)]
            self.volumes.pop(v["Name"], None)
            self.removals.put(f"/volumes/{v['Name']}")
        for n in self._new("networks"):
            faults += [Fault(f, n["Name"], n["Labels"] or {}) for f in self.judge.network(n)]
            self.removals.put(f"/networks/{n['Id']}")
        for i in self._new("images"):
            faults += self._image(i["Id"])
            self.removals.put(f"/images/{i['Id']}?force=1")
        faults += [Fault(f"dockerd called out: {call!r}", "", {}) for call in self.ear.taken()]
        planted = set(os.listdir(self.folder)) - {"secret"}
        faults += [Fault(f"written on the host: {name}", "", {}) for name in planted]
        for name in planted:
            os.unlink(os.path.join(self.folder, name))
        return faults

    def _good(self):
        """The container that everybody may touch; made anew when spoilt."""
        good = self.api.must("GET", f"/containers/{self.good}/json")
        faults = [Fault(f"container good: {f}", "", {}) for f in self.judge.container(good)]
        faults += self._execs_of(good)
        if faults:
            self._make_good()
        return faults

    def _execs_of(self, c):
        faults = []
        for exec_id in set(c.get("ExecIDs") or []) - self.execs:
            self.execs.add(exec_id)
            found = self.api.get(f"/exec/{exec_id}/json")
            if found is not None:
                faults += [Fault(f, "", {}) for f in self.judge.exec(found)]
        return faults

    def _image(self, image_id):
        found = self.api.get(f"/images/{image_id}/json")
        if found is None:
            return []
        faults = []
        made_of = found.get("Container") or ""
        if made_of in (self.bad, self.priv):
            faults.append(Fault("an image of a dangerous container",
                                "".join(found.get("RepoTags") or []), {}))
        return faults

    def _happened(self):
        """Faults in the events up to now.  A volume marks where now is."""
        self.marks += 1
        mark = f"mark{self.marks}"
        self.api.must("POST", "/volumes/create", {"Name": mark})
        self.api.must("DELETE", f"/volumes/{mark}")
        events = self.events.until(
            lambda e: e["Type"] == "volume" and e["Action"] == "destroy"
            and e["Actor"]["ID"] == mark)
        faults = []
        for e in events:
            attributes = e["Actor"].get("Attributes") or {}
            faults += [Fault(f, attributes.get("name", ""), attributes)
                       for f in self.judge.event(e)]
        return faults

    def swarm_is_off(self):
        return self.api.must("GET", "/info")["Swarm"]["LocalNodeState"] == "inactive"

    # --- removing ------------------------------------------------------------

    def _remove(self):
        """One by one, while the next requests are under way; a volume that a
        container still has is tried again."""
        api = Straight(self.socket)
        left = []
        while True:
            target = self.removals.get()
            if target is None:
                break
            if api.ask("DELETE", target)[0] == 409:
                left.append(target)
            if self.removals.empty() or len(left) > 50:
                left = [t for t in left if api.ask("DELETE", t)[0] == 409]
        for target in left:
            api.ask("DELETE", target)
        api.close()

    def close(self):
        self.removals.put(None)
        wait_until(lambda: not self.remover.is_alive(), 100)
        self.events.close()
        self.ear.close()
        for target in ("/containers/good?force=1&v=1", "/containers/bad?force=1&v=1",
                       "/containers/priv?force=1&v=1", "/networks/own", "/networks/badnet",
                       "/volumes/own",
                       "/volumes/badvol"):
            self.api.ask("DELETE", target)
        self.api.close()
