#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`rf check` on configurations and images that are wrong, one after the other: each is refused with a message that
names the file, the key or the offset, and the limit; the verbs' ways of being used wrongly; completion.

timeout: 300
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import bad_guests

ROOT = pathlib.Path(__file__).resolve().parents[2]
RF = ROOT / os.environ.get("O", "build") / "toolstack/bin/rf"
failures = 0


def check(name, good, text=""):
    global failures
    failures += not good
    print(f"ok: {name}" if good else f"FAILED: {name}: {text}", flush=True)


def rf(*words, folder=None):
    environment = dict(os.environ, RINGFENCE_CONFIG=str(folder or "/nowhere"), LC_ALL="C")
    run = subprocess.run([RF, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return run.returncode, run.stdout, run.stderr


USES = {
    "no verb": ([], 2, "usage: rf VERB"),
    "an unknown verb": (["fly"], 2, "no verb 'fly'"),
    "no word": (["create"], 2, "CONFIGURATION [KEY=VALUE]... is missing"),
    "a word too many": (["version", "now"], 2, "'now' is too much"),
    "no such option": (["list", "--fast"], 2, "no option '--fast'"),
    "no such letter": (["list", "-xj"], 2, "no option '-x'"),
    "an option without value": (["top", "--delay"], 2, "option '--delay' needs a value"),
    "not a number": (["stats", "--watch", "x", "0"], (1, 2), ""),
    "no such configuration": (["create", "nobody"], 3, "nobody: no such configuration in"),
    "no such verb": (["help", "fly"], 3, "no verb 'fly'"),
    "not a control domain": (["list"], 1, "/dev/ringfence: "),
}


def refused(name, folder, message, files, file="./a.json"):
    status, output, errors = rf("check", file, folder=folder)
    good = status == 1 and message in output and any(file in output for file in files) and not errors and \
        output.count("\n") == 1
    check(name, good, f"status {status}: {output}{errors}")


def completed(*words):
    """What bash offers for the last of these words."""
    script = f'source <("$0" help --completion); COMP_WORDS=("$@"); COMP_CWORD={len(words) - 1}; _rf; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    return subprocess.run(["bash", "-c", script, RF, *words], text=True, stdout=subprocess.PIPE,
                          check=True).stdout.split()


def check_completion():
    check("a verb is completed", completed("rf", "vc") == ["vcpu-list", "vcpu-pin", "vcpu-set"], str(completed("rf", "vc")))
    check("an option is completed", completed("rf", "create", "--p") == ["--paused"],
          str(completed("rf", "create", "--p")))
    check("a verb of help is completed", completed("rf", "help", "dest") == ["destroy"], "")
    check("nothing is completed", completed("rf", "version", "x") == [], "")


def main():
    with tempfile.TemporaryDirectory(prefix="ringfence-rf.") as directory:
        folder = pathlib.Path(directory)
        (folder / "good").write_bytes(bad_guests.good_elf())
        with open(folder / "large", "wb") as file:
            file.truncate(bad_guests.LARGE)
        (folder / "a.json").write_text('{ "kernel": "good" }')
        status, output, errors = rf("check", "a.json", folder=folder)
        check("the good one", status == 0 and "a, 65536K of memory, 1 vCPUs" in output, output + errors)
        for name, (image, message) in bad_guests.IMAGES.items():
            (folder / "image").write_bytes(image)
            (folder / "a.json").write_text('{ "kernel": "image" }')
            refused(name, folder, message, ["./image: "])
        tried = set()
        for name, text, message in bad_guests.bad_configurations():
            (folder / name).write_bytes(text)
            refused(name, folder, message, [f"./{name}:", "./nowhere:", "./no:", "./.:", "./good:"], f"./{name}")
            tried.add(name)
        check("each file was tried", tried | {"messages"} == {path.name for path in bad_guests.BAD.iterdir()} and len(tried) >= 50)
        status, output, errors = rf("check", "--json", "./a.json", folder=folder)
        check("as JSON", status == 1 and json.loads(output)[0]["ok"] is False, output + errors)
    for name, (words, wanted, message) in USES.items():
        status, output, errors = rf(*words)
        check(name, status in (wanted if isinstance(wanted, tuple) else (wanted,)) and message in output + errors,
              f"status {status}: {output}{errors}")
    status, output, errors = rf("create", "nobody", "--json")
    check("an error as JSON", status == 3 and json.loads(output)["status"] == 3, output + errors)
    check_completion()
    sys.exit(failures != 0)


main()
