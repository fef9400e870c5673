# SPDX-License-Identifier: Apache-2.0
"""The policy file of the README, as written, with docker itself.

A refusal is one line that says what was refused and why, with docker's own
exit status, and a record in the audit file; dockerd never hears of it.
"""

import json
import re

import pytest

from wire import request

LANES = "few"

# docker run arguments -> rule, JSON path
RUN_REFUSED = {
    "privileged": (["--privileged"], "privileged", "HostConfig.Privileged"),
    "bind": (["-v", "/:/h"], "host-paths", "HostConfig.Binds"),
    "bind-socket": (["-v", "/var/run/docker.sock:/s"], "host-paths", "HostConfig.Binds"),
    "mount": (["--mount", "type=bind,source=/etc,target=/h"],
              "host-paths", "HostConfig.Mounts"),
    "device": (["--device", "/dev/null"], "devices", "HostConfig.Devices"),
    "device-rule": (["--device-cgroup-rule", "c 1:3 rwm"],
                    "devices", "HostConfig.DeviceCgroupRules"),
    "cap-add": (["--cap-add", "SYS_ADMIN"], "capabilities", "HostConfig.CapAdd[0]"),
    "cap-add-all": (["--cap-add", "ALL"], "capabilities", "HostConfig.CapAdd[0]"),
    "pid-host": (["--pid", "host"], "host-namespaces", "HostConfig.PidMode"),
    "net-host": (["--net", "host"], "host-namespaces", "HostConfig.NetworkMode"),
    "ipc-host": (["--ipc", "host"], "host-namespaces", "HostConfig.IpcMode"),
    "uts-host": (["--uts", "host"], "host-namespaces", "HostConfig.UTSMode"),
    "userns-host": (["--userns", "host"], "host-namespaces", "HostConfig.UsernsMode"),
    "cgroupns-host": (["--cgroupns", "host"],
                      "host-namespaces", "HostConfig.CgroupnsMode"),
    "seccomp": (["--security-opt", "seccomp=unconfined"],
                "security-options", "HostConfig.SecurityOpt"),
    "apparmor": (["--security-opt", "apparmor=unconfined"],
                 "security-options", "HostConfig.SecurityOpt"),
    "unmasked": (["--security-opt", "systempaths=unconfined"],
                 "masked-paths", "HostConfig.MaskedPaths"),
    "runtime": (["--runtime", "io.containerd.runc.v2"], "runtime", "HostConfig.Runtime"),
    "cgroup-parent": (["--cgroup-parent", "/"], "cgroup-parent", "HostConfig.CgroupParent"),
    "volumes-from": (["--volumes-from", "other"], "volumes-from", "HostConfig.VolumesFrom"),
    "volume-driver": (["--mount", "type=volume,target=/h,volume-driver=local,"
                       "volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/"],
                      None, "HostConfig.Mounts"),
    "sysctl": (["--sysctl", "kernel.msgmax=1"], "sysctls", "HostConfig.Sysctls"),
    "log-driver": (["--log-driver", "syslog"], "log-driver", "HostConfig.LogConfig"),
}

# Whole commands.
COMMANDS_REFUSED = {
    "plugin-install": ["plugin", "install", "--grant-all-permissions", "some/plugin"],
    "plugin-ls": ["plugin", "ls"],
    "swarm-init": ["swarm", "init"],
    "swarm-join": ["swarm", "join", "--token", "SWMTKN-1-x", "127.0.0.1"],
    "secret-ls": ["secret", "ls"],
    "config-ls": ["config", "ls"],
    "node-ls": ["node", "ls"],
    "service-create": ["service", "create", "busybox"],
    "system-prune": ["system", "prune", "-f"],
    "container-prune": ["container", "prune", "-f"],
    "image-prune": ["image", "prune", "-f"],
    "volume-prune": ["volume", "prune", "-f"],
    "network-prune": ["network", "prune", "-f"],
    "volume-bind": ["volume", "create", "-o", "type=none", "-o", "o=bind",
                    "-o", "device=/"],
    "volume-driver": ["volume", "create", "-d", "../../../tmp/x"],
    "network-macvlan": ["network", "create", "-d", "macvlan", "net"],
    "build-host-network": ["build", "--network", "host", "-"],
}


def one_line(result):
    """docker's own words around ours; 20.10 and 26 say more after it."""
    lines = [line for line in result.err.splitlines()
             if line and not line.startswith(("See 'docker", "Run 'docker", "DEPRECATED",
                                              "            "))]
    assert len(lines) == 1, result
    return lines[0]


@pytest.mark.parametrize("case", RUN_REFUSED)
def test_run_is_refused(team, case):
    args, rule, path = RUN_REFUSED[case]
    seen = len(team.gate.audit_records())
    result = team.ci.docker("run", "--rm", *args, "busybox", "true")
    assert result.status == 125 and result.out == "", result
    line = one_line(result)
    assert "ci-runner" in line and path in line, line
    if rule is not None:
        assert rule in line, line
    team.gate.wait_for_record(event="decision", decision="deny")
    record = [r for r in team.gate.audit_records()[seen:]
              if r["event"] == "decision" and r["decision"] == "deny"][-1]
    assert record["op"] == "ContainerCreate" and record["role"] == "ci-runner"
    assert path in record["json_path"]
    assert rule is None or record["rule"] == rule
    assert record["client"]["cn"] == "job" and record["client"]["ou"] == ["ci"]


@pytest.mark.parametrize("case", COMMANDS_REFUSED)
def test_command_is_refused(team, case, tmp_path):
    result = team.ci.docker(*COMMANDS_REFUSED[case], stdin=b"FROM busybox\n")
    assert result.status != 0, result
    assert "ci-runner" in result.err, result


def test_exec_privileged_is_refused(team, name):
    team.ci.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    try:
        result = team.ci.docker("exec", "--privileged", name, "true")
        assert result.status == 1
        line = one_line(result)
        assert "ci-runner" in line and "Privileged" in line and "exec-privileged" in line
        assert team.ci.docker("exec", name, "true").status == 0
    finally:
        team.straight.docker("rm", "-f", name)


def create(team, body, target="/containers/create", who=("job", "ci")):
    with team.gate.connect(*who) as client:
        return client.ask("POST", target, ["Content-Type: application/json"], body)


@pytest.mark.parametrize("body", [
    # HostConfig's fields at the top, which dockerd up to 26 obeys.
    '{"Image":"busybox","Privileged":true}',
    '{"Image":"busybox","Binds":["/:/h"]}',
    # Names that Go's decoder folds.
    '{"Image":"busybox","ho\\u017ftConfig":{"Privileged":true}}',
    '{"Image":"busybox","Ho\u017ftConfig":{"Privileged":true}}',
    '{"Image":"busybox","HOSTCONFIG":{"PRIVILEGED":true}}',
    '{"Image":"busybox","HostConfig":{"privileged":true}}',
    # Twice: Go merges.
    '{"Image":"busybox","HostConfig":{"Privileged":true},"HostConfig":{}}',
    '{"Image":"busybox","HostConfig":{"Privileged":true,"Privileged":false}}',
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"bind","Source":"/","Target":"/x"}],'
    '"Mounts":[{"Target":"/y"}]}}',
    # Other types that Go takes.
    '{"Image":"busybox","HostConfig":{"CapAdd":"SYS_ADMIN"}}',
    '{"Image":"busybox","HostConfig":{"MaskedPaths":[]}}',
    '{"Image":"busybox","HostConfig":{"Binds":["a/../../etc:/h"]}}',
    # What nobody knows.
    '{"Image":"busybox","HostConfig":{"SomethingNew":true}}',
    '{"Image":"busybox"} {"HostConfig":{"Privileged":true}}',
    '{"Image":"busybox","HostConfig":{"Privileged":true}',
    '[]', '"x"', '{"Image":"busybox",}', '\ufeff{"Image":"busybox"}',
    '{"Image":"busybox","HostConfig":{"Memory":1e9}}',
])
def test_bodies_that_hide_something(lane, team, body):
    answer = create(team, body.encode())
    assert answer.status in (400, 403), answer
    assert json.loads(answer.body)["message"]


def test_targets_that_hide_something(team):
    privileged = b'{"Image":"busybox","HostConfig":{"Privileged":true}}'
    for target in ("/v1.41/containers/create", "/v1.24/containers/create",
                   "/containers/cre%61te", "/%761.41%2Fcontainers%2Fcreate",
                   "/v01.0041/containers/create", "/v1.41.0.0/containers/create",
                   "/v1.41./containers/create", "/v1.99/containers/create",
                   "/v1.18/containers/create", "//containers/create",
                   "/containers/create/"):
        answer = create(team, privileged, target)
        assert 400 <= answer.status < 500, (target, answer)
        assert b"ci-runner" in answer.body or answer.status in (400, 404), answer
    listed = team.straight.ok("ps", "-aq", "--filter", "status=created")
    assert listed == ""


def test_old_start_with_a_body_is_refused(team, name):
    """API 1.23 let start replace HostConfig."""
    team.ci.ok("create", "--name", name, "busybox", "true")
    try:
        for target in (f"/v1.23/containers/{name}/start", f"/containers/{name}/start"):
            create(team, b'{"Privileged":true,"Binds":["/:/h"]}', target)
        inspected = team.straight.ok(
            "inspect", "-f", "{{.HostConfig.Privileged}} {{.HostConfig.Binds}}", name)
        assert inspected == "false []"
    finally:
        team.straight.docker("rm", "-f", name)


def test_an_honest_job(team, name, tmp_path):
    """What a CI job does, in one go."""
    ci = team.ci
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\nCOPY input /input\nRUN cat /input > /output\n")
    (tmp_path / "input").write_text("built\n")
    try:
        ci.ok("version")
        ci.ok("info")
        ci.ok("build", "-t", f"job-{name}", str(tmp_path))
        ci.ok("network", "create", f"net-{name}")
        ci.ok("volume", "create", f"vol-{name}")
        ci.ok("run", "-d", "--name", f"server-{name}", "--network", f"net-{name}",
              "-v", f"vol-{name}:/data", "-e", "A=b", "--memory", "64m", "--cpus", "1",
              "--user", "user", "--workdir", "/tmp", "--label", "x=y", "-p", "80",
              "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
              "--restart", "on-failure:2", "--tmpfs", "/scratch", "--init",
              f"job-{name}", "sleep", "600")
        assert ci.ok("exec", f"server-{name}", "cat", "/output") == "built"
        assert ci.docker("run", "-i", "--rm", "--network", f"net-{name}", f"job-{name}",
                         "cat", stdin=b"foo\n").out == "foo\n"
        assert ci.docker("run", "--rm", f"job-{name}", "sh", "-c", "exit 7").status == 7
        ci.ok("cp", str(tmp_path / "input"), f"server-{name}:/tmp/copied")
        ci.ok("cp", f"server-{name}:/output", str(tmp_path / "back"))
        assert (tmp_path / "back").read_text() == "built\n"
        ci.ok("logs", f"server-{name}")
        ci.ok("inspect", f"server-{name}")
        ci.ok("stats", "--no-stream", f"server-{name}")
        ci.ok("ps", "-a")
        ci.ok("images")
        ci.ok("top", f"server-{name}")
        ci.ok("tag", f"job-{name}", f"job-{name}:again")
        ci.ok("history", f"job-{name}")
        ci.ok("events", "--since", "0", "--until", "1")
        ci.ok("save", "-o", str(tmp_path / "image.tar"), f"job-{name}")
        ci.ok("load", "-i", str(tmp_path / "image.tar"))
        ci.ok("stop", "-t", "0", f"server-{name}")
        assert re.fullmatch(r"137|143", ci.ok("wait", f"server-{name}"))
    finally:
        for args in (["rm", "-f", f"server-{name}"], ["network", "rm", f"net-{name}"],
                     ["volume", "rm", f"vol-{name}"],
                     ["rmi", "-f", f"job-{name}:again", f"job-{name}"]):
            assert ci.docker(*args).status == 0, args


def test_push_and_pull(team, registries, name):
    registries(team.dockerd.version)
    image = f"127.0.0.1:5000/job:{name}"
    team.ci.ok("tag", "busybox", image)
    team.ci.ok("push", image)
    team.ci.ok("rmi", image)
    team.ci.ok("pull", image)
    team.ci.ok("rmi", image)


def test_a_job_with_buildkit(team, tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox AS a\nRUN echo built > /output\nFROM scratch\nCOPY --from=a /output /\n")
    result = team.ci.docker("build", "--output", f"type=local,dest={tmp_path}/out",
                            str(tmp_path), env={"DOCKER_BUILDKIT": "1"})
    assert result.status == 0, result
    assert (tmp_path / "out" / "output").read_text() == "built\n"


def test_a_tunnel_that_did_not_open_carries_nothing(team):
    """An exec that does not exist, with the next request behind it."""
    hidden = request("POST", "/containers/create?name=hidden",
                     ["Content-Type: application/json"],
                     b'{"Image":"busybox","HostConfig":{"Privileged":true}}')
    with team.gate.connect("job", "ci") as client:
        client.send(request("POST", "/exec/" + "0" * 64 + "/start",
                            ["Connection: Upgrade", "Upgrade: tcp",
                             "Content-Type: application/json"], b'{"Detach":false}')
                    + hidden)
        answer = client.reader.answer()
        assert answer.status in (403, 404), answer
        client.shutdown_write()
        client.end()
    assert team.straight.docker("inspect", "hidden").status == 1
