#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""rf-net as a program, with a real store, a real tap and a front end that is a program too, which misbehaves in every way
there is: it hurts nobody but itself.

timeout: 600
"""
import contextlib
import json
import os
import random
import signal
import subprocess
import time

import net_backend
import store_daemon
from net_backend import BACK, FACE, TAP, Interface

STATES = 500000 if "RF_FULL" in os.environ else 20000
AT_ONCE = 500


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def memory(pid):
    """KiB."""
    return int(open(f"/proc/{pid}/status").read().split("VmRSS:")[1].split()[0])


def test_the_worker_is_in_a_jail(interface):
    text = open(f"/proc/{interface.worker()}/status").read()
    values = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    expect(values["Seccomp"] == "2" and values["NoNewPrivs"] == "1", "its system calls are not limited")
    expect(values["CapEff"].strip("0") == "" and values["CapPrm"].strip("0") == "", "it has capabilities")
    expect(values["Uid"].split() == [str(500000 + 64 * net_backend.DOMAIN)] * 4, f"its user: {values['Uid']}")


def files(interface):
    return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in (interface.worker(), interface.back.pid)}


def test_states_without_end(interface):
    """As fast as the store takes them, of a front end that cannot be connected: nobody keeps what there is no time to look at."""
    pids = [*files(interface), interface.process.pid]
    before, memory_before = files(interface), {pid: memory(pid) for pid in pids}
    client, start, most = interface.client(), time.monotonic(), 0
    for _ in range(STATES // AT_ONCE):
        client.write_all(FACE + "/state", [str(random.randrange(8)) for _ in range(AT_ONCE)])
        most = max(most, *(memory(pid) - memory_before[pid] for pid in pids))
    print(f"{STATES} states, {STATES / (time.monotonic() - start):.0f} a second, at most {most} KiB more")
    # The store's journal is in memory until it is written.
    expect(most < 4096, f"{most} KiB more")
    client.write(FACE + "/state", "1")
    store_daemon.eventually(lambda: interface.key("state") == "2", "it has let go")
    client.write(FACE + "/state", "6")
    client.close()
    expect(files(interface) == before, f"files are left open: {before}, {files(interface)}")


def carrier_changes():
    text = subprocess.run(["ip", "-json", "-s", "-s", "link", "show", TAP], stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(text)[0]["stats64"]["tx"]["carrier_changes"]


@contextlib.contextmanager
def connected():
    """An interface and its front end."""
    with Interface() as interface:
        front = interface.front()
        store_daemon.eventually((interface.folder / "link").exists, "a front end listens")
        interface.serve()
        store_daemon.eventually(lambda: interface.key("state") == "4", "connected")
        try:
            yield interface, front
        finally:
            front.kill()
            front.wait()


def test_the_tap_stays_when_the_worker_dies():
    """Else a bridge would forget who is behind it."""
    with connected() as (interface, _):
        before, worker = carrier_changes(), interface.worker()
        os.kill(worker, signal.SIGKILL)
        store_daemon.eventually(lambda: "there is another one" in interface.words() and interface.worker() not in (None, worker), "another worker")
        expect(carrier_changes() == before, "the carrier was lost")


def test_the_next_of_its_number_is_not_served():
    """The interface was taken away and given again before the back end could see it; the next one has its own."""
    with connected() as (interface, _):
        interface.set(BACK + "/instance", "the next")
        expect(interface.back.wait(store_daemon.SECONDS) == 0, "its status when its folder was another's")
        expect(interface.key("state") != "6", "it said of another's interface that it is closed")


def test_a_hostile_front_end_hurts_itself():
    with connected() as (interface, front):
        test_the_worker_is_in_a_jail(interface)
        before = files(interface)
        text = front.communicate(timeout=400)[0]
        print(text, end="")
        expect(front.returncode == 0, text + interface.words())
        store_daemon.eventually(lambda: interface.key("state") == "2", "it has let go")
        # Of the connection three are left open less: its port's two, and what the kernel waits for.
        after = files(interface)
        expect(after.keys() == before.keys(), "it needed another worker")
        for pid in after:
            expect(after[pid] <= before[pid], f"files are left open: {before}, {after}")
            expect(memory(pid) < 8000, f"{memory(pid)} KiB")
        test_states_without_end(interface)
        interface.set(BACK + "/online", 0)
        expect(interface.back.wait(store_daemon.SECONDS) == 0, "its status when the interface was taken away")
        expect(interface.key("state") == "6", "it is not closed")


net_backend.own_network()
net_backend.make_tap(TAP)
test_the_tap_stays_when_the_worker_dies()
test_the_next_of_its_number_is_not_served()
test_a_hostile_front_end_hurts_itself()
