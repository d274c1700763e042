# SPDX-License-Identifier: BSD-2-Clause
"""A cost model on paper: what the measured entries would cost on processors whose switches were published.

An estimate, and labelled so wherever it is shown. Time is counted instructions at one a cycle, and entries at a
price each; natively, crossings between user mode and the kernel at theirs. The price of an entry is a
hypercall that does nothing, there and back, in a system of the same kind, so it has some of that
system's code in it. Caches, TLBs and speculation are not in it.
"""
import dataclasses

import table

PARAVIRTUAL = ("ringfence", "guest", "xen")


@dataclasses.dataclass(frozen=True)
class Processor:
    """Prices in nanoseconds; None: not published."""
    name: str
    gigahertz: float
    crossing: float             # user mode to the kernel and back, natively
    ring: float                 # ring 3 to a hypervisor in ring 0 and back
    exit: float                 # a virtual machine's exit and entry
    source: str


PVM = "Huang et al., PVM, SOSP 2023, no-op hypercall, getpid without KPTI"
PROCESSORS = (
    Processor("Xeon Platinum 8269CY", 2.5, 60, 540, 460, PVM),
    Processor("the same, rented: inside a virtual machine", 2.5, 60, 480, 7430, PVM),
    Processor("Xeon E5 v3", 2.4, 296, 296, None,
              "lastweek.io, x86 ring switch overhead: a page fault, 440 cycles in and 270 out"),
)


def price(processor, system):
    return processor.ring if system.name in PARAVIRTUAL else processor.exit


def estimate(processor, system, operation, native):
    """Nanoseconds, or None if a price is not known."""
    time = operation.cost() / processor.gigahertz
    if system.name not in PARAVIRTUAL:
        time += native.crossings() * processor.crossing
    if system.name == "native":
        return time
    entry = price(processor, system)
    return None if entry is None else time + system.entries(operation) * entry


def ratios(processor, measured, names):
    """For each system but native, the estimated time of each operation as a ratio to native's."""
    native, others = table.columns(measured)
    native_system = next(system for system in measured if system.name == "native")
    found = {}
    for system, runs in others:
        found[system] = {}
        for name in names:
            if name not in runs or name not in native:
                continue
            time = estimate(processor, system, runs[name], native[name])
            if time is not None:
                found[system][name] = time / estimate(processor, native_system, native[name], native[name])
    return found


def lines(measured, names):
    """One row for each processor: its prices, and each system's geometric mean."""
    native, others = table.columns(measured)
    if not native or not others:
        return []
    found = [["ESTIMATE, geometric mean", "crossing ns", "ring ns", "exit ns"] +
             [system.title for system, _ in others]]
    for processor in PROCESSORS:
        prices = [processor.crossing, processor.ring, processor.exit]
        cells = ["-" if value is None else f"{value:g}" for value in prices]
        for values in ratios(processor, measured, names).values():
            cells.append(table.number(table.geometric_mean(values.values())) if values else "-")
        found.append([processor.name] + cells)
    return found


def operation_lines(processor, measured, names):
    """The rows of one processor."""
    _, others = table.columns(measured)
    by_system = ratios(processor, measured, names)
    found = [[f"ESTIMATE: {processor.name}"] + [system.title for system, _ in others]]
    for name in names:
        values = [by_system[system].get(name) for system, _ in others]
        if any(values):
            found.append([table.TITLES[name]] + ["-" if value is None else table.number(value)
                                                 for value in values])
    return found
