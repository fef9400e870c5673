# SPDX-License-Identifier: Apache-2.0
"""The commands that people learn docker with, through the gate and straight.

Each has to print the same and end the same.  What the gate recorded of each
is docs/commands.md, and that file has to say so; where it does not, the
failure prints the rows as they should be.  $N is a name of the session's own, $D its folder.
"""

import json
import os
import re
import shlex

import pytest

from admin import Admin
from clients import Side
from test_honest_commands_pass_as_ci_runner import fill, folder_for, told
from waiting import wait_until

LANES = "few"
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/commands.md")

# the command, its status if not 0, its standard input
STEPS = [
    ("info -f {{.Driver}}",),
    ("version -f {{.Server.Version}}",),
    ("create --name $N -i busybox sh -c 'read x; echo got it'",),
    ("start $N",),
    ("attach $N", 0, b"foo\n"),
    ("ps -a --filter name=$N --format '{{.Names}} {{.Image}}'",),
    ("run --rm -i busybox cat", 0, b"foo\n"),
    ("run --name $N-2 -d --restart=on-failure:5 busybox "
     "sh -c 'while true; do echo hello world; sleep 100; done'",),
    ("run --name $N-3 -d busybox sh -c 'echo one; echo two'",),
    ("wait $N-3",),
    ("logs $N-3",),
    ("logs -ft --details --tail 1 $N-3",),
    ("top $N-2 -o pid,comm",),
    ("stats --no-stream --format '{{.Name}} {{.PIDs}}' $N-2",),
    ("exec -u 1000 $N-2 touch /tmp/new_config_file",),
    ("exec $N-2 ls /tmp",),
    ("exec -d $N-3 touch /never", 1),
    ("inspect --format='{{ .State.Running }}' $N-2",),
    ("restart -t 0 $N-2",),
    ("stop -t 0 $N-2",),
    ("start $N-2",),
    ("cp $D/env $N-2:/tmp/env",),
    ("cp $N-2:/tmp/env $D/back",),
    ("commit $N-2 $N:1",),
    ("build -q --no-cache -t=$N:2 --file=$D/ctx/Dockerfile $D/ctx",),
    ("images --format '{{.Repository}}:{{.Tag}}' $N",),
    ("history --format '{{.CreatedBy}}' $N:2",),
    ("run -d -p 127.0.0.1:18080:80 --name $N-4 busybox httpd -f -p 80",),
    ("port $N-4 80",),
    ("login -u user -p password 127.0.0.1:5000",),
    ("tag $N:2 127.0.0.1:5000/$N:2",),
    ("push -q 127.0.0.1:5000/$N:2",),
    ("rmi 127.0.0.1:5000/$N:2",),
    ("pull -q 127.0.0.1:5000/$N:2",),
    ("logout 127.0.0.1:5000",),
    ("search ub*", 1),
    ("rm -f $N $N-2 $N-3 $N-4",),
    ("rm $N", 1),
    ("rmi $N:1 $N:2 127.0.0.1:5000/$N:2",),
]


# An administrator whose reads are recorded too.
POLICY = {"clients": [{"match": {"cn": "root"}, "role": "everyday"}],
          "roles": {"everyday": {"extends": "admin", "audit": "metadata"}}}


class Recorded:
    """A gate with an audit log that is read command by command."""

    def __init__(self, start_gate, socket_path, work, name, tls):
        self.admin = Admin(work, name)
        policy = os.path.join(work, f"{name}.policy.json")
        with open(policy, "w", encoding="ascii") as f:
            json.dump(POLICY, f)
        self.gate = start_gate(socket_path, flags=self.admin.flags, tls=tls, policy=policy)
        self.read = 0

    def idle(self):
        return json.loads(self.admin.get("/status").body)["connections"] == 0

    def operations(self):
        """What was asked since the last time, once all of it has ended."""
        assert wait_until(self.idle, 30)
        records = self.gate.audit_records()
        new, self.read = records[self.read:], len(records)
        return sorted({r["op"] for r in new if r["event"] == "end"
                       and not r["op"].startswith("SystemPing")})


def steady(text):
    """A daemon without a network says from which port it tried."""
    return re.sub(r":\d{4,5}\b", ":N", text)


def play(side, name, tmp_path, operations=lambda: None):
    folder = str(folder_for(tmp_path, name))
    for command, *more in STEPS:
        args = shlex.split(fill(command, name, folder))
        result = side.docker(*args, stdin=more[1] if len(more) > 1 else b"")
        status, out, err = result.seen()
        yield (command, status, told(out), steady(err)), operations()


def tidy(lane, name):
    lane.straight.docker("rm", "-fv", *(name + s for s in ("", "-2", "-3", "-4")))
    lane.straight.docker("rmi", "-f", f"{name}:1", f"{name}:2", f"127.0.0.1:5000/{name}:2")


def in_docs(column):
    """command -> what the table says of it in that column."""
    with open(DOCS, encoding="utf-8") as f:
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
                for line in f if line.startswith("| `docker ")]
    return {row[0].strip("`"): row[column] for row in rows}


@pytest.mark.big
def test_the_same_is_printed_and_the_table_is_true(
        lane, registries, start_gate, work, home, name, tmp_path):
    registries(lane.dockerd.version)
    recorded = Recorded(start_gate, lane.dockerd.socket, work, name, lane.gate.tls)
    gated = Side(lane.cli, home, recorded.gate.env())
    try:
        ours = list(play(gated, name, tmp_path / "gated", recorded.operations))
        tidy(lane, name)
        straight = list(play(lane.straight, name, tmp_path / "straight"))
    finally:
        tidy(lane, name)
    rows = {}
    for (seen, ops), (expected, _), (command, *more) in zip(ours, straight, STEPS):
        assert seen == expected
        assert seen[1] == (more[0] if more else 0), seen
        rows[f"docker {command}"] = ", ".join(ops) or "none"
    print(f"\n{lane.cli}:")
    for command, ops in rows.items():
        print(f"| `{command}` | {ops} |")
    column = {"20.10": 1, "26.1": 2}[lane.cli]
    assert in_docs(column) == rows, "docs/commands.md is not what the gate recorded"
    assert in_docs(3) == {f"docker {c}": str(m[0] if m else 0) for c, *m in STEPS}
