# SPDX-License-Identifier: Apache-2.0
"""The image in the place of docker:dind, as CI runners start it.

What a GitLab runner's docker executor does: a network for the job, the
service on it with the alias "docker" and the variables of the job, a volume
for the certificates that both mount, then the job's container with the
script.  The commands and variables are those of docs/ci.md.
"""

import pytest

# Of the job: GitLab's documentation of "Docker-in-Docker with TLS enabled".
VARIABLES = ("-e DOCKER_HOST=tcp://docker:2376 -e DOCKER_TLS_CERTDIR=/certs "
             "-e DOCKER_TLS_VERIFY=1 -e DOCKER_CERT_PATH=/certs/client")

# The job's image holds docker and nothing of ours is run in it.
JOB_SCRIPT = """
set -eu
until docker info >/dev/null 2>&1; do sleep 0.2; done
docker import --change 'CMD ["sh"]' - busybox:latest < /builds/busybox.tar
mkdir -p /tmp/project && cd /tmp/project
printf 'FROM busybox\\nCOPY test.sh /\\nCMD ["sh", "/test.sh"]\\n' > Dockerfile
echo 'echo tests passed' > test.sh
docker build -t my-docker-image .
docker run --rm my-docker-image
"""


@pytest.fixture
def network(outer, name):
    outer.sh(f"docker network create runner-{name}")
    yield f"runner-{name}"
    outer.run(f"docker rm -fv svc-{name} job-{name}; docker network rm runner-{name};"
              f"docker volume rm certs-{name}")


def job(outer, name, network, variables, script=JOB_SCRIPT):
    return outer.sh(f"""
docker run --rm -i --name job-{name} --network {network} {variables} -v certs-{name}:/certs/client \
    -v {outer.busybox}:/builds/busybox.tar:ro --entrypoint sh dinv:debian -s""",
                    stdin=script.encode())


def test_gitlab_with_tls(outer, name, network):
    outer.sh(f"docker run -d --name svc-{name} --network {network} --network-alias docker "
             f"{VARIABLES} -v certs-{name}:/certs/client dinv:debian")
    said = job(outer, name, network, VARIABLES)
    assert said.endswith("tests passed")
    # The job has its client's files and no key of anybody else's.
    assert job(outer, name, network, VARIABLES, "ls /certs/client").split() == \
        ["ca.pem", "cert.pem", "key.pem"]


def test_gitlab_without_tls(outer, name, network):
    plain = "-e DOCKER_HOST=tcp://docker:2375 -e DOCKER_TLS_CERTDIR="
    outer.sh(f"docker run -d --name svc-{name} --network {network} --network-alias docker "
             f"{plain} -v certs-{name}:/certs/client dinv:debian")
    assert job(outer, name, network, plain).endswith("tests passed")


def test_github_actions_service(outer, name, network):
    """A runner gives a service options, ports and the job's network, waits
    until its health check is content, and lets steps run in the job's
    container."""
    outer.sh(f"docker create --name svc-{name} --label job --network {network} "
             f"--network-alias docker -p 2376:2376 -v certs-{name}:/certs/client "
             f"-e DOCKER_TLS_CERTDIR=/certs --health-interval 1s dinv:debian "
             f"&& docker start svc-{name}")
    outer.until(lambda: outer.inspect(f"svc-{name}")["State"]["Health"]["Status"] == "healthy",
                f"svc-{name}")
    assert job(outer, name, network, VARIABLES).endswith("tests passed")


def test_compose_service(outer, name, here):
    """docs/ci.md's compose file: Docker as one service, its user as another."""
    compose = f"{outer.newer}/usr/libexec/docker/cli-plugins/docker-compose"
    with open(f"{here}/compose.yaml", "w", encoding="ascii") as f:
        f.write("""
services:
  docker:
    image: dinv:debian
    cap_add: [SYS_ADMIN, NET_ADMIN]
    security_opt: [seccomp=unconfined, apparmor=unconfined]
    healthcheck: { interval: 1s, test: [CMD, dinv, health] }
    volumes: ["client:/certs/client"]
  job:
    image: dinv:debian
    entrypoint: [docker, version, -f, "server {{.Server.Os}}"]
    environment:
      DOCKER_HOST: tcp://docker:2376
      DOCKER_TLS_VERIFY: "1"
      DOCKER_CERT_PATH: /certs/client
    volumes: ["client:/certs/client:ro"]
    depends_on: { docker: { condition: service_healthy } }
volumes:
  client: {}
""")
    said = outer.run(f"{compose} -p {name} up --exit-code-from job; status=$?; "
                     f"{compose} -p {name} down -v -t 5; exit $status", cwd=here)
    assert said.status == 0 and "server linux" in said.out, said
