# SPDX-License-Identifier: Apache-2.0
"""The Node.js library; what it does is in node/session.js."""

import os

import pytest

from clients import E2E

LANES = "few"

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node/session.js")


@pytest.mark.parametrize("role", ["root", "ci"])
def test_a_session(team, name, role):
    result, straight = (side.run(
        ["node", SCRIPT, name],
        env={"NODE_PATH": os.path.join(E2E, "node/node_modules"),
             "PATH": "/usr/local/bin:/usr/bin:/bin"})
        for side in (getattr(team, role), team.straight))
    assert result.seen() == straight.seen()
    assert result.status == 0, result
    assert result.out.splitlines() == [
        'ping "OK"',
        'attach hijack=true [["foo\\n","end\\n"],4]',
        'attach output ["out\\n","err\\n"]',
        'exec hijack=false ["out\\n","err\\n"]',
        'exec status 5',
        'exec hijack=true ["out\\n","err\\n"]',
        'exec status 5',
        'exec stdin ["through exec\\n",""]',
        'logs ["1\\n2\\n3\\n4\\n5\\n",""]',
        'events ["create","die","destroy"]',
        'run 6',
        'error [404,"No such container: none"]',
    ]
