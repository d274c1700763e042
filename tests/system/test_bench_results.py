#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
"""The benchmark reads complete logs, refuses broken ones, and computes what it should."""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "bench"))

import figures                  # noqa: E402
import machine                  # noqa: E402
import model                    # noqa: E402
import peers                    # noqa: E402
import report                   # noqa: E402
import results                  # noqa: E402
import sections                 # noqa: E402
import sizes                    # noqa: E402
import suites                   # noqa: E402
import systems                  # noqa: E402
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
        text = table.align(table.lines(measured))
        self.assertRegex(text, r"getppid +4\.00 +100 +3\.00 +1\.30\n")
        self.assertRegex(text, r"geometric mean of 2 +1\.30$")

    def test_reasons_beside_the_plugin(self):
        text = table.align(next(table.reason_lines({FakeSystem("ours"): self.runs[1]})))
        self.assertRegex(text, r"(?m)getppid +2\.00 +2\.00 +3\.00$")

    def test_instructions_where_they_are_counted(self):
        counted = results.parse(LOG, PHASES.replace("vmrun 3 7", "vmrun 3 7 all 1000 500"))
        self.assertEqual(counted[1]["getppid"].cost(), 150)
        self.assertEqual(counted[1]["fork"].cost(), 80)


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


def arguments(**changed):
    """What the command line would give."""
    values = {"systems": ["native", "ringfence"], "operations": [], "programs": [], "no_programs": False,
              "processors": 1, "smp": [2], "csv": None, "json": None, "html": None, "cpu": "EPYC",
              "memory": 1024, "icount": True, "cold": False, "linux": "build/linux"}
    return types.SimpleNamespace(**{**values, **changed})


class Plan(unittest.TestCase):
    def names(self, **changed):
        return [suite.name for suite in suites.plan(arguments(**changed))]

    def test_everything(self):
        self.assertEqual(self.names(smp=[2, 4]), ["operations", "processors-2", "processors-4", "domains-1",
                                                  "domains-2", "programs"])
        self.assertNotIn("domains-1", self.names(systems=["native", "xen"]))

    def test_less(self):
        self.assertEqual(self.names(no_programs=True, smp=[]), ["operations", "domains-1"])
        self.assertEqual(self.names(operations=["create"]), ["domains-1"])
        self.assertEqual(self.names(operations=["event"]), ["domains-1", "domains-2"])
        self.assertEqual(self.names(operations=["fork"]), ["operations"])
        self.assertEqual(self.names(operations=["ipi"]), ["processors-2"])
        self.assertEqual(self.names(programs=["gzip"]), ["programs"])

    def test_what_needs_an_exact_clock(self):
        def has_timer(**changed):
            return "timer" in suites.plan(arguments(**changed))[0].operations
        self.assertTrue(has_timer())
        self.assertFalse(has_timer(processors=2) or has_timer(icount=False))

    def test_what_was_left_out_is_noticed(self):
        suite = suites.plan(arguments(operations=["fork", "getppid", "hypercall"]))[0]
        runs = results.parse(LOG, PHASES)
        suites.check_complete(suite, runs)
        del runs[1]["fork"]
        with self.assertRaisesRegex(results.Broken, "fork"):
            suites.check_complete(suite, runs)
        suite.missing["fork"] = "no such package"
        suites.check_complete(suite, runs)


SCALING_LOG = """bench: result 0 getppid 10 {0}
bench: result 0 scale-fork 10 {1}
"""
SCALING_PHASES = """phase 0 iretq 0 0 sysretq 20 10
phase 1 iretq 10 0 sysretq 200 100
"""


def scaling_runs(getppid, fork):
    return results.parse(SCALING_LOG.format(getppid, fork), SCALING_PHASES)[-1]


class SeveralProcessors(unittest.TestCase):
    def test_kvm_says_why_not(self):
        setup = systems.Setup(arguments(build="build", processors=2, runs=1, logs=None))
        kvm = next(system for system in systems.ALL if system.name == "kvm-npt")
        with self.assertRaisesRegex(peers.Missing, "one thread"):
            kvm.run(setup)


    def test_what_is_left_out_is_said(self):
        several = suites.plan(arguments(systems=[], operations=["ipi"]))[0]
        self.assertEqual({system.name for system in several.left_out()}, {"kvm-shadow", "kvm-npt"})
        self.assertIn("<b>KVM nested, 2 processors</b>: left out: ", report.text(arguments(), [several]))
        self.assertFalse(suites.plan(arguments(systems=[], operations=["fork"]))[0].left_out())


class Domains(unittest.TestCase):
    def test_beside_a_fork_and_exec(self):
        suite = suites.plan(arguments(operations=["create"], smp=[]))[0]
        log = "bench: result 0 fork-exec 10 4000\nbench: result 0 create 1 6000\n"
        suite.measured = {FakeSystem("ringfence"): results.parse(log, SCALING_PHASES)[0]}
        self.assertRegex(sections.text([suite]), r"make a guest of 256 MiB +210.00 +6000 +15.00$")


# Says its name and its words, and answers as apt would.
APT = """#!/bin/sh
echo "$*" >>{0}/asked
echo "Version: 1"
"""


class Reuse(unittest.TestCase):
    """What was measured before is neither measured nor prepared again, and apt is asked once."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)
        (self.path / "apt-cache").write_text(APT.format(self.path))
        (self.path / "apt-cache").chmod(0o755)
        folder = self.path / "ringfence/peers/xen-hypervisor-4.17-amd64_1"
        (folder / "boot").mkdir(parents=True)
        (folder / "boot/xen-4.17.gz").touch()
        (folder / "xen.elf").touch()

    def save(self, names):
        suite = suites.plan(arguments(programs=["gzip"]))[0]
        run = results.parse("bench: result 0 gzip 1 100\n", PHASES.splitlines(keepends=True)[0])[0]
        suite.measured = {FakeSystem(name): run for name in names}
        suite.missing = {"build": "no linker"}
        figures.write(arguments(json=self.path / "old"), [suite])

    def test_all_of_it(self):
        self.save(["native", "xen"])
        (self.path / "asked").unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, pathlib.Path(figures.__file__).with_name("run"), "--systems", "native,xen", "--programs", "gzip",
             "-O", self.path, "--reuse", self.path / "old", "--json", self.path / "new", "--html", self.path / "html"],
            env={**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(self.path)},
            stdout=subprocess.PIPE, text=True, check=False)
        self.assertRegex(ended.stdout, r"gzip of 2 MB +12.00 +100 ")
        self.assertIn("missing: no linker", ended.stdout)
        self.assertEqual((self.path / "asked").read_text(), "show --no-all-versions xen-hypervisor-4.17-amd64\n")


class Report(unittest.TestCase):
    """Two suites of two systems, the second one slow with two processors."""

    def setUp(self):
        self.native, self.ours = FakeSystem("native"), FakeSystem("ringfence")
        self.suites = suites.plan(arguments(operations=["getppid", "scale-fork"]))
        for suite, fork in zip(self.suites, (3000, 6000)):
            suite.measured = {self.native: scaling_runs(1000, 2000), self.ours: scaling_runs(1300, fork)}
            suite.facts = {"native": {"boot_cycles": 5000000}, "ringfence": {"boot_cycles": 7000000}}

    def test_what_gets_slower_with_processors_shows(self):
        text = sections.text(self.suites)
        self.assertRegex(text, r"as a ratio to one +native +ringfence\non each: fork, exit, wait +1.00 +2.00")
        self.assertRegex(text, r"million instructions +5.0 +7.0")

    def test_programs_beside_xen(self):
        suite = suites.plan(arguments(programs=["gzip"]))[0]
        for name, cost in (("native", 1000), ("ringfence", 1250), ("xen", 3000)):
            log = f"bench: result 0 gzip 1 {cost}\n"
            suite.measured[FakeSystem(name)] = results.parse(log, SCALING_PHASES.splitlines(keepends=True)[0])[0]
        self.assertRegex(sections.text([suite]),
                         r"as under Xen +native, the limit +ringfence\ngzip of 2 MB +3.00 +2.40$")

    def test_missing_things_are_reported(self):
        self.suites[0].absent[FakeSystem("xen")] = "missing: no <package>"
        self.suites[1].missing["gzip"] = "no such program"
        text = report.text(arguments(), self.suites)
        self.assertIn("<b>xen, operations</b>: missing: no &lt;package&gt;", text)
        self.assertIn("<b>gzip of 2 MB</b>: missing: no such program", text)

    def test_plots_are_drawings(self):
        text = report.text(arguments(), self.suites)
        plots = re.findall(r"<svg.*?</svg>", text, re.S)
        self.assertEqual(len(plots), 4)
        for plot in plots:
            root = xml.etree.ElementTree.fromstring(plot)
            bars = [child for child in root if child.tag.endswith("rect")]
            width = float(root.get("width"))
            self.assertTrue(bars)
            for bar in bars:
                self.assertLessEqual(float(bar.get("x")) + float(bar.get("width")), width)

    def test_a_longer_bar_for_what_is_slower(self):
        native, others = table.columns(self.suites[0].measured)
        plot = xml.etree.ElementTree.fromstring(
            report.plot(["getppid", "scale-fork"], report.cost_series(native, others), 1))
        widths = [float(child.get("width")) for child in plot if child.tag.endswith("rect")]
        self.assertLess(widths[0], widths[1])

    def test_figures_come_back(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "figures")
            figures.write(arguments(json=file), self.suites)
            again = suites.plan(arguments(operations=["getppid", "scale-fork"]))
            figures.read(file, again, [self.native, self.ours])
        self.assertEqual(sections.text(again), sections.text(self.suites))

    def test_the_model_says_that_it_estimates(self):
        lines = model.lines(self.suites[0].measured, ["getppid"])
        self.assertIn("ESTIMATE", lines[0][0])
        # 100 instructions at 2.5 GHz and a crossing, beside 130 and two entries.
        self.assertEqual(lines[1][-1], table.number((130 / 2.5 + 2 * 540) / (100 / 2.5 + 60)))


BOOT = """memory 000000000000-00000009efff RAM
memory 0000000f0000-0000000fffff reserved
memory 000000100000-00003ffdffff RAM
[    0.1] 1 CPUs, 1014 MiB of RAM free
(control) domain 0: marks.elf, 974996 KiB of memory, 15208 KiB of shadows, 1 vCPU
"""


class Sizes(unittest.TestCase):
    def elf(self, wide, kinds):
        """A file with one header for each kind, of 100 bytes that become 300."""
        if wide:
            head = struct.pack("<4sB27xQ14xHH", b"\x7fELF", 2, 64, 56, len(kinds)).ljust(64, b"\0")
            return head + b"".join(struct.pack("<II24xQQ8x", kind, 0, 100, 300) for kind in kinds)
        head = struct.pack("<4sB23xI10xHH", b"\x7fELF", 1, 52, 32, len(kinds)).ljust(52, b"\0")
        return head + b"".join(struct.pack("<I12xII8x", kind, 100, 300) for kind in kinds)

    def test_only_what_is_loaded(self):
        for wide in (False, True):
            self.assertEqual(list(sizes.segments(self.elf(wide, [1, 4, 1]))), [(100, 300)] * 2)

    def test_no_image(self):
        for content in (b"", b"MZ" + bytes(100), self.elf(True, [1])[:70], self.elf(True, [4])):
            with tempfile.NamedTemporaryFile() as file:
                file.write(content)
                file.flush()
                with self.assertRaises(results.Broken):
                    sizes.of_image(pathlib.Path(file.name))

    def test_memory(self):
        ram = (0x9f000 + 0x3fee0000) // 1024
        self.assertEqual(sizes.own_memory(BOOT)["hypervisor_kilobytes"], ram - 1014 * 1024 + 15208)

    def test_log_cut(self):
        for line in ("RAM free", "RAM\n", "domain 0"):
            kept = "".join(text for text in BOOT.splitlines(keepends=True) if line not in text)
            with self.assertRaises(results.Broken):
                sizes.own_memory(kept)


if __name__ == "__main__":
    unittest.main()
