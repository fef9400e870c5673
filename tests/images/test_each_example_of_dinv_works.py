# SPDX-License-Identifier: Apache-2.0
"""DinV's manual, command by command, with this image's name.

SEEDS: DinV, "Docker-in-VIC".  Where the manual asks for a network named
publicNet, one is made; the host is 127.0.0.1.
"""

import subprocess

import pytest

from gate import run_dinv


def certificates(folder, host):
    """What a VCH hands out: a CA, a server pair and a client pair, made
    elsewhere; the CA's key stays there."""
    run_dinv("cert", "init", "-certs", f"{folder}/store", "-host", host, "-host", "127.0.0.1")
    for theirs, ours in (("ca.pem", "ca.crt"), ("server-cert.pem", "docker.crt"),
                         ("server-key.pem", "docker.key"), ("cert.pem", "docker-client.crt"),
                         ("key.pem", "docker-client.key")):
        subprocess.run(["cp", f"{folder}/store/{ours}", f"{folder}/{theirs}"], check=True)


def test_the_help_is_shown_and_nothing_started(outer):
    said = outer.sh("docker run --rm dinv:debian -h")
    for flag in ("-insecure-registry", "-local", "-storage", "-tls", "-tlsverify"):
        assert f"  {flag}" in said
    assert outer.sh("docker run --rm dinv:debian --help") == said


def test_quickstart_says_how_to_secure_it(outer, name):
    outer.sh(f"docker run --name {name} -p 12375:2375 -d -e DOCKER_TLS_CERTDIR= dinv:debian")
    outer.ready(name)
    assert "Server Version" in outer.sh("docker -H 127.0.0.1:12375 info")
    said = outer.logs(name)
    assert "NOT SECURE" in said and "-tlsverify" in said
    # dockerd itself listens on no TCP port
    listeners = outer.sh(f"docker exec {name} cat /proc/net/tcp /proc/net/tcp6")
    ports = {line.split()[1].rsplit(":", 1)[1] for line in listeners.splitlines()
             if " 0A " in line}
    assert ports - {"0947"} == set(), listeners  # 2375


def test_example_1_certificates_of_ones_own(outer, name, here):
    certificates(f"{here}", "127.0.0.1")
    outer.sh(f"""
docker create -p 12376:2376 --name {name} -v certs-{name}:/certs dinv:debian -tlsverify
docker cp ca.pem {name}:/certs/ca.crt
docker cp server-cert.pem {name}:/certs/docker.crt
docker cp server-key.pem {name}:/certs/docker.key
docker start {name}
""", cwd=here)
    outer.ready(name)
    assert "Server Version" in outer.sh(
        "DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=. docker -H 127.0.0.1:12376 info", cwd=here)
    # what was supplied is untouched, and nothing beside it was made up
    assert outer.sh(f"docker exec {name} cat /certs/docker.crt") == \
        open(f"{here}/server-cert.pem", encoding="ascii").read().strip()
    assert outer.run(f"docker exec {name} test -e /certs/ca-key.pem").status == 1
    # a stranger's certificate is refused
    run_dinv("cert", "init", "-certs", f"{here}/strange")
    run_dinv("cert", "issue", "-certs", f"{here}/strange", "-name", "x", "-out", f"{here}/x")
    subprocess.run(["cp", f"{here}/ca.pem", f"{here}/x/ca.pem"], check=True)
    assert outer.run("DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=x docker -H 127.0.0.1:12376 info",
                     cwd=here).status != 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_example_2_the_image_cache_lives_in_a_volume(outer, name, here, end):
    run = (f"docker run -d --name {name} -v registry-{name}:/var/lib/docker "
           f"-v certs-{name}:/certs -p 12376:2376 dinv:debian -tlsverify")
    outer.sh(run)
    outer.ready(name)
    outer.give_images(name)
    outer.sh(f"docker exec {name} docker run -d --name inner --restart always busybox top")
    outer.client(name, here)
    outer.sh(f"docker {end} {name} && docker rm {name}")
    outer.sh(run)
    outer.ready(name)
    env = {"DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "tcp://127.0.0.1:12376",
           "DOCKER_CERT_PATH": here}
    assert outer.sh("docker run --rm busybox echo still there", env=env) == "still there"
    assert outer.sh("docker ps --format '{{.Names}}'", env=env) == "inner"
    outer.sh(f"docker rm -f {name}; docker volume rm registry-{name} certs-{name}")


def test_example_3_debug_shows_what_both_do(outer, name):
    outer.sh(f"docker run -d -v certs-{name}:/certs -e DEBUG=true -p 12376:2376 "
             f"--name {name} -it dinv:debian")
    outer.ready(name)
    said = outer.logs(name)
    assert "DEBU" in said and " debug " in said  # dockerd's, to a terminal; ours


def test_example_4_a_network_of_its_own(outer, name, here):
    outer.sh("docker network create publicNet 2>/dev/null || true")
    certificates(here, name)
    outer.sh(f"""
docker create --name {name} -v certs-{name}:/certs -v registry-{name}:/var/lib/docker --net=publicNet dinv:debian -tlsverify
docker cp ca.pem {name}:/certs/ca.crt
docker cp server-cert.pem {name}:/certs/docker.crt
docker cp server-key.pem {name}:/certs/docker.key
docker start {name}
""", cwd=here)
    outer.ready(name)
    # The certificate names the host; the manual's has the address in it.
    said = outer.run(f"""
export DOCKER_HOST=$(docker inspect {name} | jq -r .[].NetworkSettings.Networks.publicNet.IPAddress):2376
export DOCKER_TLS_VERIFY=1
export DOCKER_CERT_PATH=.
docker info
""", cwd=here)
    assert said.status != 0 and "certificate is valid for" in said.err + said.out
    address = outer.sh(f"docker inspect {name} | jq -r .[].NetworkSettings.Networks.publicNet.IPAddress")
    run_dinv("cert", "renew", "-certs", f"{here}/store", "-server", "-host", address)
    outer.sh(f"docker cp store/docker.crt {name}:/certs/docker.crt; docker exec {name} dinv reload",
             cwd=here)
    assert "Server Version" in outer.sh(f"""
export DOCKER_HOST=$(docker inspect {name} | jq -r .[].NetworkSettings.Networks.publicNet.IPAddress):2376
export DOCKER_TLS_VERIFY=1
export DOCKER_CERT_PATH=.
docker info
""", cwd=here)


def test_example_5_certificates_that_the_host_made(outer, name, here):
    outer.sh("docker network create publicNet 2>/dev/null || true")
    outer.sh(f"docker run --name {name} -v certs-{name}:/certs -v registry-{name}:/var/lib/docker "
             "--net=publicNet -d dinv:debian -tlsverify")
    outer.ready(name)
    said = outer.sh(f"""
docker cp {name}:/certs/ca.crt ca.pem
docker cp {name}:/certs/docker-client.crt cert.pem
docker cp {name}:/certs/docker-client.key key.pem
export DOCKER_HOST=$(docker inspect {name} | jq -r .[].NetworkSettings.Networks.publicNet.IPAddress):2376
export DOCKER_TLS_VERIFY=1
export DOCKER_CERT_PATH=.
docker info
""", cwd=here)
    assert "Server Version" in said
    files = outer.sh(f"docker exec {name} stat -c '%a %n' /certs/ca.crt /certs/ca-key.pem "
                     "/certs/docker.crt /certs/docker.key /certs/docker-client.crt "
                     "/certs/docker-client.key")
    assert files.split("\n") == [
        "644 /certs/ca.crt", "600 /certs/ca-key.pem", "644 /certs/docker.crt",
        "600 /certs/docker.key", "644 /certs/docker-client.crt",
        "600 /certs/docker-client.key"]
    subject = outer.sh("openssl x509 -noout -subject -in cert.pem", cwd=here)
    assert "CN = docker-client" in subject


def test_tls_without_client_certificates(outer, name, here):
    outer.sh(f"docker run -d --name {name} -p 12376:2376 dinv:debian -tls "
             "-insecure-registry 10.9.8.1:1,10.9.8.2:2 -insecure-registry 10.9.8.3:3")
    outer.ready(name)
    outer.sh(f"docker cp {name}:/certs/ca.crt ca.pem", cwd=here)
    outer.sh(f"docker exec {name} sh -c 'test -s /certs/docker.crt && test -s /certs/docker.key'")
    said = outer.sh("docker --tlscacert ca.pem --tls -H 127.0.0.1:12376 info", cwd=here)
    for registry in ("10.9.8.1:1", "10.9.8.2:2", "10.9.8.3:3"):
        assert registry in said
    assert "Storage Driver: overlay2" in said
    assert "NOT SECURE" in outer.logs(name)
