# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG, small and by hand: bars of ratios, and lines over a
logarithmic axis.  Colours and text suit a light and a dark page."""

import math

STYLE = """<style>
text{font:12px sans-serif;fill:#24292f}.m{fill:#57606a}
.g{stroke:#d0d7de}.a{fill:#0969da}.b{fill:#8c959f}
.l{fill:none;stroke-width:2}
.s0{stroke:#0969da}.s1{stroke:#bc4c00}.s2{stroke:#1a7f37}.s3{stroke:#8250df}
.d0{fill:#0969da}.d1{fill:#bc4c00}.d2{fill:#1a7f37}.d3{fill:#8250df}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.m{fill:#8d96a0}
.g{stroke:#3d444d}.a{fill:#4493f8}.b{fill:#656c76}
.s0{stroke:#4493f8}.s1{stroke:#f0883e}.s2{stroke:#3fb950}.s3{stroke:#ab7df8}
.d0{fill:#4493f8}.d1{fill:#f0883e}.d2{fill:#3fb950}.d3{fill:#ab7df8}}
</style>"""


def _escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _text(x, y, text, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{_escape(text)}</text>'


def _svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" role="img">\n'
            f"{STYLE}\n" + "\n".join(parts) + "\n</svg>\n")


def bars(title, groups):
    """groups: (name, [(bar's name, value, its text), ...]), dinv first."""
    y, parts = 24, [_text(8, 18, title, 'font-weight="bold"')]
    for name, rows in groups:
        y += 22
        parts.append(_text(8, y, name))
        most = max(value for _, value, _ in rows)
        for i, (bar, value, label) in enumerate(rows):
            y += 17
            size = max(1, 400 * value / most) if most > 0 else 1
            parts.append(_text(92, y, bar, 'text-anchor="end" class="m"'))
            parts.append(f'<rect class="{"a" if i == 0 else "b"}" x="98" '
                         f'y="{y - 11}" width="{size:.0f}" height="13"/>')
            parts.append(_text(104 + size, y, label, 'class="m"'))
        y += 6
    return _svg(620, y + 12, parts)


def lines(title, xs, x_names, series):
    """series: (name, values or None for each x, form); each line has its own
    scale, from 0 to its greatest value, because flat is what is looked for."""
    left, right, top, bottom = 20, 600, 34, 210
    low, high = math.log10(xs[0]), math.log10(xs[-1])

    def x_of(x):
        return left + (right - left - 60) * (math.log10(x) - low) / (high - low)

    parts = [_text(8, 18, title, 'font-weight="bold"'),
             f'<path class="g" d="M{left} {bottom}H{right}"/>']
    for x, name in zip(xs, x_names):
        parts.append(_text(x_of(x), bottom + 16, name,
                           'text-anchor="middle" class="m"'))
    y = bottom + 36
    for i, (name, values, form) in enumerate(series):
        got = [(x, v) for x, v in zip(xs, values) if v is not None]
        most = max(v for _, v in got) or 1
        # apart from one another, so that none hides another
        points = [(x_of(x), bottom - (bottom - top - 16 * i) * v / most)
                  for x, v in got]
        parts.append(f'<polyline class="l s{i}" points="' + " ".join(
            f"{px:.1f},{py:.1f}" for px, py in points) + '"/>')
        parts += [f'<circle class="d{i}" cx="{px:.1f}" cy="{py:.1f}" r="3"/>'
                  for px, py in points]
        parts.append(f'<rect class="d{i}" x="8" y="{y - 10}" width="10" height="10"/>')
        parts.append(_text(24, y, f"{name}: " + ", ".join(
            form.format(v) for _, v in got)))
        y += 18
    return _svg(620, y, parts)
