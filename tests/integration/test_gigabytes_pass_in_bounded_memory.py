# SPDX-License-Identifier: Apache-2.0
"""1 GB each way, whole, with the gate's resident memory under 64 MiB."""

import subprocess
import tarfile

import pytest

from clients import Lane
from gate import is_instrumented
from payload import sha256_of, write_file

GB = 1 << 30
MEMORY = 64 << 20

pytestmark = pytest.mark.big


@pytest.fixture(scope="module")
def big(work, tmp_path_factory):
    """(folder, SHA-256) of a folder that holds one big file, `data`."""
    folder = tmp_path_factory.mktemp("big")
    digest = write_file(folder / "data", GB)
    yield folder, digest
    (folder / "data").unlink()


@pytest.fixture
def lane_of(dockerds, start_gate, home):
    """make(dockerd's version, TLS version): a lane with a fresh gate, whose
    memory is looked at in the end."""
    made = []

    def make(version, tls):
        lane = Lane(dockerds(version), start_gate(dockerds(version).socket, tls=tls),
                    version, home)
        made.append(lane)
        return lane

    yield make
    for lane in made:
        peak = lane.gate.peak_memory()
        print(f"peak memory of the gate: {peak >> 10} KiB")
        assert peak < MEMORY or is_instrumented()


def pipe_sha256(side, *args):
    client = side.start(*args, stdin=subprocess.DEVNULL)
    digest = sha256_of(client.stdout)
    assert client.wait(60) == 0, client.stderr.read()
    return digest


def tarred_sha256(side, *args):
    """As pipe_sha256(), of the first regular file in the tar that comes."""
    client = side.start(*args, stdin=subprocess.DEVNULL)
    digest = None
    with tarfile.open(fileobj=client.stdout, mode="r|") as tar:
        for member in tar:
            if member.isreg() and digest is None:
                digest = sha256_of(tar.extractfile(member))
    sha256_of(client.stdout)
    assert client.wait(60) == 0, client.stderr.read()
    return digest


def test_cp_in_and_out(lane_of, big, name):
    folder, digest = big
    lane = lane_of("26.1", "1.3")
    lane.gated.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    try:
        lane.gated.ok("cp", str(folder / "data"), f"{name}:/tmp/data", timeout=300)
        inside = lane.straight.ok("exec", name, "sha256sum", "/tmp/data")
        assert inside.split()[0] == digest
        assert tarred_sha256(lane.gated, "cp", f"{name}:/tmp/data", "-") == digest
    finally:
        lane.remove(name)


def test_save_and_load(lane_of, big, name):
    """The image is made by load itself, so that nothing is built twice."""
    folder, digest = big
    lane = lane_of("20.10", "1.3")
    image = f"big-{name}"
    header = tarfile.TarInfo("data")
    header.size = GB
    client = lane.gated.start("import", "-", image)
    with open(folder / "data", "rb") as f:
        with tarfile.open(fileobj=client.stdin, mode="w|") as tar:
            tar.addfile(header, f)
    client.stdin.close()
    assert client.wait(300) == 0, client.stderr.read()
    try:
        saved = folder / "image.tar"
        lane.gated.ok("save", "-o", str(saved), image, timeout=300)
        with open(saved, "rb") as f:
            was = sha256_of(f)
        lane.straight.ok("rmi", image)
        lane.gated.ok("load", "-i", str(saved), timeout=300)
        saved.unlink()
        assert pipe_sha256(lane.gated, "save", image) == was
        assert lane.straight.ok("run", "--rm", "-v", "/bin/busybox:/busybox:ro",
                                image, "/busybox", "sha256sum",
                                "/data").split()[0] == digest
    finally:
        lane.straight.docker("rmi", image)


@pytest.mark.parametrize("docker, secured", [("20.10", "1.2"), ("26.1", "1.3")])
def test_build_context(lane_of, big, docker, secured, name):
    folder, digest = big
    lane = lane_of(docker, secured)
    (folder / "Dockerfile").write_text(
        "FROM busybox\nCOPY data /data\nRUN sha256sum /data\n")
    result = lane.gated.docker("build", "--no-cache", "-t", f"built-{name}",
                               str(folder), timeout=300)
    assert result.status == 0, result
    assert digest in result.out
    lane.straight.ok("rmi", f"built-{name}")


def test_a_long_answer_in_one_stream(lane_of):
    """1 GB out of a container, through a hijacked stream."""
    lane = lane_of("26.1", "1.2")
    client = lane.gated.start("run", "--rm", "--log-driver", "none", "busybox", "head", "-c", str(GB),
                              "/dev/zero", stdin=subprocess.DEVNULL)
    size = 0
    while data := client.stdout.read(1 << 20):
        size += len(data)
    assert client.wait(60) == 0, client.stderr.read()
    assert size == GB
