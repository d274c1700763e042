#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The node of `make run`: its guest hello has a disk that keeps what is written, and a network, in which it reaches the
control domain, the guest world, and through QEMU's network a server on this machine; the node's only interface is not
cut off; limits change while guests run; when they are gone, nothing is left of their network.

needs: linux
timeout: 1200
"""
import http.server
import re
import sys
import threading

import node

GATEWAY = "10.82.0.1"           # the control domain, in the guests' network
HOST = "10.0.2.2"               # this machine, as QEMU's network has it
ANSWER = b"from-the-host"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):           # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(ANSWER + self.path.encode() + b"\n")

    def log_message(self, *_):
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)


GUESTS = {}


def create(m, name):
    m.rf(f"create {name}")
    GUESTS[name] = node.Guest(m, name)
    return GUESTS[name]


def asks(who, path):
    """The control domain or a guest asks this machine's server."""
    said = who.run(f"timeout 60 wget -q -O - http://{HOST}:{SERVER.server_port}/{path}")
    return (ANSWER.decode() + "/" + path) in (said[1] if isinstance(said, tuple) else said)


def pings(who, address):
    said = who.run(f"ping -c 2 -W 10 {address}")
    return " 0% packet loss" in (said[1] if isinstance(said, tuple) else said)


def hello(m):
    """Its disk keeps a file when the guest is made again."""
    guest = create(m, "hello")
    assert "/dev/xvda" in guest.run("mount | grep /mnt")
    guest.run("echo kept-$((6*7)) >/mnt/file", "umount /mnt")
    m.rf("destroy hello")
    assert "kept-42" in create(m, "hello").run("cat /mnt/file")
    disk, = m.json("disk-list hello")
    assert disk["state"] == "connected" and disk["image"].endswith("hello.img"), disk


def reaches(m):
    """The control domain, another guest by its name, and the developer's machine."""
    one, two = GUESTS["hello"], create(m, "world")
    addresses = {name: m.json(f"net-list {name}")[0]["ip"] for name in ("hello", "world")}
    assert addresses == {"hello": "10.82.0.2", "world": "10.82.0.3"}, addresses
    assert one.run("hostname") == "hello\n"
    assert all(pings(m, address) for address in addresses.values())
    assert pings(one, GATEWAY) and pings(two, GATEWAY)
    assert pings(one, "world") and pings(two, addresses["hello"])
    assert asks(one, "one") and asks(two, "two") and asks(m, "node")


def limits(m):
    """They change while the guest goes on."""
    m.rf("net-limit hello 0 --bytes 1000000 --packets 500")
    m.rf("disk-limit hello xvda --bytes 8000000")
    net, = m.json("net-list hello")
    assert net["limit-bytes"] == 1000000 and net["limit-packets"] == 500 and "error" not in net, net
    assert asks(GUESTS["hello"], "limited")
    m.rf("net-limit hello 0 --bytes none", status=2)
    m.rf("net-limit hello 5 --bytes 1", status=3)
    assert re.search(r"^hello +\d+ +running.* \d+\.\d +\d+\.\d$", (said := m.rf("top -n 1")), re.M), said


def only_interface(m):
    """A bridge over it is refused; if its address may move, the node and the guest are in it, and it moves back."""
    text = m.rf("net-attach world bridge=br0 uplink=eth0", status=1)
    assert "eth0 has the node's address 10.0.2.15: in a bridge, the node would be cut off" in text, text
    assert asks(m, "refused") and len(m.json("net-list world")) == 1
    number = m.json("net-attach world bridge=br0 uplink=eth0 move_addresses=1")["id"]
    assert "10.0.2.15" in m.run("ip addr show br0")[1] and asks(m, "moved")
    assert asks(GUESTS["hello"], "behind")
    m.rf(f"net-detach world {number}")
    assert "10.0.2.15" in m.run("ip addr show eth0")[1] and asks(m, "back")
    assert m.run("ls /sys/class/net/br0")[0] != 0


def routed(m):
    """Without a bridge: the node has a route to it."""
    m.run("ip addr add 192.0.2.1/32 dev lo")
    m.rf("net-attach world mode=routed ip=192.0.2.7")
    guest = GUESTS["world"]
    guest.run("until [ -e /sys/class/net/eth1 ]; do usleep 50000; done",
              "ip addr add 192.0.2.7 dev eth1; ip link set eth1 up; ip route add 192.0.2.1 dev eth1")
    assert pings(m, "-I 192.0.2.1 192.0.2.7")
    assert pings(guest, "192.0.2.1")


def gone(m):
    for name in ("hello", "world"):
        m.rf(f"destroy {name}")
    m.wait(lambda: m.run("ls /sys/class/net/rfnat0 || ls /sys/class/net | grep ^rf[0-9]")[0] != 0)
    m.wait(lambda: m.run("pidof dnsmasq rf-net")[0] != 0)
    assert m.run("nft list tables")[1].strip() == "" and m.run("cat /proc/sys/net/ipv4/ip_forward")[1].strip() == "0"
    assert m.run("ls /run/ringfence-networks")[1].strip() == "lock"
    assert "192.0.2.7" not in m.run("ip route")[1]


TESTS = (hello, reaches, limits, only_interface, routed, gone)


if __name__ == "__main__":
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    node.run(node.Node(initrd=node.LINUX / "run.gz", append="quiet rf.dhcp",
                       options=("--smp", "2", "--nic", "user,model=virtio-net-pci")), TESTS, 0, places=16)
    sys.exit(0)
