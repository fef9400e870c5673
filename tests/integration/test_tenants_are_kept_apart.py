# SPDX-License-Identifier: Apache-2.0
"""Two teams on one host, each with the preset "tenant".

What one has is not there for the other: in no list, by no name, id, prefix or
exec, through no operation that there is.  An honest job works as ever.
"""

import json
import os
import re
import ssl
import threading

import docker
import pytest

from clients import E2E, PLUGINS, Side
from gate import Gate
from images import busybox_tar

LANES = "few"

POLICY = """{
  "clients": [
    { "match": { "cn": "root" }, "role": "admin" },
    { "match": { "ou": "*" }, "role": "tenant", "tenant": "{ou}" }
  ]
}
"""


class Teams:
    def __init__(self, lane, gate, home):
        self.gate = gate
        self.dockerd = lane.dockerd
        self.a = Side(lane.cli, home, gate.env("job", "team-a"))
        self.b = Side(lane.cli, home, gate.env("job", "team-b"))
        self.straight = lane.straight

    def ask(self, method, target, body=None, kind="application/json"):
        """As team-b, on a connection of its own."""
        with self.gate.connect("job", "team-b") as client:
            headers = [] if body is None else [f"Content-Type: {kind}"]
            return client.ask(method, target, headers, body)

    def inspect(self, kind, name):
        return json.loads(self.straight.ok(kind, "inspect", name))[0]


@pytest.fixture(scope="session")
def tenant_gates(work, certs):
    made = {}

    def get(dockerd, tls):
        if (dockerd.version, tls) not in made:
            path = os.path.join(work, "tenants.json")
            with open(path, "w", encoding="ascii") as f:
                f.write(POLICY)
            made[dockerd.version, tls] = Gate(
                work, certs, dockerd.socket, tls=tls, policy=path).start()
        return made[dockerd.version, tls]

    yield get
    for gate in made.values():
        gate.stop()


@pytest.fixture
def teams(lane, tenant_gates, home):
    return Teams(lane, tenant_gates(lane.dockerd, lane.gate.tls), home)


@pytest.fixture
def things(teams, name):
    """One of everything, made by team-a; and what they are called."""
    a = teams.a
    n = {"box": f"{name}box", "net": f"{name}net", "vol": f"{name}vol"}
    a.ok("network", "create", n["net"])
    a.ok("volume", "create", n["vol"])
    n["id"] = a.ok("run", "-d", "--name", n["box"], "--net", n["net"],
                   "-v", f"{n['vol']}:/v", "-v", "/anon", "busybox", "sleep", "600")
    n["anon"] = next(m["Name"] for m in teams.inspect("container", n["id"])["Mounts"]
                     if m["Destination"] == "/anon")
    n["netid"] = a.ok("network", "inspect", "-f", "{{.Id}}", n["net"])
    a.ok("exec", n["box"], "sh", "-c", "echo secret > /v/f; echo secret > /f")
    made = raw_exec(teams, n["id"])
    n["exec"] = made
    yield n
    for cleanup in (("rm", "-fv", n["box"]), ("network", "rm", n["net"]),
                    ("volume", "rm", n["vol"])):
        teams.straight.docker(*cleanup)


def raw_exec(teams, box):
    with teams.gate.connect("job", "team-a") as client:
        answer = client.ask("POST", f"/v1.41/containers/{box}/exec",
                            ["Content-Type: application/json"],
                            b'{"Cmd":["cat","/f"],"AttachStdout":true}')
    assert answer.status == 201, answer.body
    return json.loads(answer.body)["Id"]


def operations():
    """Method and pattern of every operation that dinv knows."""
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../policy/ops.def"), encoding="ascii") as f:
        text = f.read()
    return [(m.group(1), m.group(2), m.group(3)) for m in
            re.finditer(r'^X\((\w+), (\w+), *"([^"]+)"', text, re.M)]


def state(teams, things):
    box = teams.inspect("container", things["box"])
    box["ExecIDs"] = None
    box["Mounts"].sort(key=lambda m: m["Destination"])
    net = teams.inspect("network", things["net"])
    return box, net, teams.inspect("volume", things["vol"])


KINDS = {
    "/containers/{id}": (["box", "id", "prefix"], "No such container: {}"),
    "/exec/{id}": (["exec"], "No such exec instance: {}"),
    "/networks/{id}": (["net", "netid", "netprefix"], "network {} not found"),
    "/volumes/{id}": (["vol", "anon"], "get {}: no such volume"),
}

# What the operation needs to be one that dockerd would carry out.
QUERY = {"ContainerRename": "?name=stolen", "ContainerArchive": "?path=/f",
         "ContainerArchiveInfo": "?path=/f", "PutContainerArchive": "?path=/",
         "ContainerLogs": "?stdout=1", "ContainerStats": "?stream=0",
         "ContainerDelete": "?force=1", "ContainerAttach": "?stream=1&stdout=1"}
BODY = {"ContainerExec": {"Cmd": ["id"]}, "ContainerUpdate": {"Memory": 2 ** 28},
        "NetworkConnect": {"Container": "$box"}, "NetworkDisconnect": {"Container": "$box"}}


def test_no_operation_reaches_what_the_other_has(teams, things):
    things["prefix"] = things["id"][:12]
    things["netprefix"] = things["netid"][:12]
    before = state(teams, things)
    asked = 0
    for op, method, pattern in operations():
        for start, (names, says) in KINDS.items():
            if not pattern.startswith(start):
                continue
            for key in names:
                target = pattern.replace("{id}", things[key], 1).replace("{id}", "x")
                body = None
                if method in ("POST", "PUT"):
                    body = json.dumps(BODY.get(op, {})).replace("$box", things["box"]).encode()
                    if op == "PutContainerArchive":
                        body = busybox_tar()[:1024] + bytes(1024)
                answer = teams.ask(method, "/v1.41" + target + QUERY.get(op, ""), body)
                where = f"{op} of {key}: {answer.status} {answer.body}"
                if op.startswith("Checkpoint") or op == "VolumeUpdate":
                    assert answer.status == 403, where
                    continue
                asked += 1
                assert answer.status == 404, where
                if method != "HEAD":
                    assert json.loads(answer.body) == {
                        "message": says.format(things[key])}, where
    assert asked > 60
    assert state(teams, things) == before
    # The very same for what does not exist.
    for path, says in (("/containers/nothing/json", "No such container: nothing"),
                       ("/networks/nothing", "network nothing not found"),
                       ("/volumes/nothing", "get nothing: no such volume"),
                       ("/exec/nothing/json", "No such exec instance: nothing")):
        answer = teams.ask("GET", "/v1.41" + path)
        assert answer.status == 404 and json.loads(answer.body) == {"message": says}


CREATE = "/v1.41/containers/create"


def test_no_body_or_query_reaches_it(teams, things, name):
    n = things
    before = state(teams, n)
    host_configs = [
        {"NetworkMode": n["net"]}, {"NetworkMode": n["netid"]},
        {"NetworkMode": n["netid"][:12]}, {"NetworkMode": f"container:{n['box']}"},
        {"NetworkMode": f"container:{n['id'][:12]}"}, {"PidMode": f"container:{n['box']}"},
        {"IpcMode": f"container:{n['id']}"}, {"VolumesFrom": [n["box"]]},
        {"Links": [n["box"]]}, {"Binds": [f"{n['vol']}:/x"]}, {"Binds": [f"{n['anon']}:/x"]},
        {"Mounts": [{"Type": "volume", "Source": n["vol"], "Target": "/x"}]}]
    asks = [("POST", CREATE, {"Image": "busybox", "HostConfig": hc}) for hc in host_configs]
    asks += [
        ("POST", CREATE, {"Image": "busybox", "NetworkingConfig": {
            "EndpointsConfig": {n["net"]: {}}}}),
        ("POST", CREATE, {"Image": "busybox", "NetworkingConfig": {
            "EndpointsConfig": {"bridge": {"NetworkID": n["netid"]}}}}),
        ("POST", f"{CREATE}?name={n['box']}", {"Image": "busybox"}),
        ("POST", f"/v1.41/commit?container={n['box']}&repo=team-b/x", {}),
        ("POST", "/v1.41/volumes/create", {"Name": n["vol"]}),
        ("POST", "/v1.41/networks/bridge/connect", {"Container": n["box"]}),
        ("GET", "/v1.41/containers/json?filters=" + '{"before":["%s"]}' % n["box"], None),
        ("GET", "/v1.41/networks/bridge", None),
        ("GET", "/v1.41/system/df", None),
        ("POST", f"/v1.41/build?networkmode=container:{n['box']}", b""),
    ]
    for method, target, body in asks:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        answer = teams.ask(method, target.replace('"', "%22").replace("{", "%7B")
                           .replace("}", "%7D"), raw)
        where = f"{method} {target} {raw}: {answer.status} {answer.body}"
        assert answer.status in (400, 403, 404, 409), where
        for told in (n["id"], n["netid"]):  # but what was asked for
            assert told in f"{target}{raw}" or \
                told not in answer.body.decode(), where
    assert state(teams, n) == before
    # An own container can neither join nor take the name.
    own = f"{name}own"
    teams.b.ok("create", "--name", own, "busybox")
    try:
        for command in (("network", "connect", n["net"], own), ("rename", own, n["box"])):
            assert teams.b.docker(*command).status == 1
    finally:
        teams.b.ok("rm", own)


def test_no_list_shows_it(teams, things):
    n = things
    b = teams.b
    assert n["box"] in teams.a.ok("ps", "-a")
    assert n["box"] not in b.ok("ps", "-a")
    for filters in (f"name={n['box']}", f"id={n['id']}", f"volume={n['vol']}",
                    f"network={n['net']}", "label=dinv.tenant=team-a", "ancestor=busybox"):
        assert b.ok("ps", "-aq", "--filter", filters) == ""
    assert n["net"] in teams.a.ok("network", "ls")
    assert n["net"] not in b.ok("network", "ls")
    assert b.ok("network", "ls", "-q", "--filter", f"id={n['netid']}") == ""
    assert n["vol"] in teams.a.ok("volume", "ls")
    assert n["vol"] not in b.ok("volume", "ls")
    assert b.ok("volume", "ls", "-q", "--filter", f"name={n['vol']}") == ""


def test_prune_takes_its_own_alone(teams, things, name):
    a, b = teams.a, teams.b
    idle = [f"{name}x", f"{name}y"]
    for side, thing in ((a, idle[0]), (b, idle[1])):
        side.ok("create", "--name", thing, "busybox")
        side.ok("network", "create", thing)
        side.ok("volume", "create", thing)
    b.ok("container", "prune", "-f")
    b.ok("network", "prune", "-f")
    # Of named volumes only where it is asked for, since API 1.42.
    b.ok("volume", "prune", "-f", *([] if b.cli == "20.10" else ["-a"]))
    for kind in ("container", "network", "volume"):
        assert teams.straight.docker(kind, "inspect", idle[1]).status == 1, kind
        a.ok(kind, "inspect", idle[0])
        a.ok(kind, "rm", idle[0])


def test_events_are_its_own(teams, name):
    with teams.b.start("events", "--format", "{{.Actor.Attributes.name}}") as watch:
        try:
            teams.a.ok("run", "--rm", "--name", f"{name}a", "busybox", "true")
            seen = []
            teams.b.ok("run", "--rm", "--name", f"{name}b", "busybox", "true")
            while not seen or seen[-1] != f"{name}b":
                seen.append(watch.stdout.readline().decode().strip())
            assert f"{name}a" not in seen
        finally:
            watch.kill()


def test_an_image_label_makes_nobody_an_owner(teams, name):
    """The label of the image that team-b built, on a container of root's."""
    teams.b.ok("build", "-t", f"team-b/{name}", "-",
               stdin=b"FROM busybox\nLABEL dinv.tenant=team-b\n")
    box = teams.straight.ok("run", "-d", "--name", name, f"team-b/{name}", "sleep", "600")
    try:
        assert teams.inspect("container", name)["Config"]["Labels"]["dinv.tenant"] == "team-b"
        for command in (("exec", name, "id"), ("inspect", name), ("rm", box)):
            assert teams.b.docker(*command).status == 1
    finally:
        teams.straight.ok("rm", "-f", name)
        teams.b.ok("rmi", f"team-b/{name}")


def test_a_path_called_as_a_volume_is_no_volume(teams, things, name):
    """VOLUME takes any word, and dockerd finds by it who has "the volume"."""
    teams.b.ok("build", "-t", f"team-b/{name}", "-",
               stdin=f"FROM busybox\nVOLUME {things['anon']}\n".encode())
    box = teams.b.ok("create", f"team-b/{name}", "sh")
    try:
        answer = teams.ask("POST", CREATE, json.dumps({
            "Image": "busybox", "HostConfig": {"Binds": [f"{things['anon']}:/x"]}}).encode())
        assert answer.status == 409, answer.body
    finally:
        teams.b.ok("rm", "-v", box)
        teams.b.ok("rmi", f"team-b/{name}")


def test_names_of_images_are_a_tenants_own(teams, name):
    b = teams.b
    for command in (("tag", "busybox", "alpine"), ("tag", "busybox", "team-a/x"),
                    ("rmi", "busybox"), ("build", "-t", "alpine", "-")):
        result = b.docker(*command, stdin=b"FROM busybox\n")
        assert result.status == 1 and "team-b" in result.err, result
    b.ok("tag", "busybox", f"team-b/{name}")
    b.ok("rmi", f"team-b/{name}")


# --- honest jobs ---------------------------------------------------------------


def test_docker_does_a_job(teams, name, tmp_path):
    a = teams.a
    net, vol, box = f"{name}n", f"{name}v", f"{name}c"
    try:
        assert a.ok("run", "--rm", "-i", "busybox", "cat", stdin=b"foo") == "foo"
        a.ok("network", "create", net)
        a.ok("run", "-d", "--name", box, "--network", net, "--network-alias", "srv",
             "-v", f"{vol}:/d", "-v", "/anonymous", "--label", "x=y", "busybox",
             "sh", "-c", "echo hello > /d/f; sleep 600")
        assert a.ok("run", "--rm", "--network", net, "busybox", "nslookup", "srv")
        assert "lo" in a.ok("run", "--rm", "--network", f"container:{box}", "busybox",
                            "ip", "addr")
        assert "sleep 600" in a.ok("run", "--rm", "--pid", f"container:{box}", "busybox", "ps")
        assert a.ok("exec", box, "cat", "/d/f") == "hello"
        assert a.ok("volume", "inspect", "-f", '{{index .Labels "dinv.tenant"}}', vol) == "team-a"
        a.ok("cp", f"{box}:/d/f", str(tmp_path))
        a.ok("commit", box, f"team-a/{name}")
        assert a.ok("run", "--rm", f"team-a/{name}", "echo", "x") == "x"
        a.ok("rmi", f"team-a/{name}")
        for command in (("stop", "-t", "0", box), ("start", box), ("restart", "-t", "0", box),
                        ("pause", box), ("unpause", box), ("rename", box, box + "2"),
                        ("rename", box + "2", box), ("network", "connect", "bridge", box),
                        ("network", "disconnect", net, box), ("network", "connect", net, box),
                        ("top", box), ("logs", box), ("diff", box), ("stats", "--no-stream", box),
                        ("kill", box), ("wait", box)):
            a.ok(*command)
        # It starts on its network by id, and keeps the name that people know.
        inspected = teams.inspect("container", box)
        assert inspected["HostConfig"]["NetworkMode"] == net
        assert net in inspected["NetworkSettings"]["Networks"]
        a.ok("start", box)
        assert a.ok("inspect", "-f", "{{.State.Running}}", box) == "true"
        # by id as well
        netid = a.ok("network", "inspect", "-f", "{{.Id}}", net)
        assert a.ok("run", "--rm", "--network", netid[:12], "busybox", "echo", "id") == "id"
        # joined to another, it can still be started and entered
        joined = a.ok("run", "-d", "--network", f"container:{box}", "busybox", "sleep", "600")
        assert a.ok("exec", joined, "echo", "in") == "in"
        a.ok("rm", "-f", joined)
    finally:
        teams.straight.docker("rm", "-fv", box)
        teams.straight.docker("network", "rm", net)
        teams.straight.docker("volume", "rm", vol)


COMPOSE = """
services:
  server:
    image: busybox
    command: sh -c 'echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp'
    init: true
    volumes: ["data:/data", "/anonymous"]
  client:
    image: busybox
    depends_on: [server]
    command: sh -c 'until wget -q -O - http://server/; do sleep 0.1; done; sleep 600'
    init: true
  beside:
    image: busybox
    network_mode: service:server
    command: sh -c 'wget -q -O - http://127.0.0.1/; sleep 600'
    init: true
volumes:
  data: {}
"""

COMMAND = {
    "v1": ["/usr/bin/docker-compose", "--no-ansi"],
    "v2": [os.path.join(PLUGINS, "docker-compose"), "--ansi", "never"],
}


@pytest.mark.big
@pytest.mark.parametrize("which", COMMAND)
def test_compose_does_a_job(teams, name, tmp_path, which):
    (tmp_path / "docker-compose.yml").write_text(
        ("version: '3.7'\n" if which == "v1" else "") + COMPOSE)

    def compose(side, *args):
        result = side.run([*COMMAND[which], *args], cwd=str(tmp_path),
                          env={"COMPOSE_PROJECT_NAME": f"p{name}",
                               "COMPOSE_TLS_VERSION": "TLS_CLIENT"})
        assert result.status == 0, result
        return result.out

    try:
        compose(teams.a, "up", "-d")
        assert len(compose(teams.a, "ps", "-q").split()) == 3
        # Anonymous volumes move on; v1 reads what dockerd 26 does not tell.
        if which == "v2" or teams.dockerd.version == "20.10":
            compose(teams.a, "up", "-d", "--force-recreate", "-t", "0")
        compose(teams.a, "restart", "-t", "0", "server")
        compose(teams.a, "exec", "-T", "server", "true")
        compose(teams.a, "stop", "-t", "0")
        compose(teams.a, "start")
        assert compose(teams.b, "ps", "-q").strip() == ""
        compose(teams.b, "down", "-v", "-t", "0")
        assert len(compose(teams.a, "ps", "-q").split()) == 3
        compose(teams.a, "down", "-v", "-t", "0")
        assert teams.a.ok("ps", "-aq", "--filter", f"label=com.docker.compose.project=p{name}") == ""
    finally:
        compose(teams.straight, "down", "-v", "-t", "0")


def test_docker_py_does_a_job(teams, name):
    clients = {}
    for unit in ("team-a", "team-b"):
        folder = teams.gate.env("job", unit)["DOCKER_CERT_PATH"]
        clients[unit] = docker.DockerClient(
            base_url=f"https://127.0.0.1:{teams.gate.port}", version="auto", timeout=60,
            tls=docker.tls.TLSConfig(
                client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
                ca_cert=os.path.join(folder, "ca.pem"), verify=True,
                ssl_version=ssl.PROTOCOL_TLS_CLIENT))
    a, b = clients["team-a"], clients["team-b"]
    net = a.networks.create(name)
    try:
        box = a.containers.run("busybox", ["sleep", "600"], detach=True, name=name,
                               network=name, volumes={f"{name}v": {"bind": "/v"}})
        assert box.exec_run(["echo", "x"]).output == b"x\n"
        assert [c.name for c in a.containers.list(filters={"name": name})] == [name]
        assert b.containers.list(all=True, filters={"name": name}) == []
        with pytest.raises(docker.errors.NotFound, match=f"No such container: {name}"):
            b.containers.get(name)
        with pytest.raises(docker.errors.NotFound):
            b.networks.get(net.id)
        with pytest.raises(docker.errors.NotFound):
            b.volumes.get(f"{name}v")
        net.disconnect(box)
        net.connect(box)
        box.remove(force=True)
        a.volumes.get(f"{name}v").remove()
    finally:
        teams.straight.docker("rm", "-f", name)
        net.remove()
        a.close()
        b.close()


def test_dockerode_does_a_job(teams, name):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node/session.js")
    result = teams.a.run(["node", script, name],
                         env={"NODE_PATH": os.path.join(E2E, "node/node_modules"),
                              "PATH": "/usr/local/bin:/usr/bin:/bin"})
    assert result.status == 0, result
    assert "run 6" in result.out


# --- races ---------------------------------------------------------------------


@pytest.mark.big
def test_names_that_change_hands_cross_nothing(teams, name):
    """team-a makes and removes a network and a volume of one name while team-b
    starts containers on what it takes for its own of that name."""
    stop = threading.Event()
    faults = []

    def churn():
        while not stop.is_set():
            for kind in ("network", "volume"):
                teams.a.docker(kind, "create", name)
                teams.a.docker(kind, "rm", name)

    thread = threading.Thread(target=churn)
    thread.start()
    boxes = []
    try:
        for i in range(12):
            teams.b.docker("network", "create", name)
            box = f"{name}b{i}"
            made = teams.b.docker("run", "-d", "--name", box, "--network", name,
                                  "-v", f"{name}:/v", "busybox", "sleep", "600")
            boxes.append(box)
            if made.status == 0:
                seen = teams.inspect("container", box)
                networks = seen["NetworkSettings"]["Networks"]
                for net in networks.values():
                    label = json.loads(teams.straight.ok(
                        "network", "inspect", net["NetworkID"]))[0]["Labels"]
                    if label.get("dinv.tenant") != "team-b":
                        faults.append((box, net, label))
                for mount in seen["Mounts"]:
                    label = teams.inspect("volume", mount["Name"])["Labels"]
                    if label.get("dinv.tenant") != "team-b":
                        faults.append((box, mount, label))
            teams.b.docker("rm", "-f", box)
            teams.b.docker("network", "rm", name)
            teams.b.docker("volume", "rm", name)
    finally:
        stop.set()
        thread.join()
        teams.straight.docker("rm", "-f", *boxes)
        teams.straight.docker("network", "rm", name)
        teams.straight.docker("volume", "rm", name)
    assert not faults


def test_the_record_says_whose(teams, name):
    teams.a.ok("create", "--name", name, "busybox")
    try:
        assert teams.b.docker("rm", name).status == 1
        refused = teams.gate.wait_for_record(event="decision", decision="deny",
                                             op="ContainerDelete", object=name)
        assert (refused["tenant"], refused["rule"]) == ("team-b", "tenant")
    finally:
        teams.a.ok("rm", name)
    done = teams.gate.wait_for_record(event="end", op="ContainerDelete", decision="allow",
                                      object=name)
    assert done["tenant"] == "team-a"
