# SPDX-License-Identifier: Apache-2.0
"""The health check, a policy and an audit log on volumes, names in the
certificate."""

import json

from gate import run_dinv

POLICY = """{
  "clients": [
    { "match": { "cn": "docker-client" }, "role": "admin" },
    { "match": { "ou": "ci" }, "role": "ci-runner" },
    { "match": { "ou": "watch" }, "role": "read-only" },
    { "match": { "ou": "staff" }, "role": "staff" }
  ],
  // "block writes to the public registry so that we are not leaking
  // intellectual property"
  "roles": {
    "staff": {
      "extends": "ci-runner",
      "constraints": { "images": { "push": [ "registry.example.com/*" ] } }
    }
  }
}
"""


def test_healthy_then_unhealthy_where_dockerd_is_dead(outer, name):
    outer.sh(f"docker run -d --name {name} --health-interval 1s --health-retries 1 dinv:debian")

    def becomes(status):
        outer.until(lambda: outer.inspect(name)["State"]["Health"]["Status"] == status, name)

    becomes("healthy")
    # dead, and not to be started again
    outer.sh(f"docker exec {name} sh -c 'mv /usr/sbin/dockerd /usr/sbin/away; "
             "kill -9 $(cat /var/run/docker.pid)'")
    becomes("unhealthy")
    outer.sh(f"docker exec {name} mv /usr/sbin/away /usr/sbin/dockerd")
    becomes("healthy")


def test_policy_and_audit_are_on_volumes(outer, name, here):
    with open(f"{here}/policy.json", "w", encoding="ascii") as f:
        f.write(POLICY)
    outer.sh(f"""
docker run -d --name {name} -p 12376:2376 -v $PWD:/etc/dinv:ro -v audit-{name}:/audit \
    -e DOCKER_TLS_SAN=DNS:docker.example.org,IP:192.0.2.77 \
    dinv:debian -policy /etc/dinv/policy.json -audit /audit/audit.jsonl
""", cwd=here)
    outer.ready(name)
    outer.give_images(name)
    outer.client(name, f"{here}/admin")
    outer.sh(f"docker exec {name} dinv cert issue -name runner-7 -ou ci -out /tmp/ci && "
             f"docker cp {name}:/tmp/ci ci", cwd=here)
    at = "DOCKER_HOST=tcp://127.0.0.1:12376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="
    assert outer.sh(f"{at}ci docker run --rm busybox echo judged", cwd=here) == "judged"
    refused = outer.run(f"{at}ci docker run --rm -v /:/host busybox true", cwd=here)
    assert refused.status == 125 and "role ci-runner refuses the host path" in refused.err
    assert outer.run(f"{at}admin docker run --rm -v /:/host busybox true", cwd=here).status == 0
    # what cAdvisor reads, and no more
    outer.sh(f"docker exec {name} docker run -d --name seen busybox top")
    for unit in ("watch", "staff"):
        outer.sh(f"docker exec {name} dinv cert issue -name {unit} -ou {unit} -out /tmp/{unit} && "
                 f"docker cp {name}:/tmp/{unit} {unit}", cwd=here)
    outer.sh(f"""
export {at}watch
docker info; docker version; docker ps -a; docker images; docker inspect seen
docker stats --no-stream seen; docker events --since 1h --until 0s
docker network ls; docker volume ls; docker top seen
""", cwd=here)
    for write in ("run busybox true", "stop seen", "exec seen true", "rmi busybox"):
        refused = outer.run(f"{at}watch docker {write}", cwd=here)
        assert refused.status != 0 and "role read-only refuses" in refused.err, write
    refused = outer.run(f"{at}staff docker push docker.io/library/busybox", cwd=here)
    assert refused.status == 1 and "role staff refuses to push" in refused.err, refused
    allowed = outer.run(f"{at}staff docker push registry.example.com/busybox", cwd=here)
    assert "role staff" not in allowed.err  # dockerd has no such image to push
    outer.sh(f"docker stop {name}")
    outer.sh(f"docker cp {name}:/audit/audit.jsonl .", cwd=here)
    run_dinv("audit", "verify", f"{here}/audit.jsonl")
    with open(f"{here}/audit.jsonl", encoding="utf-8") as f:
        records = [json.loads(line) for line in f]
    denied = [r for r in records if r.get("decision") == "deny"]
    assert denied and denied[0]["client"]["cn"] == "runner-7"
    outer.sh(f"docker cp {name}:/certs/docker.crt .", cwd=here)
    names = outer.sh("openssl x509 -noout -ext subjectAltName -in docker.crt", cwd=here)
    for wanted in ("DNS:docker.example.org", "IP Address:192.0.2.77", "DNS:docker,",
                   "DNS:localhost", "IP Address:127.0.0.1"):
        assert wanted in names
    address = outer.sh(f"docker start {name} >/dev/null; docker inspect {name} | "
                       "jq -r .[].NetworkSettings.IPAddress")
    assert f"IP Address:{address}" in names
    outer.sh(f"docker rm -fv {name}; docker volume rm audit-{name}")
