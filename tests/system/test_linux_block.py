#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disks of a Linux guest on a live node: served from a file of the control domain, while the back end is killed, taken
away and given again, refused where they must be.

needs: linux
timeout: 3600
"""
import os
import re

import node

FULL = bool(os.environ.get("RF_FULL"))
KILLS = 20 if FULL else 3
ATTACHES = 1000 if FULL else 4
MIB = 24


def guest(m, *commands):
    return m.guest.run(*commands)


def disk(m):
    [row] = m.json("disk-list disky")
    return row


def create(m):
    m.run(f"dd if=/dev/zero of=/tmp/disk.img bs=1M count={MIB} 2>/dev/null")
    m.rf("create hello name=disky disks=/tmp/disk.img,raw,xvda,w")
    m.guest = node.Guest(m, "disky")
    row = disk(m)
    assert (row["name"], row["state"], row["size"], row["mode"]) == ("xvda", "connected", MIB << 20, "w"), row
    assert re.search(rf"^ *\d+ +\d+ +{MIB * 1024} xvda$", guest(m, "cat /proc/partitions"), re.M)


def use(m):
    """What the guest writes is in the file when it has asked for it to be safe."""
    text = guest(m, "dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null",
                 "dd if=/dev/xvda bs=64k count=64 2>/dev/null | md5sum")
    digest = re.search(r"^([0-9a-f]{32})  -$", text, re.M).group(1)
    _, text = m.run("dd if=/tmp/disk.img bs=64k count=64 2>/dev/null | md5sum")
    assert digest in text, (digest, text)
    m.run("sleep 3")
    counts = disk(m)["statistics"]
    assert counts["written-bytes"] == 4 << 20 and counts["flushes"] > 0, counts
    assert counts["errors"] == counts["refused"] == counts["grant-maps"] == 0, counts


def kill(m):
    """A file system is written while the worker is killed again and again: no error, and nothing is missing."""
    text = guest(m, "mke2fs -F /dev/xvda >/dev/null 2>&1",
                 "mount -t ext4 /dev/xvda /mnt || mount -t ext2 /dev/xvda /mnt; mount | grep xvda")
    assert "/mnt" in text, text
    m.guest.start("(for i in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/mnt/$i bs=32k count=32 2>/dev/null; "
                  "md5sum /mnt/$i >>/mnt/sums; sync; usleep 200000; done; touch /tmp/written) &")
    domain = m.guest.domain
    for number in range(KILLS):
        status, text = m.run(f"usleep 700000; ps | grep 'rf-block {domain} 0' | grep -v grep | tail -1 | awk '{{print $1}}'")
        assert m.run(f"kill -9 {text.split()[0]}")[0] == 0, f"{number}: {text}"
    text = guest(m, "until [ -e /tmp/written ]; do usleep 100000; done; umount /mnt; mount /dev/xvda /mnt",
                 "md5sum -c /mnt/sums | grep -c OK; dmesg | grep -ci i/o.error", "umount /mnt")
    assert text.split() == ["8", "0"], text
    assert "another one" in m.run(f"cat /run/ringfence/block-{domain}-0.log")[1]


def attach(m):
    """A second disk comes and goes while the guest runs; nobody else may write its image."""
    m.run("dd if=/dev/zero of=/tmp/second.img bs=1M count=4 2>/dev/null")
    assert m.json("disk-attach disky /tmp/second.img name=xvdb") == {"id": 1}
    guest(m, "until grep xvdb /proc/partitions; do usleep 100000; done")
    m.rf("disk-attach disky /tmp/nowhere.img", status=1)
    text = m.rf("create hello name=other disks=/tmp/second.img,raw,xvda,w", status=1)
    assert "/tmp/second.img: in use" in text and "other" not in m.names(), text
    assert len(m.json("disk-list disky")) == 2
    # Without a name: of all domains.
    assert [(row["domain"], row["name"]) for row in m.json("disk-list")] == [(m.guest.domain, name) for name in ("xvda", "xvdb")]
    assert m.json("net-list") == []
    m.rf("disk-detach disky xvdb")
    guest(m, "while grep xvdb /proc/partitions; do usleep 100000; done")
    assert len(m.json("disk-list disky")) == 1
    m.rf("disk-detach disky xvdb", status=3)


def attach_again_and_again(m):
    """While the guest writes the one disk, and reads the other whenever it is there."""
    m.guest.start("(until [ -e /tmp/stop ]; do dd if=/dev/urandom of=/dev/xvda bs=64k count=16 conv=fsync 2>/dev/null; done)&",
                  "(until [ -e /tmp/stop ]; do cat /dev/xvdb >/dev/null 2>&1 && echo >>/tmp/reads || usleep 50000; done) &")
    for number in range(ATTACHES):
        status, text = m.run("rf disk-attach disky /tmp/second.img name=xvdb && usleep 300000 && rf disk-detach disky xvdb")
        assert status == 0, f"{number}: {text}"
    # Who opens a disk that is about to go gets an error.
    said = guest(m, "touch /tmp/stop; wait", "dmesg | grep -i -e 'i/o error' -e warning: -e bug: | grep -v 'error.* xvdb'",
                 "wc -l </tmp/reads").split("\n")
    assert int(said[0]) > 0, said
    m.guest.wait_for_grants(2)
    print(f"{ATTACHES} times, read to the end {said[0]} times", flush=True)


def grow(m):
    m.run(f"dd if=/dev/zero of=/tmp/disk.img bs=1M count=1 seek={MIB} conv=notrunc 2>/dev/null")
    m.rf("disk-resize disky xvda")
    guest(m, f"until grep {(MIB + 1) * 1024} /proc/partitions; do usleep 100000; done")


def end(m):
    """Nothing is left: no process, no folder, no memory."""
    domain = m.guest.domain
    m.rf("destroy disky")
    m.run("for i in $(seq 40); do pidof rf-block || break; sleep 1; done")
    status, text = m.run("pidof rf-block && ps -o pid,stat,args | grep rf-block")
    assert status, text
    m.rf(f"store-exists /local/domain/0/backend/block/{domain}", status=3)


def refuse(m):
    free = m.free()
    text = m.rf("create hello name=none disks=/nowhere.img", status=1)
    assert "/nowhere.img: No such file" in text, text
    assert m.names() == ["control"] and m.free() == free


TESTS = (refuse, create, use, kill, attach, attach_again_and_again, grow, end)

# The store's page; of each of two disks a ring and a pool, which may lie across a boundary of 2 MiB.
node.run(node.Node(timeout=3500), TESTS, status=0, places=9)
