# SPDX-License-Identifier: Apache-2.0
from terminal import Terminal

DETACH = "\x10\x11"     # ctrl-p, ctrl-q


def terminal(side, *args, **size):
    return Terminal(side.argv(*args), side.env, **size)


def test_run_it_is_a_terminal_of_the_right_size(any_lane):
    def session(side):
        with terminal(side, "run", "-it", "--rm", "busybox", "sh",
                      rows=31, cols=91) as t:
            # The first size follows the start by a request of its own.
            t.ask("stty size\r", "31 91")
            t.resize_inside(33, 93)
            t.type("tty; exit 3\r")
            t.expect("/dev/pts/0")
            return t.status()

    assert any_lane.same_of(session) == 3


def test_detach_keys_leave_the_container_running(lane_of_role, name):
    def session(side):
        try:
            with terminal(side, "run", "-it", "--name", name, "busybox", "sh") as t:
                t.ask("echo $((6 * 7))\r", "42")
                t.type("left=here\r")
                t.type(DETACH)
                status = t.status()
            running = side.ok("inspect", "-f", "{{.State.Running}}", name)
            with terminal(side, "attach", name) as t:
                t.ask("echo left $left\r", "left here")
                t.type("exit 5\r")
                return status, running, t.status()
        finally:
            lane_of_role.remove(name)

    assert lane_of_role.same_of(session) == (0, "true", 5)


def test_other_detach_keys(lane, name):
    def session(side):
        try:
            with terminal(side, "run", "-it", "--detach-keys", "ctrl-x,y",
                          "--name", name, "busybox", "sh") as t:
                t.ask("echo $((6 * 7))\r", "42")
                t.type("\x18y")
                status = t.status()
            return status, side.ok("inspect", "-f", "{{.State.Running}}", name)
        finally:
            lane.remove(name)

    assert lane.same_of(session) == (0, "true")


def test_exec_it(lane_of_role, name):
    lane_of_role.straight.ok("run", "-d", "--name", name, "busybox", "sleep", "600")
    try:
        def session(side):
            with terminal(side, "exec", "-it", name, "sh", rows=21, cols=81) as t:
                t.ask("stty size\r", "21 81")
                t.resize_inside(22, 82)
                t.type("exit 4\r")
                return t.status()

        assert lane_of_role.same_of(session) == 4
    finally:
        lane_of_role.remove(name)


def test_ctrl_c_reaches_the_container(lane):
    def session(side):
        with terminal(side, "run", "-it", "--rm", "busybox", "sh", "-c",
                      "trap 'echo caught; exit 9' INT; echo ready; "
                      "while :; do sleep 1; done") as t:
            t.expect("ready")
            t.type("\x03")
            t.expect("caught")
            return t.status()

    assert lane.same_of(session) == 9
