#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
"""The benchmark reads complete logs, refuses broken ones, and computes what it should."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "bench"))

import machine                  # noqa: E402
import results                  # noqa: E402
import table                    # noqa: E402

LOG = """[    0.1] something else
bench: fact boot_cycles 4200000
bench: result 0 getppid 10 2000
bench: result 0 fork 5 500
bench: result 1 getppid 10 1000
bench: counter 1 getppid entry_syscall 20
bench: counter 1 getppid fills 7
bench: result 1 fork 5 400
bench: end
"""
PHASES = """phase 0 iretq 1 2 sysretq 3 4 vmrun 0 0
phase 1 iretq 1 2 sysretq 3 4 vmrun 0 0
phase 2 iretq 10 5 sysretq 20 15 vmrun 3 7
phase 3 iretq 1 2 sysretq 3 4 vmrun 0 0
"""


class FakeSystem:
    def __init__(self, name):
        self.name = self.title = name

    @staticmethod
    def entries(operation):
        return operation.returns()


class Complete(unittest.TestCase):
    def setUp(self):
        self.runs = results.parse(LOG, PHASES)

    def test_costs(self):
        self.assertEqual([run["getppid"].cost() for run in self.runs], [200, 100])

    def test_facts(self):
        self.assertEqual(results.facts(LOG), {"boot_cycles": 4200000})

    def test_counters_of_their_operation(self):
        self.assertEqual(self.runs[1]["getppid"].counters, {"entry_syscall": 20, "fills": 7})
        self.assertEqual(self.runs[1]["getppid"].counted_entries(), 2)
        self.assertIsNone(self.runs[1]["fork"].counted_entries())

    def test_what_measuring_adds(self):
        runs = results.parse("bench: result 0 nothing 1 59\nbench: counter 0 nothing entry_syscall 2\n"
                             "bench: result 0 getppid 10 9\nbench: counter 0 getppid entry_syscall 22\n")
        self.assertEqual(list(runs[0]), ["getppid"])
        self.assertEqual(runs[0]["getppid"].counted_entries(), 2)

    def test_phases_in_order(self):
        getppid = self.runs[1]["getppid"]
        self.assertEqual(getppid.returns(), 3)
        self.assertEqual(getppid.crossings(), 2)
        self.assertEqual(getppid.virtual_entries(), 1)

    def test_a_slower_system_shows(self):
        slow = results.parse(LOG.replace("10 1000", "10 1300").replace("5 400", "5 520"), PHASES)
        measured = {FakeSystem("native"): self.runs[1], FakeSystem("slow"): slow[1]}
        text = table.text(measured)
        self.assertRegex(text, r"getppid +4\.00 +100 +3\.00 +1\.30\n")
        self.assertRegex(text, r"geometric mean of the first 2 +1\.30$")

    def test_reasons_beside_the_plugin(self):
        text = table.reasons({FakeSystem("ours"): self.runs[1]})
        self.assertRegex(text, r"getppid +2\.00 +2\.00 +3\.00\n")


class Broken(unittest.TestCase):
    def refused(self, log, phases=PHASES):
        with self.assertRaises(results.Broken):
            results.parse(log, phases)

    def test_empty(self):
        self.refused("")
        self.refused("bench: end\n", "")

    def test_result_missing(self):
        self.refused(LOG.replace("bench: result 1 fork 5 400\n", ""))
        self.refused(LOG.replace("bench: result 0 fork 5 500\n", ""))

    def test_result_twice(self):
        self.refused(LOG.replace("bench: end", "bench: result 1 fork 5 400\nbench: end"))

    def test_run_missing(self):
        self.refused(LOG.replace("result 1", "result 2").replace("counter 1", "counter 2"))

    def test_nothing_done(self):
        self.refused(LOG.replace("1 fork 5 400", "1 fork 0 400"))

    def test_counter_of_nothing(self):
        self.refused(LOG.replace("counter 1 getppid fills", "counter 1 nobody fills"))

    def test_phase_missing_twice_or_cut(self):
        lines = PHASES.splitlines(keepends=True)
        self.refused(LOG, "".join(lines[:3]))
        self.refused(LOG, "".join(lines + lines[3:]))
        self.refused(LOG, PHASES.replace(" vmrun 3 7", " vmrun 3"))
        self.refused(LOG, "".join(lines[1:]))


class Machine(unittest.TestCase):
    def fails(self, script, message, seconds=20):
        with self.assertRaisesRegex(machine.Failure, message) as caught:
            machine.run(["/bin/sh", "-c", script], seconds)
        return caught.exception.output

    def test_output_up_to_the_end(self):
        text = machine.run(["/bin/sh", "-c", "echo one; echo 'bench: end'; echo two"], 20)
        self.assertEqual(text, "one\nbench: end\n")

    def test_ends_early(self):
        self.assertEqual(self.fails("echo one", "ended early"), "one\n")

    def test_takes_too_long(self):
        self.fails("exec sleep 30", "not done", 0.5)

    def test_says_that_it_failed(self):
        self.fails("echo 'bench: failed: fork: no memory'; echo 'bench: end'", "fork: no memory")
        self.fails("echo '[ 0.1] Kernel panic - not syncing: x'; sleep 1", "not syncing: x")


if __name__ == "__main__":
    unittest.main()
