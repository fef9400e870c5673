# SPDX-License-Identifier: Apache-2.0
import pytest

from payload import pseudo_random


@pytest.fixture
def container(lane, name):
    lane.straight.ok("create", "--name", name, "busybox", "true")
    yield name
    lane.remove(name)


def test_a_folder_in_and_out(lane, container, tmp_path):
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "data").write_bytes(pseudo_random(3 << 20))
    (source / "script").write_text("#!/bin/sh\n")
    (source / "script").chmod(0o750)
    (source / "link").symlink_to("script")

    def session(side):
        back = tmp_path / f"back-{id(side)}"
        side.ok("cp", str(source), f"{container}:/tmp/copy-{id(side)}")
        side.ok("cp", f"{container}:/tmp/copy-{id(side)}", str(back))
        return ((back / "deep" / "data").read_bytes() == pseudo_random(3 << 20),
                (back / "script").stat().st_mode, (back / "link").readlink())

    assert lane.same_of(session)[0]


def test_a_tar_through_stdin_and_stdout(lane, container, tmp_path):
    tar = lane.gated.docker("cp", f"{container}:/etc/passwd", "-")
    assert tar.status == 0 and b"root:x:0:0" in tar.stdout
    lane.gated.ok("cp", "-", f"{container}:/tmp", stdin=tar.stdout)
    assert b"root:x:0:0" in lane.gated.docker(
        "cp", f"{container}:/tmp/passwd", "-").stdout


def test_what_is_not_there(lane, container, tmp_path):
    assert lane.same("cp", f"{container}:/no/such/file", str(tmp_path)).status == 1
    assert lane.same("cp", "no-such-container:/etc", str(tmp_path)).status == 1
    assert lane.same("cp", "/etc/passwd", f"{container}:/no/such/").status == 1
