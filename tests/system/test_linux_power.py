#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest uses ext4 on its disk, and its back end is killed meanwhile; everything that reaches the machine's disk is
logged. Then of the images that a power cut could leave at any moment each is looked at: what the guest had been told is safe
is there, and e2fsck finds nothing wrong after the journal was replayed.

needs: linux
timeout: 3600
"""
import os
import pathlib
import re
import subprocess
import tempfile

import node
import power_cuts

FULL = bool(os.environ.get("RF_FULL"))
STEPS = 300 if FULL else 36
KILLS = 20 if FULL else 2
MOMENTS = 1000 if FULL else 30
FS_KIB, DISK_KIB = 12 << 10, 13 << 10
LAST = DISK_KIB * 2 - 1
SLOTS = 16
# There is one disk: the back end's process that is no orphan.
WORKER = r"ps -o pid,ppid,args | awk '$2 != 1 && /rf-block [0-9]+ 0$/ { print $1 }'"
# Step $i is: a new file; a file that another one takes the place of; a piece of a file, written over. When it is safe the
# number is written to the disk's last sector, past the file system.
SCRIPT = ("put() { yes $i | head -c $2 | dd of=$1 conv=fsync 2>/dev/null; }",
          "new() { put /mnt/new$i $((i * 3001 % 50000 + 1)); }",
          "replace() { put /mnt/x 9000; mv /mnt/x /mnt/name; sync; }",
          "sectors() { local n; for n in 1 2 3 4 5 6 7 8; do printf %-512s $i; done; }",
          f"over() {{ sectors | dd of=/mnt/pieces bs=4096 seek=$((i % {SLOTS})) conv=notrunc,fsync 2>/dev/null; }}",
          f"safe() {{ printf %-512s $i | dd of=/dev/xvda bs=512 seek={LAST} conv=notrunc,fsync 2>/dev/null; }}",
          "step() { case $((i % 3)) in 0) new;; 1) replace;; 2) over;; esac; safe; }")


def make_disk(path):
    with open(path, "wb") as file:
        file.truncate(DISK_KIB << 10)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "1024", "-J", "size=2", "-E", "nodiscard,lazy_itable_init=0", path,
                    f"{FS_KIB}k"], check=True)


def use(m):
    m.rf("create hello name=writer memory=96 disks=/dev/vda,raw,xvda,w")
    guest = node.Guest(m, "writer")
    guest.run("mount -t ext4 /dev/xvda /mnt", "dd if=/dev/zero of=/mnt/pieces bs=4096 count=16 2>/dev/null", "sync", *SCRIPT)
    assert guest.run("i=0; put /tmp/x 10; sectors | wc -c; dd if=/tmp/x 2>/dev/null | wc -c") == "4096\n10\n"
    guest.start(f"(for i in $(seq {STEPS}); do step; done; touch /tmp/ended) &")
    for number in range(KILLS):
        status, text = m.run(f"usleep {700000 + number * 123457 % 900000}; kill -9 $({WORKER})")
        assert status == 0, text
    # The machine's time is the limit.
    while guest.run("for i in $(seq 60); do [ -e /tmp/ended ] && break; sleep 1; done; ls /tmp/ended 2>&1") != "/tmp/ended\n":
        continue
    assert guest.run("dmesg | grep -c -i 'i/o error'") == "0\n"
    assert int(m.run("grep -c 'another one' /run/ringfence/block-*.log")[1]) == KILLS
    m.rf("destroy writer")


# --- What is in an image ---

def text_of(number, size):
    line = f"{number}\n".encode()
    return (line * (size // len(line) + 1))[:size]


def check_new(files, safe):
    for number in range(3, safe + 1, 3):
        wanted = text_of(number, number * 3001 % 50000 + 1)
        assert (files / f"new{number}").read_bytes() == wanted, f"new{number}, {safe} are safe"


def check_replaced(files, safe):
    least = safe - (safe - 1) % 3
    if least < 1:
        return
    text = (files / "name").read_bytes()
    number = int(text.split()[0])
    assert number >= least and text == text_of(number, 9000), f"name has {number}, {safe} are safe"


def check_pieces(files, safe):
    last = {number % SLOTS: number for number in range(2, safe + 1, 3)}
    text = (files / "pieces").read_bytes() if last else b""
    for slot, number in last.items():
        for at in range(slot * 4096, slot * 4096 + 4096, 512):
            assert int(text[at:at + 512].rstrip(b"\0") or 0) >= number, f"piece {slot} at {at}, {safe} are safe"


def check_image(folder, image, safe):
    path, files = folder / "image", folder / "files"
    path.write_bytes(image)
    subprocess.run(["truncate", "-s", f"{FS_KIB}k", path], check=True)
    replayed = subprocess.run(["e2fsck", "-p", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert replayed.returncode in (0, 1), replayed.stdout
    checked = subprocess.run(["e2fsck", "-fn", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert checked.returncode == 0, checked.stdout
    subprocess.run(["rm", "-rf", files], check=True)
    files.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump / {files}", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)
    check_new(files, safe)
    check_replaced(files, safe)
    check_pieces(files, safe)


def safe_numbers(entries):
    """Of each moment: the last step of which the guest had been told that it is safe, when it began to say so."""
    numbers, safe = [0], 0
    for entry in entries:
        at = LAST * power_cuts.SECTOR - entry.offset
        text = bytes(entry.data[at:at + power_cuts.SECTOR]).rstrip(b"\0") if at >= 0 else b""
        safe = int(text or safe)
        numbers.append(safe)
    return numbers


def check_images(folder, start, entries):
    numbers, count = safe_numbers(entries), 0
    assert numbers[-1] == STEPS, f"{numbers[-1]} of {STEPS} steps are in the log"
    for moment, image in power_cuts.images(start, entries, MOMENTS):
        try:
            check_image(folder, image, numbers[moment])
        except AssertionError as error:
            raise AssertionError(f"after {moment} of {len(entries)} entries: {error}") from error
        count += 1
    return count


def check_that_it_notices(folder, start, entries):
    """The same writes on a disk whose flushes do nothing: something that was said to be safe is missing."""
    for entry in entries:
        entry.flags = 0
    try:
        check_images(folder, start, entries)
    except (AssertionError, OSError):
        return
    raise AssertionError("nothing was flushed, and nobody notices")


def main():
    with tempfile.TemporaryDirectory(prefix="ringfence-power.") as name:
        folder = pathlib.Path(name)
        make_disk(folder / "disk")
        start = (folder / "disk").read_bytes()
        (folder / "log").touch()
        machine = node.Node(timeout=3000 if FULL else 840, options=("--smp", "2", "--qemu", power_cuts.blockdev(folder / "disk", folder / "log")))
        # The store's page; a ring and a pool, which may lie across a boundary of 2 MiB.
        node.run(machine, (use,), 0, places=4)
        entries = power_cuts.read(folder / "log")
        count = check_images(folder, start, entries)
        flushes = sum(bool(entry.flags & power_cuts.FLUSH) for entry in entries)
        check_that_it_notices(folder, start, entries)
        print(f"{len(entries)} entries, {flushes} flushes, {count} images")


main()
