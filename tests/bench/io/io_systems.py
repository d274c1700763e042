# SPDX-License-Identifier: BSD-2-Clause
"""The systems whose disks and networks are compared, each with the same kernel in the same emulated machine."""
import pathlib
import shlex
import shutil
import tempfile

import io_programs
import io_ramdisk
import io_results
import machine
import peers
import systems

TIME_LIMIT = 1500
MEMORY_OF_CONTROL, MEMORY_OF_MACHINE = 512, 1024
MEMORY_OF_GUEST = 256
# The disk of a control domain: requests are done at once, and no data moved.
NULL = "null_blk.nr_devices=1 null_blk.gb=1 null_blk.queue_mode=2"


class Setup:
    """What is the same for all systems; RAM disks are made when they are first needed."""

    def __init__(self, arguments, directory):
        self.build, self.linux = pathlib.Path(arguments.build).resolve(), pathlib.Path(arguments.linux).resolve()
        self.rows, self.scale, self.cpu, self.timed = arguments.rows, arguments.scale, arguments.cpu, arguments.time
        self.logs, self.processors = arguments.logs, 2 if arguments.time else 1
        self.work = pathlib.Path(directory)
        self.small = None

    def measured(self):
        if not self.small:
            io_programs.compile_own(self.work)
            self.small = io_ramdisk.measured(self.work)
        return self.small

    def kernel_line(self, role, console, more=""):
        words = [f"console={console}", "quiet", "panic=-1", f"io_role={role}", f"io_rows={','.join(self.rows)}",
                 f"io_scale={self.scale}", more]
        return " ".join(words)

    def instrument(self, phases, outside=False):
        """Nothing is counted where time is measured. By QEMU's clock of instructions time is their number, and the plugin
        counts entries only. Who waits for somebody outside of the machine does so by the host's time: the plugin counts all."""
        words = ["-seed", "1", "-rtc", "base=2026-01-01,clock=vm"]
        if self.timed:
            return words
        plugin = f"{self.build}/tests/bench/plugin.so,output={phases},low={systems.RANGE[0]:#x},high={systems.RANGE[1]:#x}"
        if outside:
            return words + ["-plugin", plugin + ",all=on", "-icount", "shift=0,sleep=on"]
        return words + ["-plugin", plugin, "-icount", "shift=0,sleep=off"]

    def qemu(self, memory):
        return ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-cpu", self.cpu, "-smp", str(self.processors),
                "-m", str(memory), "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]


class System:
    name = title = ""

    def command(self, setup, phases):
        raise NotImplementedError

    def run(self, setup):
        """Its rows."""
        with tempfile.TemporaryDirectory(prefix="ringfence-io.") as directory:
            phases = pathlib.Path(directory, "phases")
            log = (setup.logs or pathlib.Path(directory)) / f"io-{self.name}.log"
            with log.open("w", encoding="utf-8") as file:
                text = machine.run(self.command(setup, phases), TIME_LIMIT, systems.ROOT, file)
            return io_results.parse(text, None if setup.timed else phases.read_text())


class Native(System):
    """QEMU's own devices. The other end of the network is a program of the host, in a network of its own."""
    name, title = "virtio", "native, virtio"

    def command(self, setup, phases):
        initrd = setup.measured()
        for program in ("unshare", "ip"):
            if not shutil.which(program):
                raise peers.Missing(f"there is no program {program}")
        return ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                str(io_programs.HERE / "with-network"), str(setup.work / "measured"), *setup.qemu(MEMORY_OF_GUEST),
                "-nic", "tap,model=virtio-net-pci,ifname=tap0,script=no,downscript=no",
                "-blockdev", "driver=null-co,node-name=disk,size=1073741824,read-zeroes=off", "-device", "virtio-blk-pci,drive=disk",
                "-kernel", str(setup.linux / "bzImage"), "-initrd", str(initrd), "-append",
                setup.kernel_line("measured", "ttyS0", "io_alone=1 null_blk.nr_devices=0"),
                *setup.instrument(phases, outside=True)]


class Ringfence(System):
    name, title = "ringfence", "Ringfence"

    def command(self, setup, phases):
        initrd = io_ramdisk.control(setup.work, setup.build / "toolstack/static", setup.linux / "vmlinux", setup.measured())
        return [str(systems.ROOT / "tests/vm"), "-O", str(setup.build), "--cpu", setup.cpu, "--mem", str(MEMORY_OF_MACHINE),
                "--smp", str(setup.processors), "--control", f"vcpus={setup.processors} memory={MEMORY_OF_CONTROL}M",
                "--kernel", str(setup.linux / "vmlinux"), "--initrd", str(initrd),
                "--append", setup.kernel_line("control", "hvc0", NULL),
                "--hv-append", "console=raw log-level=warning", "--timeout", str(TIME_LIMIT),
                "--qemu", shlex.join(setup.instrument(phases))]


class Xen(System):
    name, title = "xen", "Xen PV"

    def command(self, setup, phases):
        image, _ = peers.xen()
        initrd = io_ramdisk.dom0(setup.work, setup.linux / "vmlinux", setup.measured())
        line = setup.kernel_line("dom0", "hvc0", NULL).replace(",", ",,")
        return setup.qemu(MEMORY_OF_MACHINE) + [
            "-nic", "none", "-kernel", str(image), "-append",
            f"console=com1 dom0_mem={MEMORY_OF_CONTROL}M noreboot=1 dom0=pv dom0_max_vcpus={setup.processors} loglvl=warning",
            "-initrd", f"{setup.linux / 'bzImage'} {line},{initrd}", *setup.instrument(phases)]


ALL = [Native(), Ringfence(), Xen()]
