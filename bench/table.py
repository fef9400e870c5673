# SPDX-License-Identifier: Apache-2.0
"""The tables: figures, how far they lie apart, and ratios to dinv."""

import os
import platform
import textwrap

COLUMNS = ("dinv", "dockerd", "nginx", "HAProxy", "stunnel", "hitch")
ROWS = (
    ("handshake_us", "CPU per new mutual-TLS connection with one `GET /_ping`, us",
     "{:,.0f}"),
    ("request_us", "CPU per kept-alive request, us", "{:.1f}"),
    ("many_us", "the same, 500 clients at once, us", "{:.1f}"),
    ("lone_us", "the same, one client alone, us", "{:.1f}"),
    ("down_s", "CPU per GB sent to the client, s", "{:.2f}"),
    ("up_s", "CPU per GB received from the client, s", "{:.2f}"),
    ("memory_kib", "memory per idle stream, KiB", "{:.1f}"),
    ("echo", "`echo foo \\| docker run -i --rm busybox cat` prints foo", "{}"),
    ("buildkit", "`docker build` with BuildKit", "{}"),
)
FIGURES = ROWS[:-2]

NOTES = """\
CPU is user and system time of the server's processes, from `/proc`; medians of
{reps} repetitions, the servers taking turns. Clients, servers and a scripted
dockerd on a unix socket share the machine: 8 clients at once, 4 for transfers
(chunks of 32 KiB, as `docker export` and `docker load` make them), {streams}
streams of `docker attach` for memory, which is growth of resident memory
(VmRSS). {tls}; every client has a certificate, and every proxy was seen to
refuse one without.

dinv judges every request (role `ci-runner`) and audits; the others check
certificates only, and log nothing. nginx streams bodies (`proxy_buffering
off`, `proxy_request_buffering off`, buffers of 16 KiB) and keeps connections
to the upstream; HAProxy is in HTTP mode; stunnel and hitch carry bytes and
read no HTTP. hitch checks client certificates (`client-verify`, since 1.7).

dockerd's column includes answering, which a server in front leaves to it; its
transfers are not measured."""


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _head(names):
    return [_line(["", *names]), _line(["---"] * (len(names) + 1))]


def _cell(form, value):
    return "-" if value is None else form.format(value)


def _figures(medians, names):
    lines = _head(names)
    for row, title, form in ROWS:
        values = [medians[n].get(row) for n in names]
        values = [v[0] if isinstance(v, list) else v for v in values]
        lines.append(_line([title, *(_cell(form, v) for v in values)]))
    return lines


def _spread(figures, names):
    """Lowest and highest repetition."""
    lines = _head(names)
    for row, title, form in FIGURES:
        cells = [figures[n].get(row) for n in names]
        lines.append(_line([title, *(
            "-" if c is None else
            f"{form.format(min(c))} to {form.format(max(c))}" for c in cells)]))
    return lines


def _ratios(medians, names):
    others = [n for n in names if n != "dinv"]
    lines = _head(others)
    for row, title, _ in FIGURES:
        own = medians["dinv"].get(row)
        cells = [medians[n].get(row) for n in others]
        lines.append(_line([title.rpartition(",")[0], *(
            "-" if c is None or not own else f"{c / own:.2f}" for c in cells)]))
    return lines


def machine():
    """Processors, kernel and load; no name."""
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    return (f"{os.cpu_count()} processors ({model}), Linux "
            f"{platform.release()}, load average at the end {load}")


def _socket_note(rows):
    return ("Of dockerd's column, this is its own part, from the same load on "
            "its unix socket without TLS: "
            f"{rows['handshake_us']:,.0f} us a connection, "
            f"{rows['request_us']:.1f} us a request, "
            f"{rows['lone_us']:.1f} us a request of one client alone.")


def _failures(results):
    """Handshakes that a server broke off, for no fault of the client."""
    counts = {n: sum(rows.get("failed", [])) for n, rows in results.figures.items()}
    return [f"{name}: {count} handshakes failed, and were tried again."
            for name, count in counts.items() if count > 0]


def markdown(results, about):
    medians = results.medians()
    names = [n for n in COLUMNS if n in medians]
    lines = _figures(medians, names)
    if "dinv" in medians and len(names) > 1:
        lines += ["", "As multiples of dinv's (over 1: costs more than dinv):", ""]
        lines += _ratios(medians, names)
    lines += ["", "Lowest and highest repetition:", ""]
    lines += _spread(results.figures, names)
    notes = NOTES.format(**about).split("\n\n")
    if "socket" in medians:
        notes.append(_socket_note(medians["socket"]))
    notes += [f"Machine: {machine()}. Took {about['seconds']:.0f} s.",
              f"Servers: {'; '.join(about['versions'])}. "
              f"Clients: {'; '.join(about['clients'])}."]
    for note in notes:
        lines += ["", textwrap.fill(note, 79, break_on_hyphens=False)]
    lines += [f"\n**{note}**" for note in results.notes + _failures(results)]
    return "\n".join(lines) + "\n"
