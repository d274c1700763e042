#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1800
"""Networks of guests on a node, through rf-net: the control domain and two guests reach each other by IPv4 and IPv6, large
packets go uncut, settings change, and connections outlive back ends that are killed and interfaces that are taken away."""
import os
import re

import node

FULL = "RF_FULL" in os.environ
KILLS = 50 if FULL else 2
DETACHES = 20 if FULL else 1
BRIDGE = "test0"
PIECE = "yes ringfence | head -c 262144"
BYTES = 4 << 20
FLOWS = 24
# More than a packet has that is cut; the average says that most were not.
UNCUT = 1600
HOSTS = {"one": 2, "two": 3}
guests = {}


def wait_for(m, command, seconds=60):
    status, text = m.run(f"timeout {seconds} sh -c 'until {command}; do usleep 200000; done'")
    assert status == 0, f"{command}: {text} {m.run('rf store-ls /local/domain; dmesg | tail -n 20')[1]}"


def row(m, name):
    [interface] = m.json(f"net-list {name}")
    return interface


def wait_connected(m, name):
    wait_for(m, f"rf net-list {name} | grep -q connected")


def attach(m, name):
    number = HOSTS[name]
    m.rf(f"net-attach {name} mac=02:00:00:00:00:0{number} bridge={BRIDGE}")
    wait_connected(m, name)
    said = guests[name].run(
        "until [ -e /sys/class/net/eth0 ]; do usleep 100000; done", "cat /sys/class/net/eth0/address",
        "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad", f"ip addr add 10.7.0.{number}/24 dev eth0",
        f"ip addr add fd00:7::{number}/64 dev eth0", "ip link set eth0 up",
        "until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do usleep 100000; done")
    assert said == f"02:00:00:00:00:0{number}\n", said


def connect(m):
    m.rf("create hello name=one vcpus=2 memory=96")
    m.rf("create hello name=two")
    for name in HOSTS:
        guests[name] = node.Guest(m, name)
        attach(m, name)
    m.run(f"echo 0 >/proc/sys/net/ipv6/conf/{BRIDGE}/accept_dad; ip addr add 10.7.0.1/24 dev {BRIDGE}; "
          f"ip addr add fd00:7::1/64 dev {BRIDGE}")


def ping(m):
    for name, number in HOSTS.items():
        for command in f"ping -c 2 -W 5 10.7.0.{number}", f"ping6 -c 2 -W 5 fd00:7::{number}":
            status, text = m.run(command)
            assert status == 0, f"{name}: {text}"
    text = guests["one"].run("ping -c 2 -W 5 10.7.0.3", "ping6 -c 2 -W 5 fd00:7::3")
    assert text.count(" 0% packet loss") == 2, text


# --- Connections ---

def listen(run, port):
    """A shell's: the sum of what comes at that port is in /tmp/sum when /tmp/arrived is there."""
    run("rm -f /tmp/arrived /tmp/nothing; mkfifo /tmp/nothing; "
        f"{{ (nc -l -p {port} <>/tmp/nothing | md5sum >/tmp/sum; touch /tmp/arrived) & }}")
    run(f"until grep -qi :{port:04x} /proc/net/tcp /proc/net/tcp6; do usleep 100000; done")


def sum_of(text):
    return re.search(r"^([0-9a-f]{32}) ", text, re.M).group(1)


def counts(m, name, least=0, key="sent-bytes"):
    """The back end's, when it has counted so much; it writes them every two seconds."""
    node.Node.wait(lambda: row(m, name)["statistics"].get(key, -1) >= least)
    return row(m, name)["statistics"]


def check_uncut(m, direction, start):
    """So many bytes a packet say that it was not cut, and so not summed up, before it was at the other side."""
    now = counts(m, "one", start[f"{direction}-bytes"] + BYTES, f"{direction}-bytes")
    size = (now[f"{direction}-bytes"] - start[f"{direction}-bytes"]) / (now[direction] - start[direction])
    assert size > UNCUT, f"{direction}: {size} bytes a packet"
    assert now["invalid"] == now["refused"] == now["unfit"] == 0, now
    return now


def from_guest(m, control, port):
    listen(m.run, port)
    guests["one"].run(f"nc {control} {port} </tmp/data")
    wait_for(m, "[ -e /tmp/arrived ]")
    return sum_of(m.run("cat /tmp/sum")[1])


def to_guest(m, host, port):
    listen(guests["one"].run, port)
    m.run(f"nc {host} {port} </tmp/data")
    return sum_of(guests["one"].run("until [ -e /tmp/arrived ]; do usleep 100000; done", "cat /tmp/sum"))


def transfer(m):
    """What arrives is what was sent, both ways, by both versions of IP."""
    for shell in guests["one"].run, lambda command: m.run(command)[1]:
        shell(f"dd if=/dev/urandom of=/tmp/data bs=64k count={BYTES >> 16} 2>/dev/null")
    sums = [sum_of(guests["one"].run("md5sum /tmp/data")), sum_of(m.run("md5sum /tmp/data")[1])]
    for port, host, control in ((5004, "10.7.0.2", "10.7.0.1"), (5006, "fd00:7::2", "fd00:7::1")):
        start = counts(m, "one")
        assert from_guest(m, control, port) == sums[0], f"from the guest to {control}"
        start = check_uncut(m, "sent", start)
        assert to_guest(m, host, port + 100) == sums[1], f"to the guest's {host}"
        check_uncut(m, "received", start)


def queues(m):
    """One for each processor of the guest, and each is used."""
    one = guests["one"]
    assert one.run("ls /sys/class/net/eth0/queues").split() == ["rx-0", "rx-1", "tx-0", "tx-1"]
    assert guests["two"].run("ls /sys/class/net/eth0/queues").split() == ["rx-0", "tx-0"]
    # Nobody listens there: a packet of each flow goes, one comes back.
    one.run(f"for i in $(seq {FLOWS}); do nc 10.7.0.1 9 </dev/null 2>/dev/null; done")
    text = one.run("grep net-0 /proc/interrupts")
    used = [sum(map(int, re.findall(r"\s(\d+)(?=\s)", line))) for line in text.splitlines()]
    assert len(used) == 2 and all(used), text


def statistics(m):
    """The guest and the back end have counted the same; here no connection has ended yet."""
    def same():
        files = "/sys/class/net/eth0/statistics"
        seen = guests["two"].run(*(f"cat {files}/{name}" for name in ("tx_packets", "rx_packets", "rx_errors", "tx_dropped")))
        now = row(m, "two")["statistics"]
        return seen.split() == [str(now["sent"]), str(now["received"]), "0", "0"] and now["sent"] > 0
    m.wait(same)


# --- Settings ---

def set_key(m, name, key, value):
    m.rf(f"store-write /local/domain/0/backend/net/{guests[name].domain}/0/private/{key} {value}")


def wait_guest(name, key, value):
    guests[name].run(f"until [ $(cat /sys/class/net/eth0/{key}) = {value} ]; do usleep 100000; done")


def set_mtu(m, mtu):
    m.run(f"ip link set {row(m, 'two')['tap']} mtu {mtu}; ip link set {BRIDGE} mtu {mtu}")
    set_key(m, "two", "mtu", mtu)
    wait_guest("two", "mtu", mtu)


def jumbo(m):
    """A packet of 8,000 bytes is one, not six."""
    set_mtu(m, 9000)
    start = counts(m, "two")
    assert m.run("ping -c 3 -W 5 -s 8000 10.7.0.3")[0] == 0
    now = counts(m, "two", start["sent-bytes"] + 3 * 8042)
    assert now["sent"] - start["sent"] < 3 * 6, (start, now)
    set_mtu(m, 1500)
    assert m.run("ping -c 1 -W 5 -s 8000 10.7.0.3")[0] == 0


def carrier(m):
    set_key(m, "two", "link", 0)
    wait_guest("two", "carrier", 0)
    assert m.run("ping -c 1 -W 1 10.7.0.3")[0] != 0
    set_key(m, "two", "link", 1)
    wait_guest("two", "carrier", 1)
    assert m.run("ping -c 1 -W 5 10.7.0.3")[0] == 0


# --- What goes wrong ---

def memory_of_back_ends(m):
    """KiB."""
    return sum(map(int, m.run("cat $(pidof rf-net | sed 's|[0-9]*|/proc/&/status|g') | awk '/VmRSS/ { print $2 }'")[1].split()))


def silence(m):
    """A guest that takes nothing costs no memory, and loses what comes beyond its buffers."""
    m.run("arp -s 10.7.0.3 02:00:00:00:00:03")
    lost, before = counts(m, "two")["no-buffer"], memory_of_back_ends(m)
    m.rf("pause two")
    m.run("ping -q -c 1500 -i 0.001 -s 1400 -W 1 10.7.0.3")
    counts(m, "two", lost + 500, "no-buffer")
    grown = memory_of_back_ends(m) - before
    m.rf("unpause two")
    assert grown < 1024, f"{grown} KiB"
    assert m.run("ping -c 1 -W 5 10.7.0.3")[0] == 0
    m.run("arp -d 10.7.0.3")


KILL = ("for p in $(pidof rf-net); do q=$(awk '/^PPid/ { print $2 }' /proc/$p/status); "
        "[ \"$(cat /proc/$q/comm)\" != rf-net ] || kill -9 $p; done")


def survive(m):
    """A connection of TCP goes on while back ends are killed; what it carries is complete and in order."""
    one = guests["one"]
    listen(m.run, 5000)
    one.run(f"{PIECE} >/tmp/piece; rm -f /tmp/stop")
    one.start("{ (i=0; while [ ! -e /tmp/stop ]; do cat /tmp/piece; i=$((i+1)); usleep 200000; done; echo $i >/tmp/count) | "
              "nc 10.7.0.1 5000 & } >/dev/null 2>&1")
    for number in range(KILLS):
        sent = counts(m, "one", 1)["sent-bytes"]
        m.run(KILL)
        for name in HOSTS:
            wait_connected(m, name)
        # Of a new worker, which counts from zero.
        node.Node.wait(lambda: row(m, "one")["statistics"].get("sent-bytes", 0) not in (0, sent))
        print(f"killed {number + 1}", flush=True)
    count = int(one.run("touch /tmp/stop; until [ -s /tmp/count ]; do usleep 100000; done; cat /tmp/count"))
    wait_for(m, "[ -e /tmp/arrived ]", 200)
    expected = m.run(f"{PIECE} >/tmp/piece; for i in $(seq {count}); do cat /tmp/piece; done | md5sum")[1]
    assert sum_of(expected) == sum_of(m.run("cat /tmp/sum")[1]), f"{count} pieces"
    assert "begun again" in one.run("dmesg | grep begun")
    ping(m)


def detach(m):
    """Taken away and given again, under traffic."""
    m.run("{ ping -q 10.7.0.2 >/dev/null 2>&1 & }")
    for _ in range(DETACHES):
        m.rf("net-detach one 0")
        assert m.json("net-list one") == []
        assert "eth0" not in guests["one"].run("ls /sys/class/net")
        attach(m, "one")
    m.run("kill $!")
    ping(m)


def destroy(m):
    """Their taps go with them. Nothing has said a word about itself before."""
    for name, guest in guests.items():
        assert guest.run("dmesg | grep -c -e WARNING: -e BUG:") == "0\n", name
        m.rf(f"destroy {name}")
    wait_for(m, "! ls /sys/class/net | grep -q ^rf[0-9]*[.]")
    wait_for(m, "! pidof rf-net")


TESTS = (connect, ping, statistics, transfer, queues, jumbo, carrier, silence, survive, detach, destroy)

if __name__ == "__main__":
    # Two rings and a pool for each queue, the store's page, and again when it is attached again.
    node.run(node.Node(timeout=1700), TESTS, 0, places=16)
