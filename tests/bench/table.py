# SPDX-License-Identifier: BSD-2-Clause
"""The table on the terminal: one row for each operation, with its floor and every system."""
import math

TITLES = {
    "getppid": "getppid",
    "read": "read 1 byte of /dev/zero",
    "signal": "signal to self",
    "touch": "first touch of a 4 KiB page",
    "populate-huge": "populate 16 MiB, huge pages",
    "populate-small": "populate 16 MiB, 4 KiB pages",
    "map-touch-unmap": "mmap, touch, munmap a page",
    "protect": "mprotect twice, then write",
    "fork": "fork, exit, wait",
    "fork-huge": "fork with 32 MiB, huge pages",
    "fork-small": "fork with 32 MiB, 4 KiB pages",
    "fork-exec": "fork, exec, exit, wait",
    "vfork-exec": "vfork, exec, exit, wait",
    "ping-pong": "pipe ping-pong",
    "yield": "sched_yield",
    "nanosleep": "nanosleep 1 us",
}


def floor(operation):
    """Entries that a kernel in ring 3 cannot do without: in and out, for each crossing natively."""
    return 2 * operation.crossings()


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def number(value, digits=2):
    return f"{value:.0f}" if value >= 1000 else f"{value:.{digits}f}"


def columns(measured):
    """For each system: its operations, and how each of its two figures is found."""
    native = next((runs for system, runs in measured.items() if system.name == "native"), None)
    others = [(system, runs) for system, runs in measured.items() if system.name != "native"]
    return native, others


def rows(measured):
    native, others = columns(measured)
    first = next(iter(measured.values()))
    for name in [name for name in TITLES if name in first]:
        row = [TITLES[name]]
        row += [number(floor(native[name])), number(native[name].cost(), 0)] if native else ["-", "-"]
        for system, runs in others:
            row.append(number(system.entries(runs[name])))
            cost = runs[name].cost()
            row.append(number(cost / native[name].cost()) if native else number(cost, 0))
        yield row


def means(measured):
    native, others = columns(measured)
    row = ["geometric mean", "", ""]
    for _, runs in others:
        names = [name for name in TITLES if name in runs]
        row.append("")
        row.append(number(geometric_mean([runs[name].cost() / native[name].cost() for name in names])))
    return row


def align(lines):
    """The first column to the left, the rest to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def text(measured):
    native, others = columns(measured)
    header = ["operation", "floor", "native"]
    for system, _ in others:
        header += [f"{system.title}: in", "cost"]
    lines = [header] + list(rows(measured)) + ([means(measured)] if native else [])
    return align(lines)


def reasons(measured):
    """Entries by reason, of the systems that count them; empty if there is none."""
    parts = []
    for system, runs in measured.items():
        names = [name for name in TITLES if name in runs]
        counted = {counter for name in names for counter in runs[name].counters}
        counted = sorted(counter for counter in counted if counter.startswith("entry_"))
        if not counted:
            continue
        lines = [[f"{system.title}: entries by reason"] +
                 [counter.removeprefix("entry_") for counter in counted] + ["all", "plugin"]]
        for name in names:
            operation = runs[name]
            values = [operation.counters.get(counter, 0) / operation.iterations for counter in counted]
            lines.append([TITLES[name]] + [number(value) if value else "-" for value in values] +
                         [number(sum(values)), number(system.entries(operation))])
        parts.append(align(lines))
    return "\n\n".join(parts)
