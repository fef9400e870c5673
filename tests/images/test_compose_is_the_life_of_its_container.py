# SPDX-License-Identifier: Apache-2.0
"""Sealed appliances: the Compose file from outside, and baked in."""

import os
import signal
import subprocess

import pytest

from outer import TOP
from waiting import wait_until

SCRIPT = """\
services:
  web:
    image: web:1
    command: ["sh", "-c", "trap 'echo web-was-told; exit 0' TERM; echo web-is-up; httpd -p 8000 -h /var/www; while :; do sleep 0.1; done"]
    ports: ["8000:8000"]
    volumes: ["state:/state"]
  job:
    image: web:1
    command: ["sh", "-c", "wget -qO- http://web:8000/ && echo job-saw-web"]
    depends_on: [web]
    restart: on-failure
volumes:
  state: {}
"""


@pytest.fixture(scope="session")
def archive(outer):
    """web.tar: an image of one page, as docker save writes it."""
    path = os.path.join(outer.folder, "web")
    os.mkdir(path)
    outer.sh("""
docker import - busybox:base < ../busybox.tar
printf 'FROM busybox:base\\nRUN mkdir -p /var/www && echo a page > /var/www/index.html\\n' > Dockerfile
docker build -q -t web:1 . && docker save -o web.tar web:1 && docker rmi web:1 busybox:base
""", cwd=path)
    return f"{path}/web.tar"


def serves(outer, port=8000):
    return lambda: outer.run(f"busybox wget -qO- http://127.0.0.1:{port}/").out == "a page\n"


def test_dynamic_up_and_down_with_its_volume(outer, name, here, archive):
    with open(f"{here}/docker-compose.yml", "w", encoding="ascii") as f:
        f.write(SCRIPT)
    # The first life pulls, the README says; here what it would pull is loaded.
    outer.sh(f"""
docker create --name {name} -v cache-{name}:/var/lib/docker -p 8000:8000 \
    -e COMPOSE_SCRIPT="$(cat docker-compose.yml)" dinv:compose-dynamic
docker cp {archive} {name}:/var/lib/dinv/preload/web.tar
docker start {name}
""", cwd=here)
    outer.until(serves(outer), name)
    outer.until(lambda: "job-saw-web" in outer.logs(name), name)
    assert outer.sh(f"docker exec {name} dinv health") == "dockerd answers"
    listeners = outer.sh(f"docker exec {name} cat /proc/net/tcp")
    assert "0948" not in listeners and "0947" not in listeners  # 2376, 2375
    outer.sh(f"docker stop {name}")
    said = outer.logs(name)
    assert outer.inspect(name)["State"]["ExitCode"] in (0, 130, 143), said[-3000:]
    assert "web-was-told" in said and "dockerd stopped: exit status 0" in said
    # Once more, as the README ends it: the cache is there, nothing is left over.
    outer.sh(f"docker start {name}")
    outer.until(serves(outer), name)
    again = outer.logs(name)[len(said):]
    assert "loading images" in said and "loading images" not in again
    outer.sh(f"docker kill {name} && docker start {name}")
    outer.until(serves(outer), name)
    # its life is compose's: when the project ends, so does the container
    outer.sh(f"docker exec {name} docker compose -p dinv stop -t 1")
    assert outer.ended(name) in (0, 130, 137, 143)
    outer.sh(f"docker rm {name}; docker volume rm cache-{name}")


def test_without_d_ctrl_c_stops_it(outer, name, here, archive):
    with open(f"{here}/docker-compose.yml", "w", encoding="ascii") as f:
        f.write(SCRIPT)
    attached = subprocess.Popen(
        outer.dockerd.inside("sh", "-c", f"""
exec docker run --name {name} -p 8000:8000 -v {os.path.dirname(archive)}:/var/lib/dinv/preload:ro \
    -e COMPOSE_SCRIPT="$(cat docker-compose.yml)" dinv:compose-dynamic"""),
        cwd=here, env=outer.env(here), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert wait_until(serves(outer), 60, or_else=lambda: attached.poll() is not None), \
        outer.logs(name)[-4000:]
    attached.send_signal(signal.SIGINT)
    said = attached.communicate(timeout=30)[0].decode()
    assert "web-is-up" in said and "web-was-told" in said and "all stopped" in said
    assert not outer.inspect(name)["State"]["Running"]


def test_static_with_its_images_baked_in(outer, name, here, archive):
    """images/compose-static/example, built with the outer Docker."""
    outer.sh(f"""
cp -r {TOP}/images/compose-static/example/. .
cp {archive} web.tar
docker build -q -t appliance:{name} .
docker run -d --name {name} -p 8000:8000 appliance:{name}
""", cwd=here)
    outer.until(serves(outer), name)
    said = outer.logs(name)
    assert "Loaded image: web:1 archive=web.tar" in said
    assert outer.sh(f"docker exec {name} docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}'") == "web:1"
    outer.sh(f"docker rm -fv {name}; docker rmi appliance:{name}")


def test_an_archive_that_cannot_be_loaded_is_said(outer, name, here, archive):
    with open(f"{here}/a-junk.tar", "wb") as f:
        f.write(b"this is no archive" * 1000)
    os.mkdir(f"{here}/b-folder.tar")
    outer.sh(f"cp {archive} c-web.tar; docker run -d --name {name} "
             "-v $PWD:/var/lib/dinv/preload:ro dinv:debian", cwd=here)
    outer.ready(name)
    said = outer.logs(name)
    assert "images not loaded: dockerd said" in said and "archive=a-junk.tar" in said
    assert "no regular file that can be read" in said
    assert "Loaded image: web:1 archive=c-web.tar" in said
    assert outer.sh(f"docker exec {name} docker run --rm web:1 cat /var/www/index.html") == "a page"


def test_nothing_to_run_is_said(outer, name):
    outer.sh(f"docker run -d --name {name} dinv:compose-dynamic")
    assert outer.ended(name, 60) == 2
    assert "COMPOSE_SCRIPT" in outer.logs(name)
