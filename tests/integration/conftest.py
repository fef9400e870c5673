# SPDX-License-Identifier: Apache-2.0
"""What every test stands on: two dockerds, certificates, gates, lanes."""

import itertools
import os
import shutil
import signal
import sys

import pytest

from clients import NEWER, Lane, Side, Team, cli_is_there
from dockerd import Dockerd, Registry
from gate import Certs, Gate
from images import busybox_tar
from logger import Logger
from upstream import Upstream
from waiting import tail_of

DOCKERD_BIN = {
    "20.10": [],
    "26.1": [os.path.join(NEWER, "usr/sbin"), os.path.join(NEWER, "usr/bin")],
}

# dockerd, TLS, command line: every dockerd under every TLS with the command
# line of its own age.
BASE_LANES = [(d, t, d) for d in ("20.10", "26.1") for t in ("1.2", "1.3")]
# Each of a dockerd, a TLS and a command line with each of the others; and a
# command line that most machines lack, once.
ALL_LANES = [
    ("20.10", "1.2", "20.10"),
    ("20.10", "1.3", "26.1"),
    ("26.1", "1.2", "26.1"),
    ("26.1", "1.3", "20.10"),
    ("26.1", "1.3", "28"),
]
# Every dockerd and every TLS once: for what takes long, or hardly depends on
# either.  A file says so with LANES = "few"; with "own", its tests name lanes.
FEW_LANES = [("20.10", "1.2", "20.10"), ("26.1", "1.3", "26.1")]

# Who asks through a gate with a policy: name and unit.
ROLES = {"admin": ("root", None), "ci-runner": ("job", "ci")}
# Each lane of BASE_LANES as one of them, each with each dockerd and each TLS.
BASE_ROLES = ["admin", "ci-runner", "ci-runner", "admin"]

# Log files of this session that a failure shows: path -> size at test start.
_logs = {}


_names = itertools.count(1)


@pytest.fixture
def name():
    """A name for a container (volume, network, ...) of this test's own."""
    return f"t{next(_names)}"


@pytest.fixture(scope="session")
def work():
    """A folder with a short name: a unix socket's path has to fit 108 bytes."""
    _sweep()
    folder = f"/tmp/dinv-e2e.{os.getpid()}"
    os.mkdir(folder, 0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _sweep():
    """Removes what a killed session left."""
    for name in os.listdir("/tmp"):
        stem, _, pid = name.partition(".")
        if stem == "dinv-e2e" and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(os.path.join("/tmp", name), ignore_errors=True)


@pytest.fixture(scope="session")
def home(work):
    folder = os.path.join(work, "home")
    os.mkdir(folder)
    return folder


@pytest.fixture(scope="session")
def certs(work):
    return Certs(os.path.join(work, "certs"))


@pytest.fixture(scope="session")
def dockerds(work, home):
    """get(version): that dockerd, started once, with its image."""
    made = {}

    def get(version):
        if version not in made:
            made[version] = make_dockerd(
                version, os.path.join(work, version), home)
        return made[version]

    yield get
    for dockerd in made.values():
        dockerd.remove()


def make_dockerd(version, folder, home):
    """A dockerd that runs and has the image; whose end is the caller's."""
    dockerd = Dockerd(version, folder, DOCKERD_BIN[version])
    _logs[dockerd.log] = 0
    try:
        dockerd.start()
        side = Side("20.10", home, {"DOCKER_HOST": f"unix://{dockerd.socket}"})
        side.ok("import", "--change", 'CMD ["sh"]', "-", "busybox:latest",
                stdin=busybox_tar())
    except BaseException:
        dockerd.kill()
        raise
    return dockerd


@pytest.fixture(scope="session")
def registries(dockerds):
    """get(version): the registry that this dockerd reaches."""
    made = {}

    def get(version):
        if version not in made:
            made[version] = Registry(dockerds(version))
        return made[version]

    yield get
    for registry in made.values():
        registry.stop()


@pytest.fixture(scope="session")
def shared_gates(work, certs, dockerds):
    """get(version, tls): one gate for all tests that do nothing to it."""
    made = {}

    def get(version, tls):
        if (version, tls) not in made:
            gate = Gate(work, certs, dockerds(version).socket, tls=tls)
            _logs[gate.log] = _logs[gate.audit] = 0
            made[version, tls] = gate.start()
        return made[version, tls]

    yield get
    for gate in made.values():
        gate.stop()


@pytest.fixture
def start_gate(work, certs):
    """start_gate(socket, ...): a gate of the test's own, ended with it."""
    made = []

    def start(socket_path, **options):
        gate = Gate(work, certs, socket_path, **options)
        made.append(gate)
        _logs[gate.log] = _logs[gate.audit] = 0
        return gate.start()

    yield start
    for gate in made:
        _logs.pop(gate.log)
        _logs.pop(gate.audit)
    faults = []
    for gate in made:
        try:
            gate.stop()
        except AssertionError as e:
            faults.append(str(e))
    assert not faults, "\n".join(faults)


POLICY = """{
  // who may do what
  "clients": [
    { "match": { "cn": "root" }, "role": "admin" },
    { "match": { "ou": "ci" }, "role": "ci-runner" },
    { "match": { "ou": "watch" }, "role": "read-only" }
  ]
}
"""


@pytest.fixture(scope="session")
def policy_file(work):
    path = os.path.join(work, "policy.json")
    with open(path, "w", encoding="ascii") as f:
        f.write(POLICY)
    return path


@pytest.fixture(scope="session")
def team_gates(work, certs, dockerds, policy_file):
    """get(version, tls): as shared_gates, with a policy and clients of it."""
    made = {}

    def get(version, tls):
        if (version, tls) not in made:
            gate = Gate(work, certs, dockerds(version).socket, tls=tls,
                        policy=policy_file)
            _logs[gate.log] = _logs[gate.audit] = 0
            made[version, tls] = gate.start()
        return made[version, tls]

    yield get
    for gate in made.values():
        gate.stop()


@pytest.fixture
def team(lane, team_gates, home):
    """A Team: one dockerd behind one policy, and everybody's way to it."""
    return Team(lane.dockerd, team_gates(lane.dockerd.version, lane.gate.tls),
                lane.cli, home)


@pytest.fixture
def lane_of_role(request, team, home):
    """As lane, through a gate with a policy: an administrator's, a CI job's."""
    return Lane(team.dockerd, team.gate, team.cli, home, *request.param)


@pytest.fixture
def scripted(work, start_gate):
    """scripted(script, ...): a gate before a scripted dockerd, and that."""
    made = []

    def start(script, **options):
        path = os.path.join(work, f"scripted{next(_names)}.sock")
        upstream = Upstream(path, script)
        made.append(upstream)
        return start_gate(path, **options), upstream

    yield start
    for upstream in made:
        upstream.stop()


@pytest.fixture
def logger(tmp_path):
    made = Logger(str(tmp_path / "log"))
    yield made
    if os.path.exists(made.path):
        made.stop()


def pytest_generate_tests(metafunc):
    asked = getattr(metafunc.module, "LANES", None)
    lanes = {"lane": FEW_LANES if asked == "few" else BASE_LANES,
             "any_lane": ALL_LANES}
    for name in lanes:
        if name in metafunc.fixturenames and asked != "own":
            _lanes_and_roles(metafunc, name, lanes[name])
    if "tls" in metafunc.fixturenames:
        metafunc.parametrize("tls", ["1.2", "1.3"], ids=["tls1.2", "tls1.3"])
    if "version" in metafunc.fixturenames:
        metafunc.parametrize("version", ["20.10", "26.1"],
                             ids=["dockerd20.10", "dockerd26.1"])


def _lanes_and_roles(metafunc, name, lanes):
    ids = [f"dockerd{d}-tls{t}-cli{c}" for d, t, c in lanes]
    if "lane_of_role" not in metafunc.fixturenames:
        metafunc.parametrize(name, lanes, indirect=True, ids=ids)
        return
    # All roles on few lanes, one on each of many.
    pairs = [(role, i) for i in range(len(lanes)) for role in ROLES
             if lanes is not BASE_LANES or BASE_ROLES[i] == role]
    metafunc.parametrize(
        ("lane_of_role", name), [(ROLES[role], lanes[i]) for role, i in pairs],
        indirect=True, ids=[f"{role}-{ids[i]}" for role, i in pairs])


def _lane(request, dockerds, shared_gates, home):
    version, tls, cli = request.param
    if not cli_is_there(cli):
        pytest.skip(f"docker {cli} is not installed")
    return Lane(dockerds(version), shared_gates(version, tls), cli, home)


@pytest.fixture
def lane(request, dockerds, shared_gates, home):
    """Each dockerd under each TLS (or fewer, see LANES)."""
    return _lane(request, dockerds, shared_gates, home)


@pytest.fixture
def any_lane(request, dockerds, shared_gates, home):
    """As lane, with the other command lines too: for what is cheap."""
    return _lane(request, dockerds, shared_gates, home)


# --- a test that hangs fails -------------------------------------------------

# Finds what hangs; several files and the images' tests may share the machine.
LIMIT_S = 300
LIMIT_BIG_S = 600


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    limit = LIMIT_BIG_S if item.get_closest_marker("big") else LIMIT_S

    def give_up(_signal, _frame):
        raise AssertionError(f"still running after {limit} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# --- a failure shows its logs ------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    for path in _logs:
        _logs[path] = os.path.getsize(path) if os.path.exists(path) else 0


def pytest_runtest_logreport(report):
    """At once, and not when all the others are through."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\nFAILED {report.nodeid} ({report.when})",
              file=sys.__stderr__, flush=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for path, since in _logs.items():
        text = tail_of(path, since=since)
        if text.strip():
            report.sections.append((os.path.basename(path), text))
