# SPDX-License-Identifier: BSD-2-Clause
"""What is measured: suites, each a set of operations on machines with so many processors.

The first has every operation. Suites with more processors have what needs them, and work that is
shared among them; the last has whole programs. A suite collects what was measured of each system,
and why what is missing is missing.
"""
import copy
import dataclasses
import pathlib

import domain_ramdisk
import program_ramdisk
import results
import systems
import table

ALL = tuple(system.name for system in systems.ALL)
# A virtual machine in an emulated one takes minutes to start, and more with several processors: beyond the
# first suite, only if it is asked for.
SEVERAL_IN_KVM = "left out: an inner machine with several processors does not start where one thread emulates all of them"
ONLY_IF_ASKED = "left out, as it takes long: name it with --systems"
# Of the control domain where it makes guests; huge pages turn themselves off below 512 MiB.
CONTROL_MEMORY = 640
QUICK = tuple(name for name in ALL if not name.startswith("kvm"))


@dataclasses.dataclass
class Suite:
    name: str                   # as the files of figures and logs have it
    title: str
    operations: tuple
    processors: int = 1
    programs: bool = False      # they need a RAM disk of their own
    systems: tuple = ()         # their names
    domains: bool = False       # a RAM disk with `rf`, and memory for guests
    measured: dict = dataclasses.field(default_factory=dict)    # operations by name, for each system
    facts: dict = dataclasses.field(default_factory=dict)       # by the system's name
    absent: dict = dataclasses.field(default_factory=dict)      # reason for each system
    missing: dict = dataclasses.field(default_factory=dict)     # reason for each operation

    def left_out(self):
        """The systems that nobody asked for here, and why."""
        if self.domains:
            return {}
        return {system: SEVERAL_IN_KVM if self.processors > 1 else ONLY_IF_ASKED for system in systems.ALL
                if self.systems == QUICK and system.name not in QUICK}

    def setup(self, setup, directory):
        """The setup of the machines, which may need files in the directory."""
        mine = copy.copy(setup)
        mine.suite, mine.processors = self.name, self.processors
        mine.operations = list(self.operations)
        if self.programs:
            content = setup.build / "tests/bench/content"
            mine.initrd, self.missing = program_ramdisk.build(content, directory, self.operations)
            mine.initrd = pathlib.Path(mine.initrd)
        if self.domains:
            mine.initrd, mine.control_memory = domain_ramdisk.build(setup, directory), CONTROL_MEMORY
        return mine

    def take(self, system, runs, facts, cold):
        self.measured[system] = runs[0 if cold else -1]
        self.facts[system.name] = facts


def chosen(names, wanted):
    return tuple(name for name in names if not wanted or name in wanted)


def of_machine(arguments):
    """The operations that the machine can be measured with."""
    exact = arguments.icount and arguments.processors == 1
    several = table.SEVERAL if arguments.processors > 1 else {}
    return [name for name in {**table.SINGLE, **several} if exact or name not in table.EXACT]


def plan_domains(arguments, quick):
    """Only Ringfence's control domain has a toolstack here; with several processors, on the fewest of these."""
    if arguments.programs and not arguments.operations or "ringfence" not in quick:
        return []
    several = {name: table.DOMAINS[name] for name in table.DOMAINS_SEVERAL}
    planned = []
    for processors, names in ((1, table.DOMAINS), *((number, several) for number in sorted(arguments.smp)[:1])):
        if operations := chosen(names, arguments.operations):
            planned.append(Suite(f"domains-{processors}", f"domains on {processors} processor{'s' * (processors > 1)}",
                                 (table.DOMAINS_MEASURE,) + operations, processors, domains=True,
                                 systems=("ringfence",)))
    return planned


def plan(arguments):
    """The suites that the arguments ask for: choosing only operations leaves out programs, and vice versa."""
    wanted, planned = arguments.operations, []
    every = tuple(arguments.systems or ALL)
    quick = tuple(arguments.systems or QUICK)
    if wanted or not arguments.programs:
        planned.append(Suite("operations", "operations", chosen(of_machine(arguments), wanted),
                             arguments.processors, systems=every))
        compared = {} if wanted else table.COMPARED
        planned += [Suite(f"processors-{processors}", f"{processors} processors",
                          chosen({**table.SEVERAL, **table.SCALING, **compared}, wanted), processors,
                          systems=quick)
                    for processors in arguments.smp]
    planned += plan_domains(arguments, quick)
    if arguments.programs or not (wanted or arguments.no_programs):
        planned.append(Suite("programs", "programs", chosen(table.PROGRAMS, arguments.programs),
                             arguments.processors, True, quick))
    return [suite for suite in planned if suite.operations]


def check_complete(suite, runs):
    """An operation that a machine left out without a reason is a mistake of the harness."""
    absent = set(suite.operations) - set(runs[-1]) - set(suite.missing) - set(table.OPTIONAL)
    if absent:
        raise results.Broken(f"not measured: {', '.join(sorted(absent))}")
