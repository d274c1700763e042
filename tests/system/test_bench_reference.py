#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1200
"""No operation of Linux has become dearer: entries and cost against tests/bench/reference.json.

Measured with -icount and a release build of the hypervisor, as ratios to the same kernel natively, so
that the figures are the same on every machine to within what the placement of memory does. With
--update the reference is written; do that when it has become better, and say so in the commit.

One path is then slowed down on purpose, by a processor that clears a page byte by byte, and the comparison must
name that row and no other.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = os.environ.get("O", "build")
REFERENCE = ROOT / "tests/bench/reference.json"
sys.path.insert(0, str(ROOT / "tests/bench"))

import table                    # noqa: E402

WORSE = 1.03
# A timer's interrupt more or less, divided among few iterations.
ENTRIES_MORE = 0.5


SLOWED, UNCHANGED = "touch", "getppid"


def run(directory, *arguments):
    """The operations of each system, as the benchmark's JSON has them."""
    file = pathlib.Path(directory, "figures")
    subprocess.run(["tests/bench/run", "-O", os.path.join(OUTPUT, "bench"), "--linux", os.path.join(OUTPUT, "linux"),
                    "--smp", "", "--json", str(file), *arguments], check=True)
    return json.loads(file.read_text())["suites"]["operations"]["systems"]


def rows(operations):
    """For each operation: entries, and cost as a ratio to native."""
    return {name: {"entries": round(values["entries"], 2), "ratio": round(values["ratio"], 3)}
            for name, values in operations.items()}


def measure():
    with tempfile.TemporaryDirectory(prefix="ringfence-reference.") as directory:
        return rows(run(directory, "--systems", "native,ringfence", "--operations", ",".join(table.MAIN))["ringfence"])


def compare(reference, figures):
    """The rows that are worse, or gone."""
    faults = [f"{name}: not measured" for name in reference if name not in figures]
    for name, now in figures.items():
        before = reference.get(name)
        if not before:
            faults.append(f"{name}: not in the reference; use --update")
            continue
        if now["entries"] > before["entries"] * WORSE + ENTRIES_MORE:
            faults.append(f"{name}: {now['entries']} entries, {before['entries']} before")
        if now["ratio"] > before["ratio"] * WORSE:
            faults.append(f"{name}: {now['ratio']} times native, {before['ratio']} before")
    return faults


def check_comparison():
    """What is worse is found, what is not is not."""
    row = {"entries": 40.0, "ratio": 1.5}
    assert not compare({"fork": row}, {"fork": {"entries": 30.0, "ratio": 1.53}})
    assert len(compare({"fork": row}, {"fork": {"entries": 42.0, "ratio": 1.55}})) == 2
    assert compare({"fork": row}, {}) and compare({}, {"fork": row})


def check_slowness(reference):
    """What is wrong if only the slowed row is not found to be slower."""
    chosen = ("--operations", f"{SLOWED},{UNCHANGED}")
    with tempfile.TemporaryDirectory(prefix="ringfence-slowed.") as directory:
        run(directory, "--systems", "native", *chosen)
        native = pathlib.Path(directory, "native")
        pathlib.Path(directory, "figures").rename(native)
        slowed = rows(run(directory, "--systems", "ringfence", "--cpu", "EPYC,-smap,-monitor,+erms",
                          "--reuse", str(native), *chosen)["ringfence"])
    faults = compare({name: reference[name] for name in slowed}, slowed)
    print("\n".join(f"as it should be: {fault}" for fault in faults))
    named = {fault.split(":")[0] for fault in faults}
    return [] if named == {SLOWED} else [f"{SLOWED} was slowed down, and {named or 'nothing'} was found"]


def main():
    os.chdir(ROOT)
    check_comparison()
    subprocess.run(["make", "-s", f"O={OUTPUT}", "bench-files"], check=True, stdout=subprocess.DEVNULL)
    figures = measure()
    if sys.argv[1:] == ["--update"]:
        rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in figures.items())
        REFERENCE.write_text("{\n" + rows + "\n}\n", encoding="utf-8")
        return 0
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    faults = compare(reference, figures) + check_slowness(reference)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
