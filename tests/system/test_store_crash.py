#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""rfstored is killed at any time, and everything it has acknowledged is there; or it is exchanged while clients stay, or the
disk is full.

timeout: 900
"""
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import store_daemon

ROUNDS = 100 if os.environ.get("RF_FULL") else 15
WRITERS = 4
CLONE_NEWNS = 0x20000


class Writer(threading.Thread):
    """Counts up, in one value and in two that a transaction holds equal; notes what was acknowledged."""

    def __init__(self, daemon, name):
        super().__init__()
        self.client = daemon.client()
        self.name = name
        self.acknowledged = self.both = self.begun = 0
        self.wrong = None

    def step(self, number):
        self.begun = number
        self.client.write(f"/count/{self.name}", str(number))
        self.acknowledged = number
        while not self.write_both(str(number)):
            pass
        self.both = number

    def write_both(self, value):
        """False for a conflict: who makes a folder first, or an upgrade."""
        transaction = self.client.begin()
        try:
            self.client.write(f"/both/{self.name}/one", value, transaction)
            self.client.write(f"/both/{self.name}/two", value, transaction)
        except store_daemon.Refused as refused:
            if str(refused) != "EAGAIN":
                raise
        try:
            self.client.end(transaction)
        except store_daemon.Refused as refused:
            if str(refused) != "EAGAIN":
                raise
            return False
        return True

    def run(self):
        number = 0
        try:
            while True:
                number += 1
                self.step(number)
        except (store_daemon.Gone, OSError):
            pass
        except Exception as error:
            self.wrong = error
        self.client.close()


def check(daemon, writer):
    """What is there is what was acknowledged last, or what was on its way."""
    client = daemon.client()

    def read(path):
        try:
            return int(client.read(path))
        except store_daemon.Refused:
            return 0
    count = read(f"/count/{writer.name}")
    one, two = read(f"/both/{writer.name}/one"), read(f"/both/{writer.name}/two")
    client.close()
    if writer.wrong:
        raise writer.wrong
    if not writer.acknowledged <= count <= writer.begun:
        raise AssertionError(f"{count} is there, {writer.acknowledged} was acknowledged, {writer.begun} begun")
    if one != two or not writer.both <= one <= writer.begun:
        raise AssertionError(f"{one} and {two} are there, {writer.both} was acknowledged")


def test_kill():
    random.seed(1)
    daemon = store_daemon.Daemon()
    total = 0
    try:
        for number in range(ROUNDS):
            daemon.start()
            client = daemon.client()
            if number:
                client.ask(store_daemon.RM, "/count")
                client.ask(store_daemon.RM, "/both")
            writers = [Writer(daemon, f"w{i}") for i in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(random.uniform(0.01, 0.3))
            if number % 3 == 0:
                client.control("snapshot")
            daemon.end(signal.SIGKILL)
            for writer in writers:
                writer.join()
            daemon.start()
            for writer in writers:
                check(daemon, writer)
                total += writer.acknowledged
            if daemon.client().control("check") != "OK":
                raise AssertionError("the store is not in order")
            daemon.end(signal.SIGKILL)
        print(f"{total} writes were acknowledged before {ROUNDS} ends, all are there")
        if total < ROUNDS:
            raise AssertionError("that was no test")
    finally:
        daemon.close()


def test_upgrade():
    """With writers at work, ten times: nobody is hung up on, nothing is lost."""
    with store_daemon.Daemon() as daemon:
        watcher = daemon.client()
        watcher.ask(store_daemon.WATCH, "/watched", "token")
        guest = daemon.guest(7)
        process = daemon.process.pid
        writers = [Writer(daemon, f"w{i}") for i in range(WRITERS)]
        control = daemon.client()
        control.write("/watched", "0")
        left_open = control.begin()
        control.write("/in-transaction", "1", left_open)
        for writer in writers:
            writer.start()
        for _ in range(10):
            time.sleep(0.05)
            before = [writer.acknowledged for writer in writers]
            if control.control("upgrade") != "OK":
                raise AssertionError("no upgrade")
            store_daemon.eventually(lambda: all(w.acknowledged > b for w, b in zip(writers, before)),
                                    "writers go on")
        if daemon.process.pid != process or daemon.process.poll() is not None:
            raise AssertionError("it is another process")
        try:
            control.end(left_open)
            raise AssertionError("a transaction survived")
        except store_daemon.Refused as refused:
            if str(refused) != "EAGAIN":
                raise
        control.write("/watched", "1")
        store_daemon.eventually(lambda: watcher.event() == "/watched", "an event")
        try:
            guest.write("/watched", "2")
            raise AssertionError("a guest has become domain 0")
        except store_daemon.Refused:
            pass
        if control.control("check") != "OK" or control.read("/watched") != "1":
            raise AssertionError("the store is not in order")
        daemon.end(signal.SIGKILL)
        for writer in writers:
            writer.join()
        daemon.start()
        for writer in writers:
            if writer.wrong:
                raise writer.wrong
            if int(daemon.client().read(f"/count/{writer.name}")) < writer.acknowledged:
                raise AssertionError("a write is lost")


def test_upgrade_to_another():
    """To another file; to one that is missing, no program, or not executable: it goes on as it is."""
    with store_daemon.Daemon() as daemon:
        client = daemon.client()
        client.write("/a", "1")
        other = daemon.folder / "other"
        for path, wanted in (("/none/such", "ENOENT"), (str(daemon.state / "journal"), "EACCES")):
            try:
                client.control("upgrade", path)
                raise AssertionError(f"{path} was taken")
            except store_daemon.Refused as refused:
                if str(refused) not in (wanted, "OK"):
                    raise
            if client.read("/a") != "1":
                raise AssertionError("a value is lost")
        other.write_text("this is no program")
        other.chmod(0o755)
        client.control("upgrade", str(other))
        if client.read("/a") != "1":
            raise AssertionError("a value is lost")
        shutil.copy(daemon.program, daemon.folder / "new")
        client.control("upgrade", str(daemon.folder / "new"))
        if client.read("/a") != "1" or os.readlink(f"/proc/{daemon.process.pid}/exe") != str(daemon.folder / "new"):
            raise AssertionError("the new program does not run")


def mount_small(folder):
    """A file system of 3 MiB, which only this process and its children see."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise AssertionError("a mount of one's own needs root")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", folder], check=True)


def test_full_disk():
    """Changes are refused, reading goes on, and what was acknowledged is there after the end; then there is room again."""
    daemon = store_daemon.Daemon()
    try:
        mount_small(daemon.state)
        daemon.start()
        client = daemon.client()
        number = 0
        try:
            while number < 10000:
                client.write(f"/full/{number + 1}", "x" * 1000)
                number += 1
            raise AssertionError("the disk is not full")
        except store_daemon.Refused as refused:
            if str(refused) != "ENOSPC" or number < 100:
                raise
        daemon.end(signal.SIGKILL)
        daemon.start()
        client = daemon.client()
        for each in range(1, number + 1):
            if client.read(f"/full/{each}") != "x" * 1000:
                raise AssertionError(f"write {each} is lost")
        if client.control("check") != "OK":
            raise AssertionError("the store is not in order")
        subprocess.run(["mount", "-o", "remount,size=64m", daemon.state], check=True)
        client.write("/full/more", "1")
        daemon.end(signal.SIGKILL)
        daemon.start()
        if daemon.client().read("/full/more") != "1":
            raise AssertionError("a write is lost")
        print(f"{number} writes fitted and are there")
    finally:
        daemon.process.kill()
        daemon.process.wait()
        subprocess.run(["umount", "-l", daemon.state], check=False)
        daemon.close()


if __name__ == "__main__":
    sys.exit(store_daemon.run_all(dict(globals())))
