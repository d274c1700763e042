# SPDX-License-Identifier: BSD-2-Clause
"""The figures as one HTML file that needs nothing else: tables, and plots as SVG.

The plots are drawn here and not by gnuplot: bars are all there is, a group for each operation with a bar
for each system on a logarithmic scale, and so the report needs no package, is the same everywhere, and its
plots have text that can be searched.
"""
import html
import math

import figures
import sections
import table

# The same for a system in every plot.
COLOURS = {"floor": "#b5b5b5", "ringfence": "#1b6ca8", "guest": "#6fb1dd", "xen": "#c0392b", "kvm-shadow": "#d9a441", "kvm-npt": "#3a7d44"}
OTHER_COLOUR = "#7d5a8c"
BAR, GAP, LEFT, WIDTH, TOP = 11, 12, 270, 620, 26

STYLE = """body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 64em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: .15em .7em; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left }
td:first-child, th:first-child { white-space: nowrap }"""

INTRODUCTION = """One static program is the only process of the same Linux, on the same emulated machine,
natively and on each system. Cost is in instructions of the whole machine (of its time where
<code>icount</code> is false), as a ratio to native. Entries are into the hypervisor, counted from
outside; the floor is what a kernel in ring 3 cannot do without: in and out, for each crossing natively.
A cost with = before it is in instructions, where there is nothing native to compare with."""


def scale(low, high):
    """Where a value lies on the logarithmic axis, and the values that are written there."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)

    def position(value):
        return LEFT + WIDTH * (math.log10(max(value, 10 ** first)) - first) / (last - first)
    return position, [10 ** exponent for exponent in range(first, last + 1)]


def bar(y, start, end, colour, value):
    left, width = min(start, end), abs(end - start)
    return (f'<rect x="{left:.1f}" y="{y}" width="{max(width, 1):.1f}" height="{BAR - 2}" fill="{colour}"/>'
            f'<text x="{max(start, end) + 4:.1f}" y="{y + BAR - 3}">{table.number(value)}</text>')


def plot(names, series, base):
    """`series` is a name, a title and a function from an operation's name to its value, for each system."""
    values = [value(name) for _, _, value in series for name in names]
    position, ticks = scale(min([base] + [v for v in values if v > 0]), max([base] + values))
    group = BAR * len(series) + GAP
    height = TOP + group * len(names) + 8
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{height}" '
             'font-family="sans-serif" font-size="12">']
    for tick in ticks:
        x = position(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height}" stroke="#ddd"/>'
                     f'<text x="{x:.1f}" y="12" text-anchor="middle">{tick:g}</text>')
    for row, name in enumerate(names):
        top = TOP + row * group
        parts.append(f'<text x="{LEFT - 8}" y="{top + group / 2}" text-anchor="end">'
                     f'{html.escape(table.TITLES[name])}</text>')
        for i, (system, _, value) in enumerate(series):
            parts.append(bar(top + i * BAR, position(base), position(value(name)),
                             COLOURS.get(system, OTHER_COLOUR), value(name)))
    return "".join(parts) + "</svg>"


def legend(series):
    return "<p>" + " ".join(f'<span style="color:{COLOURS.get(system, OTHER_COLOUR)}">&#9632;</span> '
                            f"{html.escape(title)}" for system, title, _ in series) + "</p>"


def html_table(lines):
    rows = ["".join(f"<{'th' if i == 0 else 'td'}>{html.escape(cell)}</{'th' if i == 0 else 'td'}>"
                    for cell in line) for i, line in enumerate(lines)]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def cost_series(native, others):
    return [(system.name, system.title, lambda name, runs=runs: runs[name].cost() / native[name].cost())
            for system, runs in others]


def entry_series(native, others):
    series = [("floor", "floor", lambda name: table.floor(native[name]))]
    return series + [(system.name, system.title, lambda name, system=system, runs=runs: system.entries(runs[name]))
                     for system, runs in others]


def plots(measured, names):
    """Cost and entries of those operations that every system has."""
    native, others = table.columns(measured)
    if not native or not others:
        return ""
    names = [name for name in names if all(name in runs for runs in measured.values())]
    if not names:
        return ""
    costs, entries = cost_series(native, others), entry_series(native, others)
    return ("<h3>Cost, native is 1</h3>" + legend(costs) + plot(names, costs, 1) +
            "<h3>Entries into the hypervisor for each time</h3>" + legend(entries) +
            plot(names, entries, 0.01))


def html_section(section):
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{html.escape(section.text)}</p>")
    parts += [html_table(lines) for lines in section.tables]
    if section.suite:
        parts.append(plots(section.suite.measured, section.names))
    return parts


def absences(suites):
    """What is missing, and why."""
    found = [(table.TITLES[name], f"missing: {reason}") for suite in suites
             for name, reason in suite.missing.items()]
    found += [(f"{system.title}, {suite.title}", reason) for suite in suites
              for system, reason in {**suite.left_out(), **suite.absent}.items()]
    return [f"<p><b>{html.escape(what)}</b>: {html.escape(reason)}</p>" for what, reason in found]


def text(arguments, suites):
    environment = figures.environment(arguments, {system.name for suite in suites for system in suite.measured})
    parts = ["<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>Ringfence: benchmark</title>",
             f"<style>{STYLE}</style><h1>Ringfence beside native, Xen and KVM</h1><p>{INTRODUCTION}</p>"]
    parts += absences(suites)
    for section in sections.collect(suites):
        parts += html_section(section)
    parts += ["<h2>Environment</h2>", html_table([["what", "value"]] + [
        [name, str(value)] for name, value in environment.items()]), "</html>"]
    return "\n".join(parts) + "\n"


def write(arguments, suites):
    arguments.html.write_text(text(arguments, suites), encoding="utf-8")
