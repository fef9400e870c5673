# SPDX-License-Identifier: Apache-2.0
"""What make install puts on a host: units, completion, files for a VM."""

import json
import os
import re
import shutil
import socket
import subprocess

import pytest

from gate import DINV, Gate
from test_systemd_opens_the_port_and_is_told import PASS, instead_of_its_port, running

LANES = "few"
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
IMAGES = os.path.join(TOP, "images")

# Makes a host of a group that is allowed dockerd's socket, and of nobody else.
NOBODY = "64999"


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} here")


def ran(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False,
                          **options)


def install(word, **env):
    done = ran("sh", os.path.join(IMAGES, "install.sh"), word, DINV,
               env={**os.environ, **env})
    assert done.returncode == 0, done
    return done.stdout


def files_below(folder):
    return {os.path.relpath(os.path.join(at, name), folder)
            for at, _, names in os.walk(folder) for name in names}


# --- files -------------------------------------------------------------------


def test_install_and_uninstall(tmp_path):
    env = {"DESTDIR": str(tmp_path), "PREFIX": "/usr"}
    install("install", **env)
    files = files_below(tmp_path)
    assert {"usr/bin/dinv", "usr/share/man/man1/dinv-gate.1", "etc/dinv/gate.json",
            "usr/lib/systemd/system/dinv.socket", "usr/lib/sysusers.d/dinv.conf",
            "usr/share/bash-completion/completions/dinv"} <= files
    policy = tmp_path / "etc/dinv/policy.json"
    policy.write_text("mine", encoding="ascii")
    install("install", **env)
    assert policy.read_text(encoding="ascii") == "mine"
    assert "left: " in install("uninstall", **env)
    assert files_below(tmp_path) == {"etc/dinv/gate.json", "etc/dinv/policy.json"}


def test_the_policy_that_is_installed_is_one():
    assert ran(DINV, "policy", "check", os.path.join(IMAGES, "systemd/policy.json")).returncode == 0


# --- units -------------------------------------------------------------------


@pytest.fixture(scope="module")
def units(work):
    """Installed for good, so that what they start is there."""
    prefix = os.path.join(work, "installed")
    install("install", DESTDIR="", PREFIX=prefix, SYSCONFDIR=prefix)
    return os.path.join(prefix, "lib/systemd/system")


@needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(units):
    names = sorted(os.listdir(units))
    assert names == ["dinv-renew.service", "dinv-renew.timer", "dinv.service", "dinv.socket"]
    done = ran("systemd-analyze", "verify", "--man=no", *(os.path.join(units, n) for n in names),
               env={**os.environ, "SYSTEMD_UNIT_PATH": units + ":"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", ["dinv.service", "dinv-renew.service"])
def test_the_docs_have_the_exposure_that_systemd_prints(units, unit):
    done = ran("systemd-analyze", "security", "--offline=true", "--no-pager",
               os.path.join(units, unit), env={**os.environ, "LANG": "C"})
    printed = re.search(r"Overall exposure level for \S+: [\d.]+ \w+", done.stdout).group()
    with open(os.path.join(TOP, "docs/operations.md"), encoding="utf-8") as f:
        assert printed in f.read()


def test_a_gate_without_rights_or_network_serves_docker(lane, work, certs, name):
    """What the unit asks for, by other means: no user of its own, no capability,
    no new privilege, an empty network, the group of dockerd's socket.  The unit
    itself is tried by make deb-test."""
    store = os.path.join(work, f"{name}.certs")
    shutil.copytree(certs.store, store)
    os.chmod(store, 0o755)
    key = os.path.join(store, "docker.key")
    os.chown(key, 0, int(NOBODY))
    os.chmod(key, 0o640)
    assert os.stat(os.path.join(store, "ca-key.pem")).st_mode & 0o777 == 0o600
    own = os.path.join(work, f"{name}.own")
    os.mkdir(own)
    os.chown(own, int(NOBODY), int(NOBODY))
    gate = Gate(work, certs, lane.dockerd.socket, audit=os.path.join(own, "audit"))
    gate.argv[gate.argv.index("-certs") + 1] = store
    instead_of_its_port(gate, "fd://")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gate.port = listener.getsockname()[1]
        gate.pass_fds = (listener.fileno(),)
        gate.argv[:0] = [
            "bash", "-c", PASS, "bash", str(listener.fileno()), "unshare", "--net", "setpriv",
            "--reuid", NOBODY, "--regid", NOBODY, "--groups",
            str(os.stat(lane.dockerd.socket).st_gid), "--inh-caps", "-all", "--bounding-set",
            "-all", "--no-new-privs"]
        with running(gate):
            result = lane.gated.docker("run", "-i", "--rm", "busybox", "cat", stdin=b"foo\n",
                                       env=gate.env())
            assert result.seen() == (0, "foo\n", "")
            with open(f"/proc/{gate.process.pid}/status", encoding="ascii") as f:
                status = f.read()
            assert "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
            with open(f"/proc/{gate.process.pid}/net/dev", encoding="ascii") as f:
                assert re.findall(r"^ *(\S+):", f.read(), re.M) == ["lo"]


# --- completion --------------------------------------------------------------


def help_of(*command):
    return ran(DINV, *command, "-h").stdout


def words_of(text):
    _, _, listed = text.partition("(each has -h):\n")
    return re.findall(r"^  ([a-z][a-z-]*) ", listed, re.M)


@pytest.fixture(scope="module")
def lines():
    """What is typed, and what has to be offered for it."""
    want = {"dinv ": words_of(ran(DINV, "help").stdout)}
    todo = [[], *([w] for w in want["dinv "])]
    while todo:
        command = todo.pop()
        text = help_of(*command)
        typed = " ".join(["dinv", *command, ""])
        want[typed + "-"] = re.findall(r"^  (-[a-z][a-z-]*) ", text, re.M) + ["-h"]
        below = words_of(text) if command and command != ["help"] else []
        if below:
            want[typed] = below
            todo += [[*command, word] for word in below]
    want["dinv cert issue --"] = ["-" + flag for flag in want["dinv cert issue -"][:-1]]
    want["dinv gate -policy "] = ["admin", "builder", "ci-runner", "read-only", "tenant"]
    assert len(want) > 25 and "-csr" in want["dinv cert issue -"]
    return want


BASH = r"""
source "$0"
[[ $(complete -p dinv) == *"-F _dinv dinv" ]] || exit 1
for line; do
	COMP_LINE=$line COMP_POINT=${#line}
	read -ra COMP_WORDS <<<"$line"
	[[ $line != *" " ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_dinv
	printf '%s\n' "=$line" "${COMPREPLY[@]}"
done
"""

# compadd is zsh's own word for "offer this"; here it says what was offered.
ZSH = r"""
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- $@ }
_files() { :; }
compdef() { :; }
source $0
for line; do
	words=(${=line}) CURRENT=${#words}
	[[ $line != *" " ]] || { words+=("") && CURRENT=${#words}; }
	print -r -- "=$line"
	_dinv
done
"""

FISH = r"""
source $argv[1]
for line in $argv[2..]
    echo "=$line"
    complete -C $line
end
"""

SHELLS = {
    "bash": ("dinv.bash", ["bash", "--norc", "-ic", BASH]),
    "zsh": ("_dinv", ["zsh", "-f", "-c", ZSH]),
    "fish": ("dinv.fish", ["fish", "--no-config", "-c", FISH]),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_flag_is_completed(shell, lines, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    script, argv = SHELLS[shell]
    os.symlink(DINV, tmp_path / "dinv")
    done = ran(*argv, os.path.join(IMAGES, "completion", script), *lines, cwd=tmp_path,
               env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"})
    offered = {}
    for line in done.stdout.splitlines():
        if line.startswith("="):
            found = offered[line[1:]] = []
        else:
            found.append(line.split("\t")[0])
    for typed, want in lines.items():
        missing = set(want) - set(offered.get(typed, []))
        assert not missing, (typed, missing, done.stderr)
    assert "-csr" not in offered["dinv gate -"]
