# SPDX-License-Identifier: BSD-2-Clause
"""The table on the terminal: one row for each operation, with its floor and every system."""
import math

# The sixteen that the geometric mean is of.
MAIN = {
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
FURTHER = {
    "violation": "write to a protected page, signal",
    "populate-gib": "map 1 GiB in 4 KiB pages",
    "read-gib": "and touch all of it",
    "switch-2-0": "switch among 2 processes",
    "switch-2-64k": "the same, each reads 64 KiB",
    "switch-16-0": "switch among 16 processes",
    "switch-16-64k": "the same, each reads 64 KiB",
    "shell": "fork, exec a shell, exit, wait",
    "file-read": "read 4 KiB of a file",
    "file-write": "write 4 KiB to a file",
    "stat": "stat",
    "open": "open, close",
    "select": "select of 64 files",
    "unix-socket": "Unix socket, a byte and back",
    "tcp": "TCP, a byte and back",
}
SIZES = (
    ("boot_cycles", "power on to the first process, million instructions", 1e6),
    ("memory_kilobytes", "memory that Linux has, MiB", 1024),
)
TITLES = {**MAIN, **FURTHER}


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
    names = [name for name in MAIN if name in native]
    row = [f"geometric mean of the first {len(names)}", "", ""]
    for _, runs in others:
        row.append("")
        row.append(number(geometric_mean([runs[name].cost() / native[name].cost() for name in names])))
    return row


def align(cells):
    """The first column to the left, the rest to the right."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in cells)


def lines(measured):
    """The header, a row for each operation, and the means."""
    native, others = columns(measured)
    header = ["operation", "floor", "native"]
    for system, _ in others:
        header += [f"{system.title}: in", "cost"]
    last = [means(measured)] if native and set(MAIN) & set(native) else []
    return [header] + list(rows(measured)) + last


def size_lines(measured):
    """What is said once of each system."""
    found = [["sizes"] + [system.title for system in measured]]
    for name, title, unit in SIZES:
        values = [system.facts.get(name) for system in measured]
        found.append([title] + ["-" if value is None else number(value / unit, 1) for value in values])
    return found


def text(measured):
    return align(lines(measured))


def reason_lines(measured):
    """Entries by reason: a table for each system that counts them."""
    for system, runs in measured.items():
        names = [name for name in TITLES if name in runs]
        counted = {counter for name in names for counter in runs[name].counters}
        counted = sorted(counter for counter in counted if counter.startswith("entry_"))
        if not counted:
            continue
        found = [[f"{system.title}: entries by reason"] +
                 [counter.removeprefix("entry_") for counter in counted] + ["all", "plugin"]]
        for name in names:
            operation = runs[name]
            values = [operation.counters.get(counter, 0) / operation.iterations for counter in counted]
            found.append([TITLES[name]] + [number(value) if value else "-" for value in values] +
                         [number(sum(values)), number(system.entries(operation))])
        yield found


def reasons(measured):
    return "\n\n".join(align(found) for found in reason_lines(measured))
