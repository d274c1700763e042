#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compressed kernels start under the hypervisor, unpacking themselves, as control domain and beside it; a
damaged one says so. The same files start natively.

needs: linux
timeout: 3600
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINUX = ROOT / os.environ.get("O", "build") / "linux"
FULL = "RF_FULL" in os.environ
UP = "RINGFENCE-LINUX-UP"
scratch = tempfile.TemporaryDirectory()
failures = 0


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")


def report(what, good, output):
    global failures
    failures += not good
    print(f"ok: {what}" if good else f"FAILED: {what}:\n{output}", flush=True)


def kernel(compression):
    """bzImage of that compression; gzip is what there is already."""
    if compression == "gzip":
        return LINUX / "bzImage"
    output = pathlib.Path(scratch.name) / compression
    built = run([ROOT / "guest-pv/build-linux", "--compression", compression, "--output", output])
    if built.returncode:
        report(f"building for {compression}", False, built.stdout)
        return None
    return output / "bzImage"


def boots(name, file, cpus, memory, *arguments):
    vm = run([ROOT / "tests/vm", "--timeout", "300", "--smp", str(cpus), "--mem", str(memory),
              "--control", f"vcpus={cpus}", "--kernel", file, "--initrd", LINUX / "initrd.gz",
              "--hv-append", "console=raw", "--append", "console=hvc0 quiet rf.test=processes,files",
              *arguments])
    report(f"{name}, {cpus} processors, {memory} MiB {' '.join(arguments)}",
           vm.returncode == 0 and UP in vm.stdout and "RESULT: SUCCESS" in vm.stdout, vm.stdout)


def boots_natively(name, file):
    """Without the look whether the timer ticks, which fails where QEMU gets too little time."""
    qemu = run(["timeout", "300", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512",
                "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", file,
                "-initrd", LINUX / "initrd.gz", "-append", "console=ttyS0 quiet no_timer_check rf.end=poweroff"])
    report(f"{name}, native", qemu.returncode == 0 and UP in qemu.stdout, qemu.stdout)


def boots_beside(name, file):
    """As the second domain; the first gives it the time that it takes, and more."""
    vm = run([ROOT / "tests/vm", "--timeout", "300", "--smp", "2", "--append",
              "quiet rf.test=processes,files,clock", "--module",
              f"{file} domain name=second memory=160M -- console=hvc0 quiet rf.end=poweroff",
              "--module", f"{LINUX}/initrd.gz initrd"])
    report(f"{name}, beside the control domain",
           vm.returncode == 0 and "(second) domain 1 powered off: it asked for it" in vm.stdout, vm.stdout)


def damaged(file):
    """At the beginning of what is compressed: damage further on may unpack, to a kernel that does anything."""
    content = bytearray(file.read_bytes())
    kernel_offset = (content[0x1f1] + 1) * 512
    payload = kernel_offset + int.from_bytes(content[0x248:0x24c], "little")
    for i in range(payload, payload + 64):
        content[i] ^= 0x5a
    spoilt = pathlib.Path(scratch.name) / "spoilt"
    spoilt.write_bytes(content)
    vm = run([ROOT / "tests/vm", "--timeout", "120", "--kernel", spoilt])
    report("a damaged file", vm.returncode == 1 and "the kernel cannot be unpacked: " in vm.stdout and
           "domain 0 crashed" in vm.stdout, vm.stdout)


for number, compression in enumerate(("gzip", "xz", "zstd", "lz4") if FULL else ("gzip", "xz")):
    image = kernel(compression)
    if not image:
        continue
    boots(compression, image, (1, 2, 4)[number % 3], (256, 512, 2048)[number % 3])
    if FULL or compression != "gzip":
        boots_natively(compression, image)
boots_beside("gzip", kernel("gzip"))
damaged(kernel("gzip"))
if FULL:
    for loader in ("--iso", "--uefi", "--pvh"):
        boots("gzip", kernel("gzip"), 2, 512, loader)
sys.exit(failures != 0)
