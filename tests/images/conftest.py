# SPDX-License-Identifier: Apache-2.0
"""What the tests of the images stand on: one outer Docker, with the images."""

import itertools
import os
import shutil
import signal

import pytest

from outer import Outer, scratch

LIMIT_S = 300  # finds what hangs, and is no measure of speed
_names = itertools.count(1)


@pytest.fixture(scope="session")
def work():
    """A folder with a short name."""
    folder = f"/tmp/dinv-img.{os.getpid()}"
    os.mkdir(folder, 0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def outer(work):
    made = Outer(work)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def name(outer):
    """A name for a container of this test's own, which goes with it."""
    made = f"t{next(_names)}"
    yield made
    outer.run(f"docker rm -fv {made}")


@pytest.fixture
def here(work, name):
    """An empty folder: the one in which the commands are typed."""
    return scratch(work, name)


@pytest.fixture(scope="session")
def secure(outer):
    """A host with mutual TLS, for all tests that do nothing to it."""
    outer.sh("docker run -d --name shared -p 10001:2376 dinv:debian")
    outer.ready("shared")
    outer.give_images("shared", "busybox:latest", "hello-world:latest")
    outer.client("shared", os.path.join(outer.folder, "client"))
    return "shared"


@pytest.fixture
def as_client(outer, secure):
    """The environment of a client of that host, on port 10001."""
    return {"DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "tcp://127.0.0.1:10001",
            "DOCKER_CERT_PATH": os.path.join(outer.folder, "client")}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    def give_up(_signal, _frame):
        raise AssertionError(f"still running after {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
