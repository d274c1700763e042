# SPDX-License-Identifier: BSD-2-Clause
"""The images that a power cut could leave, from a log of all that a disk was asked to do, as QEMU's `blklogwrites` has it.

At each moment what was finished before the last flush is there, and each write that was durable by itself; of all else any
part may be, each sector for itself.
"""
import random
import struct

SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4
MAGIC = 0x6a736677736872
HEAD = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")


def blockdev(disk, log):
    """QEMU's arguments for a virtio disk that is logged."""
    return ("-blockdev driver=file,node-name=cuts-file,filename={0} -blockdev driver=file,node-name=cuts-log,filename={1} "
            "-blockdev driver=blklogwrites,node-name=cuts,file=cuts-file,log=cuts-log,log-sector-size=512,"
            "log-super-update-interval=1 -device virtio-blk-pci,drive=cuts").format(disk, log)


class Entry:
    def __init__(self, sector, flags, data):
        self.offset, self.flags, self.data = sector * SECTOR, flags, data


def read(path):
    """All entries, in the order in which they were finished."""
    with open(path, "rb") as file:
        log = memoryview(file.read())
    magic, version, count, size = HEAD.unpack_from(log)
    assert (magic, version, size) == (MAGIC, 1, SECTOR), (hex(magic), version, size)
    entries, at = [], SECTOR
    for _ in range(count):
        sector, sectors, flags, _ = ENTRY.unpack_from(log, at)
        assert not flags & DISCARD
        at += SECTOR
        entries.append(Entry(sector, flags, log[at:at + sectors * SECTOR]))
        at += sectors * SECTOR
    return entries


def apply(image, entry):
    image[entry.offset:entry.offset + len(entry.data)] = entry.data


def tear(image, entry, dice):
    """Some sectors of it."""
    for at in range(0, len(entry.data), SECTOR):
        if dice.random() < 0.5:
            image[entry.offset + at:entry.offset + at + SECTOR] = entry.data[at:at + SECTOR]


def mixture(base, waiting, how, dice):
    """What is safe, and of the rest nothing, all of it, or anything; an older write never hides a newer one that is safe."""
    image = bytearray(base)
    for entry in waiting:
        if how == "all" or entry.flags & FUA or (how == "any" and dice.random() < 0.5):
            apply(image, entry)
        elif how == "any" and dice.random() < 0.3:
            tear(image, entry, dice)
    return image


def images(start, entries, moments, seed=1):
    """Yields images and how many entries had been finished then: at so many moments, half of them just before a flush, in
    three mixtures."""
    dice = random.Random(seed)
    base, waiting = bytearray(start), []
    before = [number for number, entry in enumerate(entries) if number and entry.flags & FLUSH]
    chosen = set(dice.sample(range(1, len(entries) + 1), min((moments + 1) // 2, len(entries))))
    chosen |= set(dice.sample(before, min(moments // 2, len(before))))
    for number, entry in enumerate(entries, 1):
        if entry.flags & FLUSH:
            for old in waiting:
                apply(base, old)
            waiting = []
        if len(entry.data):
            waiting.append(entry)
        if number in chosen:
            for how in ("none", "all", "any"):
                yield number, mixture(base, waiting, how, dice)
