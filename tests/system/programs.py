# SPDX-License-Identifier: BSD-2-Clause
"""A file system with programs of this machine, the libraries that they need and other files, for machines whose RAM disk
would be too large with them: a disk of the control domain, and of its guests."""
import pathlib
import re
import shutil
import subprocess
import tempfile

PLACE = "/programs"
SPARE = 16 << 20


def libraries(program):
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def copy(file, folder):
    folder.mkdir(exist_ok=True)
    shutil.copy(file, folder / pathlib.Path(file).name)


def make(image, programs, objects=(), texts=None):
    """The programs in bin, all libraries and what is loaded like one in lib, texts by their names."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for file in programs:
            copy(file, root / "bin")
        for file in objects:
            copy(file, root / "lib")
        for file in {library for object in (*programs, *objects) for library in libraries(object)}:
            copy(file, root / "lib")
        for path, text in (texts or {}).items():
            (root / path).write_text(text)
        size = sum(file.stat().st_size for file in root.rglob("*")) * 11 // 10 + SPARE
        pathlib.Path(image).touch()
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", root, image, f"{size >> 10}k"], check=True)


def use(device):
    """What is typed into a shell, so that it finds them."""
    return (f"mkdir {PLACE} && mount -t ext4 -o ro {device} {PLACE} && ln -s {PLACE}/lib /lib64 && "
            f"export LD_LIBRARY_PATH=/lib64 PATH={PLACE}/bin:$PATH")
