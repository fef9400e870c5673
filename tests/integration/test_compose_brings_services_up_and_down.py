# SPDX-License-Identifier: Apache-2.0
"""docker-compose 1.29 (Python) and the compose plugin 2.26 (Go)."""

import os

import pytest

from clients import PLUGINS
from conftest import FEW_LANES, ROLES

LANES = "own"
OLD, NEW = FEW_LANES
ADMIN, JOB = ROLES["admin"], ROLES["ci-runner"]
JOBS = {"ci-runner-v1-dockerd26.1": (JOB, "v1", NEW),
        "ci-runner-v2-dockerd20.10": (JOB, "v2", OLD)}
# Each role with each compose, each with each dockerd, each compose with each.
PAIRS = {"admin-v1-dockerd20.10": (ADMIN, "v1", OLD),
         "admin-v2-dockerd26.1": (ADMIN, "v2", NEW), **JOBS}


def lanes(pairs):
    return pytest.mark.parametrize("lane_of_role, compose, lane", pairs.values(),
                                   indirect=True, ids=pairs)


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


@pytest.fixture
def compose(request, lane_of_role, name, tmp_path):
    """run(side, *args): that compose, on a project of this test's own."""
    (tmp_path / "docker-compose.yml").write_text(
        ("version: '3.7'\n" if request.param == "v1" else "") + FILE)

    def run(side, *args, **options):
        return side.run([*COMMAND[request.param], *args], cwd=str(tmp_path),
                        env={"COMPOSE_PROJECT_NAME": f"project{name}",
                             # v1 speaks TLS 1.2 alone unless told otherwise.
                             "COMPOSE_TLS_VERSION": "TLS_CLIENT"}, **options)

    yield run
    run(lane_of_role.straight, "down", "-v", "-t", "0")


@lanes(PAIRS)
def test_up_logs_ps_exec_and_down(lane_of_role, compose):
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

    assert lane_of_role.same_of(session) == [
        (0, "0\n"), ["hello", "done"], (0, "hello\n"), ""]


@lanes(PAIRS)
def test_run_of_one_service(lane_of_role, compose):
    def session(side):
        result = compose(side, "run", "--rm", "-T", "--no-deps", "client", "sh", "-c",
                         "echo $WORD; exit 3", stdin=b"")
        compose(side, "down", "-v", "-t", "0")
        return result.status, result.out

    assert lane_of_role.same_of(session) == (3, "done\n")


@lanes(PAIRS)
def test_up_in_the_foreground_until_a_service_ends(lane_of_role, compose):
    def session(side):
        result = compose(side, "up", "--abort-on-container-exit")
        said = [line.split("|")[1].strip() for line in result.out.splitlines()
                if "|" in line]
        compose(side, "down", "-v", "-t", "0")
        # Not the server's word: v1 shows a line over TLS only when the next
        # one comes or the stream ends, and this one is cut off before.
        return result.status, sorted({"hello", "done"} & set(said))

    assert lane_of_role.same_of(session) == (0, ["done", "hello"])


BIG = """
services:
  db:
    image: busybox
    command: sh -c 'echo up > /data/up; sleep 600'
    init: true
    environment: {A: b}
    env_file: [env]
    healthcheck: {test: test -f /data/up, interval: 2s, timeout: 5s, retries: 50}
    volumes: ["data:/data", "/anon", {type: tmpfs, target: /scratch}]
    networks: {back: {aliases: [store]}}
    labels: {a: b}
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    cap_drop: [ALL]
    cap_add: [CHOWN]
    security_opt: ["no-new-privileges:true"]
    read_only: true
    restart: unless-stopped
    stop_grace_period: 1s
    ulimits: {nofile: {soft: 512, hard: 1024}}
    logging: {driver: json-file, options: {max-size: 1m}}
    extra_hosts: ["extra:10.1.1.1"]
    dns: [10.9.9.9]
    shm_size: 8m
    hostname: db
    user: "0"
    working_dir: /tmp
    expose: ["90"]
    tmpfs: [/tmp]
  web:
    build: {context: ctx, args: {WORD: composed}, labels: {a: b}}
    image: $IMAGE
    depends_on: {db: {condition: service_healthy}}
    networks: [front, back]
    ports: ["127.0.0.1::80"]
    entrypoint: [sh, -c]
    command: ["cat /output; exec sleep 600"]
    stop_signal: SIGKILL
networks:
  front: {driver: bridge, labels: {a: b}}
  back: {internal: true, ipam: {config: [{subnet: 10.78.0.0/24}]}}
volumes:
  data: {labels: {a: b}}
"""

COMMANDS = [
    ["config", "-q"], ["build", "-q"], ["up", "-d"], ["ps", "-q"], ["top"], ["images", "-q"],
    ["exec", "-T", "web", "cat", "/output"], ["port", "web", "80"],
    ["run", "--rm", "-T", "--no-deps", "web", "exit 4"], ["pause", "db"], ["unpause", "db"],
    ["restart", "-t", "0", "web"], ["stop", "-t", "0", "web"], ["start", "web"],
    ["kill", "web"], ["rm", "-f", "web"], ["up", "-d", "--no-build", "--no-deps", "--force-recreate", "web"],
    ["logs", "--no-color", "web"], ["up", "-d", "--scale", "db=2", "--no-recreate"],
    ["down", "-v", "--rmi", "local", "--remove-orphans", "-t", "0"],
]


# An admin may all of it; what there is to lose is the other role's.
@pytest.mark.big
@lanes(JOBS)
def test_a_whole_project(lane_of_role, compose, name, tmp_path):
    """Every command has the same status both ways, and those that tell say the same."""
    (tmp_path / "env").write_text("C=d\n")
    (tmp_path / "ctx").mkdir()
    (tmp_path / "ctx" / "Dockerfile").write_text(
        "FROM busybox\nARG WORD\nRUN echo $WORD > /output\n")
    # v1 knows conditions in files of version 2 alone.
    text = BIG.replace("$IMAGE", f"web-{name}")
    if "version" in (tmp_path / "docker-compose.yml").read_text():
        text = "version: '2.4'\n" + text
    (tmp_path / "docker-compose.yml").write_text(text)

    def session(side):
        seen = []
        for command in COMMANDS:
            result = compose(side, *command)
            out = result.out if command[0] in ("exec", "run") else ""
            seen.append((" ".join(command), result.status, out))
            assert result.status == (4 if command[0] == "run" else 0), result
        return seen

    try:
        seen = lane_of_role.same_of(session)
    finally:
        lane_of_role.straight.docker("rmi", "-f", f"web-{name}")
    assert (" ".join(COMMANDS[6]), 0, "composed\n") in seen
