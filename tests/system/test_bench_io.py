#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
"""The benchmark of disks and networks reads complete logs, refuses broken ones, and computes what it should."""
import pathlib
import sys
import unittest

BENCH = pathlib.Path(__file__).parents[1] / "bench"
sys.path[:0] = [str(BENCH / "io"), str(BENCH)]

import io_programs              # noqa: E402
import io_results               # noqa: E402
import io_table                 # noqa: E402
import results                  # noqa: E402

LOG = """io: up 1.05\r
io: result randread 200 51234.5\r
io: counter randread irq_block-0 10\r
io: counter randread hypercall_event_send 4\r
io: counter randread control.hypercall_event_send 10
[    3.2] something else
io: result trip 100 1e+03
bench: end
"""
PHASES = """phase 0 iretq 30 1 sysretq 170 5 all 40000 160000
phase 1 iretq 2 1 sysretq 3 5 all 1000 2000
"""


def parse(text=LOG, phases=PHASES):
    return io_results.parse(text, phases)


class Complete(unittest.TestCase):
    def test_results(self):
        rows = parse()
        self.assertEqual(list(rows), ["randread", "trip"])
        self.assertEqual((rows["randread"].count, rows["randread"].rate), (200, 51234.5))
        self.assertEqual(rows["trip"].rate, 1000)

    def test_costs(self):
        row = parse()["randread"]
        self.assertEqual((row.instructions(), row.entries()), (1000, 1))

    def test_costs_by_clock(self):
        row = parse(phases=PHASES.replace(" all 40000 160000", ""))["randread"]
        self.assertAlmostEqual(row.instructions(), 1e9 / 51234.5)

    def test_counters(self):
        row = parse()["randread"]
        self.assertEqual(row.sum_of("hypercall_event_send", "irq_.*"), 14 / 200)
        self.assertIsNone(row.sum_of("grant_map"))

    def test_without_plugin(self):
        self.assertEqual(parse(phases=None)["randread"].phase, {})

    def test_table(self):
        other = parse(phases=PHASES.replace("160000", "460000"))
        text = io_table.counted(["randread"], {"ringfence": parse(), "xen": other})
        self.assertIn("| 1,000 | 1.00 | 2,500 | 1.00 | 2.50 |", text)
        self.assertIn("- |", io_table.counted(["randread"], {"ringfence": parse(), "xen": {}}))
        self.assertIn("| 51,234 | 51,234 | 1.00 | - |",
                      io_table.timed(["randread"], {"ringfence": parse(), "xen": other}))


class Broken(unittest.TestCase):
    def refuse(self, text=LOG, phases=PHASES):
        with self.assertRaises(results.Broken):
            parse(text, phases)

    def test_nothing(self):
        self.refuse("bench: end\n")

    def test_twice(self):
        self.refuse(LOG.replace("trip", "randread"))

    def test_no_requests(self):
        self.refuse(LOG.replace("randread 200", "randread 0"))

    def test_counter_of_nothing(self):
        self.refuse(LOG.replace("io: counter randread irq", "io: counter another irq"))

    def test_phases(self):
        self.refuse(phases=PHASES.splitlines()[0])
        self.refuse(phases=PHASES.replace("phase 1", "phase 2"))


class Programs(unittest.TestCase):
    def test_versions(self):
        script = io_programs.version_script([("a", "V_1"), ("b", "V_2"), ("c", "V_1"), ("d", None)])
        self.assertEqual(script, "V_1 { global: a; c; };\nV_2 { global: b; };\n")


if __name__ == "__main__":
    unittest.main(verbosity=0)
