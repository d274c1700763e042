#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 7200
"""Networks of guests on a node, through rf-net: the control domain and two guests reach each other by IPv4 and IPv6, large
packets go uncut on all queues, settings change, ethtool says what is so, connections outlive back ends that are killed and interfaces
that are taken away, and interfaces that come and go again and again leave nothing."""
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import node

FULL = "RF_FULL" in os.environ
KILLS = 50 if FULL else 2
DETACHES = 20 if FULL else 1
ATTACHES = 1000 if FULL else 10
ANEW = 100 if FULL else 4
# Loops, and how often each attaches.
LOOPS, AT_ONCE = 3, 50 if FULL else 3
# Queues of the guest "one", and of others after it.
QUEUES, MORE_QUEUES = 4, (1, 2, 3) if FULL else ()
STREAMS = 6 if FULL else 2
RFD_GROWTH = 512  # KiB
BRIDGE = "test0"
PIECE = "yes ringfence | head -c 262144"
BYTES = 4 << 20
FLOWS = 24
# More than a packet has that is cut; so some were not if the average is above. How long they are depends on TCP, which sees
# how fast the other end is, so it may take several tries.
UNCUT, TRIES = 1514, 5
# Each is used once: one that waits for its end would be taken for somebody who listens.
PORTS = itertools.count(6000)
HOSTS = {"one": 2, "two": 3}
MANY = 4
SECOND = "02:00:00:00:00:0a"
ETHTOOL = shutil.which("ethtool") or shutil.which("/usr/sbin/ethtool")
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
    m.rf(f"net-attach {name} mac=02:00:00:00:00:0{HOSTS.get(name, MANY)} bridge={BRIDGE}")
    configure(m, name)


def configure(m, name):
    number = HOSTS.get(name, MANY)
    wait_connected(m, name)
    said = guests[name].run(
        "until [ -e /sys/class/net/eth0 ]; do usleep 100000; done", "cat /sys/class/net/eth0/address",
        "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad", f"ip addr add 10.7.0.{number}/24 dev eth0",
        f"ip addr add fd00:7::{number}/64 dev eth0", "ip link set eth0 up",
        "until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do usleep 100000; done")
    assert said == f"02:00:00:00:00:0{number}\n", said


def connect(m):
    m.rf(f"create hello name=one vcpus={QUEUES} memory=96 initrd=/boot/tools.gz")
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

def shell_of(m):
    return lambda *commands: m.run("; ".join(commands))[1]


def listen(run, port):
    """A shell's: the sum of what comes at that port is in /tmp/sum-PORT when /tmp/arrived-PORT is there."""
    run(f"rm -f /tmp/arrived-{port} /tmp/nothing-{port}; mkfifo /tmp/nothing-{port}",
        f"{{ (nc -l -p {port} <>/tmp/nothing-{port} | md5sum >/tmp/sum-{port}; touch /tmp/arrived-{port}) & }}")
    run(f"until grep -qi :{port:04x} /proc/net/tcp /proc/net/tcp6; do usleep 100000; done")


def sum_of(text):
    return re.search(r"^([0-9a-f]{32}) ", text, re.M).group(1)


def counts(m, name, least=0, key="sent-bytes"):
    """The back end's, when it has counted so much; it writes them every two seconds."""
    node.Node.wait(lambda: row(m, name)["statistics"].get(key, -1) >= least)
    return row(m, name)["statistics"]


def is_uncut(m, direction, start):
    """So many bytes a packet say that it was not cut, and so not summed up, before it was at the other side."""
    now = counts(m, "one", start[f"{direction}-bytes"] + BYTES, f"{direction}-bytes")
    assert now["invalid"] == now["refused"] == now["unfit"] == 0, now
    size = (now[f"{direction}-bytes"] - start[f"{direction}-bytes"]) / (now[direction] - start[direction])
    print(f"{direction}: {size:.0f} bytes a packet", flush=True)
    return size > UNCUT


def from_guest(m, control, port):
    listen(shell_of(m), port)
    guests["one"].run(f"nc {control} {port} </tmp/data")
    return arrived(shell_of(m), port)


def to_guest(m, host, port):
    listen(guests["one"].run, port)
    m.run(f"nc {host} {port} </tmp/data")
    return arrived(guests["one"].run, port)


def arrived(run, port):
    return sum_of(run(f"timeout 150 sh -c 'until [ -e /tmp/arrived-{port} ]; do usleep 100000; done'", f"cat /tmp/sum-{port}"))


class Streams:
    """Connections from shell to shell, all at once, until they are to end: what arrives is complete and in order."""

    def __init__(self, m, ways):
        """A way is who sends, who receives, and its address."""
        self.m = m
        self.ways = [(*way, port) for port, way in enumerate(ways, 5000)]
        for run in {run for way in self.ways for run in way[:2]}:
            run(f"{PIECE} >/tmp/piece; rm -f /tmp/stop /tmp/count-*")
        for sender, receiver, host, port in self.ways:
            listen(receiver, port)
            sender("{ (i=0; while [ ! -e /tmp/stop ]; do cat /tmp/piece; i=$((i+1)); usleep 200000; done; "
                   f"echo $i >/tmp/count-{port}) | nc {host} {port} & }} >/dev/null 2>&1")

    def end(self):
        for sender, receiver, _, port in self.ways:
            count = int(sender("touch /tmp/stop", f"until [ -s /tmp/count-{port} ]; do usleep 100000; done", f"cat /tmp/count-{port}"))
            expected = self.m.run(f"for i in $(seq {count}); do cat /tmp/piece; done | md5sum")[1]
            assert count > 1 and arrived(receiver, port) == sum_of(expected), f"{port}: {count} pieces"


def both_ways(m, name, streams):
    guest = guests[name].run
    return Streams(m, [(guest, shell_of(m), "10.7.0.1")] * streams + [(shell_of(m), guest, f"10.7.0.{HOSTS.get(name, MANY)}")] * streams)


def transfer_uncut(m, direction, send, expected):
    for _ in range(TRIES):
        start = counts(m, "one")
        assert send(next(PORTS)) == expected, direction
        if is_uncut(m, direction, start):
            return
    raise AssertionError(f"{direction}: all were cut")


def transfer(m):
    """What arrives is what was sent, both ways, by both versions of IP."""
    for shell in guests["one"].run, shell_of(m):
        shell(f"dd if=/dev/urandom of=/tmp/data bs=64k count={BYTES >> 16} 2>/dev/null")
    sums = [sum_of(guests["one"].run("md5sum /tmp/data")), sum_of(m.run("md5sum /tmp/data")[1])]
    for host, control in (("10.7.0.2", "10.7.0.1"), ("fd00:7::2", "fd00:7::1")):
        transfer_uncut(m, "sent", lambda port, to=control: from_guest(m, to, port), sums[0])
        transfer_uncut(m, "received", lambda port, to=host: to_guest(m, to, port), sums[1])


# --- Queues ---

def queue_counts(name):
    """What ethtool says, by direction, queue and name."""
    text = guests[name].run("ethtool -S eth0")
    return {(way, int(queue), what): int(value) for way, queue, what, value in
            re.findall(r"^ +([rt]x)_queue_(\d+)_(\w+): (\d+)$", text, re.M)}


def use_queues(m, name, queues):
    """Each of them, both ways. Nobody listens there: a packet of each flow goes, one comes back."""
    start = queue_counts(name)
    assert {key[1] for key in start} == set(range(queues)), start

    def used():
        guests[name].run(f"for i in $(seq {FLOWS}); do nc -w 2 10.7.0.1 9 </dev/null 2>/dev/null; done")
        now = queue_counts(name)
        return all(now[key] > start[key] for key in start if key[2] == "packets")
    m.wait(used)
    assert all(guests[name].run(f"ls -d /sys/class/net/eth0/queues/{way}-* | wc -l") == f"{queues}\n" for way in ("rx", "tx"))


def flow(m, name, queues):
    """Connections both ways on all queues, of which nothing is lost when the back end is killed meanwhile."""
    use_queues(m, name, queues)
    streams = both_ways(m, name, STREAMS)
    kill(m, WORKERS)
    use_queues(m, name, queues)
    streams.end()
    assert not any(value for key, value in queue_counts(name).items() if key[2] == "errors")
    print(f"{queues} queues", flush=True)


def queues_of(m):
    """One for each processor of the guest."""
    flow(m, "one", QUEUES)
    for queues in MORE_QUEUES:
        m.rf(f"create hello name=many vcpus={queues} memory=96 initrd=/boot/tools.gz")
        guests["many"] = node.Guest(m, "many")
        attach(m, "many")
        flow(m, "many", queues)
        m.rf("destroy many")
        del guests["many"]


def ethtool(m):
    """What it says, its counts above all: they are those of the interface, and the back end's."""
    run = guests["one"].run
    text = run("ethtool -i eth0")
    assert all(line in text for line in ("driver: ringfence-net\n", "bus-info: net-0\n", "supports-statistics: yes\n")), text
    assert re.findall(r"^Combined:\s+(\d+)$", run("ethtool -l eth0"), re.M) == [str(QUEUES)] * 2
    # Switched off and on again.
    for options, state in (("", "on"), ("-K eth0 tso off; ethtool ", "off"), ("-K eth0 tso on; ethtool ", "on")):
        text = run(f"ethtool {options}-k eth0")
        assert f"tcp-segmentation-offload: {state}\n" in text, text
        assert all(f"\n{name}: on" in text for name in ("rx-checksumming", "tx-checksumming", "scatter-gather")), text

    def same():
        files = "/sys/class/net/eth0/statistics"
        seen = run(*(f"cat {files}/{way}_{what}" for way in ("tx", "rx") for what in ("packets", "bytes", "dropped", "errors")))
        counts_now, back = queue_counts("one"), row(m, "one")["statistics"]
        sums = {(way, what): sum(value for key, value in counts_now.items() if (key[0], key[2]) == (way, what))
                for way, _, what in counts_now}
        return (list(map(int, seen.split())) == [sums[way, what] for way in ("tx", "rx") for what in ("packets", "bytes", "drops", "errors")]
                and [sums["tx", "packets"], sums["tx", "bytes"], sums["rx", "packets"], sums["rx", "bytes"]] ==
                [back[key] for key in ("sent", "sent-bytes", "received", "received-bytes")]
                and 0 < back["events-in"] <= sums["tx", "events"] + sums["rx", "events"]
                and sums["rx", "interrupts"] > 0 and not sums["tx", "unanswered"])
    m.wait(same)


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


WORKERS, MONITORS = "!=", "="
# A worker's parent is a monitor, and ends with it.
KILL = ("for p in $(pidof rf-net); do q=$(awk '/^PPid/ {{ print $2 }}' /proc/$p/status); "
        "[ \"$(cat /proc/$q/comm)\" {} rf-net ] || kill -9 $p; done")


def back_ends(m):
    return set(m.run("pidof rf-net")[1].split())


def begun_again(name):
    """How often a back end has, as the guest says."""
    return int(guests[name].run("dmesg | grep -c 'begun again'"))


def kill(m, which):
    """All of them. rfd starts monitors again, and monitors workers."""
    before = back_ends(m)
    begun = {name: begun_again(name) for name in guests}
    m.run(KILL.format(which))
    left = len(before) // 2 if which == WORKERS else 0
    node.Node.wait(lambda: len(now := back_ends(m)) == len(before) and len(now & before) == left)
    for name, guest in guests.items():
        guest.run(f"until [ $(dmesg | grep -c 'begun again') -gt {begun[name]} ]; do usleep 100000; done")
        wait_connected(m, name)


def survive(m):
    """A connection of TCP goes on while back ends are killed; what it carries is complete and in order."""
    streams = both_ways(m, "one", 1)
    for number in range(KILLS):
        kill(m, (WORKERS, MONITORS)[number % 2])
        # Of a new worker, which counts from zero.
        node.Node.wait(lambda: row(m, "one")["statistics"].get("sent-bytes", 0) > 0)
        print(f"killed {number + 1}", flush=True)
    streams.end()
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


def begin_anew(m):
    """The front end's driver goes and comes back; and an interface is taken away and given again before the guest can see that."""
    driver = "/sys/bus/ringfence/drivers/ringfence-net"
    guests["one"].run(f"echo net-0 >{driver}/unbind", f"echo net-0 >{driver}/bind")
    configure(m, "one")
    ping(m)
    begun = begun_again("one")
    for _ in range(ANEW):
        m.rf("pause one")
        m.rf("net-detach one 0 --force")
        m.rf(f"net-attach one mac=02:00:00:00:00:0{HOSTS['one']} bridge={BRIDGE}")
        m.rf("unpause one")
        configure(m, "one")
    # It would say so if the old device took the new one's back end for its own.
    assert begun_again("one") <= begun
    ping(m)


def event_ports(m):
    """By domain: the debug keys know."""
    start = len(m.said)
    m.type("\x01\x01\x01")
    m.expect("debug keys:", start)
    m.type("e")
    for name in "control", *guests:
        m.expect(rf"domain \d+ '{name}': \d+ event ports", start)
    # The control domain had the first two keys.
    m.type("\x01\x01\x01\n")
    m.run("true")
    return sorted(re.findall(r"domain \d+ '(\w+)': (\d+) event ports", m.said[start:]))


def files(m):
    """Logs stay: the next device of that number has them."""
    return sorted(name for name in m.run("ls /run/ringfence /run/ringfence-networks")[1].split() if not name.endswith(".log"))


def what_there_is(m):
    """All that a network may leave."""
    nodes = re.findall(r"^(\S+)(?: =|$)", m.rf("store-ls /"), re.M)
    return {"interfaces": m.run("ls /sys/class/net")[1].split(), "files": files(m),
            "processes": len(back_ends(m)), "nodes": nodes, "ports": event_ports(m),
            "guest": guests["one"].run("ls /sys/class/net /sys/bus/ringfence/devices", "cat /sys/kernel/ringfence/grants")}


def settle(m, before):
    """All is as it was. What has ended may not be gone yet."""
    end = time.monotonic() + node.PATIENCE
    while (after := what_there_is(m)) != before and time.monotonic() < end:
        m.run("sleep 1")
    assert after == before, f"{[(key, before[key], after[key]) for key in before if before[key] != after[key]]}"


def memory_of_rfd(m):
    """KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", m.run("cat /proc/$(pidof rfd)/status")[1]).group(1))


def at_once(m):
    """Several come and go at once: each has a number, a tap and a process of its own."""
    loop = (f"( ( for i in $(seq {AT_ONCE}); do rf net-attach one --json mac=02:00:00:00:01:0%d bridge={BRIDGE} >/tmp/id-%d && "
            "rf net-detach one $(grep -o '[0-9]*' /tmp/id-%d) --force || exit 1; done ) >/tmp/said-%d 2>&1; echo $? >/tmp/ended-%d) &")
    before = what_there_is(m)
    m.run("rm -f /tmp/ended-*; " + " ".join(loop.replace("%d", str(number)) for number in range(LOOPS)) + " true")
    wait_for(m, f"[ $(cat /tmp/ended-* | wc -l) = {LOOPS} ]", 600)
    status, said = m.run("cat /tmp/ended-* | grep -qv 0 && cat /tmp/said-*")
    assert status != 0, said
    settle(m, before)
    ping(m)


def again_and_again(m):
    """A second interface comes and goes, while the first one has traffic, and uses the second while it is there."""
    run = guests["one"].run
    comes_and_goes = f"rf net-attach one mac={SECOND} bridge={BRIDGE} && usleep {{}} && rf net-detach one 1"
    old = f"/local/domain/{m.json('domid one')}/device/net/1/queue-7"
    m.rf(f"store-write {old} 1")
    assert m.run(comes_and_goes.format(f"1000000 && ! rf store-exists {old}"))[0] == 0
    wait_for(m, f"[ $(pidof rf-net | wc -w) = {2 * len(guests)} ]")
    guests["one"].run("until grep -q 'waiting 0' /sys/kernel/ringfence/grants; do usleep 100000; done")
    before, memory = what_there_is(m), memory_of_rfd(m)
    streams = both_ways(m, "one", 1)
    run("{ (until [ -e /tmp/stop ]; do ip link set eth1 up 2>/dev/null && echo >>/tmp/ups; usleep 50000; done) & } >/dev/null 2>&1")
    # Nobody has that address: all are asked.
    m.run("{ ping -q 10.7.0.99 >/dev/null 2>&1 & }")
    for number in range(ATTACHES):
        # Sometimes before it is connected.
        status, text = m.run(comes_and_goes.format((300000, 100000, 0)[number % 3]))
        assert status == 0, f"{number}: {text}"
        if number % 100 == 99:
            print(f"attached {number + 1} times, rfd has {memory_of_rfd(m) - memory} KiB more", flush=True)
    m.run("kill $!")
    streams.end()
    assert int(run("wc -l </tmp/ups")) > 0
    grown = memory_of_rfd(m) - memory
    settle(m, before)
    assert grown < RFD_GROWTH, f"rfd: {grown} KiB more"
    print(f"{ATTACHES} times; rfd has {grown} KiB more", flush=True)


def destroy(m):
    """Their taps go with them. Nothing has said a word about itself before."""
    for name, guest in guests.items():
        assert guest.run("dmesg | grep -c -e WARNING: -e BUG:") == "0\n", name
        m.rf(f"destroy {name}")
    wait_for(m, "! ls /sys/class/net | grep -q ^rf[0-9]*[.]")
    wait_for(m, "! pidof rf-net")


TESTS = (connect, ping, statistics, transfer, ethtool, queues_of, jumbo, carrier, silence, survive, detach, begin_anew, at_once, again_and_again, destroy)


def build(folder):
    """The node's RAM disk, with one for guests that have ethtool."""
    tool = node.ROOT / "guest-pv/initramfs/build"
    program, both = folder / "program.gz", folder / "both.gz"
    subprocess.run([tool, "--only", "--program", ETHTOOL, program], check=True)
    guest = folder / "guest.gz"
    guest.write_bytes((node.LINUX / "guest.gz").read_bytes() + program.read_bytes())
    subprocess.run([tool, "--only", "--add", f"{guest}:/boot/tools.gz", both], check=True)
    whole = folder / "node.gz"
    whole.write_bytes((node.LINUX / "node.gz").read_bytes() + both.read_bytes())
    return whole


def main():
    if not ETHTOOL:
        sys.exit("ethtool is missing: run `make deps`")
    with tempfile.TemporaryDirectory(prefix="ringfence-net.") as name:
        machine = node.Node(timeout=7000 if FULL else 1700, initrd=build(pathlib.Path(name)))
        # Two rings and a pool for each queue, the store's page, and again when it is attached again: anywhere in the guest.
        node.run(machine, TESTS, 0, places=49)


if __name__ == "__main__":
    main()
