#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The store of the control domain and a Linux guest: the guest reads and watches its nodes, others' are closed to it, the
store is killed and comes back, and what the guest had is gone with it, however it ends.

needs: linux
timeout: 900
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINUX = ROOT / os.environ.get("O", "build") / "linux"
MIB = 1024
# What ends the answer to a command; typed, it is another text.
END = "echo; echo end-$((%d*1))"


class Machine:
    def __init__(self):
        self.vm = subprocess.Popen([ROOT / "tests/vm", "--timeout", "800", "--smp", "2", "--mem", "768", "--initrd",
                                    LINUX / "node.gz", "--control", "memory=320M vcpus=2", "--append", "quiet"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.seen = ""
        self.at = 0
        self.commands = 0

    def expect(self, text):
        """Read up to that text, from where the last one was found; what came before it."""
        while text not in self.seen[self.at:]:
            data = os.read(self.vm.stdout.fileno(), 65536)
            if not data:
                sys.exit(f"{self.seen}\nthe machine ended before it said {text!r}")
            self.seen += data.decode(errors="replace").replace("\r", "")
        start = self.at
        self.at = self.seen.index(text, start) + len(text)
        return self.seen[start:self.at - len(text)]

    def run(self, command):
        """What a command printed, and what the terminal showed of it."""
        self.commands += 1
        self.vm.stdin.write(f"{command}; {END % self.commands}\n".encode())
        self.vm.stdin.flush()
        return self.expect(f"\nend-{self.commands}\n")

    def must(self, command, *answers):
        said = self.run(command)
        for answer in answers:
            if not re.search(answer, said):
                sys.exit(f"{self.seen}\n`{command}` did not say {answer!r}")
        return said

    def wait(self, command):
        """Until a command is true."""
        self.must(f"timeout 120 sh -c \"until {command}; do sleep 0.5; done\" && echo come-$((6*7))", "come-42")

    def guest(self, domain, command, answer):
        """A command to a guest's shell, and what must be on its console then: the dollar signs are the guest's."""
        self.run(f"/tests/control type {domain} '{command}'")
        self.wait(f"/tests/control console {domain} | grep -q '{answer}'")

    def end(self):
        self.vm.stdin.close()
        self.seen += self.vm.stdout.read().decode(errors="replace")
        return self.vm.wait()


def create(machine):
    machine.run("rf create hello")
    machine.wait("rf console --print hello | grep -q RINGFENCE-LINUX-UP")


def check_nodes(machine):
    machine.must("rf store-ls /local/domain/1", r'/name = "hello"  \(n0 r1\)', r'/domid = "1"', r"/device = .*\(n1\)",
                 r'/memory/target = "65536"', r'/store/port = "\d+"')
    machine.guest(1, "echo I-am-$(cat /sys/kernel/ringfence/name)-$((6*7))", "I-am-hello-42")
    machine.run("rf store-write /local/domain/1/name renamed")
    machine.guest(1, "echo I-am-$(cat /sys/kernel/ringfence/name)-$((6*7))", "I-am-renamed-42")
    # It is no longer allowed to look: the store says so, not we.
    machine.run("rf store-chmod /local/domain/1/name n0")
    machine.guest(1, "cat /sys/kernel/ringfence/name; echo asked-$((7*7))", "asked-49")
    machine.must("/tests/control console 1", "Permission denied")
    machine.run("rf store-chmod /local/domain/1/name n0 r1")


def set_target(machine, mib):
    """The guest watches this node; what it then owns is what the hypervisor says."""
    machine.run(f"rf store-write /local/domain/1/memory/target {mib * MIB}")
    machine.wait(f"rf list | grep -q \'hello  *1  *{mib} \'")


def check_restart(machine):
    set_target(machine, 56)
    for mib in (60, 52):
        machine.must("kill -9 $(pidof rfstored) && echo killed-$((6*7))", "killed-42")
        machine.wait("rf store-exists /local/domain/1/name 2>/dev/null")
        machine.guest(1, f"echo {mib}-still-$(cat /sys/kernel/ringfence/name)-$((6*7))", f"{mib}-still-renamed-42")
        set_target(machine, mib)


def check_ends(machine):
    machine.must("rf destroy hello; rf store-exists /local/domain/1; echo status $?", "status 3")
    # Another is destroyed behind the back of rf.
    create(machine)
    domain = re.search(r"\n(\d+)\n", machine.must("rf domid hello", r"\n\d+\n")).group(1)
    machine.guest(domain, "echo I-am-$(cat /sys/kernel/ringfence/name)-$((6*7))", "I-am-hello-42")
    machine.run(f"/tests/control destroy {domain}")
    machine.wait(f"! rf store-exists /local/domain/{domain} 2>/dev/null")
    machine.must("rf store-list /local/domain | wc -l", r"\n0\n")


def main():
    machine = Machine()
    machine.expect("built-in commands.")
    create(machine)
    check_nodes(machine)
    check_restart(machine)
    check_ends(machine)
    machine.must("run-tests log", "RESULT: SUCCESS")
    machine.vm.stdin.write(b"exit\n")
    status = machine.end()
    if status:
        sys.exit(f"{machine.seen}\nstatus {status}")


main()
