# SPDX-License-Identifier: BSD-2-Clause
"""The figures for programs: JSON with everything and the environment, CSV with one line a figure."""
import csv
import datetime
import json
import pathlib
import platform
import subprocess

import peers
import results
import table

COLUMNS = ("system", "operation", "iterations", "cost", "ratio", "entries", "floor")


def first_line(*command):
    try:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               cwd=pathlib.Path(__file__).parent, check=False)
    except FileNotFoundError:
        return ""
    return (ended.stdout.splitlines() or [""])[0]


def package_version(taking_part, name, find):
    """The version of a peer's package, if it takes part."""
    if not any(system.startswith(name) for system in taking_part):
        return None
    try:
        return find()[1]
    except peers.Missing as missing:
        return f"missing: {missing}"


def environment(arguments, taking_part):
    """What one must know to repeat the measurement; `taking_part` has the names of the systems."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "host": platform.platform(),
        "qemu": first_line("qemu-system-x86_64", "--version"),
        "compiler": first_line("gcc", "--version"),
        "tree": first_line("git", "describe", "--always", "--dirty"),
        "kernel": first_line("file", "-b", str(pathlib.Path(arguments.linux, "bzImage"))),
        "xen": package_version(taking_part, "xen", peers.xen),
        "debian_kernel": package_version(taking_part, "kvm", peers.linux),
        "cpu": arguments.cpu,
        "memory_mib": arguments.memory,
        "processors": arguments.processors,
        "icount": arguments.icount,
        "run": "cold" if arguments.cold else "warm",
    }


def of_operation(system, operation, native):
    figures = {
        "iterations": operation.iterations,
        "cost": operation.cost(),
        "entries": system.entries(operation),
        "counters": operation.counters,
        "instructions": {name: {"inside": inside, "outside": outside}
                         for name, (inside, outside) in operation.instructions.items()},
    }
    if native:
        figures["ratio"] = operation.cost() / native.cost()
        figures["floor"] = table.floor(native)
    return figures


def collect(measured):
    native, _ = table.columns(measured)
    return {system.name: {name: of_operation(system, operation, native and native[name])
                          for name, operation in runs.items()}
            for system, runs in measured.items()}


def write_csv(file, systems):
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for system, operations in systems.items():
            for name, values in operations.items():
                writer.writerow([system, name] + [values.get(column, "") for column in COLUMNS[2:]])


def read(file):
    """What write() has written to a JSON file: operations by name for each system, and its facts."""
    saved = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    found = {}
    for name, operations in saved["systems"].items():
        found[name] = {
            operation: results.Operation(
                operation, values["iterations"], values["cost"] * values["iterations"],
                values["counters"], {instruction: (counts["inside"], counts["outside"])
                                     for instruction, counts in values["instructions"].items()})
            for operation, values in operations.items()}
    return found, saved["facts"]


def write(arguments, measured, absent):
    if not arguments.csv and not arguments.json:
        return
    systems = collect(measured)
    if arguments.csv:
        write_csv(arguments.csv, systems)
    if arguments.json:
        everything = {"environment": environment(arguments, systems), "systems": systems,
                      "facts": {system.name: system.facts for system in measured},
                      "absent": {system.name: reason for system, reason in absent.items()}}
        arguments.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
