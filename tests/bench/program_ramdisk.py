# SPDX-License-Identifier: BSD-2-Clause
"""The RAM disk for whole programs: the measuring one, and those that it executes.

They come from Debian's packages: installed ones, or else downloaded and unpacked. One that cannot be had
is left out and reported as missing.
"""
import pathlib
import shutil
import subprocess

import peers
import ramdisk

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is compiled: a file of the hypervisor that needs little else.
SOURCE = "hypervisor/lib/printf.c"
FLAGS = ("-std=gnu17", "-ffreestanding", "-Ihypervisor/include", "-Ihypervisor/lib", "-Ihypervisor/x86/include",
         "-I.")


class Program:
    """A program's file, its place in the RAM disk, its package, and the operations that need it."""

    def __init__(self, file, package, operations, place=None):
        self.file, self.package, self.operations = file, package, operations
        self.place = place or f"/usr/bin/{file}"

    def find(self):
        if found := shutil.which(self.file):
            return found
        folder, _ = peers.unpacked(self.package)
        file = folder / "usr/bin" / self.file
        if not file.exists():
            raise peers.Missing(f"{self.package} has no {self.file}")
        return str(file)


class Compiler(Program):
    """The compiler proper, which gcc would execute."""

    def find(self):
        path = peers.output_of("gcc", "-print-prog-name=cc1").strip()
        if not path.startswith("/"):
            raise peers.Missing("gcc has no cc1")
        return path


PROGRAMS = (
    Program("hackbench", "rt-tests", ("hackbench", "hackbench-pipe")),
    Program("stress-ng", "stress-ng", ("stress-fork", "stress-exec", "stress-mmap", "stress-switch",
                                       "stress-pipe")),
    Program("gzip", "gzip", ("gzip",)),
    Compiler("cc1", "gcc", ("compile",), "/usr/lib/bench/cc1"),
    Program("as", "binutils", ("assemble",)),
    Program("tcc", "tcc", ("build",)),
    Program("ld", "binutils", ("build",)),
)
# A build of small files: a process compiles each, the last one links them all.
SMALL_FILES = 24
SMALL_SOURCE = """struct item {{ struct item *next; int key, value; }};
static int count_{n};
int find_{n}(const struct item *list, int key)
{{
	for (; list; list = list->next)
		if (list->key == key)
			return list->value + {n};
	return -1;
}}
void sort_{n}(int *values, int size)
{{
	int i, j, value;
	for (i = 1; i < size; i++) {{
		value = values[i];
		for (j = i; j > 0 && values[j - 1] > value; j--)
			values[j] = values[j - 1];
		values[j] = value;
	}}
	count_{n}++;
}}
"""
BUILD = """set -e
for source in /usr/lib/bench/small-*.c; do
	object=/tmp/${source##*/}
	tcc -c -o ${object%.c}.o $source
done
ld -r -o /tmp/small.o /tmp/small-*.o
/bin/busybox rm /tmp/small*.o
"""


def add_source(root):
    """What is compiled, without its headers, and what comes out, to be assembled."""
    folder = root / "usr/lib/bench"
    folder.mkdir(parents=True, exist_ok=True)
    for option, name in (("-E", "source.i"), ("-S", "source.s")):
        subprocess.run(["gcc", option, "-O2", *FLAGS, "-o", str(folder / name), SOURCE], cwd=ROOT, check=True)
    for number in range(SMALL_FILES):
        (folder / f"small-{number:02}.c").write_text(SMALL_SOURCE.format(n=number), encoding="utf-8")
    (folder / "build.sh").write_text(BUILD, encoding="utf-8")


def build(initrd_content, directory, wanted):
    """The file, and for each operation that cannot be done, why."""
    root, missing = pathlib.Path(directory, "programs"), {}
    shutil.copytree(initrd_content, root)
    for program in PROGRAMS:
        if not set(program.operations) & set(wanted):
            continue
        try:
            ramdisk.add_program(root, program.find(), program.place)
        except peers.Missing as reason:
            missing.update({name: str(reason) for name in program.operations})
    add_source(root)
    return ramdisk.pack(root, pathlib.Path(directory, "programs.cpio")), missing
