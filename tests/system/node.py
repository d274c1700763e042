# SPDX-License-Identifier: BSD-2-Clause
"""A node for tests: the machine that `make run` starts, with a shell in its control domain."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINUX = ROOT / os.environ.get("O", "build") / "linux"
PATIENCE = 240
LINE = 255  # bytes that a console takes at once


class Node:
    def __init__(self, memory=768, control="memory=384M", timeout=840, initrd=LINUX / "node.gz",
                 options=("--smp", "2"), append="quiet"):
        self.process = subprocess.Popen(
            [ROOT / "tests/vm", "--timeout", str(timeout), *options, "--mem", str(memory), "--control", control,
             "--initrd", initrd, "--append", append],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = ""
        self.commands = 0

    def listen(self):
        time.sleep(0.05)
        self.said += (self.process.stdout.read() or b"").decode(errors="replace").replace("\r", "")

    def expect(self, pattern, start=0):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.said[start:], re.M)):
            if time.monotonic() > end or self.process.poll() is not None:
                self.listen()
                raise AssertionError(f"no {pattern!r} in: {self.said[start:]}")
            self.listen()
        return found

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def start(self):
        self.expect("ends the machine at once")
        # The shell's own editor would echo what is typed, in lines of its own.
        self.type("stty -echo; while read -r line; do eval \"$line\"; done\n")
        self.run("true")

    def run(self, command):
        """Its status, and what it printed."""
        self.commands += 1
        # A message of the hypervisor may have begun: it is taken as a whole, or it would look like output.
        start = self.said.rfind("\n") + 1
        self.type(f"{command}; printf '\\nend-%s=%s\\n' {self.commands} $?\n")
        found = self.expect(rf"^(.*\n)*?end-{self.commands}=(\d+)$", start)
        # The hypervisor's own messages go to the same line.
        text = re.sub(r"\x1b\[6n|^\[ *[0-9.]+\] (?:\w+: )?\([\w.-]+\) .*\n|^end-.*", "", found.group(0), flags=re.M)
        return int(found.group(2)), text

    def rf(self, command, status=0):
        result, text = self.run("rf " + command)
        assert result == status, f"rf {command}: status {result}, not {status}: {text}"
        return text

    def json(self, command, status=0):
        return json.loads(self.rf(command + " --json", status))

    def free(self):
        return self.json("info")["memory_free"]

    def names(self):
        return [domain["name"] for domain in self.json("list")]

    @staticmethod
    def wait(condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it does not become so"
            time.sleep(0.3)

    def wait_for_guest(self, name, pattern="RINGFENCE-LINUX-UP"):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.rf(f"console --print {name}"), re.M):
            assert time.monotonic() < end, f"{name} does not say {pattern!r}"


class Guest:
    """A guest with Linux, which was made already; its shell is at its console, and takes what is typed."""

    def __init__(self, machine, name):
        machine.wait_for_guest(name)
        self.machine, self.name = machine, name
        self.domain = int(machine.rf(f"domid {name}"))
        self.commands = 0
        # The shell's own editor would echo what is typed, and prompt.
        self.start('stty -echo; while read -r line; do eval "$line"; done')
        # What the kernel says stays out of what commands print; dmesg has it.
        self.run("dmesg -n 1")

    def type(self, line, then="true"):
        """And then the control domain does something: what that printed."""
        assert len(line) < LINE, line
        status, text = self.machine.run(f"/tests/control type {self.domain} {shlex.quote(line)} && {then}")
        assert status == 0, f"{self.name}: {line}: {text}"
        return text

    def start(self, *commands):
        """Types them, and does not wait; none has more than LINE bytes."""
        for command in commands:
            self.type(command)

    def run(self, *commands, seconds=PATIENCE - 40):
        """What they printed."""
        self.commands += 1
        mark = f"{self.commands}-{self.name}"
        lines = [f"echo from-$((1*{self.commands}))-{self.name}"]
        for command in *commands, f"printf '\\nupto-%s\\n' $((1*{self.commands}))-{self.name}":
            if len(lines[-1]) + len(command) + 3 < LINE and not lines[-1].endswith("&"):
                lines[-1] += "; " + command
            else:
                lines.append(command)
        self.start(*lines[:-1])
        # The control domain looks for the end: all that a console has takes long to come out of the serial line.
        text = self.type(lines[-1], f"timeout {seconds} sh -c 'until rf console --print {self.name} | "
                         f"grep -q ^upto-{mark}; do usleep 200000; done'; rf console --print {self.name} | "
                         f"tr -d '\\r' | sed -n '/^from-{mark}$/,/^upto-{mark}$/p'")
        found = re.search(rf"^from-{mark}\n((?:.*\n)*?)\n?upto-{mark}$", text, re.M)
        assert found, f"{self.name}: {commands}: {text} {self.machine.rf(f'console --print {self.name}')[-3000:]}"
        return found.group(1)

    def wait_for_grants(self, granted):
        """Until it grants so many things, and waits for nobody to let go of others."""
        self.run(f"until [ \"$(echo $(cat /sys/kernel/ringfence/grants))\" = 'granted {granted} waiting 0' ]; do usleep 100000; done")


# The hypervisor's table for what the control domain maps of guests, by 2 MiB of the machine: made when it is needed, and
# kept. A guest has one page that is mapped, the store's, and what its devices share.
GRANT_TABLE = 8192


def first_guest(node):
    """What is made once, for the first guest whose page the store maps, is there afterwards."""
    node.rf("create hello name=first")
    node.wait_for_guest("first")
    node.rf("destroy first")


def guests_so_far(node):
    node.rf("create hello name=last --paused")
    serial = node.json("info last")["serial"]
    node.rf("destroy last")
    return serial


def run(node, tests, status, places=1):
    """All of the tests in turn; then no memory is missing, the audit finds nothing wrong, and the machine ends so. What a
    guest shares is in so many pieces of 2 MiB."""
    name = "the start"
    try:
        node.start()
        first_guest(node)
        free, guests = node.free(), guests_so_far(node)
        for test in tests:
            name = test.__name__
            test(node)
            print(f"ok: {name}", flush=True)
        name = "the end"
        missing, guests = free - node.free(), guests_so_far(node) - guests
        assert missing in range(0, GRANT_TABLE * guests * places, GRANT_TABLE), f"{missing} bytes of memory are missing"
        assert node.run("cat /sys/kernel/ringfence/audit")[1].strip() == "ok"
        node.type("poweroff\n")
        assert node.process.wait(60) == status, f"status {node.process.returncode}"
    except (AssertionError, ValueError, LookupError):
        node.process.terminate()
        node.process.wait()
        sys.exit(f"{node.said[-6000:]}\nFAILED: {name}: {traceback.format_exc()}")
