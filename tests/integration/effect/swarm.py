# SPDX-License-Identifier: Apache-2.0
"""A swarm of one node that an administrator made, and dockerd's own words
about its services: their specs, and the containers of their tasks.

Everything here speaks to dockerd's unix socket, past the gate.
"""

import json
import os
from urllib.parse import quote

from effect.judge import Judge, target_faults
from effect.world import BASES, SECRET, Ear, Fault, Straight
from waiting import wait_until

PLAIN = {"ContainerSpec": {"Image": "busybox", "Command": ["sleep", "100000"],
                           "StopGracePeriod": 1000000},
         "RestartPolicy": {"Condition": "none"}}
BY_SERVICE = "com.docker.swarm.service.name"
# A task that does not go on by itself: it runs, it ended, or it says why not.
SETTLED = {"running", "complete", "failed", "rejected", "shutdown", "orphaned", "remove"}

HARMLESS_SPEC = {
    "Args", "CapabilityDrop", "Command", "DNSConfig", "Dir", "Env", "Groups", "Healthcheck",
    "Hostname", "Image", "Init", "Isolation", "Labels", "OpenStdin", "ReadOnly",
    "StopGracePeriod", "StopSignal", "TTY", "Ulimits", "User"}
HARMLESS_TASK = {"ForceUpdate", "Placement", "RestartPolicy", "ContainerSpec"}


class ServiceJudge:
    """The policy of a role with services (docs/policy.md), held against specs.
    What is set and not known to be harmless is a fault."""

    def __init__(self, judge, network):
        self.judge = judge
        self.network = network

    def service(self, s):
        spec = s.get("Spec") or {}
        yield from self.task(spec.get("TaskTemplate") or {})
        for n in spec.get("Networks") or []:
            yield from self.on_network(n)

    def task(self, task):
        for key, value in task.items():
            if key == "Networks":
                for n in value or []:
                    yield from self.on_network(n)
            elif key == "LogDriver":
                if value.get("Name") not in ("", "json-file", "local", "none") \
                        or set(value.get("Options") or {}) - {"max-size", "max-file"}:
                    yield f"LogDriver {value}"
            elif key == "Resources":
                if "Generic" in json.dumps(value):
                    yield f"Resources {value}"
            elif key == "Runtime":
                if value != "container":
                    yield f"Runtime {value!r}"
            elif key not in HARMLESS_TASK and value:
                yield f"{key} {value!r}"
        for key, value in (task.get("ContainerSpec") or {}).items():
            if key == "Mounts":
                yield from self.mounts(value or [])
            elif key == "Privileges":
                yield from self.privileges(value or {})
            elif key == "Hosts":
                yield from (h for h in value or [] if "host-gateway" in h)
            elif key == "OomScoreAdj":
                if value < 0:
                    yield f"OomScoreAdj {value}"
            elif key not in HARMLESS_SPEC and value:
                yield f"{key} {value!r}"

    def mounts(self, mounts):
        yield from self.judge.requested_mounts(mounts)
        for m in mounts:
            if "{{" in m.get("Source", "") + m.get("Target", ""):
                yield f"a template in {m}"
            yield from target_faults(m.get("Target") or "")
            if m.get("Type") == "volume" and m.get("Source"):
                yield from self.judge.volume_faults({"Name": m["Source"], "Driver": "local"})

    def privileges(self, p):
        if p.get("CredentialSpec") or any((p.get("SELinuxContext") or {}).values()):
            yield f"Privileges {p}"
        for key, word in (("Seccomp", "default"), ("AppArmor", "default")):
            if (p.get(key) or {}).get("Mode", word) != word:
                yield f"{key} {p[key]}"

    def on_network(self, n):
        found = self.network(n.get("Target"))
        if found is None or found["Driver"] not in ("bridge", "null") or n.get("DriverOpts"):
            yield f"Networks {n}: {found and (found['Name'], found['Driver'])}"


class Swarm:
    """The same as World is to the effect test: next_base(), names(), check()."""

    def __init__(self, dockerd, folder):
        self.folder = folder
        os.makedirs(folder)
        with open(os.path.join(folder, "secret"), "wb") as f:
            f.write(SECRET)
        self.socket = dockerd.socket
        self.api = Straight(dockerd.socket)
        self.ear = Ear(dockerd.holder.pid)
        self.runs = 0
        self._make()

    def next_base(self):
        self.runs += 1
        return self.runs * BASES

    # --- making --------------------------------------------------------------

    def _make(self):
        api = self.api
        api.must("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377",
                                         "AdvertiseAddr": "127.0.0.1"})
        api.must("POST", "/volumes/create", {"Name": "own"})
        api.must("POST", "/volumes/create", {"Name": "badvol", "DriverOpts": {
            "type": "none", "o": "bind", "device": self.folder}})
        over = api.must("POST", "/networks/create", {"Name": "over", "Driver": "overlay"})
        self.secret = api.must("POST", "/secrets/create", {"Name": "pass", "Data": "eA=="})["ID"]
        self.config = api.must("POST", "/configs/create", {"Name": "conf", "Data": "eA=="})["ID"]
        self._service("plain", PLAIN)
        self.settle("plain")
        plain = self.containers("plain")[0]
        self.judge = Judge(plain, {}, lambda name: api.get(f"/volumes/{quote(name or '', '')}"),
                           self.network)
        self.judge_service = ServiceJudge(self.judge, self.network)
        self._make_mine()
        # An earlier spec that mounts the host.
        task = {**PLAIN, "ContainerSpec": {**PLAIN["ContainerSpec"], "Mounts": [
            {"Type": "bind", "Source": self.folder, "Target": "/h"}]}}
        self._service("was", task)
        self.mend_was()
        self.over = over["Id"]
        self.volumes = self._volumes()
        self.before = self._cluster()
        # So that a change of it shows.
        assert list(self.judge_service.service({"Spec": {"TaskTemplate": task}}))

    def _service(self, name, task):
        self.api.must("POST", "/services/create", {"Name": name, "TaskTemplate": task})

    def mend_was(self):
        """What it mounts is of its previous spec then."""
        was = self.api.must("GET", "/services/was")
        self.api.must("POST", f"/services/was/update?version={was['Version']['Index']}",
                      {"Name": "was", "TaskTemplate": PLAIN})

    def _make_mine(self):
        self.api.ask("DELETE", "/services/mine")
        self._service("mine", PLAIN)

    def names(self):
        """Versions too, which dockerd wants of an update: they are of now."""
        api = self.api
        mine, was = (api.must("GET", f"/services/{n}") for n in ("mine", "was"))
        swarm = api.must("GET", "/swarm")
        node = api.must("GET", "/nodes")[0]
        host = api.must("GET", "/networks/host")["Id"]
        inside = api.must("GET", "/networks/host?scope=swarm")["Id"]
        return {"$FOLDER": self.folder, "$BADVOL": "badvol", "$SECRET": self.secret,
                "$CONFIG": self.config, "$HOSTNET": host, "$HOSTPREFIX": host[:12],
                "$SWARMHOST": inside, "$SWARMPREFIX": inside[:8], "$PORT": str(self.ear.port),
                "$MINEID": mine["ID"], "$MINE": str(mine["Version"]["Index"]),
                "$WASID": was["ID"], "$WAS": str(was["Version"]["Index"]),
                "$SWARM": str(swarm["Version"]["Index"]), "$NODE": node["ID"],
                "$NODEVERSION": str(node["Version"]["Index"])}

    # --- what there is -------------------------------------------------------

    def network(self, name):
        """As the swarm finds it."""
        return self.api.get(f"/networks/{quote(name or '-', '')}?scope=swarm") or \
            self.api.get(f"/networks/{quote(name or '-', '')}")

    def _volumes(self):
        return {v["Name"] for v in self.api.must("GET", "/volumes")["Volumes"] or []}

    def _cluster(self):
        swarm = self.api.must("GET", "/swarm")
        nodes = [n["Spec"] for n in self.api.must("GET", "/nodes")]
        plugins = [p["Name"] for p in self.api.must("GET", "/plugins")]
        return {"spec": swarm["Spec"], "tokens": swarm["JoinTokens"], "nodes": nodes,
                "plugins": plugins}

    def containers(self, name):
        filters = quote(json.dumps({"label": [f"{BY_SERVICE}={name}"]}))
        found = self.api.must("GET", f"/containers/json?all=1&filters={filters}")
        inspected = (self.api.get(f"/containers/{c['Id']}/json") for c in found)
        return [c for c in inspected if c is not None]

    def settle(self, name):
        """Waits until no task of the service is on its way."""
        filters = quote(json.dumps({"service": [name]}))

        def settled():
            tasks = self.api.get(f"/tasks?filters={filters}") or []
            service = self.api.get(f"/services/{name}") or {}
            state = (service.get("UpdateStatus") or {}).get("State", "completed")
            return bool(tasks) and state != "updating" and all(
                t["Status"]["State"] in SETTLED or t["Status"].get("Err") for t in tasks)

        # swarmkit gives an old task a minute to stop.
        assert wait_until(settled, 150), self.api.get(f"/tasks?filters={filters}")

    def check(self):
        """Every Fault since the last check; what was new is removed."""
        faults, gone = [], []
        for s in self.api.must("GET", "/services"):
            name = s["Spec"]["Name"]
            if name not in ("plain", "mine", "was"):
                gone.append(name)
            found = [Fault(f, name, {}) for f in self.judge_service.service(s)]
            if not found or name in gone:
                found += self._run(s)
            if found and name == "mine":
                self._make_mine()
            faults += found
        faults += self._volumes_made()
        for name in gone:
            self.api.must("DELETE", f"/services/{name}")
        assert wait_until(lambda: not any(self.containers(n) for n in gone), 60), gone
        for kind in ("secrets", "configs"):
            for x in self.api.must("GET", f"/{kind}"):
                if x["Spec"]["Name"] not in ("pass", "conf"):
                    faults += [Fault(f"{kind}: {key}", x["Spec"]["Name"], {})
                               for key in ("Driver", "Templating") if x["Spec"].get(key)]
                    self.api.must("DELETE", f"/{kind}/{x['ID']}")
        now = self._cluster()
        faults += [Fault(f"{key} of the swarm: {now[key]}", "", {}) for key, before
                   in self.before.items() if now[key] != before]
        self.before = now
        faults += [Fault(f"dockerd called out: {call!r}", "", {}) for call in self.ear.taken()]
        return faults

    def _run(self, s):
        """Faults of the containers that its tasks became."""
        name = s["Spec"]["Name"]
        if (s["Spec"]["TaskTemplate"].get("Runtime") or "container") != "container":
            return []
        self.settle(name)
        return [Fault(f"container: {f}", name, {})
                for c in self.containers(name) for f in self.judge.container(c)]

    def _volumes_made(self):
        faults = []
        for name in self._volumes() - self.volumes:
            self.volumes.add(name)
            v = self.api.get(f"/volumes/{name}") or {}
            digits = "".join(c for c in name if c.isdigit())
            faults += [Fault(f, f"e{digits}", {}) for f in self.judge.new_volume(v)]
        return faults

    def close(self):
        self.ear.close()
        self.api.close()
