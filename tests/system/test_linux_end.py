#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How Linux as the control domain ends: power off, reboot and panic, and reboots in a loop.

needs: linux
timeout: 3600
"""
import os
import pathlib
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
FULL = "RF_FULL" in os.environ
UP = "RINGFENCE-LINUX-UP"

# What it is told, the status of tests/vm that must follow, and what it says on the way.
ENDS = [
    ("rf.end=poweroff", 0, "powered off"),
    ("rf.end=reboot", 4, "rebooted"),
    ("rf.end=panic panic=-1", 4, "Kernel panic - not syncing"),
    ("rf.end=panic panic=3", 4, "Rebooting in 3 seconds"),
    ("rf.end=panic panic=0", 1, "Kernel panic - not syncing"),
]


def command(cpus, append, *arguments, seconds=300):
    return [ROOT / "tests/vm", "--timeout", str(seconds), "--smp", str(cpus), "--append", append, *arguments]


def end(cpus, append, status, text):
    """None, or what is wrong."""
    run = subprocess.run(command(cpus, append), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, errors="replace")
    if run.returncode == status and text in run.stdout and UP in run.stdout:
        return None
    return f"status {run.returncode} instead of {status}, or no {text!r}:\n{run.stdout}"


def reboots(cpus, count):
    """One machine that reboots so often: no run of QEMU ends in between."""
    append = "earlyprintk=ringfence quiet rf.end=reboot"
    vm = subprocess.Popen(command(cpus, append, "--reset", seconds=0), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    limit = threading.Timer(30 + 30 * count, vm.terminate)
    limit.start()
    ups = rebooted = 0
    lines = []
    for line in vm.stdout:
        lines.append(line)
        ups += UP in line
        rebooted += "domain 0 rebooted" in line
        if ups == count + 1:
            break
    vm.terminate()
    vm.wait()
    limit.cancel()
    if ups == count + 1 and rebooted == count:
        return None
    return f"{ups} times up, {rebooted} reboots, instead of {count}:\n{''.join(lines)}"


failures = 0


def report(what, error):
    global failures
    failures += error is not None
    print(f"FAILED: {what}: {error}" if error else f"ok: {what}", flush=True)


for number, (append, status, text) in enumerate(ENDS):
    for cpus in (1, 2, 4) if FULL else ((1, 2, 4)[number % 3],):
        report(f"{append}, {cpus} processors", end(cpus, append, status, text))
for cpus in (1, 2, 4) if FULL else (2,):
    report(f"reboots of {cpus} processors", reboots(cpus, 20 if FULL else 3))
sys.exit(failures != 0)
