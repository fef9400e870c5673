# SPDX-License-Identifier: Apache-2.0
"""The package and the units on a Debian with systemd, beside docker.io.

One story, in order: installed, begun, used, upgraded, removed, purged.  Runs
where tests/integration/host.sh has made that Debian (make deb-test).
"""

import os
import re
import shutil
import subprocess

import pytest

from gate import DINV, is_instrumented
from host import TREE, Host
from images import busybox_tar
from waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not os.path.isdir(TREE), reason="only in make deb-test"),
    pytest.mark.skipif(is_instrumented(), reason="built with a sanitizer")]

UNITS = ("dinv.socket", "dinv.service", "dinv-renew.timer")
GATE = {"DOCKER_HOST": "tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/root/ann"}


def build(folder, version):
    top = os.path.join(os.path.dirname(__file__), "../..")
    done = subprocess.run(
        ["sh", os.path.join(top, "images/deb/build.sh"), DINV, version, folder],
        capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def packages(work):
    folder = os.path.join(work, "debs")
    os.mkdir(folder)
    return [build(folder, version) for version in ("0.0.9", "7.0")]


@pytest.fixture(scope="module")
def host(work, packages):
    made = Host(os.path.join(work, "host")).start()
    for i, package in enumerate(packages):
        shutil.copy(package, made.path(f"/root/{i}.deb"))
    yield made
    made.stop()


def listens(host):
    with open(f"/proc/{host.pid}/net/tcp6", encoding="ascii") as f:
        return re.search(r":0948 0{32}:0000 0A ", f.read()) is not None


def states(host, word):
    return host.run("systemctl", word, *UNITS).stdout.split()


def mode(host, path):
    return host.ok("stat", "-c", "%a %U %G", path)


def main_pid(host):
    return host.ok("systemctl", "show", "-P", "MainPID", "dinv")


def names(host):
    """What the server's certificate says it is."""
    done = subprocess.run(
        ["openssl", "x509", "-in", host.path("/etc/dinv/certs/docker.crt"), "-noout", "-ext",
         "subjectAltName"], capture_output=True, text=True, check=True)
    return re.findall(r"(?:DNS|IP Address):([^,\s]+)", done.stdout)


def docker(host, *args, **options):
    return host.run("docker", *args, env=GATE, **options)


def test_lintian_finds_no_error(packages):
    if shutil.which("lintian") is None:
        pytest.skip("no lintian here")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", packages[0]],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_1_nothing_listens_once_it_is_installed(host):
    said = host.ok("dpkg", "-i", "0.deb")
    assert "nothing listens yet" in said and "dinv cert init" in said
    assert states(host, "is-enabled") == ["disabled"] * 3
    assert states(host, "is-active") == ["inactive"] * 3
    assert not listens(host)
    assert host.ok("id", "-nG", "dinv") == "dinv"
    assert mode(host, "/etc/dinv/certs") == "750 root dinv"
    # Without certificates it does not open either.
    started = host.run("systemctl", "start", "dinv.socket")
    assert started.returncode != 0 and "Assertion failed" in started.stderr, started
    assert not listens(host)


def test_2_what_the_package_says_makes_it_serve(host):
    host.ok("dinv", "cert", "init", "-certs", "/etc/dinv/certs", "-host", "127.0.0.1")
    host.ok("dinv", "cert", "issue", "-certs", "/etc/dinv/certs", "-name", "ann", "-ou", "admin",
            "-out", "ann")
    host.ok("systemctl", "enable", "--now", *UNITS)
    assert states(host, "is-active") == ["active"] * 3
    assert mode(host, "/etc/dinv/certs/docker.key") == "640 root dinv"
    assert mode(host, "/etc/dinv/certs/ca-key.pem") == "600 root root"
    assert docker(host, "import", "-", "busybox", input=busybox_tar(), text=False).returncode == 0
    ran = docker(host, "run", "-i", "--rm", "busybox", "cat", input="foo\n")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "foo\n", "")
    built = docker(host, "build", "-q", "-t", "made", "-", input="FROM busybox\nRUN echo a > /b\n")
    assert built.returncode == 0, built
    ran = docker(host, "run", "-d", "--name", "up", "made", "sh", "-c", "cat /b; sleep 600")
    assert ran.returncode == 0, ran
    ran = docker(host, "exec", "up", "cat", "/b")
    assert ran.stdout == "a\n", ran
    assert wait_until(lambda: docker(host, "logs", "up").stdout == "a\n", 30)
    assert docker(host, "rm", "-f", "up").returncode == 0
    refused = host.run("docker", "version", env={**GATE, "DOCKER_CERT_PATH": "/nothing"})
    assert refused.returncode == 1
    assert host.ok("dinv", "audit", "verify", "-key", "/var/lib/dinv/audit.key",
                   "/var/log/dinv/audit.jsonl") is not None
    assert mode(host, "/var/log/dinv") == "750 dinv dinv"


def test_3_the_gate_holds_no_right(host):
    pid = main_pid(host)
    status = host.ok("cat", f"/proc/{pid}/status")
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
                 "Seccomp:\t2"):
        assert line in status, status
    uid, docker_gid = host.ok("id", "-u", "dinv"), host.ok("getent", "group", "docker").split(":")[2]
    assert re.search(rf"^Uid:\t{uid}\t{uid}\t{uid}\t{uid}$", status, re.M)
    assert docker_gid in re.search(r"^Groups:(.*)$", status, re.M).group(1).split()
    # Its own network has nothing but a loopback that is down.
    assert re.findall(r"^ *(\w+):", host.ok("cat", f"/proc/{pid}/net/dev"), re.M) == ["lo"]
    # Root itself finds no CA key where the gate lives; it can write nothing
    # there, and start nothing but itself.
    inside = f"/proc/{pid}/root/etc/dinv/certs"
    assert "PRIVATE KEY" in host.ok("cat", f"{inside}/docker.key")
    for key in ("ca-key.pem", "docker-client.key"):
        assert host.ok("stat", "-c", "%a %s", f"{inside}/{key}") == "0 0"
    assert "Read-only" in host.run("touch", f"{inside}/x").stderr
    enter = ("nsenter", "-t", pid, "--mount", "--root")
    assert "Permission denied" in host.run(*enter, "id").stderr
    assert host.ok(*enter, "dinv", "version").startswith("dinv ")


def test_4_a_reload_fails_where_the_policy_does(host):
    policy = host.path("/etc/dinv/policy.json")
    with open(policy, encoding="ascii") as f:
        good = f.read()
    with open(policy, "w", encoding="ascii") as f:
        f.write(good.replace('"admin" }, "role"', '"admin" }, "roll"'))
    assert host.run("systemctl", "reload", "dinv").returncode != 0
    assert "/etc/dinv/policy.json:10:" in host.journal("dinv")
    assert docker(host, "version").returncode == 0
    # A start that fails closes the port in the end, and says why.
    assert host.run("systemctl", "restart", "dinv").returncode != 0
    assert wait_until(lambda: not listens(host), 60)
    assert re.search(r"dinv gate: /etc/dinv/policy.json:10:", host.journal("dinv"))
    with open(policy, "w", encoding="ascii") as f:
        f.write(good + "// mine\n")
    host.ok("systemctl", "reset-failed", "dinv")  # as docs/operations.md says
    host.ok("systemctl", "restart", "dinv.socket", "dinv")
    assert docker(host, "version").returncode == 0
    host.ok("systemctl", "reload", "dinv")


def test_5_clients_wait_for_a_restart(host):
    before = main_pid(host)
    clients = [subprocess.Popen(
        host.argv("sh", "-c", "for i in 1 2 3 4 5 6; do docker version >/dev/null || exit 1; done"),
        env={"PATH": "/usr/bin:/bin", "HOME": "/root", **GATE}) for _ in range(3)]
    for _ in range(3):
        host.ok("systemctl", "reset-failed", "dinv")  # many a start is a sign of trouble
        host.ok("systemctl", "restart", "dinv")
    assert [client.wait(100) for client in clients] == [0, 0, 0]
    assert main_pid(host) != before


def test_5_a_gate_that_hangs_is_started_anew(host):
    before = main_pid(host)
    os.makedirs(host.path("/run/systemd/system/dinv.service.d"))
    with open(host.path("/run/systemd/system/dinv.service.d/soon.conf"), "w",
              encoding="ascii") as f:
        f.write("[Service]\nWatchdogSec=2\n")
    host.ok("systemctl", "daemon-reload")
    host.ok("systemctl", "reset-failed", "dinv")
    host.ok("systemctl", "restart", "dinv")
    hangs = main_pid(host)
    host.ok("sh", "-c", f"kill -STOP {hangs}")
    assert wait_until(lambda: main_pid(host) not in ("0", before, hangs), 60)
    assert "Watchdog timeout" in host.journal("dinv")
    assert docker(host, "version").returncode == 0
    os.unlink(host.path("/run/systemd/system/dinv.service.d/soon.conf"))
    host.ok("systemctl", "daemon-reload")
    host.ok("systemctl", "restart", "dinv")


def test_6_what_is_due_is_renewed_and_taken_up(host):
    assert "newname" not in names(host)
    host.ok("hostname", "newname")
    host.ok("systemctl", "start", "dinv-renew.service")
    assert "newname" in names(host)
    assert wait_until(lambda: "certificates have changed: reloaded" in host.journal("dinv"), 30)
    assert mode(host, "/etc/dinv/certs/docker.key") == "640 root dinv"


def test_7_an_upgrade_keeps_what_is_ours(host):
    before = main_pid(host)
    host.ok("dpkg", "-i", "1.deb")
    assert host.ok("dpkg-query", "-W", "-f", "${Version}", "dinv") == "7.0"
    assert states(host, "is-active") == ["active"] * 3
    assert states(host, "is-enabled") == ["enabled"] * 3
    assert main_pid(host) != before
    assert host.ok("tail", "-n", "1", "/etc/dinv/policy.json") == "// mine"
    assert docker(host, "version").returncode == 0


def test_8_removed_it_is_gone_but_for_its_configuration(host):
    host.ok("dpkg", "-r", "dinv")
    assert not listens(host)
    assert host.run("systemctl", "is-active", "dinv.service").stdout.strip() == "inactive"
    assert host.run("ls", "/usr/bin/dinv", "/lib/systemd/system/dinv.service").stdout == ""
    assert host.ok("tail", "-n", "1", "/etc/dinv/policy.json") == "// mine"
    assert host.ok("docker", "run", "--rm", "busybox", "echo", "docker.io") == "docker.io"


def test_9_purged_only_keys_and_records_stay(host):
    said = host.ok("dpkg", "--purge", "dinv")
    assert "certificates, keys and audit records stay" in said
    assert host.ok("ls", "/etc/dinv") == "certs"
    assert mode(host, "/etc/dinv/certs/ca-key.pem") == "600 root root"
    assert host.ok("find", "/etc/systemd", "/var/lib/systemd", "-name", "*dinv*") == ""
    assert host.run("dpkg-query", "-W", "dinv").returncode != 0
    assert host.ok("docker", "version", "-f", "{{.Server.Version}}").startswith("20.10")


def test_a_vm_provisions_itself(work, packages):
    """images/cloud-init/provision.sh, as cloud-init and Vagrant run it, twice."""
    host = Host(os.path.join(work, "vm")).start()
    try:
        shutil.copy(packages[1], host.path("/var/tmp/dinv.deb"))
        script = os.path.join(os.path.dirname(__file__), "../../images/cloud-init/provision.sh")
        shutil.copy(script, host.path("/root/provision.sh"))
        host.ok("useradd", "-m", "-u", "1000", "ann")
        for _ in range(2):
            host.ok("sh", "provision.sh", env={"DINV_HOSTS": "127.0.0.1 vm.example"})
        assert states(host, "is-active") == ["active"] * 3
        assert mode(host, "/home/ann/dinv-client/key.pem") == "600 ann ann"
        assert "vm.example" in names(host)
        env = "DOCKER_HOST=tcp://127.0.0.1:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=~/dinv-client"
        as_ann = host.ok("su", "-", "ann", "-c", f"{env} docker info -f '{{{{.ServerVersion}}}}'")
        assert as_ann.startswith("20.10")
        assert host.run("su", "-", "ann", "-c", "docker info").returncode != 0
        # dockerd itself listens nowhere else.
        with open(f"/proc/{host.pid}/net/tcp", encoding="ascii") as f:
            assert not re.search(r":0947 ", f.read())
        with open(host.path("/etc/docker/daemon.json"), "w", encoding="ascii") as f:
            f.write('{ "hosts": ["tcp://0.0.0.0:2375"] }')
        refused = host.run("sh", "provision.sh")
        assert refused.returncode == 1 and "daemon.json lets dockerd" in refused.stderr
    finally:
        host.stop()
