#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 300
"""The console of Linux: from its first message on, handed over without a message lost or said twice; and
SysRq, by a break on the serial line and by Ctrl-O, also while nothing else would be heard."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

BREAK_KEYS = [("h", "sysrq: HELP"), ("s", "Emergency Sync complete")]
PATIENCE = 150


class Machine:
    def __init__(self, directory):
        self.monitor = os.path.join(directory, "monitor")
        build = os.environ.get("O", "build")
        self.process = subprocess.Popen(
            ["tests/vm", "-O", build, "--timeout", "280",
             "--append", "console=hvc0 earlyprintk=ringfence",
             "--qemu", f"-qmp unix:{self.monitor},server=on,wait=off"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = ""

    def listen(self):
        time.sleep(0.1)
        self.said += (self.process.stdout.read() or b"").decode(errors="replace").replace("\r", "")

    def wait_for(self, pattern, start=0):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said[start:], re.M):
            if time.monotonic() > end or self.process.poll() is not None:
                self.listen()
                sys.exit(f"{self.said}\n'{pattern}' does not come")
            self.listen()

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def send_break(self):
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(self.monitor)
            answers = monitor.makefile("r")
            answers.readline()
            for command in ({"execute": "qmp_capabilities"},
                            {"execute": "chardev-send-break", "arguments": {"id": "serial0"}}):
                monitor.sendall(json.dumps(command).encode())
                answer = answers.readline()
                if "return" not in answer:
                    sys.exit(f"QEMU refuses a break: {answer}")


def check_handover(said):
    """While both consoles are there, Linux says that they change on each of them."""
    for message in ("Linux version 6.1", "Run /init as init process"):
        if said.count(message) != 1:
            sys.exit(f"{said}\n'{message}' was said {said.count(message)} times")
    for message in ("bootconsole .* enabled", "console .hvc0. enabled", "bootconsole .* disabled"):
        if not re.search(message, said):
            sys.exit(f"{said}\n'{message}' was not said")


def check_keys(machine, prepare):
    for key, answer in BREAK_KEYS:
        start = len(machine.said)
        prepare()
        # The break and the key after it are seen by the hypervisor one after the other.
        time.sleep(0.5)
        machine.type(key)
        machine.wait_for(answer, start)


def main():
    with tempfile.TemporaryDirectory(prefix="ringfence-console.") as directory:
        machine = Machine(directory)
        machine.wait_for("ends the machine at once")
        check_handover(machine.said)
        check_keys(machine, machine.send_break)
        check_keys(machine, lambda: machine.type("\x0f"))
        start = len(machine.said)
        machine.type("echo seen-$((6*7))\n")
        # When BusyBox asks the terminal where the cursor is, it takes what comes for the answer.
        machine.wait_for(r"^seen-42\n(.*\n)*/ # \x1b\[6n", start)
        time.sleep(1)
        # A process that lets nobody else run on the only processor, and ignores what is typed.
        start = len(machine.said)
        machine.type("while :; do :; done\n")
        # A break does not wait in line.
        machine.wait_for("done$", start)
        time.sleep(1)
        check_keys(machine, machine.send_break)
        start = len(machine.said)
        machine.send_break()
        time.sleep(0.5)
        machine.type("o")
        machine.wait_for("Power down", start)
        if machine.process.wait(60):
            sys.exit(f"{machine.said}\nstatus {machine.process.returncode}")


main()
