# SPDX-License-Identifier: BSD-2-Clause
"""The RAM disk of a control domain that makes guests: the measuring program, `rf`, and a guest's configuration, kernel
and RAM disk. The guest's first process powers off at once."""
import json
import pathlib
import shutil

import peers
import ramdisk

MEMORY = 256


def add_guest(root, setup):
    folder = root / "etc/ringfence"
    folder.mkdir(parents=True)
    shutil.copy(setup.linux / "vmlinux", folder)
    shutil.copy(setup.small_initrd, folder / "initrd.gz")
    (folder / "bench.json").write_text(json.dumps({
        "kernel": "vmlinux", "initrd": "initrd.gz", "memory": MEMORY,
        "command_line": "console=hvc0 quiet panic=-1 bench_end=1"}), encoding="utf-8")


def build(setup, directory):
    """The file."""
    program = setup.build / "toolstack/static/rf"
    if not program.exists():
        raise peers.Missing(f"{program} is not there: make bench-files builds it")
    root = pathlib.Path(directory, "domains")
    shutil.copytree(setup.build / "tests/bench/content", root)
    for name in ("run", "usr/bin"):
        (root / name).mkdir(parents=True)
    shutil.copy(program, root / "usr/bin/rf")
    add_guest(root, setup)
    return ramdisk.pack(root, pathlib.Path(directory, "domains.cpio"))
