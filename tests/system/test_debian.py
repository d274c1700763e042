#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make debian-guest` without a terminal: a Debian that mmdebstrap makes boots from its disk image, cloud-init does what its
seed says, the guest answers in its network, and powers off when it is asked to.

needs: linux
timeout: 3600
"""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of a make that runs the tests: its options are not for this one.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
WANTED = ("CLOUD-INIT-WAS-HERE", "debian login:", "/dev/vda", "10.82.0.2", " 0% packet loss", "(debian) domain 1 is gone", "powered off")


def main():
    if "RF_FULL" not in os.environ:
        print("only at full length: it fetches and installs a Debian, and boots all of it")
        return 77
    run = subprocess.run(["make", "debian-guest", "DEBIAN_TIMEOUT=2400"], cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False)
    missing = [text for text in WANTED if text not in run.stdout]
    print(run.stdout)
    print(f"status {run.returncode}, missing: {missing}" if run.returncode or missing else "ok")
    return int(bool(run.returncode or missing))


sys.exit(main())
