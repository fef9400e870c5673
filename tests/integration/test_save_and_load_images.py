# SPDX-License-Identifier: Apache-2.0

LANES = "few"


def test_an_image_comes_back_as_it_was(lane, name, tmp_path):
    image = f"saved-{name}"
    lane.gated.ok("tag", "busybox", image)
    was = lane.gated.ok("inspect", "-f", "{{.Id}}", image)
    lane.gated.ok("save", "-o", str(tmp_path / "image.tar"), image)
    lane.gated.ok("rmi", image)
    assert lane.same("rmi", image).status == 1
    said = lane.gated.ok("load", "-i", str(tmp_path / "image.tar"))
    assert said.endswith(f"Loaded image: {image}:latest")
    assert lane.gated.ok("inspect", "-f", "{{.Id}}", image) == was
    lane.gated.ok("rmi", image)


def test_export_and_import(lane, name):
    lane.gated.ok("create", "--name", name, "busybox", "true")
    tar = lane.gated.docker("export", name)
    lane.remove(name)
    assert tar.status == 0
    image = f"imported-{name}"
    lane.gated.ok("import", "-", image, stdin=tar.stdout)
    result = lane.same("run", "--rm", image, "/bin/echo", "hello")
    assert result.seen() == (0, "hello\n", "")
    lane.gated.ok("rmi", image)


def test_load_of_junk_is_dockerds_error(lane):
    assert lane.same("load", stdin=b"this is no tar").status == 1


def test_commit_tag_history_and_lists(lane, name):
    lane.gated.ok("run", "--name", name, "busybox", "touch", "/tmp/made")
    assert lane.same("diff", name).out == "C /tmp\nA /tmp/made\n"
    lane.gated.ok("commit", name, f"committed-{name}")
    lane.remove(name)
    assert lane.same("history", "-q", f"committed-{name}").status == 0
    assert lane.same("images", "--format", "{{.Repository}}",
                     f"committed-{name}").out == f"committed-{name}\n"
    assert lane.same("run", "--rm", f"committed-{name}", "ls", "/tmp").out == "made\n"
    lane.gated.ok("rmi", f"committed-{name}")
