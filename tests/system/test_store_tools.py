#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's xenstore clients, unchanged, on rfstored: dynamic and static; and rfstored's own command line."""
import signal
import subprocess
import sys

import store_daemon

SECONDS = store_daemon.SECONDS


def run(daemon, *command, status=0):
    """What a command prints; it must end with that status."""
    result = subprocess.run(command, env=daemon.environment(), text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=SECONDS)
    if result.returncode != status:
        raise AssertionError(f"{' '.join(command)}: status {result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def use_tools(daemon):
    equal(run(daemon, "xenstore-write", "/a/b", "value", "/a/c", "other"), "")
    equal(run(daemon, "xenstore-read", "/a/b"), "value\n")
    equal(run(daemon, "xenstore-read", "-p", "/a/b", "/a/c"), "/a/b: value\n/a/c: other\n")
    run(daemon, "xenstore-read", "/a/none", status=1)
    equal(run(daemon, "xenstore-list", "/a"), "b\nc\n")
    equal(run(daemon, "xenstore-list", "-p", "/a"), "/a/b\n/a/c\n")
    run(daemon, "xenstore-list", "/none", status=1)
    equal(run(daemon, "xenstore-ls", "/"), 'a = ""\n b = "value"\n c = "other"\n')
    equal(run(daemon, "xenstore-ls", "-f", "/a"), '/a/b = "value"\n/a/c = "other"\n')
    run(daemon, "xenstore-exists", "/a/b")
    run(daemon, "xenstore-exists", "/a/none", status=1)
    equal(run(daemon, "xenstore-chmod", "/a/b", "n0", "r5", "b6"), "")
    equal(run(daemon, "xenstore-ls", "-p", "-f", "/a").split("\n")[0].split("(")[1], "n0,r5,b6)")
    equal(run(daemon, "xenstore-chmod", "-r", "/a", "r0"), "")
    equal(run(daemon, "xenstore-ls", "-p", "-f", "/a").count("(r0)"), 2)
    equal(run(daemon, "xenstore-rm", "/a/b"), "")
    equal(run(daemon, "xenstore-list", "/a"), "c\n")
    equal(run(daemon, "xenstore-rm", "-t", "/a/c"), "")
    run(daemon, "xenstore-exists", "/a", status=1)


def test_dynamic():
    with store_daemon.Daemon() as daemon:
        use_tools(daemon)
        equal(daemon.client().control("check"), "OK")


def test_static():
    with store_daemon.Daemon("static") as daemon:
        use_tools(daemon)


def test_many_names():
    """More than a message holds, and a value with every character."""
    with store_daemon.Daemon() as daemon:
        client = daemon.client()
        names = [f"name-{number:04}" for number in range(2000)]
        for name in names:
            client.write("/many/" + name, "")
        equal(run(daemon, "xenstore-list", "/many"), "".join(name + "\n" for name in names))
        # xenstore-write takes a backslash for the start of an escape.
        text = "".join(map(chr, range(32, 127))).replace("\\", "")
        run(daemon, "xenstore-write", "/text", text)
        equal(run(daemon, "xenstore-read", "-R", "/text").rstrip("\n"), text)


def test_watch():
    with store_daemon.Daemon() as daemon:
        watching = subprocess.Popen(["xenstore-watch", "-n", "4", "/w", "/v"], env=daemon.environment(), text=True,
                                    stdout=subprocess.PIPE)
        equal(sorted(watching.stdout.readline() for _ in range(2)), ["/v\n", "/w\n"])
        run(daemon, "xenstore-write", "/w/x", "1")
        equal(watching.stdout.readline(), "/w/x\n")
        run(daemon, "xenstore-rm", "/w")
        equal(watching.stdout.readline(), "/w\n")
        equal(watching.wait(SECONDS), 0)


def test_folder_variable():
    """XENSTORED_RUNDIR says where the socket is, to both sides."""
    daemon = store_daemon.Daemon()
    try:
        environment = {**daemon.environment(), "XENSTORED_RUNDIR": str(daemon.folder)}
        del environment["XENSTORED_PATH"]
        process = subprocess.Popen([daemon.program, "--state", daemon.state], env=environment, text=True,
                                   stdout=subprocess.PIPE)
        equal(process.stdout.readline(), f"rfstored: serving {daemon.folder}/socket\n")
        subprocess.run(["xenstore-write", "/a", "1"], env=environment, check=True, timeout=SECONDS)
        process.terminate()
        equal(process.wait(SECONDS), 0)
    finally:
        daemon.close()


def test_command_line():
    with store_daemon.Daemon() as daemon:
        program = str(daemon.program)
        if "usage: rfstored" not in run(daemon, program, "--help"):
            raise AssertionError("--help says nothing of use")
        run(daemon, program, "--version")
        run(daemon, program, "--none", status=2)
        run(daemon, program, "more", status=2)
        run(daemon, program, *["--socket", "/x"] * 5, status=2)
        run(daemon, program, "--socket", str(daemon.socket), "--state", str(daemon.folder / "other"), status=4)
        run(daemon, program, "--socket", "/proc/none", "--state", str(daemon.folder / "other"), status=1)
        run(daemon, program, "--socket", str(daemon.folder / "s"), "--state", "/proc/none", status=1)
        (daemon.folder / "bad").mkdir()
        (daemon.folder / "bad/journal").write_text("this is no journal")
        bad = subprocess.run([program, "--socket", daemon.folder / "s", "--state", daemon.folder / "bad"], text=True,
                             stderr=subprocess.PIPE, timeout=SECONDS)
        equal(bad.returncode, 1)
        equal(bad.stderr, f"rfstored: {daemon.folder}/bad: journal: byte 0: does not begin with RFSTORE1\n")
        equal(daemon.end(signal.SIGINT), 0)


if __name__ == "__main__":
    sys.exit(store_daemon.run_all(dict(globals())))
