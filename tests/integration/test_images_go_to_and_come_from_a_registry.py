# SPDX-License-Identifier: Apache-2.0
"""The registry is on dockerd's loopback; the gate carries orders and progress."""

LANES = "few"


def test_push_remove_pull_run(lane, registries, name):
    registries(lane.dockerd.version)
    image = f"127.0.0.1:5000/box:{name}"

    def session(side):
        side.ok("tag", "busybox", image)
        pushed = side.docker("push", image)
        assert pushed.status == 0, pushed
        side.ok("rmi", image)
        pulled = side.docker("pull", image)
        assert pulled.status == 0, pulled
        ran = side.docker("run", "--rm", image, "echo", "hello")
        side.ok("rmi", image)
        return "digest: sha256:" in pushed.out, pulled.out.splitlines()[-1], ran.seen()

    assert lane.same_of(session) == (True, image, (0, "hello\n", ""))


def test_run_pulls_what_is_missing(lane, registries, name):
    registries(lane.dockerd.version)
    image = f"127.0.0.1:5000/pulled:{name}"
    lane.gated.ok("tag", "busybox", image)
    lane.gated.ok("push", image)

    def session(side):
        lane.straight.docker("rmi", image)
        result = side.docker("run", "--rm", image, "echo", "hello")
        return result.status, result.out, "Pulling from pulled" in result.err

    assert lane.same_of(session) == (0, "hello\n", True)
    lane.straight.docker("rmi", image)


def test_what_a_registry_does_not_have(lane, registries):
    registries(lane.dockerd.version)
    assert lane.same("pull", "127.0.0.1:5000/no/such:image").status == 1
    # Nobody listens there.
    assert lane.same("pull", "127.0.0.1:1/no/such:image").status == 1
