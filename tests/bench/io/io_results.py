# SPDX-License-Identifier: BSD-2-Clause
"""What a machine says of the rows, and what the plugin counted, as numbers for one request.

    io: result ROW COUNT RATE         so many requests or MiB, and how many a second by the machine's own clock
    io: counter ROW NAME DIFFERENCE   a counter of the measured system; with "control." before it, of the other end

The plugin writes one line for each row (../results.py).
"""
import dataclasses
import re

import results

RESULT = re.compile(r"^io: result (\S+) (\d+) ([0-9.e+]+)\s*$", re.M)
COUNTER = re.compile(r"^io: counter (\S+) (\S+) (-?\d+)\s*$", re.M)
CONTROL = "control."


@dataclasses.dataclass
class Row:
    name: str
    count: int
    rate: float
    counters: dict = dataclasses.field(default_factory=dict)
    phase: dict = dataclasses.field(default_factory=dict)       # of the plugin: an INSIDE and an OUTSIDE for each name

    def instructions(self):
        """Of all domains and the hypervisor, for one request: counted, or the machine's time, which is the same on one
        processor that is never idle, with a nanosecond for an instruction."""
        if results.ALL in self.phase:
            return sum(self.phase[results.ALL]) / self.count
        return 1e9 / self.rate

    def entries(self):
        """Into the hypervisor, by all domains."""
        return sum(self.phase[name][0] for name in results.RETURNS) / self.count

    def sum_of(self, *patterns):
        """Counters whose names match one of the patterns, for one request; None if there are no such."""
        values = [value for name, value in self.counters.items() if any(re.fullmatch(pattern, name) for pattern in patterns)]
        return sum(values) / self.count if values else None


def parse(text, phases_text):
    """All rows by name, in their order."""
    rows = {}
    for name, count, rate in RESULT.findall(text.replace("\r", "")):
        if name in rows or int(count) == 0:
            raise results.Broken(f"row {name}: twice, or nothing")
        rows[name] = Row(name, int(count), float(rate))
    for row, name, value in COUNTER.findall(text.replace("\r", "")):
        if row not in rows:
            raise results.Broken(f"a counter of {row}, which has no result")
        rows[row].counters[name] = int(value)
    if not rows:
        raise results.Broken("there is no result")
    if phases_text is not None:
        add_phases(rows, results.parse_phases(phases_text))
    return rows


def add_phases(rows, phases):
    if len(phases) != len(rows):
        raise results.Broken(f"{len(rows)} results, but the plugin saw {len(phases)} phases")
    for row, phase in zip(rows.values(), phases):
        row.phase = phase
