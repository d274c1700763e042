#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 3600
"""iperf3, of Debian, over the networks of guests: TCP both ways and UDP, between a guest and the control domain, another guest, and
the machine outside, with one to four queues; connections outlive back ends that are killed. Prints what it measured."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import node

KILLS = 50
SECONDS = 5
QUEUES = 1, 2, 3, 4
BRIDGE = "test0"
# QEMU's network, where the developer's machine is 10.0.2.2, and the control domain's interface is a port of the bridge.
OUTSIDE = "10.0.2.2"
ADDRESS = {"control": "10.0.2.101", "one": "10.0.2.102", "two": "10.0.2.103"}
PROGRAM = shutil.which("iperf3")
guests = {}


def build(folder):
    """The node's RAM disk, with the program, and with one for guests that has it, too."""
    tool = node.ROOT / "guest-pv/initramfs/build"
    program, both = folder / "program.gz", folder / "both.gz"
    subprocess.run([tool, "--only", "--program", PROGRAM, program], check=True)
    guest = folder / "guest.gz"
    guest.write_bytes((node.LINUX / "guest.gz").read_bytes() + program.read_bytes())
    subprocess.run([tool, "--only", "--add", f"{guest}:/boot/iperf.gz", both], check=True)
    whole = folder / "node.gz"
    whole.write_bytes((node.LINUX / "node.gz").read_bytes() + program.read_bytes() + both.read_bytes())
    return whole


def attach(m, name):
    m.rf(f"net-attach {name} bridge={BRIDGE}")
    m.run(f"timeout 60 sh -c 'until rf net-list {name} | grep -q connected; do usleep 200000; done'")
    guests[name].run("until [ -e /sys/class/net/eth0 ]; do usleep 100000; done",
                     f"ip addr add {ADDRESS[name]}/24 dev eth0", "ip link set eth0 up", "ip link set lo up")


def make(m, name, vcpus):
    m.rf(f"create hello name={name} vcpus={vcpus} memory=128 initrd=/boot/iperf.gz")
    guests[name] = node.Guest(m, name)
    attach(m, name)
    queues = int(guests[name].run("ls /sys/class/net/eth0/queues | grep -c tx"))
    assert queues == vcpus, queues


def connect(m):
    make(m, "two", 1)
    m.run(f"ip link set eth0 master {BRIDGE}; ip link set eth0 up; ip addr add {ADDRESS['control']}/24 dev {BRIDGE}")
    m.run("(iperf3 -s -D)")
    guests["two"].run("(iperf3 -s -D)")


def measure(guest, what, host, options=""):
    text = guest.run(f"timeout 100 iperf3 -f m -t {SECONDS} -c {host} {options} 2>&1 | tail -n 8", seconds=140)
    found = re.search(r"sec +\S+ \SBytes +([0-9.]+) Mbits/sec.*receiver", text)
    assert found and float(found.group(1)) > 0, f"{what}: {text}"
    print(f"{what}: {found.group(1)} Mbit/s", flush=True)


def measure_all(guest, queues, outside):
    for name, host, port in ("control domain", ADDRESS["control"], 5201), ("guest", ADDRESS["two"], 5201), ("outside", OUTSIDE, outside):
        options = f"-p {port} -P {queues}"
        measure(guest, f"{queues} queues, TCP to the {name}", host, options)
        measure(guest, f"{queues} queues, TCP from the {name}", host, f"{options} -R")
        measure(guest, f"{queues} queues, UDP to the {name}", host, f"{options} -u -b 20M -l 1400")


def each_queues(m):
    for queues in QUEUES:
        make(m, "one", queues)
        measure_all(guests["one"], queues, m.outside)
        m.rf("destroy one")


KILL = ("for p in $(pidof rf-net); do q=$(awk '/^PPid/ { print $2 }' /proc/$p/status); "
        "[ \"$(cat /proc/$q/comm)\" != rf-net ] || kill -9 $p; done")


def killed(m):
    """One connection, all the time; it says itself when it has ended."""
    make(m, "one", 2)
    one = guests["one"]
    one.start(f"(iperf3 -t 3600 -i 0 -c {ADDRESS['control']} >/tmp/said 2>&1; touch /tmp/ended) &")
    for number in range(KILLS):
        before = int(one.run("cat /sys/class/net/eth0/statistics/tx_bytes"))
        m.run(KILL)
        # It goes on.
        one.run(f"until [ -e /tmp/ended ] || [ $(cat /sys/class/net/eth0/statistics/tx_bytes) -gt {before + (1 << 20)} ]; "
                "do usleep 100000; done")
        assert "ended" not in one.run("ls /tmp"), f"{number}: {one.run('cat /tmp/said')}"
    text = one.run("killall -INT iperf3; until [ -e /tmp/ended ]; do usleep 100000; done; "
                   "grep -e sender -e receiver -e interrupt /tmp/said")
    assert "sender" in text, text
    count = int(one.run("dmesg | grep -c begun"))
    assert count == KILLS, f"begun again {count} times"
    print(f"one connection, back ends killed {count} times: {text.strip()}", flush=True)


def destroy(m):
    m.run("killall iperf3; ip link set eth0 nomaster")
    for name in guests:
        m.rf(f"destroy {name}")
    m.run("timeout 60 sh -c 'while pidof rf-net; do usleep 200000; done'")


def free_port():
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def main():
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ringfence-iperf.") as name:
        server = subprocess.Popen([PROGRAM, "-s", "-p", str(port)], stdout=subprocess.DEVNULL)
        try:
            machine = node.Node(memory=1024, control="memory=384M vcpus=2", timeout=3500, initrd=build(pathlib.Path(name)),
                                options=("--smp", "2", "--nic", "user,model=virtio-net-pci"))
            machine.outside = port
            node.run(machine, (connect, each_queues, killed, destroy), 0, places=40)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    if "RF_FULL" not in os.environ:
        print("only at full length: it takes ten minutes; test_net has less of it")
        sys.exit(77)
    main()
