# SPDX-License-Identifier: BSD-2-Clause
"""RAM disks of the benchmark: what is measured has one, and is itself a file in that of a control domain."""
import os
import pathlib
import shutil

import io_programs
import peers
import ramdisk

BUSYBOX = "/bin/busybox"
TOOLS = ("rf", "rfd", "rfstored", "rf-block", "rf-net")


def begin(root, work):
    """What all of them have."""
    for name in ("bin", "lib/io", "etc", "usr/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    if not os.path.exists(BUSYBOX):
        raise peers.Missing(f"there is no {BUSYBOX}: the package busybox-static")
    shutil.copy(BUSYBOX, root / "bin/busybox")
    for script in io_programs.HERE.glob("*.sh"):
        shutil.copy(script, root / "lib/io")
    shutil.copy(io_programs.HERE / "init", root / "init")
    shutil.copy(io_programs.HERE / "snapshot", root / "bin/snapshot")
    for name in ("marker", "latency"):
        shutil.copy(work / name, root / "bin" / name)
    io_programs.put_iperf(root)


def measured(work):
    """Of a guest, or of Linux natively."""
    root = work / "measured"
    begin(root, work)
    io_programs.put_fio(root, work)
    return ramdisk.pack(root, work / "measured.cpio")


def add_guest(root, kernel, initrd):
    (root / "boot").mkdir(parents=True)
    shutil.copy(kernel, root / "boot/linux")
    shutil.copy(initrd, root / "boot/initrd")


def control(work, toolstack, kernel, initrd):
    """Of Ringfence's control domain."""
    root = work / "control"
    begin(root, work)
    for name in TOOLS:
        shutil.copy(pathlib.Path(toolstack, name), root / "bin" / name)
    (root / "etc/ringfence").mkdir(parents=True)
    add_guest(root, kernel, initrd)
    return ramdisk.pack(root, work / "control.cpio")


def dom0(work, kernel, initrd):
    """Of Xen's domain 0."""
    root = work / "dom0"
    begin(root, work)
    io_programs.put_xen(root)
    add_guest(root, kernel, initrd)
    return ramdisk.pack(root, work / "dom0.cpio")
