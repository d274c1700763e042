# SPDX-License-Identifier: BSD-2-Clause
"""Guests that cannot be: configurations (tests/system/bad) and images, each with what is to be said about it."""
import pathlib
import struct

BAD = pathlib.Path(__file__).with_name("bad")
SPOILT = 4          # offset of a file that is cut off there
LARGE = 60 << 20    # bytes of the file `large`, which some configurations name; `good` is good_elf()


# --- An image that is good, to be spoilt ----------------------------------------------------------

def good_elf():
    """One segment with a table and an entry, and the note."""
    note = struct.pack("<III12s", 10, 24, 1, b"Ringfence") + \
        struct.pack("<IIQQ", 1, 0, 0xffffffff81000000, 0x1001000)
    header = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 62, 1, 0, 64, 0, 0, 64, 56, 2,
                         0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 7, 0x1000, 0xffffffff81000000, 0x1000000, 0x2000, 0x3000, 0x1000)
    notes = struct.pack("<IIQQQQQQ", 4, 4, 176, 0, 0, len(note), len(note), 4)
    return bytearray((header + load + notes + note).ljust(0x1000, b"\0") + b"\x90" * 0x2000)


def spoil(offset, form, value):
    image = good_elf()
    struct.pack_into(form, image, offset, value)
    return bytes(image)


def bzimage(offset=None, form="<B", value=0):
    """A setup header and nothing that could be unpacked."""
    image = bytearray(0x1400)
    for at, kind, number in ((0x1f1, "<B", 1), (0x1f4, "<I", 0x100), (0x1fe, "<H", 0xaa55),
                             (0x206, "<H", 0x20f), (0x211, "<B", 1), (0x236, "<H", 1),
                             (0x258, "<Q", 0x1000000), (0x260, "<I", 0x20000)):
        struct.pack_into(kind, image, at, number)
    image[0x202:0x206] = b"HdrS"
    if offset is not None:
        struct.pack_into(form, image, offset, value)
    return bytes(image)


LOAD, NOTES, NOTE = 64, 120, 176
IMAGES = {
    "empty": (b"", "is empty"),
    "text": (b"#!/bin/sh\nexit 0\n" * 8, "not an ELF file"),
    "cut at 4": (bytes(good_elf()[:SPOILT]), "4 bytes are too few for an ELF file"),
    "cut in the headers": (bytes(good_elf()[:100]), "program headers at 0x40, 112 bytes, end beyond the file (0x64)"),
    "cut in the segment": (bytes(good_elf()[:0x2000]), "file range 0x1000 + 0x2000 ends beyond the file (0x2000)"),
    "32 bits": (spoil(4, "<B", 1), "ELF class 1, only 2 (64 bits)"),
    "big endian": (spoil(5, "<B", 2), "ELF data encoding 2, only 1"),
    "position independent": (spoil(16, "<H", 3), "ELF type 3, only 2 (executable)"),
    "ARM": (spoil(18, "<H", 183), "ELF machine 183, only 62 (x86-64)"),
    "no program headers": (spoil(56, "<H", 0), "0 program headers, 1 to 64 are allowed"),
    "headers elsewhere": (spoil(32, "<Q", 1 << 60), "program headers at 0x1000000000000000"),
    "a segment too high": (spoil(LOAD + 24, "<Q", 1 << 42), "ends beyond 0x40000000000"),
    "a segment that shrinks": (spoil(LOAD + 40, "<Q", 1), "memory size 0x1 is less than file size 0x2000"),
    "no note": (spoil(NOTE + 12, "<B", ord("X")), "no Ringfence note: not built for this hypervisor"),
    "another ABI": (spoil(NOTE + 24, "<I", 9), "built for ABI version 9, this hypervisor has version"),
    "flags": (spoil(NOTE + 28, "<I", 1), "note: flags 0x1, should be 0"),
    "an entry of the hypervisor": (spoil(NOTE + 32, "<Q", 0xffff800000000000), "note: entry 0xffff800000000000"),
    "a root between pages": (spoil(NOTE + 40, "<Q", 0x1001008), "note: root 0x1001008 is not page aligned"),
    "a root outside": (spoil(NOTE + 40, "<Q", 0x2000000), "note: root 0x2000000 is in no loadable segment"),
    "a long note": (spoil(NOTE, "<I", 0xfffffff0), "ends beyond the segment"),
    "too large for its memory": (spoil(LOAD + 40, "<Q", 0x8000000), "memory: 65536K: the image and what follows it need"),
    "bzImage, old": (bzimage(0x206, "<H", 0x20e), "bzImage: boot protocol 2.14, 2.15 or later is needed"),
    "bzImage, 32 bits": (bzimage(0x236, "<H", 0), "bzImage: not a 64-bit kernel"),
    "bzImage, setup": (bzimage(0x1f1, "<B", 200), "bzImage: setup_sects 200 and syssize 0x100 end beyond the file"),
    "bzImage, place": (bzimage(0x258, "<Q", 0x1000001), "bzImage: pref_address 0x1000001 is not a multiple of"),
    "bzImage, size": (bzimage(0x260, "<I", 0x20001), "bzImage: init_size 0x20001 is not a multiple of 0x1000"),
    "bzImage, unpatched": (bzimage(), "bzImage: kernel_info"),
}



def bad_configurations():
    """Of tests/system/bad: a file's name, what is in it, and the whole of what is to be said about it."""
    for line in (BAD / "messages").read_text().splitlines():
        name, message = line.split(": ", 1)
        yield name, (BAD / name).read_bytes(), message
