# SPDX-License-Identifier: BSD-2-Clause
"""What tests of rf-block without a hypervisor share: a store, a disk's folders, the back end, a front end that a program plays."""
import os
import pathlib
import signal
import subprocess
import time

import store_daemon

PROGRAM = store_daemon.PROGRAMS / "bin" / "rf-block"
FRONT = store_daemon.ROOT / os.environ.get("O", "build") / "tests/system/block_front"
DOMAIN, ID = 7, 0
BACK = f"/local/domain/0/backend/block/{DOMAIN}/{ID}"
FACE = f"/local/domain/{DOMAIN}/device/block/{ID}"


class Disk(store_daemon.Daemon):
    """A store with one disk in it, whose back end can be started and killed, and an image."""

    def __init__(self, size=64 << 20, **private):
        super().__init__()
        self.image = self.folder / "image"
        with open(self.image, "wb") as file:
            file.truncate(size)
        self.private = {"image": str(self.image), "format": "raw", "mode": "w"}
        self.private.update({name.replace("_", "-"): str(value) for name, value in private.items()})
        self.back = None
        self.said = open(self.folder / "said", "w+")

    def __enter__(self):
        self.start()
        client = self.client()
        for path, value in [(BACK + "/frontend", FACE), (BACK + "/frontend-id", DOMAIN), (BACK + "/state", 1),
                            (BACK + "/online", 1), (FACE + "/backend", BACK), (FACE + "/backend-id", 0),
                            (FACE + "/state", 1)]:
            client.write(path, str(value))
        for name, value in self.private.items():
            client.write(f"{BACK}/private/{name}", value)
        client.close()
        return self

    def __exit__(self, *arguments):
        self.stop(signal.SIGKILL)
        super().__exit__(*arguments)

    @property
    def link(self):
        return self.folder / "link"

    def serve(self, *options):
        """Starts the back end; it needs somebody who listens at the link."""
        store_daemon.eventually(self.link.exists, "a front end listens")
        self.back = subprocess.Popen([PROGRAM, "--store", self.socket, "--link", self.link, *options, str(DOMAIN), str(ID)],
                                     stderr=self.said)

    def stop(self, number):
        """The back end's exit status."""
        if not self.back or self.back.poll() is not None:
            return None
        self.back.send_signal(number)
        return self.back.wait(store_daemon.SECONDS)

    def worker(self):
        """The number of the back end's second process, or None."""
        path = pathlib.Path(f"/proc/{self.back.pid}/task/{self.back.pid}/children")
        children = path.read_text().split() if path.exists() else []
        return int(children[0]) if children else None

    def kill_worker(self):
        process = self.worker()
        if process:
            os.kill(process, signal.SIGKILL)

    def front(self, *arguments):
        self.link.unlink(missing_ok=True)
        return subprocess.Popen([FRONT, self.socket, str(DOMAIN), str(ID), self.link, *map(str, arguments)],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *arguments, options=()):
        """What a front end says that has the disk to itself, and its status."""
        front = self.front(*arguments)
        try:
            self.serve(*options)
            text = front.communicate(timeout=store_daemon.SECONDS * 2)[0]
        finally:
            front.kill()
        return text, front.returncode

    def key(self, name, folder=BACK):
        return self.value(f"{folder}/{name}")

    def write(self, name, value):
        self.set(f"{BACK}/{name}", value)

    def words(self):
        self.said.flush()
        self.said.seek(0)
        return self.said.read()


def holds_within(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
