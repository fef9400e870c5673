# SPDX-License-Identifier: Apache-2.0
"""case(seed, index, names, base): one request, the same for the same numbers.

`names` are the world's ($BAD, $HOSTNET ...), so bytes differ between worlds
by ids only.
"""

import io
import json
import random
import tarfile
from dataclasses import dataclass, field

from effect import sins, spell
from effect.spell import Request


@dataclass
class Case:
    index: int
    kind: str
    honest: bool
    data: bytes
    method: str
    how: list = field(default_factory=list)
    streams: bool = False    # its answer may have no end
    strange: bool = False    # what answers it may be anything, or nothing
    then_start: bool = False    # the exec that it makes is started too

    def __str__(self):
        said = "honest" if self.honest else "dangerous"
        return f"{self.index} {said} {self.kind} ({', '.join(self.how)})"


def case(seed, index, names, base=0):
    """base: of this run's numbers, so that no two runs name a thing alike."""
    rng = random.Random(f"{seed}:{index}")
    makers, weights = zip(*MAKERS)
    maker = rng.choices(makers, weights)[0]
    return maker(rng, base + index, {**names, "$N": str(base + index)})


def fill(value, names):
    """value with the world's names in place of the words for them."""
    if isinstance(value, str):
        # Longer words first: $BADVOL is not $BAD.
        for word in sorted(names, key=len, reverse=True):
            value = value.replace(word, names[word])
        return value
    if isinstance(value, list):
        return [fill(v, names) for v in value]
    if isinstance(value, dict):
        return {fill(k, names): fill(v, names) for k, v in value.items()}
    return value


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    # Two blocks of zeros are an end; a printed failure needs no more.
    return out.getvalue()[:512 * 2 * len(members)] + bytes(1024)


def post(path, body, query=()):
    return Request("POST", path, query, body, "application/json")


def finish(rng, index, kind, honest, request, how=(), **more):
    """The Case.  An honest one is spelled as some honest client spells it."""
    how = list(how)
    if honest:
        for change in spell.HONEST_HTTP:
            if rng.random() < 0.3:
                change(rng, request)
                how.append(change.__name__)
    else:
        spell.known_version(rng, request)
        for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
            change = rng.choice(spell.ODD_HTTP)
            change(rng, request)
            how.append(change.__name__)
    strange = not honest and any(
        change.__name__ in how for change in spell.ODD_HTTP) or bool(request.behind)
    return Case(index, kind, honest, request.to_bytes(), request.method, how,
                strange=strange, **more)


def in_disguise(rng, body, path, value):
    """(bytes, names of what was done) of a body that says path: value."""
    if rng.random() < 0.25:
        # As it is: what hides it is the value, or HTTP.
        change = spell.plain
    else:
        change = rng.choice(spell.DISGUISES)
    text = change(rng, body, path, value)
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    return text, [change.__name__]


def a_sin(rng, table, names):
    name, path, values = rng.choice(table)
    return name, path, fill(rng.choice(values), names)


# --- containers --------------------------------------------------------------


def honest_container(rng, index, names, most):
    host = {k: rng.choice(v) for k, v in rng.sample(sins.HONEST_HOST, rng.randrange(most))}
    body = {"Image": "busybox", "Labels": {"effect": str(index)}}
    for key, values in rng.sample(sins.HONEST_CONFIG, rng.randrange(4)):
        value = rng.choice(values)
        body[key] = {**value, **body["Labels"]} if key == "Labels" else value
    if "RestartPolicy" in host:
        host.pop("AutoRemove", None)    # dockerd: not both
    if host.get("NetworkMode") in ("none", "default", "bridge"):
        body.pop("NetworkingConfig", None)
    body["HostConfig"] = host
    return fill(body, names)


def create_honest(rng, index, names):
    body = honest_container(rng, index, names, 8)
    how = []
    text = json.dumps(body, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        text = json.dumps({k.lower(): v for k, v in body.items()}, indent=1)
        how.append("lower")
    query = [("name", f"e{index}")] if rng.random() < 0.8 else []
    return finish(rng, index, "create", True, post("/containers/create", text.encode(), query), how)


def create_dangerous(rng, index, names):
    body = honest_container(rng, index, names, 4)
    name, path, value = a_sin(rng, sins.CREATE, names)
    text, how = in_disguise(rng, body, path, value)
    query = [("name", f"e{index}")]
    if rng.random() < 0.03:
        query.append((path[-1], json.dumps(value)))
        text, how = json.dumps(body).encode(), ["in the query"]
    return finish(rng, index, f"create/{name}", False,
                  post("/containers/create", text, query), how)


def update_honest(rng, index, _names):
    body = rng.choice([{"CpuShares": 256 + index % 512}, {"RestartPolicy": {"Name": "no"}},
                       {"PidsLimit": 500}, {"Memory": 0, "CpuShares": 700, "Devices": []}])
    return finish(rng, index, "update", True,
                  post("/containers/good/update", json.dumps(body).encode()))


def update_dangerous(rng, index, names):
    name, path, value = a_sin(rng, sins.UPDATE, names)
    text, how = in_disguise(rng, {"CpuShares": 512}, path, value)
    return finish(rng, index, f"update/{name}", False,
                  post("/containers/good/update", text), how)


def exec_honest(rng, index, names):
    body = {"Cmd": ["true"], "AttachStdout": True, "Env": [f"E={index}"], "Tty": rng.random() < 0.3}
    if rng.random() < 0.3:
        body.update({"Privileged": False, "User": "1000", "WorkingDir": "/tmp", "DetachKeys": ""})
    which = rng.choice(["good", names["$GOODID"], names["$GOODID"][:12]])
    start = rng.random() < 0.15
    made = finish(rng, index, "exec", True,
                  post(f"/containers/{which}/exec", json.dumps(body).encode()), then_start=start)
    return made


def exec_dangerous(rng, index, names):
    name, path, value = a_sin(rng, sins.EXEC, names)
    body = {"Cmd": ["true"], "AttachStdout": True}
    text, how = in_disguise(rng, body, path, value)
    return finish(rng, index, f"exec/{name}", False,
                  post("/containers/good/exec", text), how)


def intrude(rng, index, names):
    name, method, path, query, body = rng.choice(sins.INTRUDE)
    bad = names["$BADID"]
    which = rng.choice([names["$BAD"], bad, bad[:12], bad[:20], names["$BAD"] + "/", bad.upper(),
                        "%2f" + names["$BAD"], "/" + names["$BAD"], names["$PRIV"],
                        names["$PRIVID"], names["$PRIVID"][:10], "good/../" + names["$BAD"],
                        "%62" + names["$BAD"][1:], names["$BAD"] + "%00"])
    if name == "commit":
        which = which.replace("%", "")
    words = {**names, "$WHICH": which}
    body = tar({"planted": b"x"}) if body == b"tar" else body
    request = Request(method, fill(path, words), [(k, fill(v, words)) for k, v in query])
    how = []
    if isinstance(body, bytes):
        request.body, request.ctype = body, "application/x-tar"
    elif body is not None:
        request.body, request.ctype = json.dumps(body).encode(), "application/json"
    if name.startswith("attach") or name == "exec-start-attached":
        if rng.random() < 0.7:
            request.headers += ["Connection: Upgrade", "Upgrade: tcp"]
    if name == "start-body":
        request.version = rng.choice(["/v1.18", "/v1.23"])
    made = finish(rng, index, f"intrude/{name}", False, request, how,
                  streams=name.startswith(("attach", "exec-start")))
    return made


def touch_honest(rng, index, names):
    """What a job does with a container that is no danger."""
    good = rng.choice(["good", names["$GOODID"]])
    method, path, query, body, streams = rng.choice([
        ("POST", f"/containers/{good}/start", [], None, False),
        ("POST", f"/containers/{good}/attach",
         [("stream", "1"), ("stdout", "1"), ("stderr", "1")], None, True),
        ("GET", f"/containers/{good}/archive", [("path", "/etc/passwd")], None, False),
        ("HEAD", f"/containers/{good}/archive", [("path", "/etc/passwd")], None, False),
        ("PUT", f"/containers/{good}/archive", [("path", "/tmp")], tar({"x": b"y"}), False),
        ("GET", f"/containers/{good}/json", [], None, False),
        ("GET", "/containers/json", [("all", "1"), ("filters", '{"label":["effect"]}')], None,
         False),
        ("POST", f"/containers/{good}/resize", [("h", "24"), ("w", "80")], None, False),
        ("GET", f"/containers/{good}/logs", [("stdout", "1"), ("tail", "1")], None, False),
        ("GET", "/info", [], None, False),
    ])
    request = Request(method, path, query)
    if body is not None:
        request.body, request.ctype = body, "application/x-tar"
    if streams:
        request.headers += ["Connection: Upgrade", "Upgrade: tcp"]
    return finish(rng, index, "touch", True, request, streams=streams)


# --- volumes, networks, builds -----------------------------------------------


def volume_honest(rng, index, _names):
    body = {"Name": f"e{index}", "Labels": {"effect": str(index)}}
    if rng.random() < 0.5:
        body.update({"Driver": rng.choice(["local", ""]), "DriverOpts": rng.choice([{}, None])})
    return finish(rng, index, "volume", True, post("/volumes/create", json.dumps(body).encode()))


def volume_dangerous(rng, index, names):
    name, path, value = a_sin(rng, sins.VOLUME, names)
    text, how = in_disguise(rng, {"Name": f"e{index}", "Labels": {}}, path, value)
    return finish(rng, index, f"volume/{name}", False, post("/volumes/create", text), how)


def network_honest(rng, index, _names):
    body = {"Name": f"e{index}", "CheckDuplicate": True, "Labels": {"effect": str(index)}}
    if rng.random() < 0.5:
        body.update({"Driver": "bridge", "Internal": True, "Options": {}, "Attachable": False,
                     "IPAM": {"Driver": "default", "Config": [
                         {"Subnet": f"10.{index % 200 + 20}.{index // 200 % 250}.0/28"}]}})
    return finish(rng, index, "network", True, post("/networks/create", json.dumps(body).encode()))


def network_dangerous(rng, index, names):
    name, path, value = a_sin(rng, sins.NETWORK, names)
    # An address pool of its own, so that the rest of it can work.
    body = {"Name": f"e{index}", "IPAM": {"Config": [
        {"Subnet": f"10.{index % 200 + 20}.{index // 200 % 250}.16/28"}]}}
    if value == {"Driver": "null"}:
        body.pop("IPAM")
    text, how = in_disguise(rng, body, path, value)
    return finish(rng, index, f"network/{name}", False, post("/networks/create", text), how)


def connect_dangerous(rng, index, names):
    if rng.random() < 0.4:
        name, path, value = a_sin(rng, sins.CONNECT, names)
        text, how = in_disguise(rng, {"Container": "good"}, path, value)
        return finish(rng, index, f"connect/{name}", False,
                      post("/networks/own/connect", text), how)
    which = rng.choice(["host", names["$HOSTNET"], names["$HOSTPREFIX"], "h%6fst", "host%00",
                        "badnet"])
    body = json.dumps({"Container": rng.choice(["good", names["$GOODID"]])}).encode()
    return finish(rng, index, "connect/host", False, post(f"/networks/{which}/connect", body))


def a_build(index, query):
    dockerfile = f"FROM busybox\nLABEL effect={index}\n".encode()
    # rm=0: the containers in between stay, so that dockerd can tell of them.
    return Request("POST", "/build", [("t", f"e{index}"), ("rm", "0"), ("forcerm", "0"), *query],
                   tar({"Dockerfile": dockerfile}), "application/x-tar")


def build_honest(rng, index, _names):
    query = rng.choice([[], [("networkmode", "default")], [("nocache", "1")],
                        [("labels", '{"a":"b"}'), ("buildargs", '{"A":"b"}')],
                        [("networkmode", "none"), ("q", "1"), ("version", "1")],
                        [("dockerfile", "Dockerfile"), ("memory", "67108864"),
                         ("cachefrom", "[]"), ("target", "")]])
    return finish(rng, index, "build", True, a_build(index, query))


def build_dangerous(rng, index, names):
    name, key, values = rng.choice(sins.BUILD)
    value = fill(rng.choice(values), names)
    spelled = rng.choice([key, key, key, key.upper(), key + " "])
    request = a_build(index, [(spelled, value)])
    how = []
    if rng.random() < 0.6:
        change = rng.choice([spell.repeated_query, spell.escaped_key, spell.as_form,
                             spell.odd_query])
        body, ctype = request.body, request.ctype
        change(rng, request)
        if change is spell.as_form:
            # 20.10 reads the form behind the first 4096 bytes.
            request.body = rng.choice([b"x" * 4096 + b"&" + request.body, request.body])
        else:
            request.body, request.ctype = body, ctype
        how.append(change.__name__)
    made = finish(rng, index, f"build/{name}", False, request, how)
    made.strange = made.strange or bool(how)
    return made


def forbidden(rng, index, names):
    name, method, path, query, body = rng.choice(sins.FORBIDDEN)
    body = tar({"config.json": b"{}"}) if body == b"tar" else body
    request = Request(method, path, [(k, fill(v, names)) for k, v in query])
    if isinstance(body, bytes):
        request.body, request.ctype = body, "application/x-tar"
    elif body is not None:
        request.body, request.ctype = json.dumps(body).encode(), "application/json"
    if rng.random() < 0.3:
        request.path = rng.choice(["/containers/good/../..", "/images/..", "/%2e%2e",
                                   "/_ping/..", "/containers/good%2f..%2f..%2f"]) + path
    return finish(rng, index, f"forbidden/{name}", False, request)


def smuggled(rng, index, names):
    """A dangerous request behind or inside of one that passes."""
    name, path, value = a_sin(rng, sins.CREATE, names)
    body = spell.write(spell.put(honest_container(rng, index, names, 2), path, value)).encode()
    hidden = post("/containers/create", body, [("name", f"e{index}")]).to_bytes()
    front = rng.choice([
        post("/exec/" + "0" * 64 + "/start", b'{"Detach":false}'),
        post("/exec/" + "0" * 64 + "/start", b'{"Detach":true}'),
        Request("POST", "/containers/nobody/attach", [("stream", "1")]),
        Request("GET", "/containers/nobody/attach/ws", [("stream", "1")]),
        Request("GET", "/_ping"), Request("HEAD", "/_ping"), Request("GET", "/info"),
        Request("POST", "/grpc"), Request("POST", "/session"),
        Request("GET", "/containers/good/logs", [("stdout", "1")]),
        Request("HEAD", "/containers/good/archive", [("path", "/")]),
        post("/containers/create", b"{}", [("name", "x y")])])
    if rng.random() < 0.7:
        front.headers += rng.choice([
            ["Connection: Upgrade", "Upgrade: tcp"], ["Connection: Upgrade", "Upgrade: h2c"],
            ["Upgrade: h2"], ["Connection: Upgrade", "Upgrade: websocket"],
            ["Expect: 100-continue"], ["Connection: close"],
            ["X-Docker-Expose-Session-Uuid: x", "Connection: Upgrade", "Upgrade: h3"]])
    way = rng.randrange(4)
    if way == 0:
        front.body = hidden
        front.framing = lambda b: (["Content-Length: 0"], b)
    elif way == 1:
        front.body = b"0\r\n\r\n" + hidden
        front.framing = lambda b: (["Transfer-Encoding: chunked", f"Content-Length: {len(b)}"], b)
    else:
        front.behind = hidden
    made = finish(rng, index, f"smuggled/{name}", False, front, ["behind", front.path])
    made.strange = True
    return made


MAKERS = [
    (create_honest, 16), (create_dangerous, 40), (update_honest, 1), (update_dangerous, 4),
    (exec_honest, 6), (exec_dangerous, 7), (intrude, 12), (touch_honest, 5),
    (volume_honest, 3), (volume_dangerous, 6), (network_honest, 0.6), (network_dangerous, 4),
    (connect_dangerous, 2), (build_honest, 0.8), (build_dangerous, 4), (forbidden, 4),
    (smuggled, 6),
]
