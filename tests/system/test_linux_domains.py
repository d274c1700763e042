#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The control domain's programs and other domains: the checks of /dev/ringfence, with events and grants; and two more Linux, which
are typed to, paused, asked for SysRq, to power off and to reboot, through it.

needs: linux
timeout: 900
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINUX = ROOT / os.environ.get("O", "build") / "linux"
GUESTS = ("second", "third")


class Machine:
    def __init__(self, *arguments):
        self.vm = subprocess.Popen([ROOT / "tests/vm", "--timeout", "800", *arguments],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.seen = ""
        self.at = 0

    def expect(self, text):
        """Read up to that text, from where the last one was found."""
        while text not in self.seen[self.at:]:
            data = os.read(self.vm.stdout.fileno(), 65536)
            if not data:
                sys.exit(f"{self.seen}\nthe machine ended before it said {text!r}")
            self.seen += data.decode(errors="replace")
        self.at = self.seen.index(text, self.at) + len(text)

    def type(self, text):
        self.vm.stdin.write(f"{text}\n".encode())
        self.vm.stdin.flush()

    def run(self, command, answer):
        """Types a command; what is typed is shown, too, so the answer must be another text."""
        self.type(command)
        self.expect(answer)

    def end(self):
        self.vm.stdin.close()
        self.seen += self.vm.stdout.read().decode(errors="replace")
        return self.vm.wait()


def start():
    modules = []
    for name in GUESTS:
        modules += ["--module", f"{LINUX}/vmlinux domain name={name} memory=128M vcpus=2 -- console=hvc0",
                    "--module", f"{LINUX}/initrd.gz initrd"]
    machine = Machine("--smp", "2", "--mem", "768", "--control", "memory=320M vcpus=2", "--append", "quiet",
                      *modules)
    for name in GUESTS:
        while f"({name}) A guest of" not in machine.seen:
            machine.expect(") A guest of")
    return machine


def asked(machine):
    machine.type("echo ready-$((6*7))")
    machine.expect("ready-42")
    # Both halves of a console.
    machine.run("/tests/control type 1 'echo typed-$((6*7))'", "(second) typed-42")
    machine.run("/tests/control console 1 | grep -c '[t]yped-42 *$'", "1")
    machine.run("/tests/control sysrq 1 h", "sysrq: HELP")
    machine.run("/tests/control pause 1; /tests/control state 1", "state 5")
    machine.run("/tests/control unpause 1; /tests/control state 1", "state 1")
    machine.run("/tests/control type 1 'echo again-$((6*7))'", "(second) again-42")
    machine.run("/tests/control poweroff 1", "(second) domain 1 powered off: it asked for it")
    machine.run("/tests/control state 1", "state 2")
    machine.run("/tests/control destroy 1", "(second) domain 1 is gone")
    machine.run("/tests/control reboot 2", "(third) domain 2 rebooted: it asked for it")
    machine.run("/tests/control destroy 2", "(third) domain 2 is gone")


def main():
    machine = start()
    asked(machine)
    # The word after it may come in another piece.
    machine.run("run-tests control shares", "RESULT: ")
    machine.expect("\n")
    for text in ("ok control", "ok shares", "RESULT: SUCCESS"):
        if text not in machine.seen:
            sys.exit(f"{machine.seen}\nno {text!r}")
    machine.type("exit")
    status = machine.end()
    if status:
        sys.exit(f"{machine.seen}\nstatus {status}")


main()
