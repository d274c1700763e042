#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""rf-block as a program, with a real store and a front end that is a program too: used, killed, abused, taken away.

timeout: 600
"""
import os
import random
import signal
import subprocess
import sys
import time

import block_backend
import store_daemon
from block_backend import BACK, Disk

FULL = bool(os.environ.get("RF_FULL"))
REQUESTS = 200000 if FULL else 20000
KILLS = 100 if FULL else 10


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def test_a_disk_is_used_and_taken_away():
    with Disk() as disk:
        text, status = disk.run("verify", REQUESTS)
        expect(status == 0 and text == f"{REQUESTS} requests, 1 connections\n", text)
        disk.write("online", 0)
        expect(disk.back.wait(store_daemon.SECONDS) == 0, "its status when the disk was taken away")
        expect(disk.key("state") == "6", "it is not closed")


def test_the_worker_is_in_a_jail():
    with Disk() as disk:
        front = disk.front("verify", REQUESTS * 100)
        disk.serve()
        store_daemon.eventually(lambda: disk.key("state") == "4", "connected")
        text = open(f"/proc/{disk.worker()}/status").read()
        values = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        expect(values["Seccomp"] == "2" and values["NoNewPrivs"] == "1", "its system calls are not limited")
        expect(values["CapEff"].strip("0") == "" and values["CapPrm"].strip("0") == "", "it has capabilities")
        expect(os.getuid() != 0 or values["Uid"].split() == ["200448"] * 4, f"its user: {values['Uid']}")
        sockets = [name for name in os.listdir(f"/proc/{disk.worker()}/fd")]
        expect(len(sockets) < 12, f"open files: {len(sockets)}")
        front.kill()
        front.wait()


def connects(disk):
    return int(disk.key("connects", block_backend.FACE) or 0)


def kill_again_and_again(kill):
    """While a front end checks all that it reads."""
    with Disk() as disk:
        front = disk.front("verify")
        disk.serve()
        for number in range(KILLS):
            store_daemon.eventually(lambda: connects(disk) > number or front.poll() is not None, "connected again")
            expect(front.poll() is None, "the front end has ended")
            time.sleep(random.uniform(0, 0.3))
            kill(disk)
        store_daemon.eventually(lambda: connects(disk) > KILLS, "connected at last")
        front.send_signal(signal.SIGTERM)
        text = front.communicate(timeout=100)[0]
        expect(front.returncode == 0, text)
        expect(f", {KILLS + 1} connections" in text, text)
        print(text, end="")


def test_nothing_is_lost_when_the_worker_is_killed():
    kill_again_and_again(Disk.kill_worker)


def test_nothing_is_lost_when_all_of_it_is_killed():
    def kill(disk):
        disk.stop(signal.SIGKILL)
        disk.serve()

    kill_again_and_again(kill)


def test_what_is_in_use_is_served_until_it_is_let_go():
    """It was asked to let go, did not, and then its back end died: that may not take its disk away."""
    with Disk() as disk:
        front = disk.front("verify")
        disk.serve()
        store_daemon.eventually(lambda: connects(disk) == 1, "connected")
        disk.write("online", 0)
        for number in range(2, 5):
            store_daemon.eventually(lambda: disk.key("state") == "5", "it is asked to let go")
            disk.kill_worker()
            store_daemon.eventually(lambda: connects(disk) == number or front.poll() is not None, "connected again")
            expect(front.poll() is None, "the front end has ended")
        # With an error beside that state a front end gives up, even what is mounted: it is none, if the image comes back.
        store_daemon.eventually(lambda: disk.key("state") == "5", "it is asked to let go")
        away = disk.image.rename(disk.image.with_suffix(".away"))
        disk.kill_worker()
        store_daemon.eventually(lambda: "No such file" in disk.words(), "it says that the image is away")
        expect((disk.key("state"), disk.key("error")) == ("5", ""), f"its error: {disk.key('error')}")
        away.rename(disk.image)
        store_daemon.eventually(lambda: connects(disk) == 5, "connected again")
        front.send_signal(signal.SIGTERM)
        text = front.communicate(timeout=100)[0]
        expect(front.returncode == 0 and ", 5 connections" in text, text)
        expect(disk.back.wait(store_daemon.SECONDS) == 0, "its status when it was let go")
        expect(disk.key("state") == "6", "it is not closed")


def test_what_was_taken_away_is_not_made_again():
    """By what the worker said meanwhile, which the monitor had not written down yet."""
    with Disk() as disk:
        front = disk.front("verify")
        disk.serve()
        store_daemon.eventually(lambda: disk.key("statistics", BACK + "/private"), "statistics")
        disk.back.send_signal(signal.SIGSTOP)
        time.sleep(2)   # the worker counts every second
        client = disk.client()
        client.ask(store_daemon.RM, BACK)
        disk.back.send_signal(signal.SIGCONT)
        expect(disk.back.wait(store_daemon.SECONDS) == 0, "its status when its folder was taken away")
        expect(disk.key("statistics", BACK + "/private") == "", "the folder was made again")
        client.close()
        front.kill()
        front.wait()


def test_a_hostile_front_end_hurts_itself():
    with Disk() as disk:
        front = disk.front("hostile")
        disk.serve()
        store_daemon.eventually(lambda: disk.worker() is not None, "a worker")
        worker = disk.worker()
        text = front.communicate(timeout=200)[0]
        expect(front.returncode == 0, text + disk.words())
        expect(disk.worker() == worker, "it needed another worker")
        for pid in (worker, disk.back.pid):
            memory = int(open(f"/proc/{pid}/status").read().split("VmRSS:")[1].split()[0])
            expect(memory < 30000, f"{memory} KiB")
            expect(len(os.listdir(f"/proc/{pid}/fd")) < 16, "files are left open")


def test_two_disks_on_one_image():
    with Disk() as first, Disk() as second:
        front = first.front("verify", REQUESTS * 100)
        first.serve()
        store_daemon.eventually(lambda: first.key("state") == "4", "connected")
        second.write("private/image", first.image)
        other = second.front("count", 10)
        second.serve()
        expect(block_backend.holds_within(lambda: "in use" in second.key("error"), 30), second.words())
        expect(str(first.image) in second.key("error"), second.key("error"))
        expect(second.key("state") == "1", "the second is served")
        # When the first is gone, the second gets it.
        first.stop(signal.SIGKILL)
        expect(other.wait(60) == 0, "the second is not served afterwards")
        front.kill()
        front.wait()


def mount_small(folder, size):
    folder.mkdir()
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]).returncode == 0


def test_no_space():
    with Disk() as disk:
        small = disk.folder / "small"
        if not mount_small(small, "4m"):
            print("no mount: this needs to be root")
            sys.exit(77)
        try:
            image = small / "image"
            with open(image, "wb") as file:
                file.truncate(8 << 20)
            disk.write("private/image", image)
            disk.write("private/full", "report")
            text, status = disk.run("fill")
            expect(status == 0 and text.endswith("status 4\n"), text)
            disk.stop(signal.SIGKILL)
            disk.write("private/full", "pause")
            front = disk.front("fill")
            disk.serve()
            store_daemon.eventually(lambda: disk.key("paused"), "paused")
            expect(front.poll() is None, "it has an answer")
            subprocess.run(["mount", "-o", "remount,size=16m", small], check=True)
            text = front.communicate(timeout=60)[0]
            expect(text == "2048 of 2048 blocks, status 0\n", text)
            store_daemon.eventually(lambda: not disk.key("paused"), "not paused any more")
            disk.stop(signal.SIGKILL)
        finally:
            subprocess.run(["umount", "-l", small])


def test_limits_change_while_it_is_used():
    with Disk(limit_operations=200) as disk:
        start = time.monotonic()
        text, status = disk.run("count", 600)
        slow = time.monotonic() - start
        expect(status == 0 and text.startswith("good 600"), text)
        expect(slow > 1.5, f"600 operations at 200 a second took {slow:.1f} s")
        disk.stop(signal.SIGKILL)
        disk.write("private/limit-operations", 1)
        front = disk.front("count", 2000)
        disk.serve()
        time.sleep(1)
        expect(front.poll() is None, "one a second")
        disk.write("private/limit-operations", 0)
        expect(front.wait(60) == 0, "without a limit")


def test_an_image_grows():
    with Disk(size=1 << 20) as disk:
        front = disk.front("count", 2000000)
        disk.serve()
        store_daemon.eventually(lambda: disk.key("state") == "4", "connected")
        expect(disk.key("sectors") == "2048", disk.key("sectors"))
        with open(disk.image, "r+b") as file:
            file.truncate(2 << 20)
        disk.write("private/resize", 1)
        store_daemon.eventually(lambda: disk.key("sectors") == "4096", "grown")
        front.kill()
        front.wait()


def test_images_that_are_none_are_told_by_name():
    for image, why in [("/nowhere/image", "No such file"), ("/etc", "directory"), ("/dev/null", "neither a file")]:
        with Disk() as disk:
            disk.write("private/image", image)
            front = disk.front("verify", 1)
            disk.serve("--once")
            expect(disk.back.wait(60) == 1, "its status")
            front.kill()
            front.wait()
            expect(image in disk.key("error") and why in disk.key("error"), disk.key("error"))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.exit(store_daemon.run_all({name: function for name, function in list(globals().items())
                                   if not wanted or name in wanted}))
