# SPDX-License-Identifier: Apache-2.0
"""What CI jobs say to docker, through the gate as ci-runner and straight.

Each session runs both ways and has to end the same: status, output, errors.
A word of the policy's in between is a defect of the policy.  $N is a name of
the session's own, $D its folder.
"""

import json
import re
import shutil

import pytest

LANES = "few"


def run(*args, status=0, stdin=b""):
    return ["run", "--rm", *args], status, stdin


def do(text, status=0, stdin=b""):
    return text.split(), status, stdin


def shell(script, *options, **how):
    return run(*options, "busybox", "sh", "-c", script, **how)


UP = do("run -d --name $N busybox sleep 600")

RUN = {
    "environment": [
        shell("echo $A $B $C", "-e", "A=1", "--env", "B=two words", "--env-file", "$D/env"),
        shell("pwd; id -u; id -G; hostname; hostname -d", "-w", "/tmp", "-u", "1000:1000",
              "--group-add", "7", "--hostname", "host", "--domainname", "example.com"),
        run("--entrypoint", "echo", "busybox", "from", "entrypoint"),
        run("--entrypoint", "", "busybox", "echo", "none"),
        shell("cat", "-i", stdin=b"through stdin\n"),
        shell("exit 42", status=42),
        run("busybox", "no-such-command", status=127),
        run("no-such-image-here:1", "--pull", "never", status=125),
        shell("echo pulled if missing", "--pull", "missing"),
    ],
    "volumes": [
        do("volume create --label a=b $N"),
        shell("echo kept > /data/f; ls /anon /other", "-v", "$N:/data", "-v", "/anon",
              "--mount", "type=volume,target=/other"),
        shell("cat /data/f; touch /data/f", "-v", "$N:/data:ro", status=1),
        shell("cat /data/f", "--mount", "type=volume,source=$N,target=/data,readonly"),
        shell("cat /data/f", "--mount", "type=volume,src=$N,dst=/data,volume-nocopy=true,"
              "volume-label=x=y"),
        shell("mount | grep -c ' /s[123] '; stat -c %a /s2", "--tmpfs", "/s1",
              "--mount", "type=tmpfs,target=/s2,tmpfs-size=1m,tmpfs-mode=700",
              "--tmpfs", "/s3:rw,noexec,nosuid,size=64k,mode=1777"),
        do("volume ls -q --filter name=$N"),
        do("volume inspect -f {{.Driver}}{{.Labels}} $N"),
        do("volume rm $N"),
    ],
    "networks": [
        do("network create --label a=b --subnet 10.77.0.0/24 --gateway 10.77.0.1 "
           "--ip-range 10.77.0.128/25 --opt com.docker.network.driver.mtu=1400 $N"),
        do("network create --internal --attachable $N-2"),
        do("run -d --name $N --network $N --network-alias alias --ip 10.77.0.9 busybox "
           "httpd -f -p 80"),
        shell("nslookup -type=a alias | tail -n 2; cat /etc/hosts | grep extra; "
              "grep -v '^#' /etc/resolv.conf | sort", "--network", "$N",
              "--add-host", "extra:10.1.1.1", "--dns-search", "example.com",
              "--dns-option", "ndots:2", "--mac-address", "02:42:0a:4d:00:77"),
        shell("cat /etc/resolv.conf | grep nameserver", "--dns", "10.9.9.9"),
        run("--network", "none", "busybox", "ls", "/sys/class/net"),
        do("network connect --alias other $N-2 $N"),
        do("network disconnect $N-2 $N"),
        do("network disconnect -f $N-2 $N", status=1),
        do("network inspect -f {{.Driver}}{{.Internal}}{{.Labels}} $N $N-2"),
        do("network ls -q --filter name=$N --no-trunc"),
        do("rm -f $N"),
        do("network rm $N $N-2"),
    ],
    "ports": [
        do("run -d --name $N -p 127.0.0.1:18080:80 --expose 81 busybox httpd -f -p 80"),
        do("port $N"),
        do("port $N 80/tcp"),
        do("rm -f $N"),
        do("run -d --name $N -p 18081:80/udp busybox sleep 600"),
        do("rm -f $N"),
        do("run -d --name $N -P --expose 9 busybox sleep 600"),
        (["inspect", "-f", '{{len (index .NetworkSettings.Ports "9/tcp")}}', "$N"], 0, b""),
    ],
    "limits": [
        shell("cat /proc/self/limits | grep 'open files'; ulimit -u; df -k /dev/shm | tail -n 1 "
              "| cut -c 1-30", "--memory", "64m", "--memory-reservation", "32m", "--cpus", "0.5",
              "--pids-limit", "100", "--ulimit", "nofile=512:1024", "--shm-size", "8m",
              "--cpu-shares", "512", "--cpuset-cpus", "0", "--oom-score-adj", "100"),
        shell("true", "--memory", "64m", "--memory-swap", "64m"),
        shell("true", "--cpu-period", "50000", "--cpu-quota", "25000"),
        do("run -d --name $N --memory 64m busybox sleep 600"),
        do("update --memory 32m --memory-swap 64m --cpus 1 --pids-limit 50 --restart no $N"),
        do("inspect -f {{.HostConfig.Memory}}:{{.HostConfig.PidsLimit}} $N"),
    ],
    "hardening": [
        shell("touch /x", "--read-only", status=1),
        shell("grep -e CapEff -e NoNewPrivs /proc/self/status", "--cap-drop", "ALL",
              "--cap-add", "CHOWN", "--cap-add", "NET_BIND_SERVICE",
              "--security-opt", "no-new-privileges"),
        shell("grep CapEff /proc/self/status", "--cap-drop", "net_raw", "--cap-drop", "CAP_MKNOD"),
        shell("cat /proc/1/comm", "--init"),
        shell("true", "--ipc", "private"),
        shell("true", "--ipc", "shareable"),
        shell("true", "--cgroupns", "private"),
        shell("true", "--userns", ""),
    ],
    "health-and-restart": [
        do("run -d --name $N --health-interval 200ms --health-timeout 5s --health-retries 9 "
           "--health-start-period 1s --health-cmd true --restart on-failure:3 --stop-signal "
           "SIGKILL --stop-timeout 1 --label a=b --label-file $D/env busybox sleep 600"),
        do("exec $N true"),
        do("inspect -f {{.Config.Healthcheck.Test}}{{.HostConfig.RestartPolicy.Name}}"
           "{{.Config.Labels}} $N"),
        do("rm -f $N"),
        do("run -d --name $N --no-healthcheck --restart unless-stopped busybox sleep 600"),
        do("stop -t 0 $N"),
    ],
    "logs": [
        do("run --name $N --log-opt max-size=1m --log-opt max-file=2 --log-opt labels=a "
           "--log-driver json-file busybox seq 5"),
        do("logs $N"),
        do("logs --tail 2 $N"),
        do("logs -f --since 10m --until 2099-01-01T00:00:00Z $N"),
        do("rm $N"),
        do("run --name $N --log-driver local busybox seq 5"),
        do("logs -f $N"),
        do("rm $N"),
        do("run --rm --log-driver none busybox seq 5"),
    ],
    "platform": [
        run("--platform", "linux/amd64", "--isolation", "default", "busybox", "uname", "-m"),
        do("create --name $N --cidfile $D/cid -i -t --sig-proxy=false busybox sh", status=125),
        do("create --name $N -i -t busybox sh"),
        do("inspect -f {{.Config.Tty}}{{.Config.OpenStdin}} $N"),
    ],
}

LIFE = {
    "container": [
        do("create --name $N busybox sleep 600"),
        do("start $N"),
        do("pause $N"),
        do("unpause $N"),
        do("exec $N sh -c 'exit_3'", status=127),
        do("exec -e A=b -w /tmp -u 1000 $N env"),
        (["exec", "-i", "$N", "sh"], 0, b"echo $((1+1)); id -u\n"),
        do("exec -d $N touch /made"),
        do("cp $D/env $N:/tmp/env"),
        do("cp $N:/tmp/env $D/back"),
        do("cp -a $N:/etc/. $D/etc"),
        do("diff $N"),
        do("top $N -o pid,comm", status=0),
        do("port $N"),
        do("rename $N $N-2"),
        do("restart -t 0 $N-2"),
        do("kill -s KILL $N-2"),
        do("wait $N-2"),
        do("ps -a -q --no-trunc --filter name=$N --filter status=exited"),
        do("ps -a --filter label=nobody --format {{.Names}}:{{.Image}}"),
        do("inspect -s -f {{.State.ExitCode}} $N-2"),
        do("export -o $D/root.tar $N-2"),
        do("rm -v $N-2"),
    ],
    "refusals-of-dockerds": [
        do("rm $N-none", status=1),
        do("start $N-none", status=1),
        do("exec $N-none true", status=1),
        do("logs $N-none", status=1),
        do("inspect $N-none", status=1),
        do("cp $N-none:/x $D", status=1),
        do("rmi $N-none", status=1),
        do("volume rm $N-none", status=1),
        do("network rm $N-none", status=1),
        do("stop $N-none", status=1),
        do("kill $N-none", status=1),
        do("wait $N-none", status=1),
        do("attach $N-none", status=1),
        do("update --memory 64m $N-none", status=1),
        do("top $N-none", status=1),
        do("commit $N-none", status=1),
        do("network connect $N-none $N-none", status=1),
        do("tag $N-none x", status=1),
        do("history $N-none", status=1),
    ],
    "images": [
        do("tag busybox $N:1"),
        do("image ls -q --no-trunc $N"),
        do("images --filter reference=$N --format {{.Repository}}:{{.Tag}}"),
        do("image inspect -f {{.Os}}/{{.Architecture}} $N:1"),
        do("history --no-trunc -q $N:1"),
        do("image save -o $D/image.tar $N:1"),
        do("rmi $N:1"),
        do("load -i $D/image.tar"),
        do("load -q -i $D/image.tar"),
        do("run --name $N $N:1 touch /made"),
        do("commit -m message -a author -c WORKDIR=/tmp -p=false $N $N:2", status=1),
        (["commit", "-m", "message", "-a", "author", "-c", "WORKDIR /tmp", "--pause=false",
          "$N", "$N:2"], 0, b""),
        do("run --rm $N:2 pwd"),
        do("export -o $D/root.tar $N"),
        do("import -m imported $D/root.tar $N:3"),
        do("rm $N"),
        do("image rm -f $N:1 $N:2 $N:3"),
    ],
    "system": [
        do("version -f {{.Server.Version}}"),
        do("info -f {{.ServerVersion}}{{.Driver}}"),
        do("system info -f {{.OSType}}"),
        do("events --since 1 --until 2 --filter type=container"),
        do("ps -q --filter name=$N"),
        do("system df -v --format {{len.Volumes}}", status=1),
        UP,
        do("stats --no-stream --format {{.Name}} $N"),
        do("top $N"),
        do("top $N aux", status=0),
        do("container ls -q -f id=nothing"),
        do("context ls -q"),
    ],
}

BUILD = {
    "legacy": [
        do("build -q --rm --force-rm --no-cache -t $N:1 -t $N:2 --build-arg WORD=said --label a=b "
           "--target last --memory 128m --shm-size 8m --ulimit nofile=512 --network none "
           "--add-host extra:10.1.1.1 --cache-from $N:1 --platform linux/amd64 -f $D/ctx/Dockerfile "
           "$D/ctx"),
        do("run --rm $N:1"),
        do("build -q --isolation default --cpu-shares 100 "
           "--network default -t $N:3 $D/ctx"),
        (["build", "-q", "-t", "$N:4", "-"], 0, b"FROM busybox\nENV A=b\n"),
        (["build", "-t", "$N:5", "-"], 9, b"FROM busybox\nRUN exit 9\n"),
        do("rmi $N:1 $N:2 $N:3 $N:4"),
    ],
}

# Their progress is on standard error and never twice the same.
BUILDKIT = {
    "20.10": [
        do("build -q -t $N:1 --build-arg WORD=said --label a=b --target last --add-host a:10.1.1.1 "
           "--secret id=env,src=$D/env --network none --no-cache $D/ctx"),
        do("build --progress plain --output type=local,dest=$D/out $D/ctx"),
        do("build --progress plain -t $N:2 --build-arg BUILDKIT_INLINE_CACHE=1 "
           "--cache-from $N:1 $D/ctx"),
        (["build", "--progress", "plain", "-"], 1, b"FROM busybox\nRUN exit 9\n"),
        do("run --rm $N:1"),
        do("rmi $N:1 $N:2"),
    ],
    "26.1": [
        do("buildx build --load -q -t $N:1 --build-arg WORD=said --provenance=false $D/ctx"),
        do("buildx build --progress plain -o type=tar,dest=$D/image.tar $D/ctx"),
        do("buildx build --progress plain --target first --cache-to type=inline "
           "--attest type=sbom,disabled=true --metadata-file $D/meta $D/ctx"),
        do("buildx build --call check $D/ctx", status=125),
        do("buildx bake -f $D/bake.json --set *.tags=$N:2 --load"),
        do("buildx ls --no-such", status=125),
        do("buildx du --filter type=nothing"),
        do("buildx version"),
        do("run --rm $N:1"),
        do("rmi $N:1 $N:2"),
    ],
}

REGISTRY = [
    do("login -u user -p password 127.0.0.1:5000"),
    do("tag busybox 127.0.0.1:5000/$N:1"),
    do("tag busybox 127.0.0.1:5000/$N:2"),
    do("push -q 127.0.0.1:5000/$N:1"),
    do("push -q -a 127.0.0.1:5000/$N"),
    do("rmi 127.0.0.1:5000/$N:1 127.0.0.1:5000/$N:2"),
    do("pull -q 127.0.0.1:5000/$N:1"),
    do("pull -q -a 127.0.0.1:5000/$N"),
    do("run --rm --pull always 127.0.0.1:5000/$N:1 true"),
    do("create --pull missing --name $N 127.0.0.1:5000/$N:1"),
    do("pull -q 127.0.0.1:5000/$N:none", status=1),
    do("rmi -f 127.0.0.1:5000/$N:1 127.0.0.1:5000/$N:2"),
    do("logout 127.0.0.1:5000"),
]

SESSIONS = {**RUN, **LIFE, **BUILD}

ENV = "C=from-file\nD=also\n"
DOCKERFILE = """FROM busybox AS first
ARG WORD=nothing
RUN echo $WORD > /output
FROM busybox AS last
COPY --from=first /output /input
COPY env /env
HEALTHCHECK --interval=5s CMD true
EXPOSE 80
VOLUME /data
USER 1000
CMD ["cat", "/input"]
"""


def fill(arg, name, folder):
    return arg.replace("$N", name).replace("$D", folder)


def folder_for(tmp_path, which):
    folder = tmp_path / which
    (folder / "ctx").mkdir(parents=True)
    (folder / "env").write_text(ENV)
    (folder / "bake.json").write_text(json.dumps(
        {"target": {"default": {"context": str(folder / "ctx"), "args": {"WORD": "baked"}}}}))
    (folder / "ctx" / "env").write_text(ENV)
    (folder / "ctx" / "Dockerfile").write_text(DOCKERFILE)
    return folder


def told(text):
    """Without what differs between two runs: numbers of ps, the order of diff."""
    if re.match(r"(PID|UID|USER) ", text):
        return re.sub(r"  +", "  ", re.sub(r"\b\d+([:.]\d+)*\b", "N", text))
    if re.match(r"[CAD] /", text):
        return sorted(text.splitlines())
    return text


def play(side, steps, name, tmp_path, **env):
    """Every step's status and output, as the user sees them."""
    folder = folder_for(tmp_path, "d")
    seen = []
    for args, _, stdin in steps:
        run = side.exec_stdin if args[0] == "exec" and stdin else side.docker
        result = run(*(fill(a, name, str(folder)) for a in args), stdin=stdin, env=env)
        status, out, err = result.seen()
        seen.append((" ".join(args), status, told(out), err))
    shutil.rmtree(folder)
    return seen


def tidy(team, name):
    team.straight.docker("rm", "-fv", name, name + "-2")
    team.straight.docker("network", "rm", name, name + "-2")
    team.straight.docker("volume", "rm", name)
    team.straight.docker("rmi", "-f", *(f"{name}:{n}" for n in range(1, 6)))


def both(team, steps, name, tmp_path, **env):
    try:
        gated = play(team.ci, steps, name, tmp_path, **env)
        tidy(team, name)
        straight = play(team.straight, steps, name, tmp_path, **env)
    finally:
        tidy(team, name)
    return gated, straight


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session(team, name, tmp_path, session):
    steps = SESSIONS[session]
    for ours, dockerds, (_, status, _) in zip(*both(team, steps, name, tmp_path), steps):
        assert ours == dockerds
        assert ours[1] == status, ours


@pytest.mark.parametrize("session", BUILDKIT)
def test_with_buildkit(team, name, tmp_path, session):
    if session == "26.1" and team.cli == "20.10":
        pytest.skip("buildx came later")
    steps = BUILDKIT[session]
    gated, straight = both(team, steps, name, tmp_path, DOCKER_BUILDKIT="1")
    for ours, dockerds, (_, status, _) in zip(gated, straight, steps):
        assert ours[:3] == dockerds[:3], (ours, dockerds)
        assert ours[1] == status, ours


def test_with_a_registry(team, registries, name, tmp_path):
    registries(team.dockerd.version)
    for ours, dockerds, (_, status, _) in zip(*both(team, REGISTRY, name, tmp_path), REGISTRY):
        assert ours[:3] == dockerds[:3], (ours, dockerds)
        assert ours[1] == status, ours


def test_links_show_variables_on_the_default_network_alone(team, name):
    """Why they are refused there, and not on a network of one's own."""
    straight = team.straight
    straight.ok("network", "create", name)
    try:
        for network, seen in (([], "OTHER_ENV_SECRET=x"), (["--network", name], "")):
            straight.ok("run", "-d", "--name", name, *network, "-e", "SECRET=x",
                        "busybox", "sleep", "600")
            args = ["run", "--rm", *network, "--link", f"{name}:other", "busybox",
                    "sh", "-c", "ping -c 1 other >/dev/null && env | grep SECRET || true"]
            assert straight.ok(*args) == seen
            refused = team.ci.docker(*args)
            if seen:
                assert refused.status == 125 and "(rule links, at HostConfig.Links)" in refused.err
            else:
                assert (refused.status, refused.out) == (0, ""), refused
            straight.ok("rm", "-f", name)
    finally:
        tidy(team, name)


# Commands of the table in docs/policy.md, and what their users are told.
WAYS_OUT = {
    "run -v $D:/src busybox": "(use a named volume)",
    "run -v /var/run/docker.sock:/s busybox": "set TESTCONTAINERS_RYUK_DISABLED=true",
    "container prune -f": "(remove what is yours by its name)",
    "run --volumes-from $N busybox": "(use a named volume)",
    "run --link $N:other busybox": "(share a network)",
    "volume create -o type=tmpfs -o device=tmpfs $N": "(in memory: --tmpfs)",
    "run --sysctl net.core.somaxconn=1024 busybox": "kernel parameters (rule sysctls",
    "run --device /dev/kvm busybox": "devices of the host (rule devices",
    "run --cap-add NET_ADMIN busybox": "allowed: AUDIT_WRITE, ",
}


@pytest.mark.parametrize("command", WAYS_OUT)
def test_what_is_refused_has_a_way_out(team, name, tmp_path, command):
    folder = str(folder_for(tmp_path, "d"))
    result = team.ci.docker(*(fill(a, name, folder) for a in command.split()))
    assert result.status in (1, 125) and WAYS_OUT[command] in result.err, result


def test_a_builder_of_its_own_is_privileged(team, name):
    if team.cli == "20.10":
        pytest.skip("buildx came later")
    env = team.ci.env
    files = ",".join(f"{k}={env['DOCKER_CERT_PATH']}/{k}.pem" for k in ("ca", "cert", "key"))
    try:
        team.ci.ok("context", "create", name, "--docker", f"host={env['DOCKER_HOST']},{files}")
        # Its own image cannot be pulled here; what matters is how it is started.
        team.ci.ok("buildx", "create", "--name", f"{name}-builder", "--driver",
                   "docker-container", "--driver-opt", "image=busybox", name)
        result = team.ci.docker("buildx", "inspect", "--bootstrap", f"{name}-builder")
        assert result.status == 1 and "refuses privileged containers" in result.err, result
    finally:
        team.ci.docker("buildx", "rm", f"{name}-builder")
        team.ci.docker("context", "rm", name)
