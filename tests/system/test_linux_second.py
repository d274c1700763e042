#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A second Linux, unprivileged and with a RAM disk of its own, beside the control domain: it starts, passes
checks and powers off, and the control domain runs on.

needs: linux
timeout: 900
"""
import os
import pathlib
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINUX = ROOT / os.environ.get("O", "build") / "linux"
FULL = "RF_FULL" in os.environ


class Machine:
    def __init__(self, cpus, seconds, *arguments):
        self.vm = subprocess.Popen([ROOT / "tests/vm", "--timeout", str(seconds), "--smp", str(cpus),
                                    *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.seen = ""

    def expect(self, text):
        """Read up to that text; the shell's prompt has no end of line."""
        start = len(self.seen)
        while text not in self.seen[start:]:
            data = os.read(self.vm.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"the machine ended before it said {text!r}")
            self.seen += data.decode(errors="replace")

    def type(self, text):
        self.vm.stdin.write(text.encode())
        self.vm.stdin.flush()

    def end(self):
        self.vm.stdin.close()
        self.seen += self.vm.stdout.read().decode(errors="replace")
        return self.vm.wait()


def runs(cpus, vcpus):
    machine = Machine(cpus, 400, "--append", "quiet",
                      "--module", f"{LINUX}/vmlinux domain name=second memory=160M vcpus={vcpus} "
                                  f"-- console=hvc0 quiet rf.test=processes,files,balloon rf.cpus={vcpus}",
                      "--module", f"{LINUX}/initrd.gz initrd")
    try:
        machine.expect("(second) domain 1 powered off: it asked for it")
        # The prompt may have come long ago.
        machine.type("echo seen-$((6*7))\n")
        machine.expect("seen-42")
        for text in (f"(second) RINGFENCE-LINUX-UP", "(second) ok processes", "(second) ok balloon",
                     "(second) RESULT: SUCCESS"):
            assert text in machine.seen, f"no {text!r}"
        machine.type("exit\n")
        status = machine.end()
        assert status == 0, f"status {status}"
        print(f"ok: {cpus} processors, second domain with {vcpus}", flush=True)
        return True
    except AssertionError as error:
        machine.vm.terminate()
        machine.end()
        print(f"FAILED: {cpus} processors, second domain with {vcpus}: {error}\n{machine.seen}", flush=True)
        return False


good = [runs(cpus, vcpus) for cpus, vcpus in ([(1, 1), (2, 2), (2, 4), (4, 2)] if FULL else [(2, 2)])]
sys.exit(not all(good))
