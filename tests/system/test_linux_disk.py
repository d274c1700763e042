#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The disk of a Linux guest: its contents, a back end that is killed while it works and comes back, a disk that is
taken away while it is mounted and after, and back ends that break every rule there is; with the programs of a node.

needs: linux
timeout: 1800
"""
import os
import re
import sys
import time

import node

FRONT = "/local/domain/{}/device/block/{}"
BACK = "/local/domain/0/backend/block/{}/{}"
PATIENCE = 60
CONNECTED, CLOSING, CLOSED = 4, 5, 6
BAD_WAYS = ("ahead", "far_ahead", "no_id", "other_id", "back", "twice")
BAD_KEYS = {"version": 1, "sectors": 2048, "sector-size": 512, "physical-sector-size": 512, "queues-max": 1,
            "slots-max": 128, "pool-max": 256, "bytes-max": 65536, "state": 2}


class Guest:
    def __init__(self, machine):
        machine.run("sed 's/\"vcpus\": 1/\"vcpus\": 2/; s/\"memory\": 64/\"memory\": 96/' "
                    "/etc/ringfence/hello.json >/tmp/hello.json")
        machine.rf("create /tmp/hello.json")
        machine.wait_for_guest("hello")
        self.machine = machine
        self.domain = int(machine.rf("domid hello"))
        self.commands = 0
        # The shell's own editor would echo what is typed, and prompt.
        self.start("stty -echo; while read -r line; do eval \"$line\"; done")

    def start(self, *commands):
        """Types them; a line has 256 bytes at most."""
        for command in commands:
            assert "'" not in command
            status, text = self.machine.run(f"/tests/control type {self.domain} '{command}'")
            assert status == 0, text

    def run(self, *commands):
        """What they printed."""
        self.commands += 1
        self.start(f"echo from-$(({self.commands}*1))", *commands, f"echo upto-$(({self.commands}*1))")
        return self.wait(rf"^from-{self.commands}\s*\n((?:.*\n)*?)upto-{self.commands}\s*$").group(1).replace("\r", "")

    def wait(self, pattern):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.machine.rf("console --print hello"), re.M)):
            assert time.monotonic() < end, f"the guest does not say {pattern!r}: " \
                                           f"{self.machine.rf('console --print hello')[-3000:]}"
        return found


def state_of(machine, folder):
    status, text = machine.run(f"rf store-read {folder}/state")
    return int(text) if status == 0 else None


def wait_for(machine, folder, state):
    end = time.monotonic() + PATIENCE
    while (seen := state_of(machine, folder)) != state:
        assert time.monotonic() < end, f"{folder}: state {seen}, not {state}: {machine.rf('store-ls /local/domain')}"


def write(machine, folder, keys):
    if keys:
        machine.rf("store-write " + " ".join(f"{folder}/{name} {value}" for name, value in keys.items()))


def make(machine, guest, number, private, **keys):
    """Both folders, as a toolstack makes them."""
    front, back = FRONT.format(guest.domain, number), BACK.format(guest.domain, number)
    for folder, permissions in ((back, f"n0 r{guest.domain}"), (f"{back}/private", "n0"), (front, f"n{guest.domain}")):
        machine.rf(f"store-write {folder} '' && rf store-chmod {folder} {permissions}")
    write(machine, f"{back}/private", private)
    write(machine, back, {"frontend": front, "frontend-id": guest.domain, "online": 1, "state": 1})
    write(machine, front, keys | {"state": 1, "backend-id": 0, "backend": back})
    return front, back


def serve(machine, guest):
    machine.run(f"(rf-block {guest.domain} 1 >>/tmp/disk.log 2>&1 &)")


def kill(machine):
    """The process that was started, and the jailed one that it has started."""
    status, text = machine.run("kill -9 $(pidof rf-block)")
    assert status == 0, text


def check_contents(machine, guest, front):
    machine.run("truncate -s 48M /tmp/image")
    serve(machine, guest)
    wait_for(machine, front, CONNECTED)
    said = guest.run("until [ -b /dev/xvda ]; do sleep 0.1; done",
                     "dd if=/dev/urandom of=/tmp/a bs=64k count=100 2>/dev/null",
                     "dd if=/tmp/a of=/dev/xvda bs=1M oflag=direct conv=notrunc 2>/dev/null", "md5sum </tmp/a",
                     "dd if=/dev/xvda bs=64k count=100 iflag=direct 2>/dev/null | md5sum")
    sums = re.findall(r"^[0-9a-f]{32}", said, re.M)
    assert len(sums) == 2 and sums[0] == sums[1], said
    assert sums[0] in machine.run("head -c 6553600 /tmp/image | md5sum")[1], sums
    # One queue for each processor, and granted: a ring and a pool of each.
    assert guest.run("grep granted /sys/kernel/ringfence/grants") == "granted 4\n"


def check_killed(machine, guest, front):
    """No error reaches the file system, and everything is there in the end."""
    guest.run("mke2fs /dev/xvda >/dev/null", "mount -t ext4 /dev/xvda /mnt", "md5sum </tmp/a >/tmp/sum")
    guest.start("(for i in 1 2 3 4 5 6; do cp /tmp/a /mnt/$i && sync && sleep 0.3; done; echo copies-$((6*7)))")
    for _ in range(3):
        time.sleep(1)
        kill(machine)
        time.sleep(1)
        serve(machine, guest)
        wait_for(machine, BACK.format(guest.domain, 1), CONNECTED)
    guest.wait("^copies-42")
    said = guest.run("umount /mnt", "mount -t ext4 /dev/xvda /mnt", "cat /tmp/sum",
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
    guest.run("until dmesg | grep -q xvda.is.in.use; do sleep 0.1; done")
    assert state_of(machine, front) == CONNECTED
    assert guest.run("md5sum </mnt/3") == guest.run("cat /tmp/sum")
    guest.run("umount /mnt")
    wait_for(machine, front, CLOSED)
    wait_for(machine, back, CLOSED)
    machine.rf(f"store-rm {front} {back}")
    assert "xvda" not in guest.run("sleep 1; cat /proc/partitions; ls /sys/bus/ringfence/devices")
    assert guest.run("cat /sys/kernel/ringfence/grants") == "granted 0\nwaiting 0\n"


def disk(machine):
    guest = Guest(machine)
    front, back = make(machine, guest, 1, {"image": "/tmp/image", "format": "raw", "mode": "w"}, name="xvda")
    check_contents(machine, guest, front)
    check_killed(machine, guest, front)
    check_closing(machine, guest, front, back)
    assert "RESULT: SUCCESS" in machine.run("run-tests log")[1]
    machine.rf("destroy hello")
    machine.run("rm /tmp/image")


def misbehave(machine, guest, number, way):
    front, back = make(machine, guest, number, {}, name=f"bad{number}")
    write(machine, back, BAD_KEYS)
    wait_for(machine, front, 3)
    ring = machine.rf(f"store-read {front}/queue-0/ring-grant").strip()
    port = machine.rf(f"store-read {front}/queue-0/port").strip()
    machine.run(f"(/tests/bad_disk {guest.domain} {ring} {port} {way} >/tmp/bad.log 2>&1 & echo $! >/tmp/bad.pid)")
    machine.run("timeout 60 sh -c 'until grep -q ready /tmp/bad.log; do sleep 0.1; done'")
    machine.rf(f"store-write {back}/state 4")
    guest.start(f"(until [ -b /dev/bad{number} ]; do sleep 0.1; done; cat /dev/bad{number} >/dev/null 2>&1) &")
    return front, back


def put_away(machine, front, back):
    machine.run("kill $(cat /tmp/bad.pid)")
    machine.rf(f"store-rm {front} {back}")


def bad(machine):
    """Whatever it answers, the connection ends with a reason, requests fail, and the guest runs on."""
    guest = Guest(machine)
    for number, way in enumerate(BAD_WAYS, 1):
        front, back = misbehave(machine, guest, number, way)
        wait_for(machine, front, CLOSING)
        assert "response" in machine.rf(f"store-read {front}/error"), way
        guest.run("wait")
        put_away(machine, front, back)
        print(f"ok: {way}", flush=True)
    # A status that nobody knows is an error like others, and ends nothing.
    front, back = misbehave(machine, guest, 9, "status")
    guest.run("until [ -b /dev/bad9 ]; do sleep 0.1; done")
    wait_for(machine, front, CONNECTED)
    put_away(machine, front, back)
    said = guest.run("wait", "ls /sys/bus/ringfence/devices | wc -l", "cat /sys/kernel/ringfence/grants")
    assert said == "0\ngranted 0\nwaiting 0\n", said
    assert guest.run("dmesg | grep -c -e WARNING: -e BUG:") == "0\n"
    machine.rf("destroy hello")


if "RF_FULL" not in os.environ:
    print("only at full length: it takes nine minutes; test_linux_block has the disks of a guest, too")
    sys.exit(77)
# Of each queue a ring and a pool, and the store's page.
node.run(node.Node(), (disk, bad), 0, places=5)
