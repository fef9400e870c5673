# SPDX-License-Identifier: Apache-2.0
"""docker-compose 1.29 (Python) and the compose plugin 2.26 (Go)."""

import os

import pytest

from clients import PLUGINS

LANES = "few"

FILE = """
services:
  server:
    image: busybox
    command: sh -c 'echo hello > /tmp/index.html; echo serving; exec httpd -f -p 80 -h /tmp'
    init: true
    volumes: ["data:/data"]
  client:
    image: busybox
    depends_on: [server]
    command: >
      sh -c 'until wget -q -O - http://server/; do sleep 0.1; done; echo "$$WORD"'
    environment:
      WORD: done
volumes:
  data: {}
"""


COMMAND = {
    "v1": ["/usr/bin/docker-compose", "--no-ansi"],
    "v2": [os.path.join(PLUGINS, "docker-compose"), "--ansi", "never"],
}


@pytest.fixture(params=COMMAND)
def compose(request, lane, name, tmp_path):
    """run(side, *args): that compose, on a project of this test's own."""
    (tmp_path / "docker-compose.yml").write_text(
        ("version: '3.7'\n" if request.param == "v1" else "") + FILE)

    def run(side, *args, **options):
        return side.run([*COMMAND[request.param], *args], cwd=str(tmp_path),
                        env={"COMPOSE_PROJECT_NAME": f"project{name}",
                             # v1 speaks TLS 1.2 alone unless told otherwise.
                             "COMPOSE_TLS_VERSION": "TLS_CLIENT"}, **options)

    yield run
    run(lane.straight, "down", "-v", "-t", "0")


def test_up_logs_ps_exec_and_down(lane, compose):
    def session(side):
        seen = []
        up = compose(side, "up", "-d")
        assert up.status == 0, up
        # -a: it may have ended already, and v2 lists only what runs.
        client = compose(side, "ps", "-a", "-q", "client").out.strip()
        waited = side.docker("wait", client)
        seen.append((waited.status, waited.out))
        logs = compose(side, "logs", "client")
        assert logs.status == 0, logs
        seen.append([line.split("|")[1].strip() for line in logs.out.splitlines()
                     if "|" in line and "refused" not in line])
        inside = compose(side, "exec", "-T", "server", "cat", "/tmp/index.html",
                         stdin=b"")
        seen.append((inside.status, inside.out))
        down = compose(side, "down", "-v", "-t", "0")
        assert down.status == 0, down
        seen.append(compose(side, "ps", "-q").out)
        return seen

    assert lane.same_of(session) == [
        (0, "0\n"), ["hello", "done"], (0, "hello\n"), ""]


def test_run_of_one_service(lane, compose):
    def session(side):
        result = compose(side, "run", "--rm", "-T", "--no-deps", "client", "sh", "-c",
                         "echo $WORD; exit 3", stdin=b"")
        compose(side, "down", "-v", "-t", "0")
        return result.status, result.out

    assert lane.same_of(session) == (3, "done\n")


def test_up_in_the_foreground_until_a_service_ends(lane, compose):
    def session(side):
        result = compose(side, "up", "--abort-on-container-exit")
        said = [line.split("|")[1].strip() for line in result.out.splitlines()
                if "|" in line]
        compose(side, "down", "-v", "-t", "0")
        # Not the server's word: v1 shows a line over TLS only when the next
        # one comes or the stream ends, and this one is cut off before.
        return result.status, sorted({"hello", "done"} & set(said))

    assert lane.same_of(session) == (0, ["done", "hello"])
