#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1800
"""A Linux guest whose network has a back end that breaks the rules, in every way there is: the connection ends with a reason or
the packet is lost, and the guest runs on with nothing granted that nobody has."""
import os

import node

# At reduced length every third of the ways.
STEP = 1 if "RF_FULL" in os.environ else 3
FRONT = "/local/domain/{}/device/net/{}"
BACK = "/local/domain/0/backend/net/{}/{}"
CONNECTED, CLOSING, CLOSED = 4, 5, 6
KEYS = {"version": 1, "mac": "02:00:00:00:00:09", "mtu": 1500, "link": 1, "queues-max": 1, "slots-max": 64, "pool-max": 128,
        "feature-checksum": 1, "feature-tcp4": 1, "feature-tcp6": 1}
BREAKING = ("sent_ahead", "sent_far_ahead", "sent_no_id", "sent_other_id", "sent_twice", "sent_back", "came_ahead",
            "came_far_ahead", "came_no_id", "came_twice", "came_back", "came_long", "came_endless", "came_in_none",
            "came_in_many", "came_in_part", "came_nested")
HARMLESS = ("sent_status", "came_absurd", "came_little", "came_again", "events", "headers")
BAD_KEYS = ({"version": 2}, {"version": "one"}, {"queues-max": 0}, {"queues-max": 9}, {"slots-max": 4}, {"slots-max": 1 << 32},
            {"pool-max": 0}, {"pool-max": 16}, {"pool-max": 1 << 20}, {"mac": "01:00:00:00:00:09"}, {"mac": "none"})
AT_ONCE = 6
PATIENCE = 200


class Interface:
    """What a toolstack and a back end write, with a program in the back end's place."""

    def __init__(self, m, guest, number):
        self.m, self.guest, self.number = m, guest, number
        self.front, self.back = FRONT.format(guest.domain, number), BACK.format(guest.domain, number)

    def run(self, *commands):
        """In the control domain; all of them, or it fails."""
        status, text = self.m.run(" && ".join(commands))
        assert status == 0, f"{self.number}: {text} {self.m.run(f'cat /tmp/{self.number}.log; rf store-ls /local/domain')[1]}"
        return text

    @staticmethod
    def words(folder, keys):
        return "rf store-write " + " ".join(f"{folder}/{name} {value}" for name, value in keys.items())

    @staticmethod
    def until(condition):
        return f"timeout {PATIENCE} sh -c 'until {condition}; do usleep 300000; done'"

    def until_state(self, state):
        return self.until(f"[ $(rf store-read {self.front}/state) = {state} ]")

    def until_said(self, word):
        return self.until(f"grep -q {word} /tmp/{self.number}.log")

    def make(self, **keys):
        """Without `online`, so that rfd does not start a back end of its own."""
        folders = ((self.back, f"n0 r{self.guest.domain}"), (self.front, f"n{self.guest.domain}"))
        self.run(*(f"rf store-write {folder} '' && rf store-chmod {folder} {permissions}" for folder, permissions in folders),
                 self.words(self.back, KEYS | keys | {"frontend": self.front, "frontend-id": self.guest.domain,
                                                      "state": 2}),
                 self.words(self.front, {"backend-id": 0, "backend": self.back, "state": 1}))

    def key(self, name):
        return self.m.rf(f"store-read {self.front}/{name}").strip()

    def connect(self):
        return self.words(self.back, {"state": CONNECTED})

    def serve(self, way):
        rings = " ".join(f"{self.front}/queue-0/{name}" for name in ("transmit-slots", "transmit-grant", "receive-grant", "port"))
        self.run(self.until_state(3),
                 f"{{ /tests/bad_net {self.guest.domain} $(rf store-read {rings}) {way} >/tmp/{self.number}.log 2>&1 & "
                 f"echo $! >/tmp/{self.number}.pid; }}", self.until_said("ready"), self.connect())

    def use(self):
        """It sends something when it is up: who else is there, by IPv6, and who has an address."""
        folder = f"/sys/bus/ringfence/devices/net-{self.number}/net"
        self.run(self.until(f"[ $(rf store-read {self.front}/state) -ge {CONNECTED} ]"))
        self.guest.run(f"until [ -e {folder}/eth* ]; do usleep 100000; done", f"e=$(ls {folder})",
                       "ip link set $e up", f"ip addr add 10.9.{self.number}.2/24 dev $e",
                       f"(ping -c 5 -i 0.2 -W 1 10.9.{self.number}.3 >/dev/null 2>&1 &)")

    def remove(self):
        self.m.run(f"kill $(cat /tmp/{self.number}.pid) 2>/dev/null; rm -f /tmp/{self.number}.*; rf store-rm {self.front} {self.back}")


def check_nothing(guest):
    """No device, no grant, no word of the kernel's about itself."""
    text = guest.run("until [ -z \"$(ls /sys/bus/ringfence/devices)\" ]; do usleep 100000; done", "ls /sys/class/net",
                     "dmesg | grep -c -e WARNING: -e BUG:")
    assert text == "lo\n0\n", text
    guest.wait_for_grants(0)


def in_turns(things):
    return (things[start:start + AT_ONCE] for start in range(0, len(things), AT_ONCE))


def serve_all(m, guest, ways):
    interfaces = [Interface(m, guest, number) for number, _ in enumerate(ways, 1)]
    for interface in interfaces:
        interface.make()
    for interface, way in zip(interfaces, ways):
        interface.serve(way)
        interface.use()
    return interfaces


def breaking(m):
    for ways in in_turns(BREAKING[::STEP]):
        interfaces = serve_all(m, guests[0], ways)
        for interface, way in zip(interfaces, ways):
            why = interface.run(interface.until_state(CLOSING), f"rf store-read {interface.front}/error")
            assert any(words in why for words in ("cannot be", "response")), why
            print(f"ok: {way}", flush=True)
        for interface in interfaces:
            interface.remove()
        check_nothing(guests[0])


def harmless(m):
    for ways in in_turns(HARMLESS[::STEP]):
        interfaces = serve_all(m, guests[0], ways)
        for interface, way in zip(interfaces, ways):
            interface.run(interface.until_said("done"), interface.until_state(CONNECTED))
            print(f"ok: {way}", flush=True)
        for interface in interfaces:
            interface.remove()
        check_nothing(guests[0])


def storm(m):
    """It may be believed for a while."""
    [interface] = serve_all(m, guests[0], ("storm",))
    interface.run(interface.until_said("done"))
    assert int(interface.key("state")) in (CONNECTED, CLOSING)
    interface.remove()
    check_nothing(guests[0])


def keys(m):
    for number, bad in enumerate(BAD_KEYS[::STEP], 1):
        interface = Interface(m, guests[0], number)
        interface.make(**bad)
        if "mac" in bad:
            interface.run(interface.until_state(3), interface.connect())
        assert interface.run(interface.until_state(CLOSED), f"rf store-read {interface.front}/error").strip(), bad
        interface.remove()
    check_nothing(guests[0])


def states(m):
    """States in any order, faster than anybody can follow, while one that serves is there."""
    interface = Interface(m, guests[0], 1)
    interface.make()
    m.run("for i in $(seq 10); do for state in 4 2 1 5 2 6 3 0 9 x 2 4; do "
          f"rf store-write {interface.back}/state $state; done; done")
    interface.remove()
    check_nothing(guests[0])


guests = []


def begin(m):
    m.rf("create hello name=victim memory=96")
    guests.append(node.Guest(m, "victim"))


def end(m):
    m.rf("destroy victim")


# Of each interface two rings, and the store's page.
node.run(node.Node(timeout=1700), (begin, breaking, harmless, storm, keys, states, end), 0, places=16)
