# SPDX-License-Identifier: Apache-2.0
"""Services, secrets and the swarm: what must not happen, what an honest
deployment does, and requests that say either.

Words that begin with $ stand for the world's objects (swarm.py, names()).
"""

import json
import random

from effect import spell
from effect.cases import a_sin, fill, finish, in_disguise, post, tar
from effect.spell import Request

T = "TaskTemplate"
S = (T, "ContainerSpec")

# Name, path in the body of ServiceCreate and ServiceUpdate, values.
SERVICE = [
    ("mounts", (*S, "Mounts"), [
        [{"Type": "bind", "Source": "/", "Target": "/h"}],
        [{"Type": "bind", "Source": "$FOLDER", "Target": "/h", "ReadOnly": True}],
        [{"Type": "BIND", "Source": "$FOLDER", "Target": "/h"}],
        [{"Source": "$FOLDER", "Target": "/h"}], [{"Type": "", "Source": "/etc", "Target": "/h"}],
        [{"Type": "volume", "Source": "own", "Target": "/a"},
         {"Type": "bind", "Source": "/etc", "Target": "/h",
          "BindOptions": {"Propagation": "rshared"}}],
        [{"Type": "volume", "Source": "$BADVOL", "Target": "/h"}],
        [{"Type": "Volume", "Source": "$BADVOL", "Target": "/h"}],
        [{"Type": "volume", "Source": "sneaky$N", "Target": "/h", "VolumeOptions": {
            "DriverConfig": {"Name": "local", "Options": {
                "type": "none", "o": "bind", "device": "$FOLDER"}}}}],
        [{"Type": "volume", "Source": "filled$N", "Target": "/h", "VolumeOptions": {
            "DriverConfig": {"Options": {"type": "none", "o": "bind",
                                         "device": "{{.Service.Labels.folder}}"}}}}],
        [{"Type": "volume", "Source": "{{.Service.Labels.volume}}", "Target": "/h"}],
        [{"Type": "bind", "Source": "{{.Service.Labels.folder}}", "Target": "/h"}],
        [{"Type": "tmpfs", "Target": "/{{.Service.Labels.proc}}"}],
        [{"Type": "tmpfs", "Target": "/proc/sys"}],
        [{"Type": "volume", "Source": "own", "Target": "/x/../sys"}],
        [{"Type": "npipe", "Source": "/", "Target": "/h"}],
        [{"Type": "cluster", "Source": "x", "Target": "/h"}]]),
    ("cap-add", (*S, "CapabilityAdd"), [
        ["ALL"], ["CAP_SYS_ADMIN"], ["sys_admin"], ["NET_ADMIN", "SYS_PTRACE"]]),
    ("sysctls", (*S, "Sysctls"), [{"net.ipv4.ip_forward": "1"}]),
    ("oom-score", (*S, "OomScoreAdj"), [-1, -1000]),
    ("selinux", (*S, "Privileges"), [
        {"SELinuxContext": {"Disable": True}}, {"SELinuxContext": {"Type": "spc_t"}}]),
    ("seccomp", (*S, "Privileges"), [
        {"Seccomp": {"Mode": "unconfined"}}, {"Seccomp": {"Mode": "custom", "Profile": "e30="}}]),
    ("apparmor", (*S, "Privileges"), [{"AppArmor": {"Mode": "disabled"}}]),
    ("credentials", (*S, "Privileges"), [{"CredentialSpec": {"File": "x"}},
                                         {"CredentialSpec": {"Config": "$CONFIG"}}]),
    ("hosts", (*S, "Hosts"), [["host-gateway gw"], ["1.2.3.4 db", "host-gateway\tgw"]]),
    ("secrets", (*S, "Secrets"), [
        [{"SecretID": "$SECRET", "SecretName": "pass", "File": {
            "Name": "x", "UID": "0", "GID": "0", "Mode": 292}}]]),
    ("configs", (*S, "Configs"), [
        [{"ConfigID": "$CONFIG", "ConfigName": "conf", "File": {
            "Name": "/x", "UID": "0", "GID": "0", "Mode": 292}}]]),
    ("networks", (T, "Networks"), [
        [{"Target": "host"}], [{"Target": "$SWARMHOST"}], [{"Target": "$SWARMPREFIX"}],
        [{"Target": "$HOSTNET"}], [{"Target": "$HOSTPREFIX"}], [{"Target": "over"}],
        [{"Target": "over", "DriverOpts": {"a": "b"}}]]),
    ("old-networks", ("Networks",), [[{"Target": "host"}], [{"Target": "$SWARMPREFIX"}]]),
    ("log-driver", (T, "LogDriver"), [
        {"Name": "syslog", "Options": {"syslog-address": "tcp://127.0.0.1:$PORT"}},
        {"Name": "journald"}, {"Name": "../../../tmp/x"}]),
    ("gpu", (T, "Resources"), [{"Reservations": {"GenericResources": [
        {"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]}}]),
    ("plugin", (T,), [{"Runtime": "plugin", "PluginSpec": {
        "Name": "p$N", "Remote": "127.0.0.1:$PORT/p",
        "Privileges": [{"Name": "mount", "Value": ["/"]}]}}]),
    ("attachment", (T, "Runtime"), ["attachment"]),
    ("container-fields", (*S, "HostConfig"), [{"Privileged": True}]),
    ("privileged", (*S, "Privileged"), [True]),
]

# Name, method, path, query, body.
SWARM = [
    ("rollback", "POST", "/services/was/update", [("version", "$WAS"), ("rollback", "previous")],
     "spec"),
    ("rollback", "POST", "/services/$WASID/update",
     [("version", "$WAS"), ("rollback", "previous"), ("rollback", "none")], "spec"),
    ("tokens", "GET", "/swarm", [], None),
    ("unlock-key", "GET", "/swarm/unlockkey", [], None),
    ("rotate", "POST", "/swarm/update", [("version", "$SWARM"), ("rotateManagerToken", "1")], {}),
    ("elsewhere", "POST", "/swarm/update", [("version", "$SWARM")],
     {"Name": "default", "CAConfig": {"ExternalCAs": [
         {"Protocol": "cfssl", "URL": "http://127.0.0.1:$PORT/x"}]}}),
    ("defaults", "POST", "/swarm/update", [("version", "$SWARM")],
     {"Name": "default", "TaskDefaults": {"LogDriver": {"Name": "syslog"}}}),
    ("join", "POST", "/swarm/join", [], {"RemoteAddrs": ["127.0.0.1:$PORT"], "JoinToken": "x"}),
    ("init", "POST", "/swarm/init", [], {"ListenAddr": "127.0.0.1", "ForceNewCluster": True}),
    ("node", "POST", "/nodes/$NODE/update", [("version", "$NODEVERSION")],
     {"Role": "manager", "Availability": "drain"}),
    ("secret-driver", "POST", "/secrets/create", [],
     {"Name": "e$N", "Driver": {"Name": "evil"}}),
    ("secret-template", "POST", "/secrets/create", [],
     {"Name": "e$N", "Data": "eA==", "Templating": {"Name": "golang"}}),
    ("config-template", "POST", "/configs/create", [],
     {"Name": "e$N", "Data": "eA==", "Templating": {"Name": "golang"}}),
    ("plugin-create", "POST", "/plugins/create", [("name", "e/e")], b"tar"),
    ("plugin-pull", "POST", "/plugins/pull", [("remote", "127.0.0.1:$PORT/p:1")],
     [{"Name": "mount", "Description": "", "Value": ["/"]}]),
    ("plugin-set", "POST", "/plugins/p/set", [], ["a.source=/"]),
]

HONEST_SPEC = [
    ("Mounts", [[{"Type": "volume", "Source": "own", "Target": "/m"}],
                [{"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 1 << 20}}],
                [{"Type": "volume", "Source": "fresh$N", "Target": "/m", "ReadOnly": True,
                  "VolumeOptions": {"NoCopy": True, "Labels": {"a": "b"}}}]]),
    ("Env", [["A=b", "NODE={{.Node.Hostname}}"], []]), ("Hostname", ["{{.Node.Hostname}}"]),
    ("User", ["1000:1000"]), ("Dir", ["/tmp"]), ("Labels", [{"a": "b"}, {}]),
    ("Groups", [["1000"]]), ("ReadOnly", [True]), ("Init", [True, False]),
    ("StopSignal", ["SIGKILL"]), ("CapabilityDrop", [["NET_RAW"]]),
    ("Privileges", [{"CredentialSpec": None, "SELinuxContext": None}, None]),
    ("Hosts", [["10.0.0.5 db"]]), ("DNSConfig", [{"Nameservers": ["1.1.1.1"]}, {}]),
    ("Secrets", [[], None]), ("Isolation", ["default"]), ("TTY", [False, True]),
    ("Healthcheck", [{"Test": ["CMD", "true"], "Interval": 1000000000}]),
    ("Ulimits", [[{"Name": "nofile", "Soft": 100, "Hard": 200}]]),
]
HONEST_TASK = [
    ("Resources", [{"Limits": {"MemoryBytes": 64 << 20, "NanoCPUs": 500000000},
                    "Reservations": {}}, {"Limits": {"Pids": 50}}]),
    ("Placement", [{"Constraints": ["node.role==manager"]}, {}]),
    ("LogDriver", [{"Name": "json-file", "Options": {"max-size": "1m"}}]),
    ("ForceUpdate", [0, 1]), ("Runtime", ["container"]), ("Networks", [[]]),
    ("RestartPolicy", [{"Condition": "on-failure", "MaxAttempts": 1, "Delay": 1000000000}]),
]
HONEST_SERVICE = [
    ("Labels", [{"a": "b"}]), ("Mode", [{"Replicated": {"Replicas": 1}}, {"Global": {}}]),
    ("UpdateConfig", [{"Parallelism": 1, "Delay": 0, "FailureAction": "pause", "Monitor": 5000000,
                       "MaxFailureRatio": 0.25, "Order": "stop-first"}]),
    ("EndpointSpec", [{"Mode": "vip"}, {"Mode": "vip", "Ports": []}]),
]


def some(rng, table, most):
    return {k: rng.choice(v) for k, v in rng.sample(table, rng.randrange(most))}


def a_service(rng, name, most):
    # Monitor: how long the swarm calls an update one.
    return {"Name": name, "UpdateConfig": {"Parallelism": 1, "Monitor": 1000000},
            **some(rng, HONEST_SERVICE, 3), T: {
        # sleep takes no SIGTERM as process 1.
        "ContainerSpec": {"Image": "busybox", "Command": ["sleep", "1000"],
                          "StopGracePeriod": 1000000, **some(rng, HONEST_SPEC, most)},
        "RestartPolicy": {"Condition": "none"}, **some(rng, HONEST_TASK, 3)}}


def create_honest(rng, index, names):
    body = fill(a_service(rng, f"e{index}", 6), names)
    return finish(rng, index, "service", True,
                  post("/services/create", json.dumps(body).encode()))


def bad_body(rng, index, name, names):
    sin, path, value = a_sin(rng, SERVICE, names)
    body = fill(a_service(rng, name, 2), names)
    if name == "mine":
        body[T].pop("Placement", None)
    # What the templates of the sins stand for.
    body["Labels"] = fill({"folder": "$FOLDER", "volume": "$BADVOL", "proc": "proc"}, names)
    if path == (T,):
        value = {**body[T], **value}
    text, how = in_disguise(rng, body, path, value)
    return sin, text, how


def create_dangerous(rng, index, names):
    sin, text, how = bad_body(rng, index, f"e{index}", names)
    return finish(rng, index, f"service/{sin}", False, post("/services/create", text), how)


# Without "Placement": a swarm that dockerd 26.1 runs ends in a nil pointer
# (swarmkit nodeMatches) where an update changes that alone, of a task that has
# no node yet.
def update(text, names):
    return post(f"/services/{names['$MINEID']}/update", text, [("version", names["$MINE"])])


def update_honest(rng, index, names):
    body = fill(a_service(rng, "mine", 4), names)
    body[T].pop("Placement", None)
    body["Mode"] = {"Replicated": {"Replicas": 1}}
    return finish(rng, index, "update", True, update(json.dumps(body).encode(), names))


def update_dangerous(rng, index, names):
    sin, text, how = bad_body(rng, index, "mine", names)
    return finish(rng, index, f"update/{sin}", False, update(text, names), how)


def data_honest(rng, index, _names):
    kind = rng.choice(["secrets", "configs"])
    body = {"Name": f"e{index}", "Data": "eA==", "Labels": {"a": "b"}}
    return finish(rng, index, kind, True, post(f"/{kind}/create", json.dumps(body).encode()))


def of_the_swarm(rng, index, names):
    name, method, path, query, body = rng.choice(SWARM)
    request = Request(method, fill(path, names), [(k, fill(v, names)) for k, v in query])
    how = []
    if body == b"tar":
        request.body, request.ctype = tar({"config.json": b"{}"}), "application/x-tar"
    elif body == "spec":
        request.body = json.dumps(a_service(rng, "was", 2)).encode()
        request.ctype = "application/json"
    elif isinstance(body, dict) and body:
        body = fill(body, names)
        last = list(body)[-1]
        text, how = in_disguise(rng, body, (last,), body[last])
        request.body, request.ctype = text, "application/json"
    elif body is not None:
        request.body = json.dumps(fill(body, names)).encode()
        request.ctype = "application/json"
    return finish(rng, index, f"swarm/{name}", False, request, how)


MAKERS = [(create_honest, 3), (create_dangerous, 14), (update_honest, 2), (update_dangerous, 8),
          (data_honest, 1), (of_the_swarm, 8)]


def case(seed, index, names, base):
    """As cases.case()."""
    rng = random.Random(f"services:{seed}:{index}")
    makers, weights = zip(*MAKERS)
    maker = rng.choices(makers, weights)[0]
    return maker(rng, base + index, {**names, "$N": str(base + index)})


def plain_sins(base, names):
    """Every sin as it is: (name, index, body of ServiceCreate)."""
    index = base
    for sin, path, values in SERVICE:
        for value in values:
            index += 1
            named = {**names, "$N": str(index)}
            body = a_service(random.Random(0), f"e{index}", 1)
            body["Labels"] = {"folder": "$FOLDER", "volume": "$BADVOL", "proc": "proc"}
            if path == (T,):
                value = {**body[T], **value}
            yield sin, value, index, json.loads(
                spell.write(fill(spell.put(body, path, value), named)))
