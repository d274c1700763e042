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

COLUMNS = ("suite", "system", "operation", "iterations", "cost", "ratio", "entries", "floor")


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
        "smp": arguments.smp,
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
    if native and operation.name in native:
        native = native[operation.name]
        figures["ratio"] = operation.cost() / native.cost()
        figures["floor"] = table.floor(native)
    return figures


def collect(measured):
    native, _ = table.columns(measured)
    return {system.name: {name: of_operation(system, operation, native)
                          for name, operation in runs.items()}
            for system, runs in measured.items()}


def of_suite(suite):
    return {"title": suite.title, "processors": suite.processors, "systems": collect(suite.measured),
            "facts": suite.facts, "missing": suite.missing,
            "absent": {system.name: reason for system, reason in suite.absent.items()}}


def write_csv(file, suites):
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for suite in suites:
            for system, operations in collect(suite.measured).items():
                for name, values in operations.items():
                    writer.writerow([suite.name, system, name] +
                                    [values.get(column, "") for column in COLUMNS[3:]])


def operation(name, values):
    """What of_operation() has made figures of."""
    return results.Operation(
        name, values["iterations"], values["cost"] * values["iterations"], values["counters"],
        {instruction: (counts["inside"], counts["outside"])
         for instruction, counts in values["instructions"].items()})


def read(file, suites, systems):
    """Takes into the suites what write() has written to a JSON file."""
    saved = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))["suites"]
    for suite in suites:
        of_file = saved.get(suite.name, {"systems": {}, "facts": {}, "missing": {}})
        suite.missing.update(of_file["missing"])
        for system in systems:
            if system.name in of_file["systems"]:
                suite.measured[system] = {name: operation(name, values) for name, values
                                          in of_file["systems"][system.name].items()}
                suite.facts[system.name] = of_file["facts"].get(system.name, {})
        # In their order, whichever file each is from.
        suite.measured = {system: suite.measured[system] for system in systems if system in suite.measured}


def write(arguments, suites):
    if arguments.csv:
        write_csv(arguments.csv, suites)
    if arguments.json:
        names = {system.name for suite in suites for system in suite.measured}
        everything = {"environment": environment(arguments, names),
                      "suites": {suite.name: of_suite(suite) for suite in suites}}
        arguments.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
