# SPDX-License-Identifier: Apache-2.0
"""BuildKit: HTTP/2 inside two hijacked streams, /grpc and /session.

docker 20.10 speaks it by itself (POST /build with a session); the newer ones
through buildx, which drives /grpc.
"""

import pytest

KIT = {"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox AS made\n"
        "COPY file /file\n"
        "RUN echo $((40 + 2)) >> /file; head -c 16 /dev/urandom | "
        "sha256sum > /random\n"
        "RUN --mount=type=secret,id=word sha256sum < /run/secrets/word >> /file\n"
        "FROM scratch\n"
        "COPY --from=made /file /random /\n")
    (tmp_path / "file").write_text("from the context\n")
    (tmp_path / "word").write_text("do not tell")
    return tmp_path


def build(side, context, *args):
    result = side.docker("build", "--secret", f"id=word,src={context}/word",
                         *args, str(context), env=KIT)
    assert result.status == 0, result
    return result


def test_output_secret_and_cache(any_lane, context, name):
    first = context.parent / f"{name}-first"
    build(any_lane.gated, context, "--no-cache", "--output", f"type=local,dest={first}")
    assert (first / "file").read_text() == (
        "from the context\n42\n"
        # The SHA-256 of "do not tell".
        "ca875f51a833fe162ae98ec3d05b4744d5587326eba635caf0cff901040b2901  -\n")

    # From the cache the random file is the same again, whoever asks.
    second = context.parent / f"{name}-second"
    said = build(any_lane.gated, context, "--output", f"type=local,dest={second}")
    assert "CACHED" in said.err
    assert (second / "random").read_text() == (first / "random").read_text()
    third = context.parent / f"{name}-third"
    build(any_lane.straight, context, "--output", f"type=local,dest={third}")
    assert (third / "random").read_text() == (first / "random").read_text()


def test_into_the_image_store(any_lane, context, name):
    (context / "Dockerfile").write_text("FROM busybox\nCOPY file /file\n")
    build(any_lane.gated, context, "-t", f"kit-{name}")
    assert any_lane.same("run", "--rm", f"kit-{name}", "cat", "/file").out == \
        "from the context\n"
    any_lane.straight.ok("rmi", f"kit-{name}")


def test_a_step_that_fails(any_lane, context):
    (context / "Dockerfile").write_text("FROM busybox\nRUN echo why; exit 9\n")
    result = any_lane.gated.docker("build", str(context), env=KIT)
    straight = any_lane.straight.docker("build", str(context), env=KIT)
    assert result.status == straight.status != 0
    assert "exit code: 9" in result.err and "exit code: 9" in straight.err


def test_a_context_of_some_size(lane, context, name):
    (context / "data").write_bytes(b"0123456789abcdef" * (4 << 20))
    (context / "Dockerfile").write_text(
        "FROM busybox\nCOPY data /data\nRUN wc -c < /data > /size\n"
        "FROM scratch\nCOPY --from=0 /size /\n")
    out = context.parent / f"{name}-out"
    build(lane.gated, context, "--output", f"type=local,dest={out}")
    assert (out / "size").read_text() == f"{64 << 20}\n"


def test_buildx_lists_prunes_and_bakes(lane, context, name):
    if lane.cli == "20.10":
        pytest.skip("docker 20.10 has no buildx")
    assert lane.same("buildx", "ls").status == 0
    assert lane.same("buildx", "inspect").status == 0
    (context / "docker-bake.json").write_text(
        '{"target": {"default": {"dockerfile": "Dockerfile", '
        f'"tags": ["baked-{name}"]}}}}}}')
    (context / "Dockerfile").write_text("FROM busybox\nCOPY file /file\n")
    result = lane.gated.docker("buildx", "bake", env=KIT, cwd=str(context))
    assert result.status == 0, result
    assert lane.same("run", "--rm", f"baked-{name}", "cat", "/file").status == 0
    lane.straight.ok("rmi", f"baked-{name}")
    assert lane.gated.docker("builder", "prune", "-f").status == 0
