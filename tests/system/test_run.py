#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: without a terminal a tour that ends by itself, on a terminal a shell.

needs: linux
timeout: 1500
"""
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 300
# Of a make that runs the tests: its options are not for this one.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
COMMAND = ["make", "run"]


def without_terminal():
    run = subprocess.run(COMMAND, cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                         errors="replace")
    wanted = ["RINGFENCE-LINUX-UP", "paravirtualized kernel on Ringfence", "ok processes",
              "# rf create hello", "hello     1        64      1  running", "page_fault", "hello.img",
              "10.82.0.3", " 0% packet loss", "(hello) domain 1 is gone",
              "powered off"]
    missing = [text for text in wanted if text not in run.stdout]
    if run.returncode or missing:
        return f"status {run.returncode}, missing {missing}:\n{run.stdout}"
    return None


class Terminal:
    """`make run` as if somebody sat at it."""

    def __init__(self):
        self.seen = ""
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.chdir(ROOT)
            os.execvpe(COMMAND[0], COMMAND, ENVIRONMENT)
        self.end = time.monotonic() + SECONDS

    def read(self):
        """More output; False at its end."""
        ready = select.select([self.master], [], [], max(0, self.end - time.monotonic()))[0]
        try:
            data = os.read(self.master, 65536) if ready else b""
        except OSError:             # the other side is gone
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)

    def expect(self, text):
        while text not in self.seen:
            if not self.read():
                return False
        self.seen = self.seen.split(text, 1)[1]
        return True

    def type(self, text):
        os.write(self.master, text.encode())

    def status(self):
        """Of `make run`, which must end by itself."""
        while self.read():
            pass
        if time.monotonic() >= self.end:
            os.killpg(self.process, signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def talk(*steps):
    """Each step is what to wait for, and what to type then."""
    terminal = Terminal()
    for text, answer in steps:
        if not terminal.expect(text):
            terminal.type("\x01x")
            return f"no {text!r} in {terminal.seen!r}; status {terminal.status()}"
        terminal.type(answer)
    status = terminal.status()
    return None if status == 0 else f"status {status} after {steps}: {terminal.seen!r}"


def powers_off(how):
    return talk(("Worth trying:", ""), ("Ctrl-A x ends the machine", ""),
                ("/ # ", "sh -c 'echo seen-$((6*7)); exec sleep 1000'\r"), ("seen-42", "\x03"), ("/ # ", how))


TESTS = {
    "without a terminal": without_terminal,
    "a shell, poweroff": lambda: powers_off("poweroff\r"),
    "a shell, exit": lambda: powers_off("exit\r"),
    "a shell, Ctrl-A x": lambda: powers_off("\x01x"),
}

failures = 0
for name, test in TESTS.items():
    error = test()
    failures += error is not None
    print(f"FAILED: {name}: {error}" if error else f"ok: {name}", flush=True)
sys.exit(failures != 0)
