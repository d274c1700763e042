#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disks of a Linux guest on a live node: served from a file of the control domain, while the back end is killed, taken
away and given again, refused where they must be.

needs: linux
timeout: 900
"""
import os
import re

import node

KILLS = 20 if os.environ.get("RF_FULL") else 4
MIB = 24


def guest(m, commands, seconds=60):
    """What commands print in the guest; they may not contain quotes."""
    m.commands += 1
    mark = f"guest-{m.commands}"
    start = len(m.said)
    m.type(f"(sleep 1; echo '{commands}; echo {mark}-$((6*7))'; sleep {seconds}) | timeout {seconds} rf console disky &\n")
    found = m.expect(rf"^(.*\n)*?{mark}-42$", start)
    m.run("kill %% 2>/dev/null; wait")
    # The console begins with what is kept, where what was typed stands, too.
    return found.group(0).split(f"echo {mark}-$((6*7))")[-1]


def number(m):
    return m.json("domid disky")


def disk(m):
    [row] = m.json("disk-list disky")
    return row


def create(m):
    m.run(f"dd if=/dev/zero of=/tmp/disk.img bs=1M count={MIB} 2>/dev/null")
    m.rf("create hello name=disky disks=/tmp/disk.img,raw,xvda,w")
    m.wait_for_guest("disky")
    row = disk(m)
    assert (row["name"], row["state"], row["size"], row["mode"]) == ("xvda", "connected", MIB << 20, "w"), row
    assert re.search(rf"^ *\d+ +\d+ +{MIB * 1024} xvda$", guest(m, "cat /proc/partitions"), re.M)


def use(m):
    """What the guest writes is in the file when it has asked for it to be safe."""
    text = guest(m, "dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync 2>/dev/null; "
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
    text = guest(m, "mke2fs -F /dev/xvda >/dev/null 2>&1; mount -t ext4 /dev/xvda /mnt || mount -t ext2 /dev/xvda /mnt; "
                    "mount | grep xvda")
    assert "/mnt" in text, text
    m.type("(sleep 1; echo 'for i in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/mnt/$i bs=32k count=32 2>/dev/null; "
           "md5sum /mnt/$i >>/mnt/sums; sync; done; echo written-$((6*7))'; sleep 100) | timeout 100 rf console disky "
           ">/tmp/killing 2>&1 &\n")
    for count in range(KILLS):
        status, text = m.run(f"sleep 1.5; ps | grep 'rf-block {number(m)} 0' | grep -v grep | tail -1 | awk '{{print $1}}'")
        assert m.run(f"kill -9 {text.split()[0]}")[0] == 0, f"{count}: {text}"
    m.run("until grep written-42 /tmp/killing; do sleep 1; done")
    m.run("kill %% 2>/dev/null; wait")
    text = guest(m, "umount /mnt; mount /dev/xvda /mnt; cd /; md5sum -c /mnt/sums | grep -c OK; dmesg | grep -ci i/o.error")
    assert re.findall(r"^(\d+)$", text, re.M)[-2:] == ["8", "0"], text
    guest(m, "umount /mnt")
    assert "another one" in m.run(f"cat /run/ringfence/block-{number(m)}-0.log")[1]


def attach(m):
    """A second disk comes and goes while the guest runs; nobody else may write its image."""
    m.run("dd if=/dev/zero of=/tmp/second.img bs=1M count=4 2>/dev/null")
    assert m.json("disk-attach disky /tmp/second.img name=xvdb") == {"id": 1}
    guest(m, "until grep xvdb /proc/partitions; do sleep 1; done")
    m.rf("disk-attach disky /tmp/nowhere.img", status=1)
    assert "/tmp/second.img: in use" in m.rf("disk-attach disky /tmp/second.img name=third", status=1)
    assert len(m.json("disk-list disky")) == 2
    m.rf("disk-detach disky xvdb")
    guest(m, "while grep xvdb /proc/partitions; do sleep 1; done")
    assert len(m.json("disk-list disky")) == 1
    m.rf("disk-detach disky xvdb", status=3)


def grow(m):
    m.run(f"dd if=/dev/zero of=/tmp/disk.img bs=1M count=1 seek={MIB} conv=notrunc 2>/dev/null")
    m.rf("disk-resize disky xvda")
    guest(m, f"until grep {(MIB + 1) * 1024} /proc/partitions; do sleep 1; done")


def end(m):
    """Nothing is left: no process, no folder, no memory."""
    domain = number(m)
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


TESTS = (refuse, create, use, kill, attach, grow, end)

# The store's page; of each of two disks a ring and a pool, which may lie across a boundary of 2 MiB.
node.run(node.Node(), TESTS, status=0, places=9)
