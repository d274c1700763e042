#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many Linux guests on one node: at once, one after the other, paused under load, and beside others that
panic, spin, eat their memory and print without end. All the rest answers, and no memory is lost.
RF_FULL: 20 guests at once, and 50 lives.

needs: linux
timeout: 3600
"""
import os

import node

FULL = bool(os.environ.get("RF_FULL"))
AT_ONCE = 20 if FULL else 4
LIVES = 50 if FULL else 3
PAUSES = 50 if FULL else 5
# A guest of 64 MiB needs 2 MiB for shadows, and some tables.
MEMORY = 512 + 72 * max(AT_ONCE, 5)


def tell(m, name, command):
    """Types a line at its console, and does not wait for what it does."""
    m.run(f"(echo '{command}' | timeout 30 rf console {name} >/dev/null 2>&1 &)")


def answer(m, name):
    """It answers what is typed; the word that is typed is not the answer."""
    tell(m, name, "echo answer-$((6*7))-$(cat /proc/uptime | cut -d. -f1)")
    m.wait_for_guest(name, "^answer-42-")


def start(m, name, *settings):
    m.rf(f"create hello name={name} " + " ".join(settings))
    m.wait_for_guest(name)


def many(m):
    names = [f"guest-{number}" for number in range(AT_ONCE)]
    for number, name in enumerate(names):
        m.rf(f"create hello name={name} vcpus={1 + number % 2}")
    for name in names:
        m.wait_for_guest(name)
    for name in names:
        answer(m, name)
    assert set(m.names()) == {"control", *names}
    m.rf("destroy " + " ".join(names))
    assert m.names() == ["control"]


def lives(m):
    """Each ends in another way, and at another point of its life."""
    free = m.free()
    for life in range(LIVES):
        m.rf("create hello name=short")
        if life % 3:
            m.wait_for_guest("short")
        m.rf("shutdown short --timeout 200" if life % 3 == 2 else "destroy short")
        missing = free - m.free()
        assert missing in range(0, node.GRANT_TABLE * (life + 2), node.GRANT_TABLE), f"life {life}: {missing} bytes are missing"


def pauses(m):
    start(m, "busy", "vcpus=2")
    # Forks and page faults on both processors, and a sum that shows whether memory is what it was.
    tell(m, "busy", "for i in 1 2; do while :; do sha1sum /bin/busybox; done >/tmp/sum-$i & done")
    for number in range(PAUSES):
        m.rf("pause busy")
        assert m.json("list busy")[0]["state"] == "paused"
        m.rf("unpause busy")
        if number % 10 == 0:
            answer(m, "busy")
    tell(m, "busy", "echo sums-$(cat /tmp/sum-* | sort -u | wc -l)")
    m.wait_for_guest("busy", "^sums-[12]$")     # the last line may be half of one
    m.rf("destroy busy")


def neighbours(m):
    start(m, "victim")
    for name, command in (("panics", "echo c >/proc/sysrq-trigger"),
                          ("spins", "for i in 1 2 3 4; do while :; do :; done & done"),
                          ("eats", "dd if=/dev/zero of=/tmp/all bs=1M"),
                          ("forks", "f() { f | f & }; f"),
                          ("prints", "yes >/dev/hvc0")):
        start(m, name, "on_crash=preserve")
        tell(m, name, command)
        answer(m, "victim")
        assert m.json("info victim")["state"] == "running"
        assert {"control", "victim"} <= set(m.names())
    m.rf("destroy victim panics spins eats forks prints")
    assert m.names() == ["control"]


# 1: a domain has crashed.
node.run(node.Node(MEMORY, "memory=384M", 3500), (many, lives, pauses, neighbours), status=1)
