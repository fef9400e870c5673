# SPDX-License-Identifier: Apache-2.0
"""The README of the old dind images, command by command.

What it ran in the clear on 2376 is mutual TLS now: the same commands, with
the certificates of the volume in the environment.  The host is 127.0.0.1, or
the address of the container.
"""

import os
import subprocess

import pytest

from dockerd import SYSTEM_PATH
from waiting import tail_of, wait_until

CONFIG = """
version: 0.1
log: {{ level: warn }}
storage: {{ filesystem: {{ rootdirectory: {folder}/store }} }}
http: {{ addr: "{address}:5000" }}
"""


@pytest.fixture(scope="session")
def registry(outer):
    """A registry that the containers of this machine reach."""
    # Not of docker: of a bridge that it has just made it tells no gateway.
    address = outer.sh("ip -4 -o addr show docker0 | sed 's/.*inet \\([^/]*\\).*/\\1/'")
    assert address
    folder = os.path.join(outer.folder, "registry")
    os.mkdir(folder)
    with open(f"{folder}/config.yml", "w", encoding="ascii") as f:
        f.write(CONFIG.format(folder=folder, address=address))
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL",
         *outer.dockerd.inside("docker-registry", "serve", f"{folder}/config.yml")],
        stdin=subprocess.DEVNULL, stdout=open(f"{folder}/log", "wb"),
        stderr=subprocess.STDOUT, env={"PATH": SYSTEM_PATH})
    up = lambda: outer.run(f"bash -c '</dev/tcp/{address}/5000'").status == 0
    assert wait_until(up, 60), tail_of(f"{folder}/log") + outer.sh("ip addr; ss -ltn")
    yield f"{address}:5000"
    process.kill()
    process.wait()


def test_run_with_port_mapping(outer, as_client):
    del as_client["DOCKER_HOST"]
    said = outer.sh("docker -H 127.0.0.1:10001 run --rm hello-world echo Hello from Docker",
                    env=as_client)
    assert said == "Hello from Docker"
    # "Alternative to using docker -H"
    assert outer.sh("DOCKER_HOST=127.0.0.1:10001 docker run --rm hello-world echo hi",
                    env=as_client) == "hi"
    # without a certificate nobody is served
    assert outer.run("docker -H 127.0.0.1:10001 info").status != 0
    assert outer.run("docker --tls -H 127.0.0.1:10001 info").status != 0


def test_run_with_public_ip(outer, name, here):
    outer.sh("docker network create ExternalNetwork 2>/dev/null || true")
    outer.sh(f"docker run -d --name={name} --net=ExternalNetwork dinv:debian")
    outer.ready(name)
    outer.give_images(name, "hello-world:latest")
    outer.client(name, here)
    said = outer.sh(f"""
ip=$(docker inspect {name} | grep IPAddress | sed -n 's/.*: "\\(.\\{{1,\\}}\\)".*/\\1/p' | head -1)
export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=.
docker -H $ip:2376 run --rm hello-world echo hello
""", cwd=here, env={"DOCKER_HOST": outer.url})
    assert said == "hello"


def test_memory_and_cpu_are_those_of_the_host(outer, name):
    outer.sh(f"docker run -d --name {name} --cpuset-cpus 1 -m 400m dinv:debian")
    outer.ready(name)
    outer.give_images(name)
    assert "1" in outer.sh(f"docker exec {name} docker run --rm busybox "
                           "grep Cpus_allowed_list /proc/self/status").split()
    # what the inner host gives its containers counts against its own limit
    assert outer.run(f"docker exec {name} docker run --rm busybox "
                     "dd if=/dev/zero of=/dev/null bs=600M count=1").status == 137
    inner = outer.sh(f"docker exec {name} docker run -d busybox sleep 100")
    inner_pid = outer.sh(f"docker exec {name} docker inspect -f '{{{{.State.Pid}}}}' {inner}")
    groups = outer.sh(f"docker exec {name} cat /proc/{inner_pid}/cgroup")
    host = outer.inspect(name)["Id"]
    lines = groups.splitlines()
    mine = [line for line in lines
            if ":memory:" in line or ":cpuset:" in line or len(lines) == 1]
    assert mine and all(host in line and inner in line for line in mine), groups


def test_docker_opts_reach_dockerd(outer, name, here, registry):
    """With a registry without TLS, as the README has it, and quotes."""
    outer.sh(f"docker run -e DOCKER_OPTS='--insecure-registry {registry} --label \"team=a b\"' "
             f"-d -p 12376:2376 --name {name} dinv:debian")
    outer.ready(name)
    outer.client(name, here)
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "127.0.0.1:12376", "DOCKER_CERT_PATH": here}
    assert outer.sh("docker info -f '{{json .Labels}}'", env=env) == '["team=a b"]'
    # the build scenario: build, run, push; then pull and run elsewhere
    outer.give_images(name)
    said = outer.sh(f"""
printf 'FROM busybox\\n\\nCMD echo "Hello Ben"\\n' > Dockerfile
docker ps
docker build -t {registry}/test/silly-test .
docker run {registry}/test/silly-test
""", cwd=here, env=env)
    assert said.endswith("Hello Ben")
    outer.sh(f"docker push {registry}/test/silly-test", env=env)
    outer.sh("DOCKER_BUILDKIT=1 docker build -t buildkit-test . && docker run buildkit-test",
             cwd=here, env=env)
    # Children first: two of one second are listed in any order.
    outer.sh(f"docker rm $(docker ps -a -q) && docker rmi -f {registry}/test/silly-test buildkit-test"
             " && docker rmi -f busybox", env=env)
    assert outer.sh(f"docker -H 127.0.0.1:12376 pull -q {registry}/test/silly-test && "
                    f"docker run {registry}/test/silly-test", env=env).endswith("Hello Ben")


def test_docker_opts_may_open_no_second_door(outer):
    said = outer.run("docker run --rm -e DOCKER_OPTS='-H tcp://0.0.0.0:2375' dinv:debian")
    assert said.status == 2 and "past the gate" in said.err


def test_local_has_no_listener(outer, name):
    outer.sh(f"docker run -d -e LOCAL=true --name {name} dinv:debian")
    outer.ready(name)
    outer.give_images(name)
    assert outer.sh(f"docker exec {name} docker run --rm busybox echo in") == "in"
    listeners = outer.sh(f"docker exec {name} cat /proc/net/tcp /proc/net/tcp6")
    assert not [line for line in listeners.splitlines() if " 0A " in line]


def test_a_host_stops_and_starts_as_often_as_one_likes(outer, name, here):
    """Without a volume of one's own, images and containers are there again."""
    outer.sh(f"docker run -d -p 12376:2376 --name {name} dinv:debian")
    outer.ready(name)
    outer.client(name, here)
    outer.give_images(name)
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "127.0.0.1:12376", "DOCKER_CERT_PATH": here}
    outer.sh("docker run -d --name stays --restart unless-stopped busybox top", env=env)
    for verb, status in (("stop", 0), ("kill", 137), ("restart", None)):
        outer.sh(f"docker {verb} {name}")
        if status is not None:
            assert outer.inspect(name)["State"]["ExitCode"] == status, outer.logs(name)[-3000:]
            outer.sh(f"docker start {name}")
        outer.ready(name)
        assert outer.sh("docker run --rm busybox echo again", env=env) == "again"
        assert outer.sh("docker ps --format '{{.Names}} {{.Image}}'", env=env) == "stays busybox"


def test_cododemo_clean_up_and_volumes(outer, as_client, here):
    """A course's commands: detached, volumes, published ports, clean-up."""
    assert outer.sh("""
docker run -d --name web -v shared-data:/var/shared -p 18080:8080 busybox \
    sh -c 'echo hello > /var/shared/index.html; exec httpd -f -p 8080 -h /var/shared'
docker run --rm -v shared-data:/v busybox sh -c 'until [ -s /v/index.html ]; do sleep 0.1; done; cat /v/index.html'
""", env=as_client).endswith("hello")
    assert outer.sh("docker exec shared docker run --rm --net host busybox wget -qO- 127.0.0.1:18080") == "hello"
    outer.sh("""
docker stop -t 1 web
docker rm $(docker ps -a -q)
docker rmi $(docker images | grep "^<none>" | awk "{print $3}") || true
docker volume rm shared-data
""", env={**as_client, "3": ""})
    assert outer.sh("docker ps -aq", env=as_client) == ""
