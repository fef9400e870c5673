# SPDX-License-Identifier: Apache-2.0
import datetime
import json


def test_while_the_stream_is_open(lane, name):
    def session(side):
        # Asked for from the past, so that nothing hangs on who is first.
        since = datetime.datetime.now(datetime.timezone.utc).timestamp()
        listener = side.start("events", "--since", f"{since:.6f}",
                              "--filter", f"container={name}",
                              "--format", "{{json .}}")
        try:
            side.ok("run", "--rm", "--name", name, "busybox", "true")
            seen = []
            while "destroy" not in seen:
                seen.append(json.loads(listener.stdout.readline())["Action"])
            assert listener.poll() is None
            return sorted(seen)
        finally:
            listener.kill()
            listener.wait()

    assert {"create", "start", "die", "destroy"} <= set(lane.same_of(session))


def test_of_the_past(lane, name):
    since = datetime.datetime.now(datetime.timezone.utc).timestamp()
    lane.straight.ok("run", "--rm", "--name", name, "busybox", "true")
    until = datetime.datetime.now(datetime.timezone.utc).timestamp() + 0.001
    result = lane.same("events", "--since", f"{since:.6f}", "--until", f"{until:.6f}",
                       "--filter", f"container={name}")
    assert result.status == 0
    assert len(result.out.splitlines()) >= 4
