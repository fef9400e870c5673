# SPDX-License-Identifier: Apache-2.0
"""Docker clients, and the two ways they reach a dockerd.

A Lane joins one dockerd, one TLS version and one docker command line.  Its
`gated` side goes through the gate, its `straight` side to dockerd's socket;
same() does one thing on both and compares everything a user can see.
"""

import os
import re
import subprocess

E2E = os.environ.get("DINV_E2E_DIR", "")
NEWER = os.path.join(E2E, "newer")
PLUGINS = os.path.join(NEWER, "usr/libexec/docker/cli-plugins")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT = 120

# Debian 12's own, Debian 13's beside it, and whatever newer one there is.
CLI = {
    "20.10": "/usr/bin/docker",
    "26.1": os.path.join(NEWER, "usr/bin/docker"),
    "28": "/usr/local/bin/docker",
}


def cli_is_there(name):
    if not os.access(CLI[name], os.X_OK):
        return False
    said = subprocess.run([CLI[name], "--version"], capture_output=True,
                          text=True, check=False).stdout
    return said.startswith(f"Docker version {name}.")


class Result:
    def __init__(self, status, stdout, stderr):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def out(self):
        return self.stdout.decode("utf-8", "replace")

    @property
    def err(self):
        return self.stderr.decode("utf-8", "replace")

    def seen(self):
        """What a user sees, without what differs between any two runs."""
        return self.status, normal(self.out), normal(self.err)

    def __repr__(self):
        return f"<exit {self.status}\n stdout: {self.out[-3000:]}\n stderr: {self.err[-3000:]}>"


_NORMAL = [
    # docker 20.10 now says this after a failed start, now not.
    (re.compile(r'(?m)^time="[^"]*" level=error msg="error waiting for container: .*\n'), ""),
    (re.compile(r"\b(sha256:)?[0-9a-f]{64}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)?(ms|µs|s)\b"), "<span>"),
    (re.compile(r"\d+(\.\d+)?[kKMG]?i?B(/s)?\b"), "<size>"),
    (re.compile(r"\b(Less than a second|About a minute|\d+ \w+) ago\b"), "<ago>"),
]


def normal(text):
    for pattern, name in _NORMAL:
        text = pattern.sub(name, text)
    return text


class Side:
    """A way to reach a dockerd with a docker command line."""

    def __init__(self, cli, home, env):
        self.cli = cli
        self.env = {"PATH": PATH, "HOME": home, "LANG": "C.UTF-8",
                    "DOCKER_CONFIG": os.path.join(home, f"docker-{cli}"),
                    "DOCKER_BUILDKIT": "0", **env}
        os.makedirs(self.env["DOCKER_CONFIG"], exist_ok=True)
        link = os.path.join(self.env["DOCKER_CONFIG"], "cli-plugins")
        if cli != "20.10" and not os.path.islink(link):
            os.symlink(PLUGINS, link)

    def argv(self, *args):
        return [CLI[self.cli], *args]

    def run(self, argv, stdin=b"", env=None, timeout=TIMEOUT, cwd=None):
        where = {"stdin": stdin} if hasattr(stdin, "fileno") else {"input": stdin}
        done = subprocess.run(argv, capture_output=True, timeout=timeout, cwd=cwd,
                              env={**self.env, **(env or {})}, check=False, **where)
        return Result(done.returncode, done.stdout, done.stderr)

    def docker(self, *args, **options):
        return self.run(self.argv(*args), **options)

    def ok(self, *args, **options):
        """As docker(), for what has to work; what it printed, stripped."""
        result = self.docker(*args, **options)
        assert result.status == 0, f"docker {' '.join(args)}: {result}"
        return result.out.strip()

    def exec_stdin(self, *args, stdin, **options):
        """docker(), asked again where it hangs: an end of stdin that comes while
        dockerd still starts the exec gets lost in dockerd now and then, about
        once in a thousand, straight to its socket as well."""
        for _ in range(3):
            try:
                return self.docker(*args, stdin=stdin, timeout=40, **options)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError(f"docker {' '.join(args)} hung three times in a row")

    def start(self, *args, env=None, **options):
        """The client as a running process with pipes."""
        options.setdefault("stdin", subprocess.PIPE)
        return subprocess.Popen(self.argv(*args), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                env={**self.env, **(env or {})}, **options)


class Lane:
    def __init__(self, dockerd, gate, cli, home, name="root", unit=None):
        self.dockerd = dockerd
        self.gate = gate
        self.cli = cli
        self.gated = Side(cli, home, gate.env(name, unit))
        self.straight = Side(cli, home, {"DOCKER_HOST": f"unix://{dockerd.socket}"})

    def sides(self):
        return {"gated": self.gated, "straight": self.straight}

    def same(self, *args, **options):
        """One docker command both ways; the gated result, compared."""
        return self.same_of(lambda side: side.docker(*args, **options))

    def same_of(self, do):
        """do(side) both ways has to give the same; what the gated one gave."""
        gated = do(self.gated)
        straight = do(self.straight)
        if isinstance(gated, Result):
            assert gated.seen() == straight.seen(), \
                f"through the gate: {gated}\nstraight: {straight}"
        else:
            assert gated == straight, \
                f"through the gate: {gated!r}\nstraight: {straight!r}"
        return gated

    def remove(self, *names):
        """Removes containers, there or not."""
        self.straight.docker("rm", "-fv", *names)


class Team:
    """Clients with different rights at one gate."""

    def __init__(self, dockerd, gate, cli, home):
        self.dockerd = dockerd
        self.gate = gate
        self.cli = cli
        self.root = Side(cli, home, gate.env("root"))
        self.ci = Side(cli, home, gate.env("job", "ci"))
        self.watch = Side(cli, home, gate.env("eye", "watch"))
        self.stranger = Side(cli, home, gate.env("somebody", "else"))
        self.straight = Side(cli, home, {"DOCKER_HOST": f"unix://{dockerd.socket}"})
