# SPDX-License-Identifier: Apache-2.0
"""A strict reader of Prometheus's text format 0.0.4.

Stricter than what Prometheus takes: each family has one HELP and one TYPE, in
that order and before its values; its values stand together; no value comes
twice; histograms are whole, their buckets rise, and the last is the count.
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
VALUE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?)\Z")
TYPES = ("counter", "gauge", "histogram")


class Bad(Exception):
    pass


def _labels(text, line):
    found = {}
    at = 0
    while at < len(text):
        m = LABEL.match(text, at)
        if m is None or m.group(1) in found:
            raise Bad(f"labels: {line}")
        found[m.group(1)] = re.sub(
            r"\\(.)", lambda e: "\n" if e.group(1) == "n" else e.group(1),
            m.group(2))
        at = m.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise Bad(f"labels: {line}")
            at += 1
    return tuple(sorted(found.items()))


class Family:
    def __init__(self, name, helptext):
        self.name = name
        self.help = helptext
        self.type = None
        self.values = {}  # (name, labels) -> number

    def takes(self, name):
        if self.type == "histogram":
            return name in (f"{self.name}_bucket", f"{self.name}_sum",
                            f"{self.name}_count")
        return name == self.name

    def add(self, name, labels, value, line):
        if not self.takes(name):
            raise Bad(f"not of {self.name}: {line}")
        if (name, labels) in self.values:
            raise Bad(f"twice: {line}")
        if self.type != "gauge" and value < 0:
            raise Bad(f"below zero: {line}")
        self.values[name, labels] = value

    def check(self):
        if self.type is None:
            raise Bad(f"{self.name} has no TYPE")
        if self.type == "counter" and not self.name.endswith("_total"):
            raise Bad(f"{self.name} counts and is not called _total")
        if self.type == "histogram":
            self._check_histogram()

    def _check_histogram(self):
        buckets = []
        for (name, labels), value in self.values.items():
            if name == f"{self.name}_bucket":
                if [key for key, _ in labels] != ["le"]:
                    raise Bad(f"{self.name}: a bucket has no le")
                bound = labels[0][1]
                buckets.append((math.inf if bound == "+Inf" else float(bound),
                                value))
        bounds = [b for b, _ in buckets]
        counts = [c for _, c in buckets]
        if not bounds or bounds != sorted(set(bounds)) or bounds[-1] != math.inf:
            raise Bad(f"{self.name}: bounds {bounds}")
        if counts != sorted(counts):
            raise Bad(f"{self.name}: counts {counts}")
        if self.values.get((f"{self.name}_count", ())) != counts[-1]:
            raise Bad(f"{self.name}: the count is not the last bucket's")
        if (f"{self.name}_sum", ()) not in self.values:
            raise Bad(f"{self.name}: no sum")


def parse(body):
    """{family name: Family}; Bad for anything that is not by the letter."""
    text = body.decode("utf-8")
    if not text.endswith("\n"):
        raise Bad("the last line has no end")
    families = {}
    now = None
    for line in text[:-1].split("\n"):
        m = re.match(rf"# HELP ({NAME}) (.+)\Z", line)
        if m:
            if m.group(1) in families:
                raise Bad(f"a family twice: {line}")
            if now is not None:
                now.check()
            now = families[m.group(1)] = Family(*m.groups())
            continue
        m = re.match(rf"# TYPE ({NAME}) ([a-z]+)\Z", line)
        if m:
            if now is None or now.name != m.group(1) or now.type is not None \
                    or now.values or m.group(2) not in TYPES:
                raise Bad(f"TYPE: {line}")
            now.type = m.group(2)
            continue
        m = VALUE.match(line)
        if m is None or now is None or now.type is None:
            raise Bad(f"neither comment nor value: {line!r}")
        now.add(m.group(1), _labels(m.group(2) or "", line),
                float(m.group(3)), line)
    if now is not None:
        now.check()
    return families


def values(body):
    """{name: {labels as a frozenset of pairs: number}}"""
    found = {}
    for family in parse(body).values():
        if family.type != "histogram":
            found[family.name] = {}
        for (name, labels), value in family.values.items():
            found.setdefault(name, {})[frozenset(labels)] = value
    return found
