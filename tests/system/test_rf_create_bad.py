#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`rf create` on a live node, of guests that cannot be (bad_guests.py): each is refused with the message that `rf check` has,
which names the file, the key or offset and the limit, and nothing of it remains: no domain, memory, node of the store or file. Words
that a shell would understand are only words.

needs: linux
timeout: 900
"""
import json
import pathlib
import re
import subprocess
import tempfile

import bad_guests
import node

LOOP = """#!/bin/sh
cd /bad || exit
truncate -s LARGE large
for file in *.json *.cfg; do
	echo "begin-$file"
	rf create "./$file" </dev/null
	echo "status-$?"
done
echo "all-$((6*7))"
"""
HOSTILE = "bench;$(touch${IFS}/tmp/owned) `touch${IFS}/tmp/owned` |touch</tmp/owned >/tmp/owned"


def images():
    """Names of files, which are not those of bad configurations."""
    for number, (image, message) in enumerate(bad_guests.IMAGES.values()):
        yield f"image-{number}", image, message


def folder_of(place):
    """Everything in one folder, as a RAM disk."""
    folder = pathlib.Path(place, "bad")
    folder.mkdir()
    (folder / "good").write_bytes(bad_guests.good_elf())
    (folder / "loop").write_text(LOOP.replace("LARGE", str(bad_guests.LARGE)))
    for name, text, _ in bad_guests.bad_configurations():
        (folder / name).write_bytes(text)
    for name, image, _ in images():
        (folder / name).write_bytes(image)
        (folder / f"{name}.json").write_text(f'{{ "kernel": "{name}" }}')
    hostile = pathlib.Path(place, "words.json")
    hostile.write_text(json.dumps({"kernel": "/boot/linux", "memory": 64, "command_line": HOSTILE}))
    more = pathlib.Path(place, "more.gz")
    words = [word for path in sorted(folder.iterdir()) for word in ("--add", f"{path}:/bad/{path.name}")]
    subprocess.run([node.ROOT / "guest-pv/initramfs/build", "--only", "--add", f"{hostile}:/boot/words.json", *words, more], check=True)
    initrd = pathlib.Path(place, "node.gz")
    initrd.write_bytes((node.LINUX / "node.gz").read_bytes() + more.read_bytes())
    return initrd


def remains(m):
    """What there is of guests: domains, nodes of the store, files of rf's, and memory."""
    return (m.names(), m.run("rf store-ls /local/domain")[1], m.run("rf store-ls /vm")[1],
            m.run("ls /run/ringfence")[1], m.free())


def refusals(m):
    before = remains(m)
    expected = {name: message for name, _, message in bad_guests.bad_configurations()}
    expected |= {f"{name}.json": message for name, _, message in images()}
    start = len(m.said)
    m.type("sh /bad/loop\n")
    m.expect("^all-42$", start)
    said = m.said[start:]
    tried = set()
    for name, text, status in re.findall(r"^begin-(\S+)\n((?:.*\n)*?)status-(\d+)$", said, re.M):
        # Files that a configuration names are looked for in its folder.
        text = re.sub(r"^\[ *[0-9.]+\] .*\n", "", text, flags=re.M).replace("/bad/", "./").replace("/bad:", "./.:")
        assert int(status) == 1 and expected[name] in text, f"{name}: status {status}: {text}"
        assert re.match(r"rf create: \./\S+: [^\n]+\s*$", text), f"{name}: {text}"
        tried.add(name)
    assert tried == set(expected), set(expected) - tried
    print(f"{len(tried)} were refused", flush=True)
    m.wait(lambda: remains(m) == before or print(before, remains(m)))


def words(m):
    """A guest's command line is anything; what its name may be is among the refusals."""
    m.rf("create /boot/words.json --paused")
    assert HOSTILE == m.json("info words")["config"]["command_line"]
    m.rf("define /boot/words.json")
    m.rf("destroy words")
    m.rf("start words --paused")
    m.rf("destroy words")
    m.rf("undefine words")
    assert m.run("ls /tmp/owned")[0] != 0


with tempfile.TemporaryDirectory() as directory:
    node.run(node.Node(initrd=folder_of(directory)), (refusals, words), status=0)
