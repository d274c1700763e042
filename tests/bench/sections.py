# SPDX-License-Identifier: BSD-2-Clause
"""The tables of a benchmark in their order, for the terminal and for the report.

A section is a heading, a text that explains it, and tables; a table is a list of rows of cells.
"""
import dataclasses

import model
import table


@dataclasses.dataclass
class Section:
    title: str
    text: str
    tables: list
    suite: object = None        # plots can be drawn of it,
    names: tuple = ()           # of these operations
    brief: list = None          # what the terminal has instead of the tables


SEVERAL_TEXT = """What costs more with more processors. Here one thread of QEMU runs all processors in turn, without -icount;
a turn ends at each PAUSE and HLT, and cost is the instructions of all processors together, counted by the
plugin: it shows work that is added, not waiting for each other. The timer's interrupts come by the host's time, so
the last digit is not exact."""
SCALING_TEXT = "cost on {} processors as a ratio to one"
DOMAINS_TEXT = """What the control domain does with other domains: one that answers events and grants pages, and a Linux guest
that `rf` makes. Instructions are the machine's, so what the other domain does is in them."""
DOMAINS_TITLE = "as a ratio to fork, exec, exit, wait"
PROGRAM_TEXT = """Whole programs from Debian's packages, executed from the RAM disk, started and waited for once."""
MODEL_TEXT = """Not measured: what the measured entries and instructions would take on real processors, by prices that others have
published, at one instruction a cycle."""
# What is to come; the report shows that it is not there yet.
ELSEWHERE = (
    ("disks: 4 KiB at random, 1 MiB in a row", "make bench-io"),
    ("networks: TCP both ways, a byte there and back", "make bench-io"),
)


def scaling_lines(suite, alone):
    """Cost on several processors beside the first suite's, for each system."""
    systems = [system for system in suite.measured if system in alone.measured]
    found = [[SCALING_TEXT.format(suite.processors)] + [system.title for system in systems]]
    for name in {**table.SCALING, **table.COMPARED}:
        pairs = [(suite.measured[system].get(name), alone.measured[system].get(name)) for system in systems]
        if any(all(pair) for pair in pairs):
            found.append([table.TITLES[name]] + [table.number(more.cost() / one.cost()) if more and one else "-"
                                                 for more, one in pairs])
    return found


def speed_lines(suite):
    """How many times as fast as under Xen each system is; native is what no hypervisor can exceed."""
    xen = next((system for system in suite.measured if system.name == "xen"), None)
    systems = [system for system in suite.measured if system is not xen]
    if not xen or not systems:
        return []
    found = [["times as fast as under Xen"] +
             [f"{system.title}, the limit" if system.name == "native" else system.title for system in systems]]
    for name in table.PROGRAMS:
        of_xen = suite.measured[xen].get(name)
        ours = [suite.measured[system].get(name) for system in systems]
        if of_xen and any(ours):
            found.append([table.TITLES[name]] + [table.number(of_xen.cost() / one.cost()) if one else "-"
                                                 for one in ours])
    return found


def domain_lines(suite):
    """For each system: entries, instructions, and these as a ratio to a fork and exec in the same run."""
    found = [[suite.title]]
    for system in suite.measured:
        found[0] += [f"{system.title}: in", "instructions", DOMAINS_TITLE]
    for name in suite.operations:
        cells = [table.TITLES[name]]
        for system, runs in suite.measured.items():
            operation, measure = runs.get(name), runs.get(table.DOMAINS_MEASURE)
            cells += [table.number(system.entries(operation)), table.number(operation.cost(), 0),
                      table.number(operation.cost() / measure.cost())] if operation and measure else ["-"] * 3
        found.append(cells)
    return found


def of_suite(suite, first):
    if suite.domains:
        return Section(suite.title.capitalize(), DOMAINS_TEXT, [domain_lines(suite)])
    if suite.name == "operations":
        names = {**table.MAIN, **table.FURTHER, **(table.SEVERAL if suite.processors > 1 else {})}
        return Section("Operations", "", [table.lines(suite.measured, names)], suite, tuple(names))
    if suite.programs:
        tables = [table.lines(suite.measured, table.PROGRAMS, "program", table.PROGRAMS), speed_lines(suite)]
        return Section("Programs", PROGRAM_TEXT, [found for found in tables if len(found) > 1], suite,
                       tuple(table.PROGRAMS))
    names = {**table.SEVERAL, **table.SCALING, **table.COMPARED}
    tables = [table.lines(suite.measured, names, suite.title, ())]
    if first.name == "operations" and first.processors == 1:
        tables.append(scaling_lines(suite, first))
    return Section(suite.title.capitalize(), SEVERAL_TEXT, [found for found in tables if len(found) > 1], suite,
                   tuple(names))


def of_model(first):
    names = [name for name in table.MAIN if all(name in runs for runs in first.measured.values())]
    brief = [model.lines(first.measured, names)] if names else []
    if not brief or not brief[0]:
        return []
    full = brief + [model.operation_lines(processor, first.measured, names) for processor in model.PROCESSORS]
    sources = " ".join(f"{processor.name}: {processor.source}." for processor in model.PROCESSORS)
    return [Section("Cost model on paper: an estimate", f"{MODEL_TEXT} Sources: {sources}", full, brief=brief)]


def collect(suites):
    """Every section that has something in it."""
    first = suites[0]
    found = [of_suite(suite, first) for suite in suites if suite.measured]
    if first.measured:
        found.append(Section("Sizes", "", [lines for lines in (table.size_lines(first),) if lines]))
        found += of_model(first)
        found.append(Section("Entries by reason", "As the hypervisor counts them, beside the plugin's count.",
                             list(table.reason_lines(first.measured))))
    found.append(Section("Measured elsewhere", "", [[["what", "by"]] + [list(row) for row in ELSEWHERE]], brief=[]))
    return [section for section in found if section.tables]


def text(suites):
    """What the terminal shows."""
    tables = [table.align(lines) for section in collect(suites)
              for lines in (section.tables if section.brief is None else section.brief)]
    return "\n\n".join(tables)
