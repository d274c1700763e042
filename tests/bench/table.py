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
    "timer": "arm a timer, its interrupt",
    "hypercall": "null hypercall, by the kernel",
}
# The same work shared among processes, one on each processor; for one time of it.
SCALING = {
    "scale-getppid": "on each: getppid",
    "scale-touch": "on each: map, touch, unmap 256 pages",
    "scale-map": "on each: mmap, touch, munmap a page",
    "scale-fork": "on each: fork, exit, wait",
}
# What one process at a time does, on several processors beside one.
COMPARED = {name: {**MAIN, **FURTHER}[name] for name in (
    "getppid", "read", "touch", "map-touch-unmap", "protect", "fork", "fork-exec", "ping-pong", "switch-16-0",
    "unix-socket")}
# What two processors have to say to each other.
SEVERAL = {
    "ipi": "interrupt another processor, wait",
    "flush-unmap": "mmap, touch, munmap beside a thread",
    "flush-protect": "mprotect twice, write beside a thread",
    "wake-other": "pipe ping-pong between processors",
}
# What the control domain does with other domains; guests are made by `rf`.
DOMAINS = {
    "event": "event to a domain and back",
    "grant-map": "map a granted page, read it",
    "grant-unmap": "unmap it",
    "grant-map-16": "map 16 granted pages, read them",
    "grant-unmap-16": "unmap them",
    "grant-copy": "copy a granted page",
    "create": "make a guest of 256 MiB",
    "guest-boot": "make it, boot it to its init, power off",
}
# With several processors the other domain has its own.
DOMAINS_SEVERAL = ("event", "grant-map", "grant-unmap")
# What the others are compared with, in the same run.
DOMAINS_MEASURE = "fork-exec"
PROGRAMS = {
    "hackbench": "hackbench, sockets",
    "hackbench-pipe": "hackbench, pipes",
    "stress-fork": "stress-ng fork",
    "stress-exec": "stress-ng exec by vfork",
    "stress-mmap": "stress-ng mmap",
    "stress-switch": "stress-ng switch",
    "stress-pipe": "stress-ng pipe",
    "gzip": "gzip of 2 MB",
    "compile": "cc1 of one file of C",
    "assemble": "as of one file",
    "build": "sh, tcc of 24 small files, ld",
}
# These need a clock that stands still while the emulator is not running: -icount.
EXACT = ("timer",)
# Only some systems have these.
OPTIONAL = ("hypercall",)
SIZES = (
    ("image_bytes", "hypervisor's file as loaded, KiB", 1024),
    ("image_memory", "the same with its zeroed memory, KiB", 1024),
    ("hypervisor_kilobytes", "memory that the hypervisor keeps for itself, MiB", 1024),
    ("shadow_kilobytes", "of it for shadows, MiB", 1024),
    ("shadow_bytes_per_process", "shadows of a small process, KiB", 1024),
    ("boot_cycles", "power on to the first process, million instructions", 1e6),
    ("memory_kilobytes", "memory that Linux has, MiB", 1024),
)
SINGLE = {**MAIN, **FURTHER, **SCALING}
TITLES = {**SINGLE, **SEVERAL, **DOMAINS, **PROGRAMS}


def floor(operation):
    """Entries that a kernel in ring 3 cannot do without: in and out, for each crossing natively."""
    return 2 * operation.crossings()


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def number(value, digits=2):
    return f"{value:.0f}" if value >= 1000 else f"{value:.{digits}f}"


def columns(measured):
    """The operations of the native run, and the other systems with theirs."""
    native = next((runs for system, runs in measured.items() if system.name == "native"), None)
    others = [(system, runs) for system, runs in measured.items() if system.name != "native"]
    return native, others


def ratio(operation, native):
    """Cost as a ratio to native; in instructions where there is no native one."""
    if native:
        return number(operation.cost() / native.cost())
    return f"={number(operation.cost(), 0)}"


def row(name, native, others):
    ours = (native or {}).get(name)
    cells = [TITLES[name]]
    cells += [number(floor(ours)), number(ours.cost(), 0)] if ours else ["-", "-"]
    for system, runs in others:
        operation = runs.get(name)
        cells += [number(system.entries(operation)), ratio(operation, ours)] if operation else ["-", "-"]
    return cells


def rows(measured, names):
    native, others = columns(measured)
    there = {name for runs in measured.values() for name in runs}
    return [row(name, native, others) for name in names if name in there]


def means(measured, names):
    native, others = columns(measured)
    names = [name for name in names if name in native and all(name in runs for _, runs in others)]
    cells = [f"geometric mean of {len(names)}", "", ""]
    for _, runs in others:
        ratios = [runs[name].cost() / native[name].cost() for name in names]
        cells += ["", number(geometric_mean(ratios)) if ratios else "-"]
    return cells


def align(cells):
    """The first column to the left, the rest to the right."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in cells)


def lines(measured, names=None, title="operation", of_mean=None):
    """The header, a row for each operation, and the means."""
    native, others = columns(measured)
    header = [title, "floor", "native"]
    for system, _ in others:
        header += [f"{system.title}: in", "cost"]
    of_mean = MAIN if of_mean is None else of_mean
    last = [means(measured, of_mean)] if native and others and set(of_mean) & set(native) else []
    return [header] + rows(measured, names or {**MAIN, **FURTHER}) + last


def size_lines(suite):
    """What is said once of each system."""
    found = [["sizes"] + [system.title for system in suite.measured]]
    for name, title, unit in SIZES:
        values = [suite.facts.get(system.name, {}).get(name) for system in suite.measured]
        if any(value is not None for value in values):
            found.append([title] + ["-" if value is None else number(value / unit, 1) for value in values])
    return found if len(found) > 1 else []


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
