#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images, module keys and processors that are not acceptable: one line that names them, and status 2.

timeout: 120
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = pathlib.Path(os.environ.get("O", ROOT / "build"))
GOOD = (OUTPUT / "tests/guest/version.elf").read_bytes()
scratch = tempfile.TemporaryDirectory()
failures = 0


def image(name, content):
    path = pathlib.Path(scratch.name) / name
    path.write_bytes(content)
    return str(path)


def changed(offset, layout, value):
    """The good image with one field changed."""
    content = bytearray(GOOD)
    struct.pack_into(layout, content, offset, value)
    return bytes(content)


def program_headers():
    offset, = struct.unpack_from("<Q", GOOD, 32)
    size, count = struct.unpack_from("<HH", GOOD, 54)
    for i in range(count):
        yield offset + i * size, struct.unpack_from("<I", GOOD, offset + i * size)[0]


def note_body():
    """Where the body of the note is in the file: after its header and its name, padded to 12."""
    for header, kind in program_headers():
        if kind == 4:
            offset, = struct.unpack_from("<Q", GOOD, header + 8)
            assert GOOD[offset + 12:offset + 21] == b"Ringfence"
            return offset + 12 + 12
    raise SystemExit("the good image has no note")


def first_load():
    return next(header for header, kind in program_headers() if kind == 1)


def refused(pattern, *arguments):
    global failures
    run = subprocess.run([ROOT / "tests/vm", "--timeout", "60", *arguments], text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    last = run.stdout.strip().split("\n")[-1]
    wanted = "ringfence: cannot start: .*" + pattern
    if run.returncode == 2 and re.match(wanted, last) and run.stdout.count("cannot start") == 1:
        print("ok:", last)
        return
    failures += 1
    print(f"tests/vm {' '.join(arguments)}\n  status {run.returncode}, expected 2 and /{wanted}/:\n"
          f"{run.stdout}")


def compressed(offset=0, layout="<0s", value=b""):
    """A small bzImage as the hypervisor wants it, with one field changed; nothing in it could be run."""
    info = struct.pack("<4s3I", b"LToP", 16, 16 + 24, 0)
    part = struct.pack("<4s3I2i", b"RFbz", 24, 1, 0, 0x40 - 0x100, 0x2000 - 0x100)
    content = bytearray(1024) + bytes(0x100) + info + part
    content += bytes(1024 + 4096 - len(content))
    for place, form, number in [
            (0x1f1, "<B", 1), (0x1f4, "<I", 256), (0x1fe, "<H", 0xaa55), (0x202, "<4s", b"HdrS"),
            (0x206, "<H", 0x20f), (0x211, "<B", 1), (0x236, "<H", 1), (0x258, "<Q", 1 << 24),
            (0x260, "<I", 0x10000), (0x268, "<I", 0x100), (offset, layout, value)]:
        struct.pack_into(form, content, place, number)
    return bytes(content)


NOTE = note_body()
LOAD = first_load()
good = image("good.elf", GOOD)

# Images: each message names the file.
for name, content, pattern in [
    ("empty", b"", r"too few for an ELF"),
    ("text", b"#!/bin/sh\n" * 100, r"ELF"),
    ("cut", GOOD[:40], r"too few for an ELF"),
    ("half", GOOD[:len(GOOD) // 8], r"program header|beyond"),
    ("bits32", changed(4, "<B", 1), r"64"),
    ("machine", changed(18, "<H", 183), r"machine"),
    ("shared", changed(16, "<H", 3), r"type"),
    ("version", changed(NOTE, "<I", 2), r"ABI version 2.* 1"),
    ("flags", changed(NOTE + 4, "<I", 1), r"flags"),
    ("entry", changed(NOTE + 8, "<Q", 0xffff800000001000), r"entry"),
    ("root", changed(NOTE + 16, "<Q", 0x7000000000), r"root"),
    ("huge", changed(LOAD + 40, "<Q", 1 << 62), r"program header"),
    ("wraps", changed(LOAD + 8, "<Q", (1 << 64) - 4096), r"program header"),
]:
    refused(rf"{name}\.elf.*(?:{pattern})", "--kernel", image(name + ".elf", content))

INFO = 1024 + 0x100
for name, content, pattern in [
    ("old", compressed(0x206, "<H", 0x20c), r"boot protocol 2\.12, 2\.15"),
    ("bits32", compressed(0x236, "<H", 0), r"64-bit"),
    ("cut", compressed()[:3000], r"syssize 0x100 end beyond the file \(0xbb8\)"),
    ("sectors", compressed(0x1f1, "<B", 200), r"setup_sects 200"),
    ("address", compressed(0x258, "<Q", 4096), r"pref_address 0x1000 is not"),
    ("high", compressed(0x258, "<Q", 1 << 40), r"pref_address .* ends beyond 0x20000000"),
    ("memory", compressed(0x260, "<I", 0xfffff000), r"init_size 0xfffff000 ends beyond"),
    ("info", compressed(0x268, "<I", 0xfffffff0), r"kernel_info_offset 0xfffffff0 ends beyond"),
    ("magic", compressed(INFO, "<I", 1), r"kernel_info begins with 0x1"),
    ("total", compressed(INFO + 8, "<I", 1 << 31), r"size_total 0x80000000: at most"),
    ("other", compressed(INFO + 16, "<I", 1), r"no part .* not built for this hypervisor"),
    ("part", compressed(INFO + 20, "<I", 0), r"a part's size 0"),
    ("version", compressed(INFO + 24, "<I", 2), r"ABI version 2.* 1"),
    ("flags", compressed(INFO + 28, "<I", 1), r"flags 0x1"),
    ("entry", compressed(INFO + 32, "<i", -0x101), r"entry at -1 is not inside"),
    ("end", compressed(INFO + 36, "<i", 0x20000), r"end at 131328: should be whole"),
]:
    refused(rf"{name}\.bzImage.*(?:{pattern})", "--kernel", image(name + ".bzImage", content))

# Keys.
for keys, pattern in [
    ("memory=1Q", r"memory=1Q"),
    ("memory=64K", r"memory"),
    ("vcpus=0", r"vcpus=0"),
    ("vcpus=65", r"vcpus=65.*64"),
    ("weight=0", r"weight=0"),
    ("cap=x", r"cap=x"),
    ("colour=red", r"unknown key 'colour=red'"),
    ("shadow", r"shadow"),
]:
    refused(rf"good\.elf.*{pattern}", "--kernel", good, "--module", f"{good} domain {keys}")
refused(r"good\.elf.*role", "--kernel", good, "--module", f"{good} guest memory=32M")
refused(r"initrd.*before the first domain", "--kernel", "none", "--module", f"{good} initrd")
refused(r"good\.elf.*little memory|left", "--kernel", good, "--mem", "128",
        "--module", f"{good} domain memory=512M")
refused(r"little memory", "--kernel", good, "--hv-append", "control-memory=1M")
refused(r"little memory", "--kernel", good, "--mem", "128", "--hv-append", "control-memory=4G")

# Processors: below the floor, or open to reading memory across the mode.
refused(r"processor.*FSGSBASE", "--kernel", good, "--cpu", "Nehalem")
refused(r"Meltdown.*unsafe-cpu", "--kernel", good, "--cpu", "IvyBridge,+fsgsbase")

sys.exit(failures != 0)
