#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`rf store-...` on rfstored, without a hypervisor: what the verbs print and return, as text and as JSON."""
import json
import subprocess
import sys

import store_daemon

RF = store_daemon.PROGRAMS / "bin" / "rf"
OK, FAILED, USAGE, NOT_FOUND, BUSY = range(5)


def run(daemon, *words, status=OK):
    result = subprocess.run([RF, *words], env=daemon.environment(), text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=store_daemon.SECONDS)
    if result.returncode != status:
        raise AssertionError(f"{words}: status {result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, wanted {wanted!r}")


def test_nodes(daemon):
    equal(run(daemon, "store-write", "/a/b", "value", "/a/c", "x\ty\\"), "")
    equal(run(daemon, "store-read", "/a/b", "/a/c"), "value\nx\ty\\\n")
    equal(json.loads(run(daemon, "store-read", "--json", "/a/c")), {"/a/c": "x\\x09y\\x5c"})
    equal(run(daemon, "store-list", "/a"), "b\nc\n")
    equal(json.loads(run(daemon, "store-list", "--json", "/", "/a")), {"/": ["a"], "/a": ["b", "c"]})
    equal(run(daemon, "store-exists", "/a"), "")
    run(daemon, "store-exists", "/none", status=NOT_FOUND)
    run(daemon, "store-read", "/a/b", "/none", status=NOT_FOUND)
    run(daemon, "store-list", "/none", status=NOT_FOUND)
    run(daemon, "store-ls", "/none", status=NOT_FOUND)
    equal(run(daemon, "store-chmod", "/a/b", "n0", "r5", "b6"), "")
    equal(run(daemon, "store-ls"), '/ = ""  (n0)\n/a = ""  (n0)\n/a/b = "value"  (n0 r5 b6)\n'
          '/a/c = "x\\x09y\\x5c"  (n0)\n')
    equal(json.loads(run(daemon, "store-ls", "--json", "/a/b")),
          [{"path": "/a/b", "value": "value", "permissions": ["n0", "r5", "b6"]}])


def test_all_or_none(daemon):
    run(daemon, "store-write", "/d/1", "one", "/d//2", "two", status=USAGE)
    run(daemon, "store-exists", "/d", status=NOT_FOUND)
    run(daemon, "store-write", "/d/1", "one", "/d/2", status=USAGE)
    run(daemon, "store-write", "/d/1", "one", "/d/2", "two")
    run(daemon, "store-rm", "/d/1", "d//2", status=USAGE)
    equal(run(daemon, "store-read", "/d/1"), "one\n")
    equal(run(daemon, "store-rm", "/d/1", "/d/none", "/d"), "")
    run(daemon, "store-exists", "/d", status=NOT_FOUND)


def test_permissions(daemon):
    for word in ("q1", "n", "1", "n70000", "r-1", "n1x", ""):
        run(daemon, "store-chmod", "/a/b", word, status=USAGE)
    run(daemon, "store-chmod", "/none", "n0", status=NOT_FOUND)


def test_watch(daemon):
    with subprocess.Popen([RF, "store-watch", "--count", "3", "/w", "@introduceDomain"], env=daemon.environment(),
                          text=True, stdout=subprocess.PIPE) as watch:
        equal(sorted([watch.stdout.readline(), watch.stdout.readline()]), ["/w\n", "@introduceDomain\n"])
        run(daemon, "store-write", "/w/x", "1")
        equal(watch.stdout.readline(), "/w/x\n")
        equal(watch.wait(store_daemon.SECONDS), OK)
    equal(run(daemon, "store-watch", "--timeout", "1", "/w", status=BUSY), "/w\n")
    equal(json.loads(run(daemon, "store-watch", "--json", "-n", "1", "/w")), {"path": "/w"})
    run(daemon, "store-watch", "-n", "0", "/w", status=USAGE)


def test_control(daemon):
    equal(run(daemon, "store-control", "check"), "OK\n")
    equal(json.loads(run(daemon, "store-control", "--json", "check")), {"answer": "OK"})
    assert "upgrade" in run(daemon, "store-control", "help")
    run(daemon, "store-control", "no-such", status=FAILED)
    equal(run(daemon, "store-write", "/k", "kept"), "")
    equal(run(daemon, "store-control", "upgrade"), "OK\n")
    equal(run(daemon, "store-read", "/k"), "kept\n")


def main():
    with store_daemon.Daemon() as daemon:
        for test in (test_nodes, test_all_or_none, test_permissions, test_watch, test_control):
            test(daemon)
        environment = daemon
    # Nobody serves there any more.
    run(environment, "store-read", "/a/b", status=FAILED)


if not RF.exists():
    sys.exit(f"{RF} is not there: make toolstack")
main()
