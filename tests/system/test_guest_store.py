#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The store from inside a guest: its programs use /dev/xen/xenbus, Debian's xenstore clients as they are, with transactions and
watches; and all of it goes on while the store is replaced by a new program of its own (live upgrade), again and
again, or killed.

needs: linux
timeout: 1200
"""
import os
import pathlib
import re
import subprocess
import tempfile

import node

UPGRADES = 30 if os.environ.get("RF_FULL") else 3
CLIENTS = ("read", "write", "ls", "watch", "exists")
# The C library opens it when a thread is cancelled, as xenstore-watch does at its end.
UNWIND = "/lib/x86_64-linux-gnu/libgcc_s.so.1"
CHECK = node.ROOT / "guest-pv/initramfs/tests/store.c"


def build(folder, name, *arguments):
    path = pathlib.Path(folder, name)
    subprocess.run([node.ROOT / "guest-pv/initramfs/build", "--only", *arguments, path], check=True)
    return path.read_bytes()


def ramdisk(folder):
    """The node's, with the guest's in it, which has the clients and the check."""
    check, guest, initrd = (pathlib.Path(folder, name) for name in ("store", "guest.gz", "node.gz"))
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", check, CHECK], check=True)
    clients = [word for client in CLIENTS for word in ("--program", f"/usr/bin/xenstore-{client}")]
    guest.write_bytes((node.LINUX / "guest.gz").read_bytes() + build(folder, "more.gz", *clients, "--add", f"{check}:/bin/check-store", "--add", f"{UNWIND}:{UNWIND}"))
    initrd.write_bytes((node.LINUX / "node.gz").read_bytes() +
                       build(folder, "control.gz", "--add", f"{guest}:/boot/initrd.gz"))
    return initrd


def guest(m, commands, answer):
    """Until the guest has answered so, which it has not done before: what it printed since."""
    before = len(m.rf("console --print hello"))
    m.run(f"(echo '{commands}' | timeout 30 rf console hello >/dev/null 2>&1 &)")
    m.wait_for_guest("hello", answer)
    return m.rf("console --print hello")[min(before, 12000):]


def check(m):
    m.rf("create hello memory=96")
    m.wait_for_guest("hello")
    text = guest(m, "check-store; echo checked-$?-", r"^checked-\d+-")
    assert "checked-0-" in text, text


def clients(m):
    domain = m.json("domid hello")
    text = guest(m, "xenstore-read name domid vm; xenstore-write data/from-guest 1; xenstore-ls data; echo used-$((6*7))", "^used-42")
    assert re.search(rf"^hello\n{domain}\n/vm/[0-9a-f-]{{36}}\n", text, re.M) and 'from-guest = "1"' in text, text
    assert m.rf(f"store-read /local/domain/{domain}/data/from-guest").strip() == "1"
    text = guest(m, "xenstore-write name mine; xenstore-exists /local/domain/0/x; echo refused-$((6*7))", "^refused-42")
    assert "could not write" in text, text
    # It waits for what the control domain writes.
    m.run("(echo 'xenstore-watch -n 2 data/told && echo seen-$((6*7))' | timeout 30 rf console hello >/dev/null 2>&1 &)")
    m.wait_for_guest("hello", "xenstore-watch -n 2")
    m.run("sleep 3")
    m.rf(f"store-write /local/domain/{domain}/data/told now")
    m.wait_for_guest("hello", "^seen-42")


def hostile(m):
    """A guest writes into its own folder of a device, which names the back end: those who serve it and list it do not go by that."""
    domain = m.json("domid hello")
    m.run("dd if=/dev/zero of=/tmp/disk.img bs=1M count=1 2>/dev/null")
    m.rf("disk-attach hello /tmp/disk.img name=xvdz")
    m.wait(lambda: m.json("disk-list hello")[0]["state"] == "connected")
    other = "/local/domain/0/backend/block/999/0"
    guest(m, f"xenstore-write device/block/0/backend {other} device/block/0/backend-id 7 device/block/0/name ../../x; "
             "xenstore-write device/block/7/backend /local/domain/0 device/block/7/state 4; echo wrote-$((6*7))", "^wrote-42")
    rows = m.json("disk-list hello")
    assert len(rows) == 1 and rows[0]["image"] == "/tmp/disk.img", rows
    text = guest(m, "xenstore-write /local/domain/0/backend/block/9/0/x 1; echo denied-$((7*6))", "^denied-42")
    assert "could not write" in text, text
    m.rf("disk-detach hello 0 --force")
    assert m.json("disk-list hello") == []
    m.rf(f"store-exists {other}", status=3)
    m.run("for i in $(seq 100); do pidof rf-block || break; sleep 0.3; done")
    assert m.run("pidof rf-block")[0] != 0


def store_process(m):
    return m.run("pidof rfstored")[1].strip()


def upgrade(m):
    """The same process, another program: a waiting watch of the guest's sees what happens after it, and the kernel its target."""
    domain, process = m.json("domid hello"), store_process(m)
    m.run(f"(echo '(xenstore-watch -n {UPGRADES + 1} data/round; echo rounds-$((6*7))) &' | timeout 30 rf console hello >/dev/null 2>&1 &)")
    m.wait_for_guest("hello", "data/round$")
    for number in range(UPGRADES):
        assert m.rf("store-control upgrade").strip() == "OK"
        target = 64 + 8 * (number % 4)
        m.rf(f"store-write /local/domain/{domain}/data/round {number} && rf mem-set hello {target}")
        m.wait(lambda: m.json("list hello")[0]["memory"] == target << 20)
        text = guest(m, f"echo number-$(xenstore-read data/round)-$((6*7))", f"^number-{number}-42")
    assert store_process(m) == process, "it is the same process"
    m.wait_for_guest("hello", "^rounds-42")


def killed(m):
    """Another process: what it has read is as it was, and writing goes on."""
    m.run("kill -9 $(pidof rfstored)")
    guest(m, "xenstore-write data/after kill && echo after-$(xenstore-read data/after)-$((6*7))", "^after-kill-42")
    text = guest(m, "check-store; echo again-$?-", r"^again-\d+-")
    assert "again-0-" in text, text
    m.rf("destroy hello")
    assert m.rf("store-control check").strip() == "OK"


def main():
    with tempfile.TemporaryDirectory() as folder:
        node.run(node.Node(timeout=1100, initrd=ramdisk(folder)), (check, clients, hostile, upgrade, killed), status=0, places=5)


main()
