#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The plugin of the benchmark counts what a guest is known to do, as the hypervisor itself does.

timeout: 180
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = os.environ.get("O", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests/bench"))

import results                  # noqa: E402
import systems                  # noqa: E402

ROUNDS = 1000
# A timer's interrupt now and then is no mistake.
TOLERANCE = 0.01


def boot(directory):
    """One run of the guest: what it says, and what the plugin says."""
    phases = pathlib.Path(directory, "phases")
    plugin = pathlib.Path(OUTPUT, "tests/bench/plugin.so").resolve()
    ended = subprocess.run(
        ["tests/vm", "-O", OUTPUT, "--kernel", f"{OUTPUT}/tests/guest/marks.elf", "--timeout", "120",
         "--hv-append", "console=raw", "--qemu",
         f"-icount shift=0,sleep=off -plugin {plugin},output={phases},"
         f"low={systems.RANGE[0]:#x},high={systems.RANGE[1]:#x},all=on"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    if ended.returncode != 0 or "RESULT: SUCCESS" not in ended.stdout:
        sys.exit(f"the guest ended with status {ended.returncode}:\n{ended.stdout}")
    return results.parse(ended.stdout, phases.read_text())[0]


class Plugin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as directory:
            cls.operations = boot(directory)

    def near(self, value, expected):
        self.assertGreaterEqual(value, expected)
        self.assertLessEqual(value, expected + ROUNDS * TOLERANCE)

    def inside(self, name, instruction):
        return self.operations[name].instructions[instruction][0]

    def test_agrees_with_the_hypervisor(self):
        self.assertEqual(len(self.operations), 5)
        for operation in self.operations.values():
            self.assertAlmostEqual(operation.returns(), operation.counted_entries(), delta=TOLERANCE)

    def test_hypercalls_return_by_sysret(self):
        self.near(self.inside("hypercalls", "sysretq"), ROUNDS)
        self.near(self.inside("hypercalls", "iretq"), 0)
        self.near(self.inside("hypercalls", "mov-cr3"), 0)

    def test_returns_to_user_mode(self):
        self.near(self.inside("syscalls-iret", "iretq"), ROUNDS)
        self.near(self.inside("syscalls-sysret", "sysretq"), 2 * ROUNDS)

    def test_every_change_of_view_loads_cr3(self):
        for name in ("syscalls-iret", "syscalls-sysret", "page-faults"):
            self.near(self.inside(name, "mov-cr3"), 2 * ROUNDS)

    def test_switches_load_cr3(self):
        self.near(self.inside("switches", "sysretq"), ROUNDS)
        self.near(self.inside("switches", "mov-cr3"), ROUNDS)

    def test_counts_every_instruction(self):
        inside, outside = self.operations["hypercalls"].instructions["all"]
        # The shortest way through the hypervisor, and a loop that calls it; neither is long.
        self.assertTrue(20 * ROUNDS < inside < 400 * ROUNDS, inside)
        self.assertTrue(3 * ROUNDS < outside < 100 * ROUNDS, outside)
        # A page fault is a longer way.
        self.assertGreater(self.operations["page-faults"].instructions["all"][0], 2 * inside)

    def test_nothing_outside(self):
        for operation in self.operations.values():
            self.assertEqual(operation.crossings(), 0)
            self.assertEqual(operation.virtual_entries(), 0)


if __name__ == "__main__":
    os.chdir(ROOT)
    unittest.main()
