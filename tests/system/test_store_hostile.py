#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Eight guests do to the store all that they can think of, at once, while domain 0 works: each of its operations is done, a
transaction does not meet conflicts for ever, and the store's memory is bounded.

timeout: 600
"""
import itertools
import multiprocessing
import os
import random
import socket
import struct
import sys

import store_daemon
from store_daemon import INTRODUCE, MKDIR, READ, RELEASE, RM, SET_PERMISSIONS, WATCH, WRITE

OPERATIONS = 3000 if os.environ.get("RF_FULL") else 400
# A conflict each of the attacker's burst, what it may do in the time of one transaction, and chance.
ATTEMPTS = 40
MEMORY_KIB = 64 * 1024


def own(client, name):
    return f"/local/domain/{client.domain}/{name}"


def never_reads(client):
    """Requests whose replies nobody takes."""
    client.socket.setblocking(False)
    message = struct.pack("<IIII", READ, 1, 0, 2) + b"/\0"
    while True:
        try:
            client.socket.send(message * 100)
        except BlockingIOError:
            client.socket.setblocking(True)
            client.socket.settimeout(None)
            client.socket.recv(1)
            client.socket.setblocking(False)


def floods_events(client):
    """Its watches tell it of what it does itself, and it does not listen."""
    other = client.daemon.guest(client.domain)
    for number in range(100):
        other.send(WATCH, own(client, "w"), f"token-{number}")
    for number in itertools.count():
        client.write(own(client, f"w/{number % 500}"), "x" * 500)


def makes_nodes(client):
    for number in itertools.count():
        try:
            client.write(own(client, f"n{number}/" + "/".join("d" * (number % 50))), "x" * (number % 2048))
        except store_daemon.Refused:
            client.ask(RM, own(client, f"n{random.randrange(number + 1)}"))


def hogs_transactions(client):
    """Opens as many as it may, keeps old trees with them, and lets them rot."""
    while True:
        opened = []
        try:
            while True:
                opened.append(client.begin())
                for number in range(200):
                    client.write(own(client, f"t{number}"), "x" * 2000, opened[-1])
        except store_daemon.Refused:
            pass
        for number in range(1000):
            client.write(own(client, "t"), str(number))
        for transaction in opened:
            try:
                client.end(transaction, random.random() < 0.5)
            except store_daemon.Refused:
                pass


def makes_conflicts(client):
    """Writes what domain 0's transactions read, as fast as it can."""
    for number in itertools.count():
        client.write(own(client, "contended"), str(number))


def hangs_up(client):
    """In the middle of messages and transactions, with watches."""
    for number in itertools.count():
        other = client.daemon.guest(client.domain)
        transaction = other.begin()
        other.send(WATCH, own(client, "h"), "t")
        other.send(WRITE, own(client, "h"), b"x", transaction=transaction)
        other.socket.send(struct.pack("<IIII", WRITE, 1, 0, 4000) + b"/a"[:number % 3])
        other.close()


def lies_about_lengths(client):
    for number in itertools.count():
        other = client.daemon.guest(client.domain)
        length = [4097, 0x7fffffff, 0xffffffff, 65536][number % 4]
        other.socket.send(struct.pack("<IIII", number % 30, 1, 0, length) + os.urandom(50))
        try:
            other.socket.recv(1)
        except OSError:
            pass
        other.close()


def sends_anything(client):
    """Whole messages of any kind and content."""
    client.socket.settimeout(None)
    for number in itertools.count():
        kind = random.randrange(30)
        payload = random.choice([os.urandom(random.randrange(200)), b"/" * 3000 + b"\0", b"/a\0" * 1000,
                                 own(client, "x").encode() + b"\0" + b"b0\0" * random.randrange(300)])
        client.socket.sendall(struct.pack("<IIII", kind, number, random.randrange(3), len(payload)) + payload)
        while client.receive()[0] == store_daemon.WATCH_EVENT:
            pass


ATTACKS = [never_reads, floods_events, makes_nodes, hogs_transactions, makes_conflicts, hangs_up, lies_about_lengths,
           sends_anything]
CONTENDED = 1 + ATTACKS.index(makes_conflicts)


def attack(daemon, domain, function):
    random.seed(domain)
    client = daemon.guest(domain)
    client.domain, client.daemon = domain, daemon
    try:
        function(client)
    except (store_daemon.Gone, OSError):
        pass


def set_up(control, domain):
    control.ask(INTRODUCE, str(domain), "1", "1")
    control.ask(MKDIR, f"/local/domain/{domain}")
    control.ask(SET_PERMISSIONS, f"/local/domain/{domain}", f"n{domain}")


def work_in_transaction(control, number):
    """Reads what a guest writes all the time; how often it had to be begun."""
    for attempt in range(1, ATTEMPTS + 1):
        transaction = control.begin()
        try:
            control.read(f"/local/domain/{CONTENDED}/contended", transaction)
        except store_daemon.Refused as refused:
            if str(refused) != "ENOENT":
                raise
        control.write("/job/transaction", str(number), transaction)
        try:
            control.end(transaction)
            return attempt
        except store_daemon.Refused as refused:
            if str(refused) != "EAGAIN":
                raise
    raise AssertionError(f"{ATTEMPTS} conflicts one after the other")


def test_attacks():
    with store_daemon.Daemon() as daemon:
        control = daemon.client()
        for domain in range(1, len(ATTACKS) + 1):
            set_up(control, domain)
        attackers = [multiprocessing.Process(target=attack, args=(daemon, domain, function), daemon=True)
                     for domain, function in enumerate(ATTACKS, 1)]
        for attacker in attackers:
            attacker.start()
        most, total = 0, 0
        for number in range(OPERATIONS):
            control.write(f"/job/{number % 100}", str(number))
            if control.read(f"/job/{number % 100}") != str(number):
                raise AssertionError("another value")
            attempts = work_in_transaction(control, number)
            most, total = max(most, attempts), total + attempts
        memory = daemon.memory()
        dead = [attacker.name for attacker in attackers if not attacker.is_alive()]
        print(f"{OPERATIONS} transactions took {total} attempts, at most {most}; {memory} KiB")
        print(control.control("stats"))
        for attacker in attackers:
            attacker.kill()
            attacker.join()
        if dead:
            raise AssertionError(f"gave up: {dead}")
        if memory > MEMORY_KIB:
            raise AssertionError(f"{memory} KiB of memory")
        for domain in range(1, len(ATTACKS) + 1):
            nodes = int(control.control("domain", str(domain)).split("nodes ")[1].split()[0])
            if nodes > 1000:
                raise AssertionError(f"domain {domain} has {nodes} nodes")
            control.ask(RELEASE, str(domain))
        left = control.ask(store_daemon.DIRECTORY, "/local/domain")
        if left or control.control("check") != "OK":
            raise AssertionError(f"left: {left}, {control.control('check')}")


if __name__ == "__main__":
    sys.exit(store_daemon.run_all(dict(globals())))
