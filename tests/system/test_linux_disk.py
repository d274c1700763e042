#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The disk of a Linux guest: its contents, a back end that is killed while it works and comes back, a disk that is
taken away while it is mounted and after, while its back end dies, and back ends that break every rule there is; with data
copied to and from the pools, and with grants for single requests; with the programs of a node.

needs: linux
timeout: 1800
"""
import os
import re
import time

import node

FRONT = "/local/domain/{}/device/block/{}"
BACK = "/local/domain/0/backend/block/{}/{}"
FULL = "RF_FULL" in os.environ
PATIENCE = 60
CONNECTED, CLOSING, CLOSED = 4, 5, 6
KILLS = 10 if FULL else 1
PROCESSORS = 4
BAD_WAYS = ("ahead", "far_ahead", "no_id", "other_id", "back", "twice") if FULL else ("twice",)
PARAMETERS = "/sys/module/ringfence_block/parameters"
GOOD_KEYS = {"version": 1, "sectors": 2048, "sector-size": 512, "physical-sector-size": 512, "queues-max": 1,
             "slots-max": 128, "pool-max": 256, "bytes-max": 65536}
BAD_KEYS = (("version", 2), ("version", "x"), ("sector-size", 0), ("sector-size", 768), ("sector-size", 8192),
            ("physical-sector-size", 1), ("queues-max", 0), ("queues-max", 17), ("slots-max", 0), ("slots-max", 33),
            ("slots-max", 2048), ("slots-max", "18446744073709551617"), ("pool-max", "0x10"), ("pool-max", 1025),
            ("bytes-max", 0), ("bytes-max", 1 << 30), ("sectors-max", 1 << 32), ("discard-granularity", "5-"))
GONE_KEYS = ("version", "sector-size", "slots-max", "pool-max", "bytes-max")


def make_guest(machine, processors):
    machine.rf(f"create hello vcpus={processors} memory=128")
    return node.Guest(machine, "hello")


def state_of(machine, folder):
    status, text = machine.run(f"rf store-read {folder}/state")
    return int(text) if status == 0 else None


def wait_for(machine, folder, state):
    end = time.monotonic() + PATIENCE
    while (seen := state_of(machine, folder)) != state:
        assert time.monotonic() < end, f"{folder}: state {seen}, not {state}: {machine.rf('store-ls /local/domain')}"


def wait_said(guest, text):
    guest.run(f"until dmesg | grep -q '{text}'; do usleep 100000; done")


def write_all(machine, pairs):
    """One after the other; a command has so many words at most."""
    for at in range(0, len(pairs), 8):
        machine.rf("store-write " + " ".join(f"{path} {value}" for path, value in pairs[at:at + 8]))


def write(machine, folder, keys):
    write_all(machine, [(f"{folder}/{name}", value) for name, value in keys.items()])


def make(machine, guest, number, private, **keys):
    """Both folders, as a toolstack makes them, but for `online`: without it rfd does not look after the back end."""
    front, back = FRONT.format(guest.domain, number), BACK.format(guest.domain, number)
    for folder, permissions in ((back, f"n0 r{guest.domain}"), (f"{back}/private", "n0"), (front, f"n{guest.domain}")):
        machine.rf(f"store-write {folder} '' && rf store-chmod {folder} {permissions}")
    write(machine, f"{back}/private", private)
    write(machine, back, {"frontend": front, "frontend-id": guest.domain, "state": 1})
    write(machine, front, keys | {"state": 1, "backend-id": 0, "backend": back})
    return front, back


def serve(machine, guest, number=1):
    machine.run(f"(rf-block {guest.domain} {number} >>/tmp/disk.log 2>&1 &)")


def kill(machine):
    """The process that was started, and the jailed one that it has started."""
    status, text = machine.run("kill -9 $(pidof rf-block)")
    assert status == 0, text


def set_direct(guest, least, grants=192):
    guest.run(f"echo {least} >{PARAMETERS}/direct_bytes; echo {grants} >{PARAMETERS}/direct_grants")


def maps_of(machine, back):
    """How many segments had a grant of their own; the back end tells every two seconds."""
    machine.run("sleep 3")
    return int(re.search(r"grant-maps=(\d+)", machine.rf(f"store-read {back}/private/statistics")).group(1))


def copy(machine, guest):
    """What the guest writes is in the image, and what it reads."""
    said = guest.run("dd if=/dev/urandom of=/tmp/a bs=64k count=100 2>/dev/null",
                     "dd if=/tmp/a of=/dev/xvda bs=1M oflag=direct conv=notrunc 2>/dev/null", "md5sum </tmp/a",
                     "dd if=/dev/xvda bs=64k count=100 iflag=direct 2>/dev/null | md5sum")
    sums = re.findall(r"^[0-9a-f]{32}", said, re.M)
    assert len(sums) == 2 and sums[0] == sums[1], said
    assert sums[0] in machine.run("head -c 6553600 /tmp/image | md5sum")[1], sums


def check_contents(machine, guest, front, back):
    machine.run("truncate -s 48M /tmp/image")
    serve(machine, guest)
    wait_for(machine, front, CONNECTED)
    guest.run("until [ -b /dev/xvda ]; do usleep 100000; done")
    set_direct(guest, 0)
    copy(machine, guest)
    copied = maps_of(machine, back)
    set_direct(guest, 4096)
    copy(machine, guest)
    direct = maps_of(machine, back)
    # Of what lies in many pieces, which may be most of it, and when the share is used up, the data go through the pool.
    set_direct(guest, 4096, grants=0)
    copy(machine, guest)
    refused = maps_of(machine, back)
    assert copied + 10 <= direct == refused, (copied, direct, refused)
    # One queue for each processor, and granted: a ring and a pool of each.
    guest.wait_for_grants(2 * PROCESSORS)


def check_killed(machine, guest, front):
    """No error reaches the file system, and everything is there in the end. What can be granted is, for a while."""
    set_direct(guest, 4096)
    guest.run("mke2fs /dev/xvda >/dev/null", "mount -t ext4 /dev/xvda /mnt", "md5sum </tmp/a >/tmp/sum")
    guest.start("(for i in 1 2 3 4 5 6; do cp /tmp/a /mnt/$i && sync && usleep 300000; done; touch /tmp/copied) &")
    for _ in range(KILLS):
        machine.run("usleep 700000")
        kill(machine)
        machine.run("usleep 500000")
        serve(machine, guest)
        wait_for(machine, BACK.format(guest.domain, 1), CONNECTED)
    said = guest.run("until [ -e /tmp/copied ]; do usleep 100000; done", "umount /mnt", "mount -t ext4 /dev/xvda /mnt",
                     "cat /tmp/sum",
                     "for i in 1 2 3 4 5 6; do md5sum </mnt/$i; done")
    sums = re.findall(r"^[0-9a-f]{32}", said, re.M)
    assert len(sums) == 7 and len(set(sums)) == 1, said
    assert "begun again" in guest.run("dmesg | grep begun"), "it was not killed"
    assert guest.run("dmesg | grep -ci -e i/o.error -e ext4.*error") == "0\n"
    assert state_of(machine, front) == CONNECTED


def check_closing(machine, guest, front, back):
    """A mounted disk stays; when it is not any more, it goes, and what it had is given back."""
    machine.rf(f"store-write {back}/online 0")
    wait_for(machine, back, CLOSING)
    wait_said(guest, "xvda is in use")
    assert state_of(machine, front) == CONNECTED
    assert guest.run("md5sum </mnt/3") == guest.run("cat /tmp/sum")
    # Nor does it go when its back end dies in this state: the next one serves it, and asks again.
    kill(machine)
    serve(machine, guest)
    said = guest.run("echo 3 >/proc/sys/vm/drop_caches", "md5sum </mnt/3", "cat /tmp/sum",
                     "cp /mnt/3 /mnt/7 && sync && echo good").split("\n")
    assert said[0] == said[1] and said[2] == "good", said
    wait_for(machine, back, CLOSING)
    guest.run("umount /mnt")
    wait_for(machine, front, CLOSED)
    wait_for(machine, back, CLOSED)
    machine.rf(f"store-rm {front} {back}")
    guest.run("while grep xvda /proc/partitions; do usleep 100000; done",
              "while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")
    guest.wait_for_grants(0)


def check_draining(machine, guest):
    """Nobody has it open, but what was read ahead is under way when its back end dies: it goes nevertheless."""
    machine.run("truncate -s 4M /tmp/second")
    front, back = make(machine, guest, 2, {"image": "/tmp/second"}, name="xvdb")
    serve(machine, guest, 2)
    wait_for(machine, front, CONNECTED)
    guest.run("until [ -b /dev/xvdb ]; do usleep 100000; done")
    # What is read first is let through, and what is read ahead then waits for hours.
    write(machine, f"{back}/private", {"limit-bytes": 1})
    machine.run("usleep 500000")
    guest.run("dd if=/dev/xvdb of=/dev/null bs=4k count=2 2>/dev/null & usleep 500000")
    machine.rf(f"store-write {back}/online 0")
    wait_for(machine, back, CLOSING)
    kill(machine)
    write(machine, f"{back}/private", {"limit-bytes": 0})
    serve(machine, guest, 2)
    wait_for(machine, front, CLOSED)
    wait_for(machine, back, CLOSED)
    wait_said(guest, "block-2: the back end has begun again")
    machine.rf(f"store-rm {front} {back}")
    guest.run("while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")
    guest.wait_for_grants(0)


def disk(machine):
    guest = make_guest(machine, PROCESSORS)
    front, back = make(machine, guest, 1, {"image": "/tmp/image", "format": "raw", "mode": "w"}, name="xvda")
    check_contents(machine, guest, front, back)
    check_killed(machine, guest, front)
    check_closing(machine, guest, front, back)
    check_draining(machine, guest)
    assert "RESULT: SUCCESS" in machine.run("run-tests log")[1]
    machine.rf("destroy hello")
    machine.run("rm /tmp/image /tmp/second")


def misbehave(machine, guest, number, way, keys=()):
    front, back = make(machine, guest, number, {}, name=f"bad{number}")
    write(machine, back, GOOD_KEYS | dict(keys) | {"state": 2})
    wait_for(machine, front, 3)
    ring = machine.rf(f"store-read {front}/queue-0/ring-grant").strip()
    port = machine.rf(f"store-read {front}/queue-0/port").strip()
    machine.run(f"(/tests/bad_disk {guest.domain} {ring} {port} {way} >/tmp/bad.log 2>&1 & echo $! >/tmp/bad.pid)")
    machine.run("timeout 60 sh -c 'until grep -q ready /tmp/bad.log; do usleep 100000; done'")
    machine.rf(f"store-write {back}/state 4")
    guest.start(f"(until [ -b /dev/bad{number} ]; do usleep 100000; done; cat /dev/bad{number} >/dev/null 2>&1) &")
    return front, back


def wait_done(machine):
    status, text = machine.run("timeout 60 sh -c 'until grep done /tmp/bad.log; do usleep 100000; done' || cat /tmp/bad.log")
    assert status == 0 and "done" in text, text


def put_away(machine, front, back):
    machine.run("kill $(cat /tmp/bad.pid)")
    machine.rf(f"store-rm {front} {back}")


def keep(machine, guest, number):
    """A back end that answers and goes on using the guest's frames: the request ends when it lets go of them."""
    front, back = misbehave(machine, guest, number, "keep", {"feature-grants": 1})
    wait_said(guest, f"block-{number}: the back end still uses")
    wait_done(machine)
    put_away(machine, front, back)
    guest.run("wait", "while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")


def keep_ahead(machine, guest, number):
    """The same, and it breaks the ring: what it keeps is kept from everybody until it is gone."""
    front, back = misbehave(machine, guest, number, "keep_ahead", {"feature-grants": 1})
    wait_for(machine, front, CLOSING)
    wait_said(guest, f"block-{number}: the back end still uses")
    machine.run("sleep 2")
    # A ring and a pool, and what is kept.
    assert guest.run("cat /sys/kernel/ringfence/grants") == "granted 3\nwaiting 0\n"
    put_away(machine, front, back)
    guest.run("wait", "while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")


def refuse_grants(machine, guest, number):
    """A back end that takes none gets the same request with its data in the pool; no error reaches who made it."""
    front, back = misbehave(machine, guest, number, "refuse", {"feature-grants": 1})
    wait_done(machine)
    assert guest.run(f"dmesg | grep -c 'error, dev bad{number}'") == "0\n"
    put_away(machine, front, back)
    guest.run("wait", "while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")


def refuse_keys(machine, guest, number, keys):
    front, back = make(machine, guest, number, {}, name=f"key{number}")
    write(machine, back, keys | {"state": 2})
    wait_for(machine, front, CLOSED)
    machine.rf(f"store-rm {front} {back}")


def bad_keys(machine, guest):
    """A disk that cannot be: the guest says so, and takes nothing of it."""
    for number, (name, value) in enumerate(BAD_KEYS if FULL else BAD_KEYS[::6], 20):
        refuse_keys(machine, guest, number, GOOD_KEYS | {name: value})
    for number, name in enumerate(GONE_KEYS if FULL else GONE_KEYS[:1], 50):
        refuse_keys(machine, guest, number, {key: value for key, value in GOOD_KEYS.items() if key != name})


def bad_states(machine, guest):
    """They come and go without end, and in any order."""
    front, back = make(machine, guest, 60, {}, name="toggled")
    write(machine, back, GOOD_KEYS)
    states = [number * 5 % 7 for number in range(200 if FULL else 40)] + [2, 4, 2, 5, 1, 9, 6]
    write_all(machine, [(f"{back}/state", state) for state in states])
    wait_for(machine, front, CLOSED)
    machine.rf(f"store-rm {front} {back}")


def bad(machine):
    """Whatever it answers, the connection ends with a reason, requests fail, and the guest runs on."""
    guest = make_guest(machine, 2)
    bad_keys(machine, guest)
    bad_states(machine, guest)
    for number, way in enumerate(BAD_WAYS, 1):
        front, back = misbehave(machine, guest, number, way)
        wait_for(machine, front, CLOSING)
        assert "response" in machine.rf(f"store-read {front}/error"), way
        guest.run("wait")
        put_away(machine, front, back)
        print(f"ok: {way}", flush=True)
    # A status that nobody knows is an error like others, and ends nothing.
    front, back = misbehave(machine, guest, 9, "status")
    guest.run("until [ -b /dev/bad9 ]; do usleep 100000; done")
    wait_for(machine, front, CONNECTED)
    put_away(machine, front, back)
    guest.run("wait", "while ls /sys/bus/ringfence/devices | grep block; do usleep 100000; done")
    set_direct(guest, 4096)
    for number, test in enumerate((keep, keep_ahead, refuse_grants), 10):
        test(machine, guest, number)
        print(f"ok: {test.__name__}", flush=True)
    assert guest.run("ls /sys/bus/ringfence/devices") == ""
    guest.wait_for_grants(0)
    assert guest.run("dmesg | grep -c -e WARNING: -e BUG:") == "0\n"
    machine.rf("destroy hello")


# Of each queue a ring and a pool, and the store's page; and any of the guest's memory, directly.
node.run(node.Node(timeout=1700), (disk, bad), 0, places=80)
