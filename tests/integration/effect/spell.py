# SPDX-License-Identifier: Apache-2.0
"""One thing said in many ways.

JSON: every disguise takes a clean body and a member that must not pass, and
gives a text in which some reader might find it.  Go's encoding/json folds
names by Unicode, merges repeated objects and keeps old elements of repeated
arrays; other readers do other things.

HTTP: every disguise changes a Request before it is written out.
"""

import copy
import gzip
import json


class Pairs(list):
    """An object as a list of members: names may repeat."""


class Raw(str):
    """JSON text that is written as it stands."""


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


def write(value):
    """JSON text; keys and values may be Raw."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, (dict, Pairs)):
        members = value.items() if isinstance(value, dict) else value
        return "{" + ",".join(f"{write_key(k)}:{write(v)}" for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_key(key):
    return str(key) if isinstance(key, Raw) else json.dumps(key, ensure_ascii=False)


def put(body, path, value):
    """A copy of body with value at path; objects on the way are made."""
    body = copy.deepcopy(body)
    at = body
    for name in path[:-1]:
        if not isinstance(at.get(name), dict):
            at[name] = {}
        at = at[name]
    at[path[-1]] = value
    return body


def without(body, path):
    body = copy.deepcopy(body)
    at = body
    for name in path[:-1]:
        at = at.get(name)
        if not isinstance(at, dict):
            return body
    at.pop(path[-1], None)
    return body


def pairs_at(body, path, members):
    """A copy of body in which path's last name gives way to these members."""
    body = without(body, path)
    for name in path[:-1]:
        if not isinstance(_at(body, path[:path.index(name)]).get(name), dict):
            _at(body, path[:path.index(name)])[name] = {}
    parent = _at(body, path[:-1])
    joined = Pairs(list(parent.items()) + list(members))
    return joined if len(path) == 1 else put(body, path[:-1], joined)


def _at(body, path):
    for name in path:
        body = body[name]
    return body


# --- names that Go takes for other names -------------------------------------

ODD = {"s": "\u017f", "S": "\u017f", "k": "\u212a", "K": "\u212a"}


def fold(rng, name):
    """Another spelling of name that folds to it."""
    way = rng.randrange(6)
    if way == 0:
        return name.lower()
    if way == 1:
        return name.upper()
    if way == 2:
        return name.swapcase()
    said = [ODD[c] if c in ODD and rng.random() < 0.7 else
            c.swapcase() if rng.random() < 0.3 else c for c in name]
    if way == 3:
        return Raw('"' + "".join(escaped(c) if ord(c) > 127 or rng.random() < 0.2
                                 else c for c in said) + '"')
    if way == 4:
        return Raw('"' + escaped(name) + '"')
    return "".join(said)


def near(rng, name):
    """A name that only a careless reader takes for name."""
    return rng.choice([
        name + " ", " " + name, name + "\t", Raw(f'"{name}\\u0000"'),
        Raw(f'"{name}\\u0000x"'), Raw(f'"{name}\\ud800"'), "\ufeff" + name,
        name + "\u0301", name.replace("i", "\u0131"), name.replace("I", "\u0130"),
        "".join(chr(ord(c) + 0xfee0) if "!" <= c <= "~" else c for c in name),
        "HostConfig." + name, name + "[]", name + "[0]", "_" + name, "-" + name])


# --- a member in disguise: (rng, body, path, value) -> text ------------------


def plain(_rng, body, path, value):
    return write(put(body, path, value))


def folded(rng, body, path, value):
    """Any name on the way spelled so that it folds."""
    path = list(path)
    which = rng.randrange(len(path))
    if which == 0 and len(path) > 1 and rng.random() < 0.5:
        inner = put({}, tuple(path[1:]), value)
        return write(pairs_at(body, (path[0],), [(fold(rng, path[0]), inner)]))
    return write(pairs_at(body, tuple(path), [(fold(rng, path[-1]), value)]))


def near_miss(rng, body, path, value):
    return write(pairs_at(body, path, [(near(rng, path[-1]), value)]))


def nothing_like(value):
    return {bool: False, str: "", int: 0, list: [], dict: {}}.get(type(value))


def repeated(rng, body, path, value):
    """The member twice: harmless and not, in both orders, perhaps folded."""
    clean = rng.choice([None, nothing_like(value)])
    other = rng.choice([path[-1], fold(rng, path[-1])])
    members = [(path[-1], clean), (other, value)]
    if rng.random() < 0.5:
        members = [(other, value), (path[-1], clean)]
    if rng.random() < 0.2:
        members.append((path[-1], clean))
    return write(pairs_at(body, path, members))


def repeated_parent(rng, body, path, value):
    """The object around it twice."""
    if len(path) == 1:
        return repeated(rng, body, path, value)
    top = path[0]
    clean = body.get(top) or {}
    bad = put({top: clean} if rng.random() < 0.5 else {}, path, value)[top]
    other = rng.choice([top, fold(rng, top)])
    harmless = rng.choice([clean, {}, None, put({top: clean}, path, None)[top]])
    members = [(top, harmless), (other, bad)]
    if rng.random() < 0.5:
        members.reverse()
    return write(pairs_at(body, (top,), members))


def stale_elements(rng, body, path, value):
    """Go reads a repeated array into the elements of the first."""
    if not isinstance(value, list) or not value:
        return repeated(rng, body, path, value)
    if isinstance(value[0], dict):
        left = {k: v for k, v in value[0].items() if rng.random() < 0.5}
        rest = {k: v for k, v in value[0].items() if k not in left}
        ways = [[[left], [rest]], [value, [{}]], [value, [None]], [value, [rest]],
                [value, [], [{}]], [[{}, *value], [{}], [{}, {}]]]
    else:
        ways = [[value, [None]], [value, [], [None]], [["x", *value], ["x"], ["x", None]],
                [value, None], [[], value]]
    names = [path[-1], fold(rng, path[-1])]
    members = [(rng.choice(names), v) for v in rng.choice(ways)]
    return write(pairs_at(body, path, members))


def top_level(rng, body, path, value):
    """HostConfig's fields beside HostConfig, with that absent or empty."""
    if path[0] != "HostConfig" or len(path) < 2:
        return folded(rng, body, path, value)
    body = put(body, (path[1] if rng.random() < 0.7 else path[1].lower(), *path[2:]), value)
    way = rng.randrange(5)
    if way == 0:
        body.pop("HostConfig", None)
    elif way == 1:
        body["HostConfig"] = None
    elif way == 2:
        body["HostConfig"] = {}
    elif way == 3:
        return write(pairs_at(body, ("HostConfig",),
                              [("HostConfig", {}), (fold(rng, "HostConfig"), None)]))
    return write(body)


def nested(rng, body, path, value):
    """One level too deep, or inside of something else."""
    inner = put({}, path, value)
    outer = rng.choice(["HostConfig", "Config", "InnerHostConfig", "ContainerConfig",
                        "ContainerConfigWrapper", "NetworkingConfig", "Labels",
                        "Body", "", "Resources", "__proto__"])
    how = rng.choice([inner, inner.get("HostConfig", inner)])
    where = (outer,) if rng.random() < 0.5 else ("HostConfig", outer)
    return write(put(body, where, how))


def other_type(rng, body, path, value):
    """The value as another type that a lenient reader takes."""
    text = write(value)
    if isinstance(value, bool):
        ways = ['"true"', "1", '"1"', "1.0", "1e0", "[true]", '{"":true}', '"yes"',
                "TRUE", "True", "t", "tru\\u0065", '"\\u0074rue"', "-1"]
    elif isinstance(value, int):
        ways = [f'"{value}"', f"{value}.0", f"{value}e0", f"{value}00e-2", f"+{value}",
                f"0{value}", hex(value), "1e3", "-1e3", f"{value - 2**64}",
                f"{value + 2**64}", f"{value}e-0", "NaN", "-Infinity", "-0", f"[{value}]"]
    elif isinstance(value, list):
        first = write(value[0]) if value else '""'
        ways = [first, f'{{"0":{first}}}', f"[[{first}]]", json.dumps(text),
                f"[{first},null]", f"[null,{first}]", f"[{first},{first}]", f"[{first},]"]
    elif isinstance(value, dict):
        ways = [f"[{text}]", json.dumps(text), json.dumps(list(value.items())),
                text[:-1] + ",}", json.dumps(list(value))]
    else:
        ways = [f"[{text}]", f'{{"":{text}}}', f"[{text},null]", text.replace('"', "'"),
                '"' + escaped(str(value)) + '"', f'"\\/{text[1:]}', json.dumps(f" {value}"),
                json.dumps(f"{value} "), json.dumps(str(value).upper()),
                json.dumps(f"{value}\0"), json.dumps(f"{value}\n")]
    return write(put(body, path, Raw(rng.choice(ways))))


def two_documents(rng, body, path, value):
    """Bytes behind the end, or two bodies in one."""
    clean, bad = write(body), write(put(body, path, value))
    return rng.choice([clean + bad, bad + clean, clean + "\n" + bad, bad + "}", bad + "]",
                       bad + "x", clean + "," + bad, f"[{bad}]", bad + "\0", bad + "//x",
                       "null" + bad, clean[:-1] + "}" + bad, clean + "\r\n\r\n" + bad])


def not_quite_json(rng, body, path, value):
    """Comments, marks and blanks that some readers take."""
    bad = write(put(body, path, value))
    cut = bad.index(",") + 1
    return rng.choice(["\ufeff" + bad, "/**/" + bad, bad[:cut] + "/*" + bad[cut:] + "*/",
                       bad[:cut] + "// \n" + bad[cut:], "\x0c" + bad, "\xa0" + bad,
                       bad[:-1] + ",}", bad[:-1], bad.replace('"', "'"), "\0" + bad,
                       bad[:cut] + "," + bad[cut:], " \t\r\n" + bad + " \r\n",
                       "#\n" + bad, "(" + bad + ")", ")]}',\n" + bad, "\u2028" + bad,
                       json.dumps(bad), bad[:cut] + " \n" * 3000 + bad[cut:]])


def deep(rng, body, path, value):
    """Behind something very deep."""
    depth = rng.choice([30, 70, 200, 2000, 11000])
    tower = Raw("[" * depth + "]" * depth)
    name = rng.choice(["x", "Labels", "Cmd", "Env"])
    body = put(body, path, value)
    if rng.random() < 0.5:
        return write(Pairs([(name, tower), *body.items()]))
    return write(Pairs([*body.items(), (name, tower)]))


def broken_text(rng, body, path, value):
    """Bytes that are no UTF-8, in names and values."""
    junk = rng.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x84"])
    name = path[-1].encode()
    data = write(put(body, path, value)).encode()
    way = rng.randrange(3)
    if way == 0:
        return data.replace(b'"' + name, b'"' + junk + name, 1)
    if way == 1:
        return data.replace(name + b'"', name + junk + b'"', 1)
    return data[:-1] + b',"Labels":{"' + junk + b'":"x"}}'


# With those that dockerd is known to fall for more often.
DISGUISES = 4 * [folded] + 3 * [repeated, repeated_parent, stale_elements, top_level] + \
    2 * [other_type] + [near_miss, nested, two_documents, not_quite_json, deep, broken_text]


# --- requests ----------------------------------------------------------------


class Request:
    """A request before it is bytes.  query is a list of pairs or whole texts."""

    def __init__(self, method, path, query=(), body=None, ctype=None):
        self.method = method
        self.version = ""
        self.path = path
        self.query = list(query)
        self.headers = []
        self.host = "dinv"
        self.protocol = "HTTP/1.1"
        self.prefix = ""
        self.ctype = ctype
        self.body = body
        self.framing = sized
        self.behind = b""
        self.how = []

    def target(self):
        said = "&".join(q if isinstance(q, str) else f"{quoted(q[0])}={quoted(q[1])}"
                        for q in self.query)
        return self.prefix + self.version + self.path + ("?" + said if said else "")

    def to_bytes(self):
        lines = [f"{self.method} {self.target()} {self.protocol}", f"Host: {self.host}"]
        if self.ctype is not None:
            lines.append(f"Content-Type: {self.ctype}")
        lines += self.headers
        more, body = self.framing(self.body)
        head = "\r\n".join([*lines, *more, "", ""])
        return head.encode("utf-8", "surrogateescape") + body + self.behind


def quoted(text):
    return "".join(c if c.isalnum() and c.isascii() or c in "-_.~/:" else
                   "".join(f"%{b:02X}" for b in c.encode()) for c in str(text))


def sized(body):
    return ([], b"") if body is None else ([f"Content-Length: {len(body)}"], body)


def chunked(size, extension=b"", trailer=b"", coding="chunked", first=()):
    """The framing with chunks of that size."""
    def frame(body):
        body = body or b""
        parts = [body[i:i + size] for i in range(0, len(body), size)]
        out = b"".join(b"%x%b\r\n%b\r\n" % (len(p), extension, p) for p in parts)
        return [*first, f"Transfer-Encoding: {coding}"], out + b"0\r\n" + trailer + b"\r\n"
    return frame


# Each takes (rng, request); those in HONEST_HTTP change nothing of the meaning.


def in_chunks(rng, r):
    if r.body is not None:
        r.framing = chunked(rng.choice([7, 50, 1000]))


def known_version(rng, r):
    r.version = rng.choice(["", "/v1.24", "/v1.30", "/v1.40", "/v1.41"])


def json_type(rng, r):
    if r.ctype == "application/json":
        r.ctype = rng.choice(["application/json", "application/json; charset=utf-8",
                              "Application/JSON"])


def escaped_path(rng, r):
    """Letters of the path as %XX."""
    r.path = "".join(f"%{ord(c):02{rng.choice('xX')}}" if c.isalnum() and rng.random() < 0.2
                     else c for c in r.path)


HONEST_HTTP = [in_chunks, known_version, json_type]


def odd_version(rng, r):
    r.version = rng.choice(["/v1.12", "/v1.18", "/v1.23", "/v1.44", "/v1.45", "/v1.56", "/v1.99",
                            "/v01.0041", "/v1.41.0.0", "/v1.41.", "/v1", "/v1..41", "/v2.0",
                            "/%761.41", "/V1.41", "/v1.41%2f", "/v1.41/v1.41", "/v1.0x29",
                            "/v1.4\u0661", "/v99999999999999999999.1", "/v-1.41", "/v1,41"])


def odd_path(rng, r):
    escaped_path(rng, r)
    r.path = rng.choice([r.path, r.path, "/" + r.path, r.path + "/", "/." + r.path,
                         "/x/.." + r.path, r.path.replace("/", "%2f"), "/%2e" + r.path,
                         r.path + "%00", r.path + "#x", r.path + ";x=1", r.path + "%20",
                         r.path.upper(), r.path + "%0a", "/%2fx%2f.." + r.path,
                         r.path[:1] + r.path[1:].replace("/", "%2F", 1)])


def odd_query(rng, r):
    r.query += rng.sample(["a=1;b=2", "%zz=1", "&", "=x", "name=a&name=b", "HostConfig=%7B%7D",
                           "Privileged=true", "hijack", "networkmode=host", "version=2",
                           "body=%7B%22Privileged%22%3Atrue%7D", "+=+", "%00=1", "Name=x"],
                          rng.choice([1, 1, 2]))
    rng.shuffle(r.query)


def repeated_query(rng, r):
    """A key twice, with nothing or a harmless value, before or behind."""
    whole = [q for q in r.query if not isinstance(q, str)]
    if not whole:
        return odd_query(rng, r)
    key, value = rng.choice(whole)
    other = rng.choice([key, key.upper(), key + "[]", " " + key, key + "%00"])
    twin = rng.choice([(other, ""), (other, "none"), f"{other}=none;x", f"{other}=none%zz",
                       f"x;{other}={quoted(value)}", f"{other}"])
    r.query.insert(rng.choice([0, len(r.query)]), twin)
    return None


def escaped_key(rng, r):
    """The keys of the query in %XX."""
    r.query = [q if isinstance(q, str) else
               "".join(f"%{ord(c):02x}" for c in q[0]) + "="
               + "".join(f"%{b:02x}" for b in str(q[1]).encode()) for q in r.query]
    if rng.random() < 0.3:
        r.query = [q.replace("%2", "+%2", 1) for q in r.query]


def odd_type(rng, r):
    r.ctype = rng.choice([None, "text/plain", "application/json, text/plain", "text/json",
                          "application/j\u017fon", "appl\u0131cation/json", "application/json;",
                          "application/json; a=b; a=c", "application/json;charset=utf-16",
                          "application/x-www-form-urlencoded", "", " ", "application /json",
                          "application/x-www-form-urlencoded; charset=utf-8", "*/*",
                          "APPLICATION/X-WWW-FORM-URLENCODED", "multipart/form-data; boundary=x",
                          "application/x-www-form-urlencoded\r\nContent-Type: application/json",
                          "application/json\r\nContent-Type: text/plain", "application/json\t",
                          "application/vnd.api+json", "application/json\x0b"])


def as_form(rng, r):
    """The query in a form body, which dockerd reads before the query."""
    form = "&".join(q if isinstance(q, str) else f"{quoted(q[0])}={quoted(q[1])}"
                    for q in r.query)
    if not form:
        return odd_type(rng, r)
    r.query = rng.choice([[], [q for q in r.query if rng.random() < 0.5]])
    r.ctype = rng.choice(["application/x-www-form-urlencoded", "Application/X-www-Form-Urlencoded",
                          "application/x-www-form-urlencoded;x=y",
                          "application/x-www-form-urlencoded ; charset=\"utf-8\"",
                          "application/x-www-form-urlencoded\x0b"])
    r.body = form.encode()
    if rng.random() < 0.3:
        r.ctype = "multipart/form-data; boundary=x"
        r.body = b"".join(b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
                          % tuple((p + "=").split("=")[i].encode() for i in (0, 1))
                          for p in form.split("&")) + b"--x--\r\n"
    return None


def odd_framing(rng, r):
    r.body = r.body or b""
    length = f"Content-Length: {len(r.body)}"
    r.framing = rng.choice([
        chunked(1), chunked(3), chunked(64, extension=b";a=b"), chunked(64, extension=b" "),
        chunked(64, trailer=b"X: y\r\n"), chunked(64, trailer=b"Content-Type: text/plain\r\n"),
        chunked(64, coding="Chunked"), chunked(64, coding=" chunked "),
        chunked(64, coding="chunked, chunked"), chunked(64, coding="identity"),
        chunked(64, coding="\x0bchunked"), chunked(64, first=[length]),
        chunked(64, first=["Content-Length: 0"]), lambda b: ([length, length], b),
        lambda b: (["Content-Length: 0", length], b), lambda b: ([], b),
        lambda b: ([f"content-length : {len(b)}"], b), lambda b: ([f"Content-Length:{len(b)}"], b),
        lambda b: ([f"Content-Length: 0{len(b)}"], b)])


def odd_headers(rng, r):
    r.headers += rng.choice([
        ["Expect: 100-continue"], ["Expect: 200-ok"], ["Connection: Upgrade", "Upgrade: tcp"],
        ["Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
        ["Upgrade: tcp"], ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
        ["X-HTTP-Method-Override: DELETE"], ["Content-Encoding: gzip"],
        ["Connection: content-type"],
        ["Connection: content-length"], ["X-Original-URL: /info"], ["Host: other"],
        ["Transfer-Encoding : chunked"], ["X-Registry-Config: bnVsbA=="], [" folded: x"],
        ["Connection: close"], ["Connection: keep-alive, Upgrade"], ["X: " + "y" * 20000],
        ["Docker-Init: 1", "X-Docker-Privileged: true"], ["Authorization: Basic cm9vdDpyb290"],
        ["X-SSL-Client-OU: admin", "X-Forwarded-Client-Cert: CN=root"]])


def zipped(_rng, r):
    if r.body is not None:
        r.body = gzip.compress(r.body)
        r.headers.append("Content-Encoding: gzip")


def odd_line(rng, r):
    way = rng.randrange(8)
    if way == 0:
        r.protocol = "HTTP/1.0"
    elif way == 1:
        r.prefix = rng.choice(["http://dinv", "https://dinv", "unix://", "foo:", "HTTP://x:1"])
    elif way == 2:
        r.method = r.method.lower()
    elif way == 3:
        r.method = rng.choice(["PUT", "PATCH", "HEAD", "OPTIONS", "GET", "POST\t", "QUERY"])
    elif way == 4:
        r.protocol = rng.choice(["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1",
                                 "HTTP/1.1 ", "HTTP/1"])
    elif way == 5:
        r.host = rng.choice(["", "a b", "x\r\nX: y", "x/../y", "[::1]:2375"])
    elif way == 6:
        r.prefix = rng.choice([" ", "//dinv", "?", "\\", "/..", "."])
    else:
        r.protocol = "HTTP/1.0\r\nConnection: keep-alive"


ODD_HTTP = [odd_version, odd_path, odd_query, repeated_query, escaped_key, odd_type, as_form,
            odd_framing, odd_framing, odd_headers, odd_headers, zipped, odd_line, escaped_path]
