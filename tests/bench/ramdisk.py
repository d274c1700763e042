# SPDX-License-Identifier: BSD-2-Clause
"""A folder as a RAM disk, and programs with their libraries in it.

It is not compressed: an emulated processor would take longer to unpack it than it takes to make.
"""
import os
import pathlib
import shutil
import subprocess

import peers


def add_program(root, program, place=None):
    """A dynamic program and its libraries, at their places; the program itself at another one."""
    for i, file in enumerate(peers.program_with_libraries(program)):
        target = root / (place if place and i == 0 else file).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(file), target)


def pack(root, file):
    """Writes the folder's content to the file."""
    names = sorted(str(path.relative_to(root)) for path in pathlib.Path(root).rglob("*"))
    with open(file, "wb") as out:
        subprocess.run(["cpio", "--create", "--format=newc", "--owner=+0:+0", "--quiet"], cwd=root,
                       input="\n".join(names).encode(), stdout=out, check=True)
    return file
