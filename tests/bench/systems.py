# SPDX-License-Identifier: BSD-2-Clause
"""The systems that are compared: how each is started with the same kernel, program and processor.

A system has a name, a title for the tables, and run(setup), which returns the measured runs. What
it needs and does not find it reports by peers.Missing.
"""
import os
import pathlib
import shlex
import tempfile

import kvm_ramdisk
import machine
import peers
import results
import sizes

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where hypervisors have their code: the first half TiB slots of the upper half, the image of
# Ringfence and all of Xen among them, and nothing of Linux.
RANGE = (0xffff800000000000, 0xffff880000000000)
TIME_LIMIT = 1500


class Setup:
    """What is the same for all systems."""

    def __init__(self, arguments):
        self.build = pathlib.Path(arguments.build).resolve()
        self.linux = pathlib.Path(arguments.linux).resolve()
        self.initrd = self.small_initrd = self.build / "tests/bench/initrd.gz"
        self.plugin = self.build / "tests/bench/plugin.so"
        self.cpu = arguments.cpu
        self.memory = arguments.memory
        self.processors = arguments.processors
        self.icount = arguments.icount
        self.runs = arguments.runs
        self.operations = arguments.operations
        self.logs = arguments.logs
        self.suite = "operations"
        self.control_memory = None      # MiB; None: all there is

    def kernel_line(self, console):
        words = [f"console={console}", "quiet", "panic=-1", "transparent_hugepage=always",
                 "norandmaps", f"bench_runs={self.runs}"]
        if self.operations:
            words.append(f"bench_operations={','.join([results.NOTHING] + self.operations)}")
        return " ".join(words)

    def instrument(self, phases):
        """QEMU's arguments that make a machine measurable, and the same each time."""
        plugin = f"{self.plugin},output={phases},low={RANGE[0]:#x},high={RANGE[1]:#x}"
        words = ["-seed", "1", "-rtc", "base=2026-01-01,clock=vm"]
        if self.one_thread():
            return words + ["-plugin", plugin + ",all=on"]
        return words + ["-plugin", plugin] + (["-icount", "shift=0,sleep=off"] if self.icount else [])

    def one_thread(self):
        """Several processors take turns, and the plugin counts what they execute: with -icount, a machine
        that waits in a loop of PAUSE, as each does while it starts, would take minutes."""
        return self.icount and self.processors > 1

    def qemu(self, memory=None):
        return ["qemu-system-x86_64", "-accel", "tcg" + (",thread=single" if self.one_thread() else ""), "-machine", "pc", "-cpu", self.cpu,
                "-smp", str(self.processors), "-m", str(memory or self.memory), "-nodefaults",
                "-display", "none", "-no-reboot", "-nic", "none", "-serial", "stdio"]


class System:
    """A system in QEMU; what differs is the command."""
    name = title = ""

    def command(self, setup, directory, phases):
        raise NotImplementedError

    def run(self, setup):
        """The runs, and what is said once of the system."""
        with tempfile.TemporaryDirectory(prefix="ringfence-bench.") as directory:
            phases = pathlib.Path(directory, "phases")
            command = self.command(setup, pathlib.Path(directory), phases)
            with self.log(setup, directory).open("w", encoding="utf-8") as log:
                text = machine.run(command, TIME_LIMIT, ROOT, log)
            if setup.logs:
                self.log(setup, directory).with_suffix(".phases").write_text(phases.read_text())
            return results.parse(text, phases.read_text()), results.facts(text)

    def log(self, setup, directory):
        return (setup.logs or pathlib.Path(directory)) / f"{setup.suite}-{self.name}.log"

    def entries(self, operation):
        """Into the hypervisor, for each time the operation is done."""
        return operation.returns()

    def sizes(self, setup):
        """Facts that the machine itself cannot tell."""
        return {}


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
        memory = f" memory={setup.control_memory}M" if setup.control_memory else ""
        return [str(ROOT / "tests/vm"), "-O", str(setup.build), "--cpu", setup.cpu,
                "--mem", str(setup.memory), "--smp", str(setup.processors),
                "--control", f"vcpus={setup.processors}{memory}", "--kernel", str(setup.linux / "vmlinux"),
                *(["--one-thread"] if setup.one_thread() else []),
                "--initrd", str(setup.initrd), "--append", setup.kernel_line("hvc0"),
                "--hv-append", "console=raw log-level=warning", "--timeout", str(TIME_LIMIT),
                "--qemu", shlex.join(setup.instrument(phases))]


    def sizes(self, setup):
        return {**sizes.of_image(setup.build / "ringfence"), **sizes.ringfence_memory(setup)}


class Guest(Ringfence):
    """Linux in a domain of its own; the control domain is the same Linux with nothing to do."""
    name, title = "guest", "guest domain"
    MEMORY_OF_CONTROL, MEMORY_OF_OTHERS = 128, 320      # with what the hypervisor keeps

    def memory(self, setup):
        """The machine's: boot modules are not the guest's memory before it is built."""
        return setup.memory + self.MEMORY_OF_OTHERS + 2 * (setup.initrd.stat().st_size >> 20)

    def command(self, setup, directory, phases):
        resources = f"name=guest memory={setup.memory}M vcpus={setup.processors}"
        return [str(ROOT / "tests/vm"), "-O", str(setup.build), "--cpu", setup.cpu,
                "--mem", str(self.memory(setup)), "--smp", str(setup.processors),
                *(["--one-thread"] if setup.one_thread() else []),
                "--control", f"memory={self.MEMORY_OF_CONTROL}M", "--kernel", str(setup.linux / "vmlinux"),
                "--initrd", str(setup.small_initrd), "--append", "console=hvc0 quiet bench_idle=1",
                "--module", f"{setup.linux / 'vmlinux'} domain {resources} -- {setup.kernel_line('hvc0')}",
                "--module", f"{setup.initrd} initrd",
                "--hv-append", "console=raw log-level=warning", "--timeout", str(TIME_LIMIT),
                "--qemu", shlex.join(setup.instrument(phases))]

    def run(self, setup):
        """Power on to the first process is the start of two Linux here, so it is not said."""
        runs, facts = super().run(setup)
        facts.pop("boot_cycles", None)
        return runs, facts

    def sizes(self, setup):
        return {}


class Xen(System):
    """Linux as domain 0, paravirtual. XPTI is not needed: the processor is AMD's."""
    name, title = "xen", "Xen PV"
    MEMORY_OF_XEN = 256

    def command(self, setup, directory, phases):
        image, _ = peers.xen()
        line = setup.kernel_line("hvc0").replace(",", ",,")
        return setup.qemu() + [
            "-kernel", str(image), "-append",
            f"console=com1 dom0_mem={setup.memory - self.MEMORY_OF_XEN}M noreboot=1 dom0=pv "
            f"dom0_max_vcpus={setup.processors} loglvl=warning",
            "-initrd", f"{setup.linux / 'bzImage'} {line},{setup.initrd}",
        ] + setup.instrument(phases)


    def sizes(self, setup):
        return sizes.of_image(peers.xen()[0])


class Kvm(System):
    """Debian's kernel with KVM in the emulated machine, which has AMD's virtualization; inside it
    QEMU with the machine that has least of all, microvm."""
    MEMORY_OF_OUTER = 2048

    def __init__(self, name, title, nested):
        self.name, self.title, self.nested = name, title, nested

    def command(self, setup, directory, phases):
        if setup.one_thread():
            raise peers.Missing("with several processors the inner machine does not start where one thread emulates all "
                                "of them, and with a thread each instructions cannot be compared; --no-icount measures time")
        kernel_folder, _ = peers.linux()
        ramdisk = kvm_ramdisk.build(setup, kernel_folder, directory)
        return setup.qemu(setup.memory + self.MEMORY_OF_OUTER) + [
            "-kernel", str(peers.kernel(kernel_folder)), "-initrd", str(ramdisk), "-append",
            f"console=ttyS0 quiet panic=-1 npt={int(self.nested)} memory={setup.memory} "
            f"processors={setup.processors}"] + setup.instrument(phases)

    def entries(self, operation):
        return operation.virtual_entries()


ALL = [Native(), Ringfence(), Guest(), Xen(), Kvm("kvm-shadow", "KVM shadow", False),
       Kvm("kvm-npt", "KVM nested", True)]
