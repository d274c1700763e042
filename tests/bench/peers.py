# SPDX-License-Identifier: BSD-2-Clause
"""What the peers need, from Debian: packages are downloaded once, unpacked and not installed.

They are kept in the cache that the Linux build uses too, each in a folder of its version.
"""
import functools
import gzip
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

XEN_PACKAGE = "xen-hypervisor-4.17-amd64"
LINUX_PACKAGE = "linux-image-amd64"
MODULES = ("irqbypass", "ccp", "rng-core", "kvm", "kvm-amd")
XZ_MAGIC = b"\xfd7zXZ\0"
FIRMWARE = pathlib.Path("/usr/share/qemu")


class Missing(Exception):
    """A peer cannot be measured on this machine; the message says why."""


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(home, "ringfence", "peers")


def output_of(*command, directory=None):
    try:
        ended = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except FileNotFoundError as error:
        raise Missing(f"there is no program {command[0]}") from error
    if ended.returncode != 0:
        message = (ended.stderr.strip() or ended.stdout.strip() or "failed").splitlines()[-1]
        raise Missing(f"{' '.join(command[:3])}: {message}")
    return ended.stdout


# Asking apt takes a second, and many where the machine is busy.
@functools.lru_cache(maxsize=None)
def newest(package):
    """The version that Debian has, and what the package depends on."""
    shown = output_of("apt-cache", "show", "--no-all-versions", package)
    fields = dict(re.findall(r"^(\w+): (.*)$", shown, re.M))
    if "Version" not in fields:
        raise Missing(f"apt knows no package {package}")
    return fields["Version"], fields.get("Depends", "")


def unpacked(package):
    """The folder with the files of a package's newest version, and that version."""
    version, _ = newest(package)
    folder = cache() / f"{package}_{version.replace(':', '_')}"
    if not folder.is_dir():
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache()) as directory:
            output_of("apt-get", "-q", "download", f"{package}={version}", directory=directory)
            file = next(pathlib.Path(directory).glob("*.deb"))
            output_of("dpkg-deb", "-x", str(file), os.path.join(directory, "files"))
            shutil.rmtree(pathlib.Path(directory, "files/usr/share/doc"), ignore_errors=True)
            try:
                pathlib.Path(directory, "files").rename(folder)
            except OSError:         # another run was faster
                pass
    return folder, version


def kept(file, make):
    """A file in the cache; made if it is not there, at once and as a whole."""
    if not file.exists():
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        partial.write_bytes(make())
        partial.rename(file)
    return file


def xen():
    """An ELF file that QEMU loads, and its version."""
    folder, version = unpacked(XEN_PACKAGE)
    compressed = next((folder / "boot").glob("xen-*.gz"))
    return kept(folder / "xen.elf", lambda: gzip.decompress(compressed.read_bytes())), version


def linux():
    """The folder of Debian's own kernel, and its version."""
    _, depends = newest(LINUX_PACKAGE)
    package = depends.split()[0] if depends else ""
    if not package.startswith("linux-image-"):
        raise Missing(f"{LINUX_PACKAGE} does not say which kernel it stands for")
    return unpacked(package)


def kernel(folder):
    """The kernel's ELF file: an emulated processor would take long to decompress it."""
    image = next((folder / "boot").glob("vmlinuz-*"))

    def decompress():
        content = image.read_bytes()
        start = content.find(XZ_MAGIC)
        if start < 0:
            raise Missing(f"{image.name} is not compressed with xz")
        return lzma.LZMADecompressor().decompress(content[start:])
    return kept(folder / "vmlinux.elf", decompress)


def modules(folder):
    """The files of the modules that KVM needs, in the order in which they are loaded."""
    files = {file.stem: file for file in (folder / "lib/modules").rglob("*.ko")}
    built_in = {pathlib.Path(line).stem for file in (folder / "lib/modules").glob("*/modules.builtin")
                for line in file.read_text().split()}
    if absent := set(MODULES) - set(files) - built_in:
        raise Missing(f"Debian's kernel has no module {', '.join(sorted(absent))}")
    return [files[name] for name in MODULES if name in files]


def program_with_libraries(program):
    """A dynamic program as the list of all files that it needs to run."""
    path = shutil.which(program)
    if not path:
        raise Missing(f"there is no program {program}")
    return [path] + re.findall(r"(/\S+) \(0x", output_of("ldd", path))
