#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images behind NBD: qcow2 by qemu-nbd, whatever nbdkit serves, servers that fail and that go away.

timeout: 400
"""
import os
import random
import signal
import subprocess
import sys
import time

import block_backend
import store_daemon
from block_backend import Disk

REQUESTS = 100000 if os.environ.get("RF_FULL") else 5000
KILLS = 50 if os.environ.get("RF_FULL") else 5


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def make_image(disk, form):
    image = disk.folder / f"image.{form}"
    subprocess.run(["qemu-img", "create", "-q", "-f", form, image, "32M"], check=True)
    disk.write("private/image", image)
    disk.write("private/format", form)
    return image


def test_formats_of_qemu():
    for form in ("qcow2", "vpc", "vhdx", "vmdk"):
        with Disk() as disk:
            image = make_image(disk, form)
            text, status = disk.run("verify", REQUESTS)
            expect(status == 0, f"{form}: {text} {disk.words()}")
            disk.write("online", 0)
            expect(disk.back.wait(store_daemon.SECONDS) == 0, "its status")
            # Its server is a moment longer there; 63 says that there are no checks of this format.
            store_daemon.eventually(lambda: subprocess.run(
                ["qemu-img", "check", "-q", "-f", form, image], stderr=subprocess.DEVNULL).returncode in (0, 63), form)


def test_a_worker_is_killed_with_qcow2_behind_it():
    with Disk() as disk:
        make_image(disk, "qcow2")
        front = disk.front("verify")
        disk.serve()
        for number in range(KILLS):
            store_daemon.eventually(lambda: int(disk.key("connects", block_backend.FACE) or 0) > number or
                                    front.poll() is not None, "connected again")
            time.sleep(random.uniform(0.1, 0.4))
            disk.kill_worker()
        store_daemon.eventually(lambda: int(disk.key("connects", block_backend.FACE)) > KILLS, "connected at last")
        front.send_signal(signal.SIGTERM)
        text = front.communicate(timeout=100)[0]
        expect(front.returncode == 0 and f", {KILLS + 1} connections" in text, text)


def test_the_server_is_in_a_jail():
    """It can write its image, and reaches nothing else."""
    with Disk() as disk:
        image = make_image(disk, "qcow2")
        front = disk.front("verify", REQUESTS * 100)
        disk.serve()
        store_daemon.eventually(lambda: disk.key("state") == "4", "connected")
        worker = disk.worker()
        server, = open(f"/proc/{worker}/task/{worker}/children").read().split()
        values = dict(line.split(":\t", 1) for line in open(f"/proc/{server}/status").read().splitlines() if ":\t" in line)
        front.kill()
        front.wait()
        expect(values["Name"] == "qemu-nbd", values["Name"])
        expect(values["Seccomp"] == "2" and values["NoNewPrivs"] == "1", "its system calls are not limited")
        if os.getuid() == 0:
            mounts = {line.split()[4]: line.split()[5] for line in open(f"/proc/{server}/mountinfo")}
            expect(all(values[name].strip("0") == "" for name in ("CapEff", "CapPrm", "CapBnd")), "it has capabilities")
            expect(os.readlink(f"/proc/{server}/ns/net") != os.readlink("/proc/self/ns/net"), "it has a network")
            expect(os.listdir(f"/proc/{server}/root/dev") == ["null"], "it has devices")
            expect([place for place, flags in mounts.items() if "rw" in flags.split(",")] == [str(image)], str(mounts))


class Kit:
    """nbdkit with some memory, or whatever the words say."""

    def __init__(self, disk, *words):
        self.socket = disk.folder / "nbd"
        self.words = ["nbdkit", "-f", "-U", self.socket, *words]
        disk.write("private/image", f"nbd+unix:///?socket={self.socket}")
        disk.write("private/format", "nbd")
        self.start()

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(self.words, stderr=subprocess.DEVNULL)
        store_daemon.eventually(self.socket.exists, "nbdkit listens")

    def end(self):
        self.process.kill()
        self.process.wait()


def test_errors_are_errors():
    with Disk() as disk:
        kit = Kit(disk, "--filter=error", "memory", "32M", "error=EIO", "error-pread-rate=20%", "error-pwrite-rate=20%")
        try:
            text, status = disk.run("count", REQUESTS)
            counts = {word: int(number) for word, number in
                      (part.rsplit(" ", 1) for part in text.strip().split(", "))}
            expect(status == 0 and counts["others"] == counts["no space"] == 0, text)
            expect(REQUESTS / 10 < counts["failed"] < REQUESTS / 3, text)
        finally:
            kit.end()


def test_a_server_that_goes_away_comes_back():
    with Disk() as disk:
        image = disk.folder / "served"
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        kit = Kit(disk, "file", str(image))
        front = disk.front("verify")
        try:
            disk.serve()
            for number in range(2):
                store_daemon.eventually(lambda: int(disk.key("connects", block_backend.FACE) or 0) > number, "connected")
                time.sleep(0.3)
                kit.end()
                kit.start()
            store_daemon.eventually(lambda: int(disk.key("connects", block_backend.FACE)) > 2, "connected at last")
            front.send_signal(signal.SIGTERM)
            text = front.communicate(timeout=100)[0]
            expect(front.returncode == 0, text)
        finally:
            front.kill()
            kit.end()


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.exit(store_daemon.run_all({name: function for name, function in list(globals().items())
                                   if not wanted or name in wanted}))
