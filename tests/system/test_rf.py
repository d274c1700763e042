#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`rf` on a live node: the bundled Linux guest is made, watched, changed and ended by every verb, in the machine that
`make run` starts; afterwards no memory is missing, and the hypervisor finds nothing wrong.

needs: linux
timeout: 900
"""
import re

import node

ESCAPE = "\x1d"     # Ctrl-]


def create(m):
    assert "MISSING" not in m.rf("check")
    made = m.json("create hello")
    number = made["domain"]
    # In turn: the last guest before it was the node's own.
    assert made == {"name": "hello", "domain": number} and number > 1, made
    [domain] = m.json("list hello")
    assert (domain["name"], domain["memory"], domain["state"]) == ("hello", 64 << 20, "running"), domain
    assert m.json("domid hello") == number
    assert re.search(rf"^hello +{number} +64 +1 +running +[0-9.]+$", m.rf("list"), re.M)
    m.wait_for_guest("hello")


def console(m):
    start = len(m.said)
    m.type("rf console hello; echo left-$((6*7))\n")
    m.expect("RINGFENCE-LINUX-UP", start)
    m.type("echo seen-$((6*7)); cat /sys/kernel/ringfence/audit || echo a guest\n")
    m.expect("^seen-42$", start)
    m.expect("^a guest$", start)
    m.type(ESCAPE)
    m.expect("^left-42$", start)
    # Not from a terminal: until there is nothing more, and the guest has ended.
    m.run("(sleep 1; echo 'echo piped-$((6*7))'; sleep 1) | timeout 20 rf console hello >/tmp/log")
    assert "\npiped-42\n" in m.run("tr -d '\\r' </tmp/log")[1]


def watch(m):
    top = m.json("top --count 1")
    assert {row["name"] for row in top} == {"control", "hello"} and all("cpu_percent" in row for row in top), top
    rows = {(row["kind"], row["name"]): row["count"] for row in m.json("stats hello")}
    entries = sum(count for (kind, name), count in rows.items() if kind == "entry" and name != "all")
    assert rows["entry", "all"] == entries > 1000 and rows["hypercall", "mmu_batch"] > 100, rows
    # What is not there is not asked for, nor is the text of a kernel with one processor changed by an alias for each of its locks;
    # and that of one with more is not changed there and back.
    assert rows["entry", "protection"] < 1000 and rows["hypercall", "mmu_batch"] < 10000, rows
    assert counted(m, "control", "mmu_batch") < 20000
    assert "PER SECOND" in m.rf("stats hello --watch 1 --count 1")
    [vcpu] = m.json("vcpu-list hello")
    assert vcpu["vcpu"] == 0 and vcpu["run_ns"] > 0 and vcpu["affinity"] is None, vcpu
    info = m.json("info hello")
    assert info["config"]["kernel"] == "/boot/linux" and info["memory_max"] == 64 << 20, info
    assert "loaded by " in m.rf("dmesg")


def counted(m, domain, name):
    return sum(row["count"] for row in m.json(f"stats {domain}") if (row["kind"], row["name"]) == ("hypercall", name))


def bench(m):
    """It does what it says, as often as it says, and leaves nothing."""
    before = {name: counted(m, "control", name) for name in ("event_send", "grant_map", "grant_unmap", "grant_copy")}
    rows = {row["name"]: row for row in m.json("bench --rounds 1")}
    assert all(row["nanoseconds"] > 0 for row in rows.values()), rows
    done = {name: counted(m, "control", name) - count for name, count in before.items()}
    mapped = sum(rows[name]["times"] for name in ("grant-map", "grant-unmap", "grant-map-16", "grant-unmap-16"))
    assert done["event_send"] >= rows["event"]["times"] and done["grant_copy"] >= rows["grant-copy"]["times"], done
    assert done["grant_map"] >= mapped and done["grant_unmap"] >= mapped, done
    # Nor is there anything of it when it is killed.
    assert m.run("timeout -s KILL 3 rf bench --rounds 1000000")[0] != 0
    m.wait(lambda: m.names() == ["control", "hello"])
    assert re.search(r"^event +event to a guest and back +\d+ +[0-9.]+$", m.rf("bench --rounds 1"), re.M)
    assert m.names() == ["control", "hello"]


def change(m):
    m.rf("pause hello")
    assert m.json("list hello")[0]["state"] == "paused"
    m.rf("unpause hello")
    assert m.json("list hello")[0]["state"] == "running"
    m.rf("sched hello --weight 300 --cap 50")
    assert [(d["weight"], d["cap"]) for d in m.json("sched hello")] == [(300, 50)]
    m.rf("vcpu-pin hello all 1")
    assert m.json("vcpu-list hello")[0]["affinity"] == [1]
    m.rf("vcpu-pin hello 0 9", status=1)
    m.rf("vcpu-pin hello 1 0", status=2)
    m.rf("mem-max hello 48")
    assert m.json("info hello")["memory_max"] == 48 << 20
    m.rf("mem-max hello 65", status=1)
    m.rf("rename hello other")
    assert m.names() == ["control", "other"] and m.json("info other")["config"]["name"] == "other"
    m.rf("rename other control", status=1)
    m.rf("rename other hello")
    m.rf("sysrq hello h")
    m.wait_for_guest("hello", "sysrq: HELP")
    m.rf("trigger hello nmi")
    m.wait_for_guest("hello", "NMI received for unknown reason 00 on CPU 0")


def ask(m):
    """Memory and processors that the guest itself gives back, and takes again."""
    m.rf("create hello name=asked vcpus=2 memory=96")
    m.wait_for_guest("asked")
    free = m.free()
    m.rf("mem-set asked 64")
    m.wait(lambda: m.json("list asked")[0]["memory"] == 64 << 20)
    assert m.free() == free + (32 << 20), f"{m.free() - free} bytes came back"
    m.rf("mem-set asked 96")
    m.wait(lambda: m.json("list asked")[0]["memory"] == 96 << 20)
    assert m.free() == free
    m.rf("mem-set asked 97", status=1)
    for count in (1, 2):
        m.rf(f"vcpu-set asked {count}")
        m.wait(lambda: sum(vcpu["state"] != "down" for vcpu in m.json("vcpu-list asked")) == count)
    m.rf("vcpu-set asked 3", status=2)
    m.rf("destroy asked")


def end(m):
    m.rf("shutdown hello --timeout 200")
    assert m.names() == ["control"]
    m.rf("create hello")
    m.wait_for_guest("hello")
    serial = m.json("info hello")["serial"]
    m.rf("reboot hello --timeout 200")
    assert m.json("info hello")["serial"] != serial
    m.wait_for_guest("hello")
    m.rf("destroy hello")
    assert m.names() == ["control"]


def crash(m):
    m.rf("create hello name=doomed on_crash=preserve")
    m.wait_for_guest("doomed")
    m.run("echo 'echo c >/proc/sysrq-trigger' | timeout 100 rf console doomed")
    assert m.json("list doomed")[0]["state"] == "crashed"
    assert "sysrq triggered crash" in m.rf("console --print doomed")
    m.rf("unpause doomed", status=4)
    m.rf("destroy doomed")


def wait(m):
    """Somebody who stays does what the configuration says."""
    m.run("rf create hello --wait on_poweroff=restart >/tmp/wait 2>&1 & sleep 1")
    m.wait_for_guest("hello")
    serial = m.json("info hello")["serial"]
    m.rf("trigger hello poweroff")
    m.run("until grep restarted /tmp/wait; do sleep 1; done")
    assert m.json("info hello")["serial"] != serial
    m.rf("destroy hello")
    m.run("wait")


def refuse(m):
    free = m.free()
    m.rf("create hello memory=20", status=1)
    m.rf("create hello memory=2000", status=1)
    m.rf("create hello kernel=/bin/busybox", status=1)
    m.rf("create hello initrd=/nowhere", status=1)
    m.rf("create hello colour=blue", status=1)
    m.rf("create hello name=control", status=1)
    m.rf("create hello cpus=60", status=1)
    m.rf("create nobody", status=3)
    m.rf("pause nobody", status=3)
    m.rf("destroy 0", status=1)
    m.rf("console control", status=1)
    assert m.names() == ["control"] and m.free() == free


def several(m):
    """As many at once as there is memory for."""
    for number in range(4):
        m.rf(f"create hello name=guest-{number} vcpus={1 + number % 2}")
    for number in range(4):
        m.wait_for_guest(f"guest-{number}")
    m.rf("destroy " + " ".join(f"guest-{number}" for number in range(4)))
    assert m.names() == ["control"]


TESTS = (create, console, watch, bench, change, ask, end, crash, wait, refuse, several)


# 1: a domain has crashed.
node.run(node.Node(), TESTS, status=1)
