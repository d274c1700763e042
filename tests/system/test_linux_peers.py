#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 3600
"""One kernel with the bench configuration runs natively, as Ringfence's control domain and as a guest beside
it, as Xen's domain 0 and in KVM.

Each boots to its first process, which performs a few operations; that the hypervisor was there is
seen by the entries into it. Only natively must there be none.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = os.environ.get("O", "build")
SYSTEMS = ["native", "ringfence", "guest", "xen", "kvm-npt"] + (["kvm-shadow"] if "RF_FULL" in os.environ else [])


def measure(directory):
    linux = pathlib.Path(directory, "linux")
    subprocess.run(["guest-pv/build-linux", "--config", "bench", "--output", str(linux)], check=True)
    figures = pathlib.Path(directory, "figures")
    ended = subprocess.run(
        ["tests/bench/run", "-O", OUTPUT, "--linux", str(linux), "--runs", "1",
         "--systems", ",".join(SYSTEMS), "--operations", "getppid,nanosleep,touch,fork-exec",
         "--json", str(figures)], check=False)
    return ended.returncode, json.loads(figures.read_text())["suites"]["operations"]


def main():
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="ringfence-peers.") as directory:
        status, figures = measure(directory)
    faults = [f"{name}: {reason}" for name, reason in figures["absent"].items()]
    for name, operations in figures["systems"].items():
        entries = sum(values["entries"] for values in operations.values())
        if (entries == 0) != (name == "native"):
            faults.append(f"{name}: {entries} entries into a hypervisor")
    print("\n".join(faults))
    return 1 if faults or status or len(figures["systems"]) != len(SYSTEMS) else 0


if __name__ == "__main__":
    sys.exit(main())
