# SPDX-License-Identifier: Apache-2.0
import io
import re
import tarfile

import pytest

LANES = "few"


@pytest.fixture
def context(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox\n"
        "ARG WORD=none\n"
        "COPY file /file\n"
        "RUN echo the word is $WORD >> /file\n"
        'CMD ["cat", "/file"]\n')
    (tmp_path / "file").write_text("from the context\n")
    return tmp_path


def steps(result):
    """The build's output, without what depends on an earlier one's cache."""
    lines = [line for line in result.out.splitlines()
             if not re.match(r" ---> |Removing intermediate", line)]
    return result.status, lines[1:] if lines[0].startswith("Sending") else lines


def test_a_context_from_a_folder(any_lane, context, name):
    def session(side):
        result = side.docker("build", "--no-cache", "--build-arg", "WORD=foo",
                             "-t", f"image-{name}", str(context))
        assert result.status == 0, result
        return re.sub(r"[0-9a-f]{12}", "<id>", "\n".join(steps(result)[1]))

    any_lane.same_of(session)
    assert any_lane.same("run", "--rm", f"image-{name}").out == \
        "from the context\nthe word is foo\n"
    any_lane.straight.ok("rmi", f"image-{name}")


def test_a_context_on_stdin(lane, context, name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(context, arcname=".")
    result = lane.gated.docker("build", "-q", "-t", f"image-{name}", "-",
                               stdin=out.getvalue())
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", result.out), result
    lane.straight.ok("rmi", f"image-{name}")


def test_a_step_that_fails(lane, context):
    (context / "Dockerfile").write_text("FROM busybox\nRUN echo why >&2; exit 9\n")
    result = lane.same_of(
        lambda side: side.docker("build", "--no-cache", str(context)).status)
    assert result == 9 or result == 1


def test_a_dockerfile_that_is_refused(lane, context):
    """dockerd answers before it has all of the context, or right after."""
    (context / "more").write_bytes(b"x" * (16 << 20))
    (context / "Dockerfile").write_text("FROM busybox\nNONSENSE\n")
    result = lane.same("build", str(context))
    assert result.status == 1
    assert "unknown instruction" in result.err


def test_an_argument_that_is_refused(lane, context):
    """dockerd answers without reading the context, and closes.

    Straight to its socket the client sees now the answer, now a broken pipe;
    through the gate it is always the answer.
    """
    (context / "more").write_bytes(b"x" * (16 << 20))
    result = lane.gated.docker("build", "--isolation", "nonsense", str(context))
    assert result.status == 1
    assert 'nsupported isolation: "nonsense"' in result.err
