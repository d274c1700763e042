#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 3600
"""Linux as the control domain drives the machine's devices, on both chipsets of QEMU: disks that hold
ext4 (virtio, NVMe, AHCI, and IDE where it is), network cards (virtio, e1000e, e1000), by messages (MSI, MSI-X)
and by lines (INTx), with processors that come and go meanwhile, and ACPI's own interrupt. What runs in Linux is
tests/system/linux/devices. In the end the host's e2fsck looks at the disks.
"""
import hashlib
import os
import pathlib
import random
import re
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUTPUT = pathlib.Path(os.environ.get("O", "build"))
FULL = bool(os.environ.get("RF_FULL"))
DISK_SIZE = 256                 # MiB
# At full length most of it is above 4 GiB on `pc`, where IDE does not reach by itself.
MEMORY = {"pc": 6144 if FULL else 512, "q35": 1024 if FULL else 512}
TIMEOUT = 900 if FULL else 240
MIB = 1 << 20

# What the ext4 file systems are called is the driver of the disk below.
DISKS = {
    "virtio-pci": "virtio-blk-pci,drive={id}",
    "nvme": "nvme,drive={id},serial=ringfence",
    "ahci": "ide-hd,drive={id},bus={ahci}.0",
    "ata_piix": "ide-hd,drive={id},bus=ide.0",
}
# What the kernel warns of on these machines, on a bare one as well; the last when the host is slow.
WARNINGS = ("PMU not available due to virtualization", "fail to add MMCONFIG information",
            "Failed to initialize MSI", "hrtimer: interrupt took")
NICS = {1: "virtio-net-pci", 2: "e1000e", 3: "e1000"}


class Peer(socketserver.StreamRequestHandler):
    """The other end of a card: `send MIB` or `take MIB`, as tests/system/linux/devices has them."""

    def handle(self):
        verb, size = self.rfile.readline().split()
        size = int(size) * MIB
        if verb == b"send":
            data = random.randbytes(size)
            self.wfile.write(hashlib.md5(data).hexdigest().encode() + b"\n")
            self.wfile.write(data)
        else:
            taken = hashlib.md5()
            while size and (piece := self.rfile.read(min(size, MIB))):
                taken.update(piece)
                size -= len(piece)
            self.wfile.write(taken.hexdigest().encode() + b"\n")


def make_disk(path, label):
    with open(path, "wb") as image:
        image.truncate(DISK_SIZE * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-L", label, path], check=True)


def kinds_of(machine):
    return [kind for kind in DISKS if machine == "pc" or kind != "ata_piix"]


def device_arguments(machine, directory):
    arguments = []
    if machine == "pc":
        arguments += ["-device", "ich9-ahci,id=ahci"]
    for kind in kinds_of(machine):
        path = directory / kind
        make_disk(path, kind)
        name = kind.replace("_", "-")
        device = DISKS[kind].format(id=name, ahci="ahci" if machine == "pc" else "ide")
        arguments += ["-drive", f"if=none,id={name},format=raw,file={path}", "-device", device]
    for number, model in NICS.items():
        arguments += ["-netdev", f"user,id=net{number},net=10.0.{number}.0/24", "-device",
                      f"{model},netdev=net{number},mac=52:54:00:00:00:0{number}"]
    return arguments


def press_button(path):
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(path))
        monitor.sendall(b"system_powerdown\n")
        monitor.settimeout(5)
        text = b""
        while text.count(b"(qemu)") < 2:
            text += monitor.recv(4096)


def follow(process, monitor):
    """The machine's output; presses its power button when Linux asks for it."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "devices: press the power button" in line:
            press_button(monitor)
    return "".join(lines)


def run_machine(machine, cpus, size, append, initrd, port, directory):
    monitor = directory / "monitor"
    arguments = device_arguments(machine, directory)
    arguments += ["-monitor", f"unix:{monitor},server=on,wait=off"]
    words = {"size": size, "port": port, "disks": ",".join(kinds_of(machine)),
             "nics": ",".join(map(str, NICS))}
    line = " ".join(["console=hvc0 panic=-1 rf.run=/bin/devices", append]
                    + [f"devices.{key}={value}" for key, value in words.items()])
    command = [ROOT / "tests/vm", "-O", OUTPUT, "--machine", machine, "--smp", str(cpus), "--mem",
               str(MEMORY[machine]), "--timeout", str(TIMEOUT), "--kernel", OUTPUT / "linux/vmlinux",
               "--initrd", initrd, "--control", f"vcpus={cpus}", "--hv-append", "console=raw",
               "--append", line, "--qemu", " ".join(arguments)]
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace") as process:
        output = follow(process, monitor)
    return process.returncode, output


def find_faults(machine, append, status, output, directory):
    faults = []
    if status != 0 or not re.search(r"^RESULT: SUCCESS$", output, re.M):
        faults.append(f"no success, status {status}")
    warnings = re.findall(r"^devices: warning: (.*)$", output, re.M)
    faults += [f"warning: {line}" for line in warnings
               if not any(known in line for known in WARNINGS)]
    messages = re.search(r"Ringfence-MSI", output)
    if bool(messages) == ("pci=nomsi" in append):
        faults.append("messages are used where they should not be, or not where they should")
    if machine == "q35" and "PCI: MMCONFIG at" not in output:
        faults.append("no configuration space by memory")
    for kind in kinds_of(machine):
        check = subprocess.run(["e2fsck", "-fn", directory / kind], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
        if check.returncode != 0:
            faults.append(f"e2fsck of {kind}: {check.stdout}")
    return faults


def check_machine(machine, cpus, size, append, initrd, port):
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        status, output = run_machine(machine, cpus, size, append, initrd, port, directory)
        faults = find_faults(machine, append, status, output, directory)
    name = f"{machine}, {cpus} processors, {size} MiB {append}".strip()
    if faults:
        print(f"{name}:\n{output}\n{name}: {'; '.join(faults)}")
    else:
        print(f"ok: {name}")
        print("".join(line + "\n" for line in output.splitlines()
                      if "MiB/s" in line or "Ringfence-" in line), end="")
    sys.stdout.flush()
    return not faults


def combinations():
    """Chipset, processors, MiB that each device writes, sends and receives, the kernel's command line."""
    if FULL:
        return [(machine, cpus, size, append) for machine in ("pc", "q35") for cpus in (1, 2, 4)
                for size, append in ((100, ""), (16, "pci=nomsi"))]
    return [("pc", 2, 4, ""), ("q35", 1, 4, "pci=nomsi"), ("q35", 4, 4, "")]


def main():
    with tempfile.TemporaryDirectory() as directory, \
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Peer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        initrd = pathlib.Path(directory) / "initrd.gz"
        subprocess.run([ROOT / "guest-pv/initramfs/build", "--add",
                        f"{ROOT}/tests/system/linux/devices:/bin/devices", initrd], check=True)
        good = [check_machine(*combination, initrd, server.server_address[1])
                for combination in combinations()]
        server.shutdown()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
