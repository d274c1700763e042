#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1200
"""No operation of Linux has become dearer: entries and cost against tests/bench/reference.json.

Measured with -icount and a release build of the hypervisor, as ratios to the same kernel natively, so
that the figures are the same on every machine to within what the placement of memory does. With
--update the reference is written; do that when it has become better, and say so in the commit.

The build with all its checks is slower on some of the same paths, on purpose: measured the same way, it must
be found to be.
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


# Calls of the kernel, where the checks on the way out count most.
SLOWER = ("getppid", "read")


def measure(build, operations):
    """For each operation: entries, and cost as a ratio to native."""
    with tempfile.TemporaryDirectory(prefix="ringfence-reference.") as directory:
        file = pathlib.Path(directory, "figures")
        subprocess.run(["tests/bench/run", "-O", build, "--linux", os.path.join(OUTPUT, "linux"),
                        "--systems", "native,ringfence", "--operations", ",".join(operations),
                        "--json", str(file)], check=True)
        operations = json.loads(file.read_text())["suites"]["operations"]["systems"]["ringfence"]
    return {name: {"entries": round(values["entries"], 2), "ratio": round(values["ratio"], 3)}
            for name, values in operations.items()}


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
    """The faults that the slower build does not have, though it should."""
    figures = measure(OUTPUT, SLOWER)
    faults = compare({name: reference[name] for name in SLOWER}, figures)
    print("\n".join(f"with all checks, as it should be: {fault}" for fault in faults))
    return [f"{name}: the build with all checks is not found to be slower" for name in SLOWER
            if not any(fault.startswith(f"{name}: ") for fault in faults)]


def main():
    os.chdir(ROOT)
    check_comparison()
    subprocess.run(["make", "-s", f"O={OUTPUT}", "bench-files"], check=True, stdout=subprocess.DEVNULL)
    figures = measure(os.path.join(OUTPUT, "bench"), table.MAIN)
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
