#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1800
"""Networks of guests on a node: the control domain and two guests reach each other through rf-net."""
import os
import sys

import node

NAMES = ("one", "two")


def in_guest(m, name, command, seconds=60):
    """What a command printed in a guest's shell."""
    text = m.run(f"(echo '{command}; echo done-$((6*7))'; timeout {seconds} sh -c "
                 f"'until grep -q done-42 /tmp/{name}; do sleep 1; done') | "
                 f"timeout {seconds + 10} rf console {name} >/tmp/{name}; cat /tmp/{name}; rm /tmp/{name}")[1]
    assert "done-42" in text, f"{name}: {command}: {text}"
    return text


def wait_for(m, command, seconds=60):
    status, _ = m.run(f"timeout {seconds} sh -c 'until {command}; do sleep 1; done'")
    assert status == 0, f"{command}: {m.run('cat /tmp/net*.log; rf store-ls /local/domain; dmesg | tail -n 20')[1]}"


def wait_connected(m, name):
    wait_for(m, f"rf net-list {name} | grep -q connected")


def connect(m):
    for name in NAMES:
        m.rf(f"create hello name={name}")
    for number, name in enumerate(NAMES):
        m.wait_for_guest(name)
        m.rf(f"net-attach {name} mac=02:00:00:00:00:0{number + 2}")
        wait_connected(m, name)
        text = in_guest(m, name, f"ip addr add 10.7.0.{number + 2}/24 dev eth0; ip link set eth0 up; "
                                 "cat /sys/class/net/eth0/address")
        assert f"02:00:00:00:00:0{number + 2}" in text, text
    m.run("ip addr add 10.7.0.1/24 dev rf0")


def ping(m):
    for number, name in enumerate(NAMES):
        assert m.run(f"ping -c 3 -W 5 10.7.0.{number + 2}")[0] == 0, f"{name} does not answer"
    text = in_guest(m, "one", "ping -c 3 -W 5 10.7.0.3")
    assert " 0% packet loss" in text, text


def destroy(m):
    """Their taps go with them."""
    for name in NAMES:
        m.rf(f"destroy {name}")
    wait_for(m, "! ls /sys/class/net | grep -q ^rf[0-9]*[.]")


TESTS = (connect, ping, destroy)


if __name__ == "__main__":
    if "RF_FULL" not in os.environ:
        print("only at full length: each command in a guest takes a minute")
        sys.exit(77)
    # Two rings, a pool, and the store's page.
    node.run(node.Node(), TESTS, 0, places=8)
