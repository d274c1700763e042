# SPDX-License-Identifier: BSD-2-Clause
"""What the measured program and the plugin say, as numbers for one operation.

The program prints `bench: fact NAME NUMBER` and `bench: result RUN OPERATION ITERATIONS NANOSECONDS`, and the plugin writes one
line `phase NUMBER NAME INSIDE OUTSIDE ...` for each operation of each run, in the same order.
"""
import dataclasses
import re

RESULT = re.compile(r"bench: result (\d+) (\S+) (\d+) (\d+)\s*$")
COUNTER = re.compile(r"bench: counter (\d+) (\S+) (\S+) (\d+)\s*$")
FACT = re.compile(r"bench: fact (\S+) (\d+)\s*$", re.M)
RETURNS = ("iretq", "sysretq")
ALL = "all"


class Broken(Exception):
    """The log is not what a complete measurement leaves."""


@dataclasses.dataclass
class Operation:
    """One operation of one run. `instructions` is an INSIDE and an OUTSIDE for each name."""
    name: str
    iterations: int
    nanoseconds: int
    counters: dict = dataclasses.field(default_factory=dict)
    instructions: dict = dataclasses.field(default_factory=dict)

    def cost(self):
        """Instructions by the plugin's count if it counted them; else the time, which is the same on one
        processor with -icount."""
        if ALL in self.instructions:
            return sum(self.instructions[ALL]) / self.iterations
        return self.nanoseconds / self.iterations

    def subtract(self, nothing):
        """What reading the counters adds to them: they are read before and after the operation."""
        self.counters = {name: max(value - nothing.counters.get(name, 0), 0)
                         for name, value in self.counters.items()}

    def counted_entries(self):
        """By the hypervisor itself, or None if it does not count."""
        entries = [value for name, value in self.counters.items() if name.startswith("entry_")]
        return sum(entries) / self.iterations if entries else None

    def crossings(self):
        """Returns from the kernel of a system without a hypervisor."""
        return sum(self.instructions[name][1] for name in RETURNS) / self.iterations

    def returns(self):
        """Returns from a hypervisor whose code is in the watched range."""
        return sum(self.instructions[name][0] for name in RETURNS) / self.iterations

    def virtual_entries(self):
        """Entries of a virtual machine."""
        return sum(self.instructions["vmrun"]) / self.iterations


NOTHING = "nothing"             # the operation that does nothing


def facts(text):
    """What is said once: the time it took to boot, the memory there is."""
    return {name: int(value) for name, value in FACT.findall(text)}


def parse_phases(text):
    phases = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "phase" or words[1] != str(len(phases)) or len(words) % 3 != 2:
            raise Broken(f"the plugin's line {len(phases) + 1} is broken: {line!r}")
        phases.append({words[i]: (int(words[i + 1]), int(words[i + 2]))
                       for i in range(2, len(words), 3)})
    return phases


def parse(text, phases_text=None):
    """A list of runs, each a dictionary of operations by name."""
    runs, in_order = [], []
    for line in text.splitlines():
        if match := RESULT.search(line):
            run, name, iterations, nanoseconds = match.groups()
            if int(run) == len(runs):
                runs.append({})
            if int(run) != len(runs) - 1 or name in runs[-1] or int(iterations) == 0:
                raise Broken(f"out of order: {line!r}")
            runs[-1][name] = Operation(name, int(iterations), int(nanoseconds))
            in_order.append(runs[-1][name])
        elif match := COUNTER.search(line):
            run, name, counter, value = match.groups()
            if int(run) != len(runs) - 1 or name not in runs[-1]:
                raise Broken(f"out of order: {line!r}")
            runs[-1][name].counters[counter] = int(value)
    if not runs:
        raise Broken("there is no result")
    if any(list(run) != list(runs[0]) for run in runs):
        raise Broken("the runs have different operations")
    if phases_text is not None:
        phases = parse_phases(phases_text)
        if len(phases) != len(in_order):
            raise Broken(f"{len(in_order)} results, but the plugin saw {len(phases)} phases")
        for operation, phase in zip(in_order, phases):
            operation.instructions = phase
    for run in runs:
        if nothing := run.pop(NOTHING, None):
            for operation in run.values():
                operation.subtract(nothing)
    return runs
