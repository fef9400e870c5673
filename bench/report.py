# SPDX-License-Identifier: Apache-2.0
"""docs/bench: the table with the goals, ratios, curves and plots, written by
the benchmark and by nobody else.  No name and no path of the machine."""

import os

import plot
import table

DOCS = os.environ["DOCS"]

# What dinv has to reach; the lowest is good.
GOALS = {"handshake_us": 600, "request_us": 30, "down_s": 0.75, "up_s": 0.75,
         "memory_kib": 16}
WORDS = {"echo": "yes", "buildkit": "yes"}
PLOTTED = ("handshake_us", "request_us", "many_us", "down_s", "up_s", "memory_kib")

HEAD = """\
# dinv beside what people use

Written by `make bench`; nothing here is typed in by hand. What it means, what
was tried, and why a goal is missed where one is: [docs/performance.md](../performance.md).

"""


def _save(name, text):
    os.makedirs(DOCS, exist_ok=True)
    with open(os.path.join(DOCS, name), "w", encoding="utf-8") as f:
        f.write(text)


def _goals(medians):
    lines = ["| | dinv | goal | |", "| --- | --- | --- | --- |"]
    for row, title, form in table.ROWS:
        value = medians["dinv"].get(row)
        value = value[0] if isinstance(value, list) else value
        if value is None or row not in {**GOALS, **WORDS}:
            continue
        if row in WORDS:
            met, goal = value == WORDS[row], WORDS[row]
        else:
            met, goal = value <= GOALS[row], form.format(GOALS[row])
        lines.append(f"| {title} | {form.format(value)} | {goal} | "
                     f"{'met' if met else 'missed'} |")
    return "\n".join(lines) + "\n"


def _felt(medians, names):
    lines = ["| | " + " | ".join(names) + " |",
             "| --- " * (len(names) + 1) + "|"]
    for key, title in (("handshake8", "connections, 8 clients"),
                       ("request8", "requests, 8 clients"),
                       ("request500", "requests, 500 clients")):
        for part, unit in (("rate", "a second"), ("p50", "median, us"),
                           ("p99", "99 in 100 within, us")):
            cells = [medians[n].get(f"{key}_{part}") for n in names]
            lines.append(f"| {title}: {unit} | " + " | ".join(
                "-" if c is None else f"{c:,.0f}" for c in cells) + " |")
    return "\n".join(lines) + "\n"


def _ratio_plot(medians, names):
    groups = []
    for row, title, form in table.ROWS:
        if row not in PLOTTED:
            continue
        bars = [(n, medians[n][row], form.format(medians[n][row]))
                for n in names if medians[n].get(row) is not None]
        if bars and bars[0][0] == "dinv":
            groups.append((title.replace("`", ""), bars))
    return plot.bars("What it costs: shorter is cheaper", groups)


def _size(n):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n} {unit}"
        n //= 1024
    return ""


CURVES = (
    ("connections", "While so many idle streams are open", "{:,}".format, (
        ("memory_kib", "KiB a stream", "{:.1f}"),
        ("connection_us", "CPU us to open one", "{:.0f}"),
        ("request_us", "CPU us a request of others", "{:.1f}"),
        ("handshake_us", "CPU us a connection of others", "{:.0f}"))),
    ("policy", "With so many clients in the policy", "{:,}".format, (
        ("request_us", "CPU us a request", "{:.1f}"),
        ("handshake_us", "CPU us a connection", "{:.0f}"))),
    ("bodies", "With bodies of that size", _size, (
        ("down_s", "CPU s a GB sent", "{:.2f}"),
        ("up_s", "CPU s a GB received", "{:.2f}"),
        ("memory_kib", "KiB of memory, the whole gate", "{:,.0f}"))),
)


def write_curves(curves):
    """The plots, scale.md; returns what that says."""
    text = ["# As it grows\n", "Written by `make bench` (`BENCH=scale` makes "
            "this part alone): processor time and memory of\ndinv for one unit, "
            "while there are more and more. " + table.machine() + ".\n"]
    for key, title, name, series in CURVES:
        rows = curves[key]
        names = [name(row["n"]) for row in rows]
        # A body below 1 MiB is mostly its request: the line would hide the rest.
        shown = [row for row in rows if key != "bodies" or row["n"] >= 1 << 20]
        _save(f"scale-{key}.svg", plot.lines(
            title, [row["n"] for row in shown], [name(row["n"]) for row in shown],
            [(t, [row[s] for row in shown], f) for s, t, f in series]))
        text.append(f"| {title.lower()} | " + " | ".join(names) + " |")
        text.append("| --- " * (len(names) + 1) + "|")
        more = (("down_us", "CPU us a body sent", "{:,.0f}"),
                ("up_us", "CPU us a body received", "{:,.0f}"))
        for s, t, f in (*(more if key == "bodies" else ()), *series):
            text.append(f"| {t} | " + " | ".join(
                "-" if row[s] is None else f.format(row[s]) for row in rows) + " |")
        text.append(f"\n![{title}](scale-{key}.svg)\n")
    said = "\n".join(text)
    _save("scale.md", said)
    return said


def write(results, about, curves):
    """Everything; returns what README.md says."""
    medians = results.medians()
    names = [n for n in table.COLUMNS if n in medians]
    text = HEAD
    if "dinv" in medians:
        text += _goals(medians) + "\n"
        _save("peers.svg", _ratio_plot(medians, names))
        text += "![Costs beside one another](peers.svg)\n\n"
    text += table.markdown(results, about)
    text += "\nWhat the clients saw, who share the machine:\n\n"
    text += _felt(medians, [n for n in names if "request8_rate" in medians[n]])
    if curves is not None:
        write_curves(curves)
        text += "\nAs it grows, to 10,000 connections: [scale.md](scale.md).\n"
    _save("README.md", text)
    return text
