# SPDX-License-Identifier: BSD-2-Clause
"""The systems that are compared: how each is started with the same kernel, program and processor.

A system has a name, a title for the tables, and run(setup), which returns the measured runs. What
it needs and does not find it reports by peers.Missing.
"""
import os
import pathlib
import shlex
import tempfile

import machine
import results

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where hypervisors have their code: the first half TiB slots of the upper half, the image of
# Ringfence and all of Xen among them, and nothing of Linux.
RANGE = (0xffff800000000000, 0xffff880000000000)
# The processor model warns about features that the emulation has not got.
TIME_LIMIT = 900


class Setup:
    """What is the same for all systems."""

    def __init__(self, arguments):
        self.build = pathlib.Path(arguments.build).resolve()
        self.linux = pathlib.Path(arguments.linux).resolve()
        self.initrd = self.build / "tests/bench/initrd.gz"
        self.plugin = self.build / "tests/bench/plugin.so"
        self.cpu = arguments.cpu
        self.memory = arguments.memory
        self.processors = arguments.processors
        self.icount = arguments.icount
        self.runs = arguments.runs
        self.operations = arguments.operations
        self.logs = arguments.logs

    def kernel_line(self, console):
        words = [f"console={console}", "quiet", "panic=-1", "transparent_hugepage=always",
                 f"bench_runs={self.runs}"]
        if self.operations:
            words.append(f"bench_operations={','.join(self.operations)}")
        return " ".join(words)

    def instrument(self, phases):
        """QEMU's arguments that make a machine measurable."""
        words = ["-plugin", f"{self.plugin},output={phases},low={RANGE[0]:#x},high={RANGE[1]:#x}"]
        return words + (["-icount", "shift=0,sleep=off"] if self.icount else [])

    def qemu(self, memory=None):
        return ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-cpu", self.cpu,
                "-smp", str(self.processors), "-m", str(memory or self.memory), "-nodefaults",
                "-display", "none", "-no-reboot", "-nic", "none", "-serial", "stdio"]


class System:
    """A system in QEMU; what differs is the command."""
    name = title = ""
    hypervisor = None               # the instructions that count as entries: returns, vmrun

    def command(self, setup, directory, phases):
        raise NotImplementedError

    def run(self, setup):
        with tempfile.TemporaryDirectory(prefix="ringfence-bench.") as directory:
            phases = pathlib.Path(directory, "phases")
            command = self.command(setup, pathlib.Path(directory), phases)
            try:
                text = machine.run(command, TIME_LIMIT, ROOT)
            except machine.Failure as failure:
                self.keep(setup, failure.output)
                raise
            self.keep(setup, text)
            if setup.logs:
                (setup.logs / f"{self.name}.phases").write_text(phases.read_text())
            return results.parse(text, phases.read_text())

    def keep(self, setup, text):
        if setup.logs:
            (setup.logs / f"{self.name}.log").write_text(text)

    def entries(self, operation):
        """Into the hypervisor, for each time the operation is done."""
        return operation.returns()


class Native(System):
    name, title = "native", "native"

    def command(self, setup, directory, phases):
        return setup.qemu() + [
            "-kernel", str(setup.linux / "bzImage"), "-initrd", str(setup.initrd),
            "-append", setup.kernel_line("ttyS0")] + setup.instrument(phases)

    def entries(self, operation):
        return 0.0


class Ringfence(System):
    name, title = "ringfence", "Ringfence"

    def command(self, setup, directory, phases):
        return [str(ROOT / "tests/vm"), "-O", str(setup.build), "--cpu", setup.cpu,
                "--mem", str(setup.memory), "--smp", str(setup.processors),
                "--control", f"vcpus={setup.processors}", "--kernel", str(setup.linux / "vmlinux"),
                "--initrd", str(setup.initrd), "--append", setup.kernel_line("hvc0"),
                "--hv-append", "console=raw log-level=warning", "--timeout", str(TIME_LIMIT),
                "--qemu", shlex.join(setup.instrument(phases))]


ALL = [Native(), Ringfence()]
