# SPDX-License-Identifier: Apache-2.0
"""Testing by effect: what dockerd reports is held against the policy.

    spell.py    one thing said in many ways: JSON and HTTP in disguise
    sins.py     what must not happen, and what an honest job does
    cases.py    both joined: case(seed, index) is a request's exact bytes
    world.py    the objects that an administrator made, and dockerd's own words
    judge.py    dockerd's words held against the policy
    sending.py  requests through the gate, or straight; batches and verdicts

The gate's own parser is never asked, and nothing here shares code with it.
"""
