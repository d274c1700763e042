# SPDX-License-Identifier: BSD-2-Clause
"""The RAM disk of the outer machine: BusyBox, KVM's modules, a QEMU, and what runs in it."""
import os
import pathlib
import shutil

import peers
import ramdisk

BUSYBOX = "/bin/busybox"
# A small build of the same source, if Debian has it; else the usual one.
PROGRAMS = ("qemu-system-x86_64-microvm", "qemu-system-x86_64")
FIRMWARE = ("bios-microvm.bin", "qboot.rom", "linuxboot_dma.bin", "kvmvapic.bin")

# `npt` comes from the kernel's command line. The inner machine's memory is there from the start, since
# filling it is work of the outer kernel that has nothing to do with the operation.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /var/tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmpfs /tmp
for module in {modules}; do
	options=
	[ $module != kvm-amd ] || options="npt=$npt avic=0"
	/bin/busybox insmod /modules/$module.ko $options || echo "bench: failed: insmod $module"
done
echo "outer machine: up for $(/bin/busybox cut -d ' ' -f 1 /proc/uptime) s"
[ -c /dev/kvm ] || echo "bench: failed: there is no /dev/kvm"
{program} -accel kvm -cpu host -smp $processors \\
	-M microvm,x-option-roms=off,pit=off,pic=off,rtc=off,isa-serial=on -m $memory \\
	-object memory-backend-ram,id=ram,size=${{memory}}M,prealloc=on -machine memory-backend=ram \\
	-nodefaults -no-user-config -display none -serial stdio -no-reboot -L /firmware \\
	-kernel /bzImage -initrd /initrd.gz -append "$(/bin/busybox cat /append)" </dev/null ||
	echo "bench: failed: the inner QEMU ended with status $?"
/bin/busybox poweroff -f
"""


def program():
    found = [path for path in map(shutil.which, PROGRAMS) if path]
    if not found:
        raise peers.Missing("there is no program qemu-system-x86_64")
    return found[0]


def fill(root, setup, kernel_folder):
    for name in ("bin", "modules", "firmware"):
        (root / name).mkdir(parents=True)
    if not os.path.exists(BUSYBOX):
        raise peers.Missing(f"there is no {BUSYBOX}: the package busybox-static")
    shutil.copy(BUSYBOX, root / "bin/busybox")
    for module in peers.modules(kernel_folder):
        shutil.copy(module, root / "modules")
    for name in FIRMWARE:
        if (peers.FIRMWARE / name).exists():
            shutil.copy(peers.FIRMWARE / name, root / "firmware")
    path = program()
    ramdisk.add_program(root, path)
    shutil.copy(setup.linux / "bzImage", root)
    shutil.copy(setup.initrd, root / "initrd.gz")
    (root / "append").write_text(setup.kernel_line("ttyS0"))
    names = " ".join(file.stem for file in peers.modules(kernel_folder))
    (root / "init").write_text(INIT.format(modules=names, program=path))
    (root / "init").chmod(0o755)


def build(setup, kernel_folder, directory):
    """Returns the file."""
    root = pathlib.Path(directory, "outer")
    fill(root, setup, kernel_folder)
    return ramdisk.pack(root, pathlib.Path(directory, "outer.cpio"))
