# SPDX-License-Identifier: BSD-2-Clause
"""What tests of rf-net without a hypervisor share: a network of their own, a store, an interface's folders, the back end, and a
front end that a program plays."""
import ctypes
import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys

import store_daemon

PROGRAM = store_daemon.PROGRAMS / "bin" / "rf-net"
FRONT = store_daemon.ROOT / os.environ.get("O", "build") / "tests/system/net_front"
DOMAIN, ID, TAP = 7, 0, "rf7.0"
BACK = f"/local/domain/0/backend/net/{DOMAIN}/{ID}"
FACE = f"/local/domain/{DOMAIN}/device/net/{ID}"
PRIVATE = {"tap": TAP, "mac": "02:00:00:00:00:01"}
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
TUNSETIFF, TUNSETPERSIST = 0x400454ca, 0x400454cb
TAP_FLAGS = 0x5102  # IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE
SKIPPED = 77


def own_network():
    """Nothing that is done to networks from here on is seen by anybody else; it ends with this process."""
    library = ctypes.CDLL(None, use_errno=True)
    if os.getuid() or not os.path.exists("/dev/net/tun") or library.unshare(CLONE_NEWNET):
        print("a network of its own, and taps in it, need root and /dev/net/tun")
        sys.exit(SKIPPED)


def make_tap(name):
    """As the toolstack does: it stays, and is up."""
    with open("/dev/net/tun", "r+b", buffering=0) as file:
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), TAP_FLAGS))
        fcntl.ioctl(file, TUNSETPERSIST, 1)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), IFF_UP))


class Interface(store_daemon.Daemon):
    """A store with one interface in it, whose back end can be started and killed."""

    def __init__(self):
        # Nothing here is about what is safe on a disk.
        super().__init__(options=("--no-sync",))
        self.back = None
        self.said = open(self.folder / "said", "w+")

    def __enter__(self):
        self.start()
        keys = {BACK + "/frontend": FACE, BACK + "/frontend-id": DOMAIN, BACK + "/state": 1, BACK + "/online": 1,
                FACE + "/backend": BACK, FACE + "/backend-id": 0, FACE + "/state": 1}
        keys |= {f"{BACK}/private/{name}": value for name, value in PRIVATE.items()}
        for path, value in keys.items():
            self.set(path, value)
        return self

    def __exit__(self, *arguments):
        if self.back and self.back.poll() is None:
            self.back.send_signal(signal.SIGKILL)
            self.back.wait(store_daemon.SECONDS)
        super().__exit__(*arguments)

    def serve(self):
        """Starts the back end; it needs somebody who listens at the link."""
        self.back = subprocess.Popen([PROGRAM, "--store", self.socket, "--link", self.folder / "link", str(DOMAIN), str(ID)],
                                     stderr=self.said)

    def front(self):
        return subprocess.Popen([FRONT, TAP, self.socket, str(DOMAIN), str(ID), self.folder / "link"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def worker(self):
        """The number of the back end's second process, or None."""
        path = pathlib.Path(f"/proc/{self.back.pid}/task/{self.back.pid}/children")
        children = path.read_text().split() if path.exists() else []
        return int(children[0]) if children else None

    def key(self, name, folder=BACK):
        return self.value(f"{folder}/{name}")

    def words(self):
        self.said.flush()
        self.said.seek(0)
        return self.said.read()
