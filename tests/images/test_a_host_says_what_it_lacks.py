# SPDX-License-Identifier: Apache-2.0
"""Without --privileged: one thing left out, and what is said of it."""

import pytest

ALL = {
    "SYS_ADMIN": "--cap-add SYS_ADMIN",
    "NET_ADMIN": "--cap-add NET_ADMIN",
    "seccomp": "--security-opt seccomp=unconfined",
}


@pytest.mark.parametrize("left_out, flags, said", [
    ("SYS_ADMIN", "", "capabilities are missing: SYS_ADMIN"),
    ("NET_ADMIN", "", "capabilities are missing: NET_ADMIN"),
    ("seccomp", "", "pivot_root(2) is refused (Operation not permitted), under a seccomp profile"),
    ("MKNOD", "--cap-drop MKNOD", "capabilities are missing: MKNOD"),
    # A mount that the remount cannot mend: nothing of it is in this container.
    ("cgroup", "-v /sys/fs/cgroup/devices/none:/nowhere --tmpfs /sys/fs/cgroup:ro",
     "/sys/fs/cgroup cannot be written"),
])
def test_one_thing_is_missing(outer, name, left_out, flags, said):
    flags += "".join(f" {flag}" for what, flag in ALL.items() if what != left_out)
    result = outer.run(f"/usr/bin/docker run --name {name} {flags} dinv:debian")
    assert result.status == 1
    assert f"dockerd cannot run in this container: {said}" in result.err
    assert "add to docker run: " in result.err and "(or --privileged)" in result.err
    if left_out in ALL:
        assert ALL[left_out] in result.err
    assert "dockerd started" not in result.err


def test_nothing_given_at_all(outer, name):
    """One answer that is enough: what it says, given, makes it work."""
    result = outer.run(f"/usr/bin/docker run --name {name} dinv:debian")
    assert result.status == 1
    add = result.err.split("add to docker run: ")[1].split(" (or")[0]
    outer.sh(f"docker rm {name}; /usr/bin/docker run -d --name {name} {add} dinv:debian")
    outer.ready(name)


def test_overlay2_where_it_cannot_work(outer, name):
    """The data folder in the container's own file system, an overlay."""
    result = outer.run(f"docker run --name {name} dinv:debian -storage overlay2 -data /data")
    assert result.status == 1
    assert "-storage overlay2 cannot work: /data lies on overlayfs; mount a volume" in result.err
    outer.sh(f"docker rm -v {name}; docker run -d --name {name} dinv:debian -data /data")
    outer.ready(name)
    assert "/data lies on overlayfs" in outer.logs(name)
    outer.give_images(name)
    assert outer.sh(f"docker exec {name} docker run --rm busybox echo on vfs") == "on vfs"
    assert outer.sh(f"docker exec {name} docker info -f '{{{{.Driver}}}}'") == "vfs"
