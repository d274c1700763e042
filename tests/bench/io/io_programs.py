# SPDX-License-Identifier: BSD-2-Clause
"""The programs that go into RAM disks: fio, iperf3 and Xen's tools, from Debian's packages, which are unpacked and not
installed; and our own, compiled.

Odd: fio is linked with libraries of clusters and remote memory, a hundred megabytes with all that they need. What it
asks of those is put into small libraries of the same names instead, in which every function ends the program.
"""
import collections
import os
import pathlib
import re
import shutil
import subprocess

import peers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LIBRARIES = "usr/lib/x86_64-linux-gnu"
FIO, IPERF = ("fio", "libaio1", "libnuma1"), ("iperf3", "libiperf0", "libsctp1")
XEN = ("xen-utils-4.17", "xen-utils-common", "xenstore-utils", "libxenmisc4.17", "libxencall1", "libxenevtchn1",
       "libxenforeignmemory1", "libxengnttab1", "libxentoollog1", "libxentoolcore1", "libxendevicemodel1", "libxenhypfs1",
       "libxenstore4", "libyajl2", "libnl-3-200", "libnl-route-3-200", "libuuid1")
XEN_FOLDER = "usr/lib/xen-4.17/bin"
XEN_PROGRAMS = (f"{XEN_FOLDER}/xl", f"{XEN_FOLDER}/xenstored", f"{XEN_FOLDER}/xenconsoled", f"{XEN_FOLDER}/xen-init-dom0",
                "usr/bin/xenstore-read", "usr/bin/xenstore-write")
ABSENT = {"libgfapi.so.0", "libnbd.so.0", "libibverbs.so.1", "librdmacm.so.1", "librados.so.2", "librbd.so.1",
          "libpmemblk.so.1", "libpmem.so.1"}
# Functions whose names have no version do not say whose they are.
UNVERSIONED = {"librados.so.2": "rados_", "librbd.so.1": "rbd_"}


def unpacked(packages):
    """Their folders. apt takes long to start, so it is asked once for all that are there already."""
    shown = peers.output_of("apt-cache", "show", "--no-all-versions", *packages)
    versions = dict(re.findall(r"^Package: (\S+)\n(?:.*\n)*?Version: (\S+)$", shown, re.M))
    folders = []
    for package in packages:
        folder = peers.cache() / f"{package}_{versions.get(package, '').replace(':', '_')}"
        folders.append(folder if folder.is_dir() else peers.unpacked(package)[0])
    return folders


def find(folders, file):
    for folder in folders:
        if (folder / file).exists():
            return folder / file
    raise peers.Missing(f"no package has {file}")


def wanted(program):
    """For each absent library, its functions that the program uses, each with its version or None."""
    owner = {}
    for library, rest in re.findall(r"File: (\S+) .*\n((?: .*Name: .*\n)+)", peers.output_of("readelf", "-VW", str(program))):
        owner.update({version: library for version in re.findall(r"Name: (\S+)", rest)})
    functions = collections.defaultdict(list)
    for name, version in re.findall(r" UND (\w+)(?:@(\S+))?", peers.output_of("readelf", "--dyn-syms", "-W", str(program))):
        library = owner.get(version) or next((file for file, prefix in UNVERSIONED.items() if name.startswith(prefix)), None)
        if library in ABSENT:
            functions[library].append((name, version or None))
    return functions


def version_script(functions):
    text = ""
    for version in sorted({version for _, version in functions if version}):
        names = " ".join(f"{name};" for name, its in functions if its == version)
        text += f"{version} {{ global: {names} }};\n"
    return text


def make_absent(program, folder):
    """Libraries in place of those that are absent."""
    folder.mkdir(parents=True, exist_ok=True)
    functions = wanted(program)
    for library in ABSENT:
        source = "".join(f"void {name}(void) {{ __builtin_trap(); }}\n" for name, _ in functions[library])
        script = folder / f"{library}.map"
        script.write_text(version_script(functions[library]))
        flags = [f"-Wl,--version-script={script}"] if script.stat().st_size else []
        subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-x", "c", "-", f"-Wl,-soname,{library}", *flags,
                        "-o", folder / library], input=source, text=True, check=True)
    return folder


def libraries(program, folders):
    """All shared libraries that a program needs, and its loader."""
    path = ":".join(str(folder) for folder in folders)
    shown = subprocess.run(["ldd", program], env={**os.environ, "LD_LIBRARY_PATH": path}, text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    if absent := re.findall(r"(\S+) => not found", shown):
        raise peers.Missing(f"{pathlib.Path(program).name} needs {', '.join(absent)}")
    return re.findall(r"(/\S+) \(0x", shown)


def put(root, program, place, folders):
    """A program at its place, with its libraries where its loader looks."""
    target = root / place
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(program), target)
    for library in libraries(program, folders):
        name = pathlib.Path(library).name
        folder = root / ("lib64" if name.startswith("ld-linux") else "lib/x86_64-linux-gnu")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(library), folder / name)


def library_folders(packages):
    return [folder / sub for folder in packages for sub in (LIBRARIES, "lib/x86_64-linux-gnu") if (folder / sub).is_dir()]


def put_fio(root, work):
    packages = unpacked(FIO)
    fio = find(packages, "usr/bin/fio")
    put(root, fio, "bin/fio", [make_absent(fio, work / "absent"), *library_folders(packages)])


def put_iperf(root):
    packages = unpacked(IPERF)
    put(root, find(packages, "usr/bin/iperf3"), "bin/iperf3", library_folders(packages))


def put_xen(root):
    packages = unpacked(XEN)
    for program in XEN_PROGRAMS:
        place = program if program.startswith(XEN_FOLDER) else f"bin/{pathlib.Path(program).name}"
        put(root, find(packages, program), place, library_folders(packages))
    for script in (HERE / "xen").iterdir():
        target = root / "etc/xen/scripts" / script.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(script, target)
    (root / "etc/xen/xl.conf").write_text("")
    # The C library loads it when a thread is cancelled.
    shutil.copy(peers.output_of("gcc", "-print-file-name=libgcc_s.so.1").strip(), root / "lib/x86_64-linux-gnu")


def compile_own(work):
    """Our own programs, static."""
    work.mkdir(parents=True, exist_ok=True)
    for name in ("marker", "latency"):
        subprocess.run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-iquote", ROOT,
                        "-o", work / name, HERE / f"{name}.c"], check=True)
