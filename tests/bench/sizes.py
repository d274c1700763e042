# SPDX-License-Identifier: BSD-2-Clause
"""How large a hypervisor is: its file, and the memory that no domain can have."""
import pathlib
import re
import struct
import subprocess

import results

LOAD = 1
RAM = re.compile(r"memory ([0-9a-f]+)-([0-9a-f]+) RAM", re.I)
FREE = re.compile(r"CPUs?, (\d+) MiB of RAM free")
SHADOWS = re.compile(r"domain 0: .* (\d+) KiB of shadows")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def segments(content):
    """Sizes in the file and in memory of what a loader loads, of an ELF file of either class."""
    if content[:4] != b"\x7fELF":
        raise results.Broken("not an ELF file")
    wide = content[4] == 2
    start, = struct.unpack_from("<Q" if wide else "<I", content, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", content, 54 if wide else 42)
    for i in range(count):
        at = start + i * size
        kind, = struct.unpack_from("<I", content, at)
        if kind == LOAD:
            yield struct.unpack_from("<QQ", content, at + 32) if wide else struct.unpack_from("<II", content, at + 16)


def of_image(path):
    try:
        loaded = list(segments(path.read_bytes()))
    except struct.error as error:
        raise results.Broken(f"{path} is cut off") from error
    if not loaded:
        raise results.Broken(f"{path} has nothing to load")
    return {"image_bytes": sum(file for file, _ in loaded), "image_memory": sum(memory for _, memory in loaded)}


def own_memory(log):
    """What is missing when the hypervisor is ready, by its log, and the control domain's shadows."""
    ram = sum(int(last, 16) + 1 - int(first, 16) for first, last in RAM.findall(log))
    free, shadows = FREE.search(log), SHADOWS.search(log)
    if not ram or not free or not shadows:
        raise results.Broken("the log does not say how much memory there is")
    shadows = int(shadows.group(1))
    return {"hypervisor_kilobytes": ram // 1024 - int(free.group(1)) * 1024 + shadows,
            "shadow_kilobytes": shadows}


def ringfence_memory(setup):
    """A boot with a guest that is hardly there, so that a loaded kernel does not count."""
    ended = subprocess.run(
        ["tests/vm", "-O", str(setup.build), "--cpu", setup.cpu, "--mem", str(setup.memory),
         "--kernel", str(setup.build / "tests/guest/marks.elf"), "--hv-append", "log-level=info",
         "--timeout", "100"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, errors="replace", check=False)
    return own_memory(ended.stdout)
