#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs of the control domain are killed in random order, while guests count on their consoles, write to a disk and ask the
store: the store, the daemon, the client of a console, and the monitor and the worker of the disk. The guests notice
nothing: none of them has ended, no line is missing, all answer, the disk holds what was written, and each still has
its connection to the store. Then guests are made without a store, and without a life: `rf create` killed in the middle.
RF_FULL: 100 kills, and 30 half-made guests.

needs: linux
timeout: 3600
"""
import os
import random
import re

import node

FULL = bool(os.environ.get("RF_FULL"))
KILLS = 100 if FULL else 8
HALVES = 30 if FULL else 4
SEED = int(os.environ.get("RF_SEED", random.randrange(1 << 30)))
NAMES = ("one", "two")
RFD = "rfd --background --helper 'store=rfstored --no-sync'"


def type_line(m, name, line):
    m.run(f"(echo '{line}' | timeout 30 rf console {name} >/dev/null 2>&1 &)")


def until(m, command, seconds=100):
    status, text = m.run(f"timeout {seconds} sh -c \"until {command}; do sleep 0.2; done\"")
    assert status == 0, f"not in {seconds} s: {command}: {text}"


def log(m, name):
    return m.run(f"cat /var/log/ringfence/{name}.log.1 /var/log/ringfence/{name}.log 2>/dev/null")[1]


def wait_for_log(m, name, pattern):
    m.wait(lambda: re.search(pattern, log(m, name), re.M))


def processes(m, name):
    return m.run(f"pidof {name}")[1].split()


def start(m):
    m.run("dd if=/dev/zero of=/tmp/disk.img bs=1M count=8 2>/dev/null")
    m.rf("create hello name=one disks=/tmp/disk.img,raw,xvda,w")
    m.rf("create hello name=two")
    for name in NAMES:
        m.wait_for_guest(name)
        type_line(m, name, "i=0; while :; do echo line-$i; i=$((i+1)); sleep 0.3; done &")
    # Each block of the disk is the number of the round, all through; a write that fails says so.
    type_line(m, "one", "(n=1000; until [ -e /stop ]; do n=$((n+1)); yes $n | head -c 1048576 >/n; "
                        "dd if=/n of=/dev/xvda bs=64k conv=fsync 2>/dev/null || echo bad-disk-$((6*7)); echo $n >/last; done; "
                        "dd if=/dev/xvda bs=64k count=16 2>/dev/null | md5sum >/read; "
                        "md5sum </n >/written; cmp /read /written && echo disk-is-$((6*7))) &")


def open_console(m):
    m.run("(sleep 3000 | rf console two >/dev/null 2>&1 &)")


def kill_store(m):
    assert m.run("kill -9 $(pidof rfstored)")[0] == 0


def kill_daemon(m):
    m.run("kill -9 $(pidof rfd); while pidof rfd; do sleep 0.1; done")
    assert m.run(RFD)[0] == 0


def kill_console(m):
    m.run("kill -9 $(ps | awk '/rf console two/ && !/awk/ { print $1 }') 2>/dev/null")
    open_console(m)


def kill_disk(m):
    """The monitor and its worker, or one of them."""
    victims = processes(m, "rf-block")
    m.run("kill -9 " + " ".join(random.sample(victims, random.randint(1, len(victims))) if victims else ["$$x"]))


def look(m, serials):
    until(m, "rf store-exists /local/domain >/dev/null 2>&1")
    assert {name: m.json(f"info {name}")["serial"] for name in NAMES} == serials
    assert all(m.json(f"info {name}")["state"] == "running" for name in NAMES)


def kills(m):
    print(f"RF_SEED={SEED}", flush=True)
    random.seed(SEED)
    start(m)
    open_console(m)
    serials = {name: m.json(f"info {name}")["serial"] for name in NAMES}
    order = [kill_store, kill_daemon, kill_console, kill_disk] * (KILLS // 4 + 1)
    random.shuffle(order)
    for count, kill in enumerate(order[:KILLS]):
        kill(m)
        m.run(f"sleep {random.choice((0, 0.1, 0.5, 1))}")
        if kill is kill_store or count % 8 == 0:
            look(m, serials)
    look(m, serials)
    m.run("kill -9 $(ps | awk '/rf console two/ && !/awk/ { print $1 }') 2>/dev/null")
    m.wait(lambda: m.json("disk-list one")[0]["state"] == "connected" and len(processes(m, "rf-block")) == 2)
    type_line(m, "one", "touch /stop")
    wait_for_log(m, "one", "^disk-is-42$")
    for name in NAMES:
        m.rf(f"rename {name} {name}-still")
        type_line(m, f"{name}-still", "echo asked-$(cat /sys/kernel/ringfence/name)-$((6*7))")
        wait_for_log(m, f"{name}-still", rf"asked-{name}-still-42")
        lines = [int(line) for line in re.findall(r"line-(\d+)$", log(m, name), re.M)]
        assert lines == list(range(len(lines))), f"{name}: a line is missing, or there twice: {lines}"
        assert "bad-disk-42" not in log(m, name)
    m.rf("destroy one-still two-still")
    m.run("for i in $(seq 100); do pidof rf-block || break; sleep 0.3; done")
    assert not processes(m, "rf-block")


def late_store(m):
    """Guests that are made without a store have it when it comes."""
    m.run("kill -9 $(pidof rfd); kill -9 $(pidof rfstored); rm -f /run/xenstored/socket; true")
    assert "there is no store" in m.rf("create hello name=early")
    m.wait_for_guest("early")
    assert m.run(RFD)[0] == 0
    until(m, f"rf store-exists /local/domain/{m.json('domid early')}/vm 2>/dev/null")
    m.wait(lambda: "I-am-early-42" in (
        type_line(m, "early", "echo I-am-$(cat /sys/kernel/ringfence/name)-$((6*7))") or m.rf("console --print early")))
    m.rf("destroy early")


def left(m):
    """Everything that a guest leaves while it is made, but for the daemon's own files."""
    files = m.run("ls /run/ringfence | grep '^[0-9]'")[1].split()
    nodes = m.run("rf store-ls / | grep -v -e '^/ =' -e '^/vm =' -e '^/local' -e 'backend = ' -e 'backend/[a-z]* = '"
                  " -e '/local/domain/0 '")[1].split()
    return files + nodes


def halves(m):
    """Killed after some time, so anywhere; none of it remains, a disk's folder neither."""
    m.run("dd if=/dev/zero of=/tmp/half.img bs=1M count=1 2>/dev/null")
    free = m.free()
    made = 0
    for number in range(HALVES):
        m.run(f"rf create hello name=half disks=/tmp/half.img,raw,xvda,w >/tmp/out 2>&1 & sleep {0.1 + 1.5 * number / HALVES:.2f}; "
              "kill -9 $! 2>/dev/null; wait")
        if "half" in m.run("cat /tmp/out")[1] and "half" in m.names():
            made += 1
            m.rf("destroy half")
        m.wait(lambda: "half" not in m.names())
    print(f"{made} of {HALVES} were made before they were killed", flush=True)
    assert made < HALVES
    for _ in range(60):
        rest = left(m) + processes(m, "rf-block")
        if not rest:
            break
        m.run("sleep 1")
    assert not rest, f"this is left: {rest}"
    missing = free - m.free()
    assert missing in range(0, node.GRANT_TABLE * 9 * HALVES, node.GRANT_TABLE), f"{missing} bytes are missing"


node.run(node.Node(768, "memory=384M", 3500), (kills, late_store, halves), status=0, places=9)
