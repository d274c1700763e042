#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fio writes and verifies the disk of a Linux guest, in all sizes, depths and numbers of queues, while its back end is
killed again and again: no error, nothing is wrong. Then with a server behind the disk that fails: the guest gets the errors.
And with an image that has no space: the guest waits, and goes on. The disk is a block device, past the page cache.

needs: linux
timeout: 3600
"""
import os
import pathlib
import re
import shutil
import tempfile

import node
import programs

FULL = bool(os.environ.get("RF_FULL"))
KILLS = 100 if FULL else 3
PROCESSORS = (1, 2, 4) if FULL else (2,)
BACK = "/local/domain/0/backend/block"
NBDKIT = "/usr/lib/x86_64-linux-gnu/nbdkit"
BIN = node.ROOT / os.environ.get("O", "build") / "toolstack/bin"
MEMORY = 512 if FULL else 192
DATA = 64 << 20
O_DIRECT = 0o40000
# What is written at random places, one after the other: sizes, and how much at once.
JOBS = """[global]
filename=/dev/xvda
direct=1
ioengine=libaio
verify=crc32c
verify_fatal=1
randrepeat=0
size=16m
fallocate=none
[any-sizes]
rw=randwrite
bsrange=4k-1m
iodepth=16
[deep]
rw=randwrite
bs=4k
iodepth=128
offset=16m
size=4m
[one-by-one]
rw=write
bs=4k
iodepth=1
offset=32m
size=1m
[large]
rw=write
bs=1m
iodepth=8
offset=48m
"""
ERRORS = """[errors]
filename=/dev/xvdn
direct=1
ioengine=libaio
verify=crc32c
verify_fatal=1
continue_on_error=io
rw=randwrite
bs=4k
iodepth=32
size=8m
"""


def shell(m, command):
    status, text = m.run(command)
    assert status == 0, f"{command}: {text}"
    return text


# Of disk $2 of domain $1: its worker is killed; then it is waited for the next one, and for the guest, which takes it.
SHELL = r"""worker() { ps -o pid,ppid,args | awk "\$2 != 1 && /rf-block $1 $2\$/ { print \$1 }"; }
is_served() { [ "$(worker $1 $2)" -ne $3 ] 2>/dev/null && [ "$(rf store-read %s/$1/$2/state)" = 4 ]; }
next() { local old=$(worker $1 $2); kill -9 $old; until is_served $1 $2 $old; do usleep 100000; done; }""" % BACK


def make_guest(m, processors):
    name = f"fio{processors}"
    m.rf(f"create hello name={name} vcpus={processors} memory={MEMORY} disks=/dev/vdb,raw,xvda,w")
    guest = node.Guest(m, name)
    m.rf(f"disk-attach {name} /dev/vda mode=r name=xvdz")
    guest.run("until [ -b /dev/xvdz ]; do usleep 100000; done", programs.use("/dev/xvdz"))
    return guest


def check_direct(m, guest):
    """The machine's disk reads and writes the guest's pools themselves."""
    said = shell(m, f"cat /proc/$(worker {guest.domain} 0)/fdinfo/*")
    assert any(int(flags, 8) & O_DIRECT for flags in re.findall(r"^flags:\s*(\d+)$", said, re.M)), said


def verify(m, guest, kills):
    guest.start("(until [ -e /tmp/stop ]; do fio /programs/jobs >/tmp/fio 2>&1 || break; echo ok >>/tmp/rounds; done; "
                "echo $? >/tmp/ended) &")
    for number in range(kills):
        shell(m, f"usleep {400000 + number * 77777 % 1000000}")
        # fio's own pages come from the other.
        shell(m, f"next {guest.domain} {int(number % 4 == 3)}")
    guest.run("touch /tmp/stop")
    # The machine's time is the limit.
    while guest.run("for i in $(seq 60); do [ -e /tmp/ended ] && break; sleep 1; done; ls /tmp/ended") != "/tmp/ended\n":
        continue
    said = guest.run("cat /tmp/ended /tmp/fio", "wc -l </tmp/rounds; dmesg | grep -c 'begun again'",
                     "dmesg | grep -c 'I/O error'")
    rounds, begun, errors = map(int, said.split()[-3:])
    assert said.startswith("0\n") and rounds and errors == 0 and said.count("err= 0") == 4, said
    killed = int(shell(m, f"cat /run/ringfence/block-{guest.domain}-[01].log | grep -c 'another one'"))
    assert killed == kills and begun, f"{killed} {said}"
    print(f"{guest.name}: {rounds} rounds, {killed} back ends killed, {begun} noticed", flush=True)


def no_error_when_killed(m):
    for line in SHELL.split("\n"):
        shell(m, line)
    for processors in PROCESSORS:
        guest = make_guest(m, processors)
        check_direct(m, guest)
        verify(m, guest, -(-KILLS // len(PROCESSORS)))
        rows = {row["name"]: row["statistics"] for row in m.json(f"disk-list {guest.name}")}
        assert rows["xvda"]["errors"] == rows["xvda"]["refused"] == 0, rows
        m.rf(f"destroy {guest.name}")


def errors_arrive(m):
    shell(m, programs.use("/dev/vda"))
    shell(m, "mv /bin/rf-block /bin/rf-block.static && ln -s /programs/bin/rf-block /bin/rf-block")
    shell(m, "nbdkit --filter=/lib64/nbdkit-error-filter.so -U /tmp/nbd -P /tmp/nbd.pid "
             "/lib64/nbdkit-memory-plugin.so 32M error=EIO error-pread-rate=5% error-pwrite-rate=5%")
    guest = make_guest(m, 2)
    m.rf(f"disk-attach {guest.name} 'nbd+unix:///?socket=/tmp/nbd' format=nbd name=xvdn")
    said = guest.run("until [ -b /dev/xvdn ]; do usleep 100000; done", "fio /programs/errors >/tmp/fio 2>&1; echo $?",
                     "cat /tmp/fio", "dmesg | grep -c 'I/O error, dev xvdn'")
    errors = int(said.split()[-1])
    [row] = [row for row in m.json(f"disk-list {guest.name}") if row["name"] == "xvdn"]
    assert "verify" not in re.sub(r"verify=|\bverify:", "", said) and errors > 0, said
    print(f"{errors} errors in the guest, {row['statistics']['errors']} of the back end", flush=True)
    m.rf(f"destroy {guest.name}")
    shell(m, "kill $(cat /tmp/nbd.pid); rm /bin/rf-block; mv /bin/rf-block.static /bin/rf-block")


def no_space_waits(m):
    shell(m, "mkdir /tmp/small && mount -t tmpfs -o size=4m none /tmp/small && truncate -s 8M /tmp/small/image")
    m.rf("create hello name=small disks=/tmp/small/image,raw,xvda,w")
    guest = node.Guest(m, "small")
    guest.start("(dd if=/dev/zero of=/dev/xvda bs=64k count=128 oflag=direct 2>/dev/null; echo $? >/tmp/ended) &")
    shell(m, "timeout 60 sh -c 'until rf disk-list small | grep -i space; do usleep 200000; done'")
    assert guest.run("ls /tmp/ended 2>&1").endswith("No such file or directory\n")
    shell(m, "mount -o remount,size=16m /tmp/small")
    assert guest.run("until [ -e /tmp/ended ]; do usleep 100000; done; cat /tmp/ended") == "0\n"
    # It says so half a second later, when nothing has failed again.
    node.Node.wait(lambda: not m.json("disk-list small")[0].get("paused"))
    m.rf("destroy small")
    shell(m, "umount /tmp/small && rmdir /tmp/small")


def main():
    with tempfile.TemporaryDirectory(prefix="ringfence-fio.") as name:
        folder = pathlib.Path(name)
        programs.make(folder / "programs", [shutil.which("fio"), shutil.which("nbdkit"), BIN / "rf-block"],
                      [f"{NBDKIT}/plugins/nbdkit-memory-plugin.so", f"{NBDKIT}/filters/nbdkit-error-filter.so"],
                      {"jobs": JOBS, "errors": ERRORS})
        with open(folder / "data", "wb") as file:
            file.truncate(DATA)
        machine = node.Node(memory=1536 if FULL else 1024, options=("--smp", "2", "--disk", folder / "programs", "--disk", folder / "data"),
                            timeout=3500 if FULL else 840)
        # Of each queue of each disk a ring and a pool, which may lie across a boundary of 2 MiB; the store's page.
        node.run(machine, (no_error_when_killed, no_space_waits, errors_arrive), 0, places=17)


main()
