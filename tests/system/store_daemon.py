# SPDX-License-Identifier: BSD-2-Clause
"""What the store's tests share: rfstored in a folder of its own, and a client that knows the protocol only."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / os.environ.get("O", "build") / "toolstack"
SECONDS = 60
(CONTROL, DIRECTORY, READ, GET_PERMISSIONS, WATCH, UNWATCH, TRANSACTION_START, TRANSACTION_END, INTRODUCE, RELEASE,
 GET_DOMAIN_PATH, WRITE, MKDIR, RM, SET_PERMISSIONS, WATCH_EVENT, ERROR) = range(17)


class Refused(Exception):
    """The store's answer was an error."""


class Gone(Exception):
    """The store has hung up."""


class Client:
    """One connection. Events that come between a request and its reply are kept."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.number = 0
        self.events = []

    def send(self, kind, *parts, transaction=0):
        payload = b"".join(part.encode() + b"\0" if isinstance(part, str) else part for part in parts)
        self.number += 1
        self.socket.sendall(struct.pack("<IIII", kind, self.number, transaction, len(payload)) + payload)
        return self.number

    def take(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise Gone()
            data += more
        return data

    def receive(self):
        """The next message: kind, number, payload."""
        kind, number, _, length = struct.unpack("<IIII", self.take(16))
        return kind, number, self.take(length)

    def reply(self, number):
        while True:
            kind, answered, payload = self.receive()
            if kind == WATCH_EVENT:
                self.events.append(payload.split(b"\0")[0].decode())
            elif answered != number:
                raise AssertionError(f"an answer to request {answered}, not {number}")
            elif kind == ERROR:
                raise Refused(payload.rstrip(b"\0").decode())
            else:
                return payload

    def ask(self, kind, *parts, transaction=0):
        return self.reply(self.send(kind, *parts, transaction=transaction))

    def event(self):
        """The path of the next event."""
        while not self.events:
            kind, _, payload = self.receive()
            if kind == WATCH_EVENT:
                self.events.append(payload.split(b"\0")[0].decode())
        return self.events.pop(0)

    def write(self, path, value, transaction=0):
        self.ask(WRITE, path, value.encode(), transaction=transaction)

    def write_all(self, path, values):
        """One after the other, without waiting for each answer."""
        start = self.number + 1
        body = path.encode() + b"\0"
        self.socket.sendall(b"".join(struct.pack("<IIII", WRITE, number, 0, len(body) + len(value)) + body + value.encode()
                                     for number, value in enumerate(values, start)))
        self.number += len(values)
        for number in range(start, self.number + 1):
            self.reply(number)

    def read(self, path, transaction=0):
        return self.ask(READ, path, transaction=transaction).decode()

    def control(self, *words):
        return self.ask(CONTROL, *words).rstrip(b"\0").decode()

    def begin(self):
        return int(self.ask(TRANSACTION_START, "").rstrip(b"\0"))

    def end(self, transaction, commit=True):
        self.ask(TRANSACTION_END, "T" if commit else "F", transaction=transaction)

    def close(self):
        self.socket.close()


class Daemon:
    """rfstored, started and ended as often as one likes; its files stay until close()."""

    def __init__(self, kind="bin", options=()):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="test_store."))
        self.socket = self.folder / "socket"
        self.state = self.folder / "state"
        self.program = PROGRAMS / kind / "rfstored"
        self.process = None

    def start(self):
        self.process = subprocess.Popen([self.program, "--socket", self.socket, "--state", self.state, *self.options],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if line != f"rfstored: serving {self.socket}\n":
            raise AssertionError(f"rfstored said {line!r}")

    def client(self):
        return Client(self.socket)

    def value(self, path):
        """Of a node; empty if it is not there."""
        client = self.client()
        try:
            return client.read(path)
        except Refused:
            return ""
        finally:
            client.close()

    def set(self, path, value):
        client = self.client()
        client.write(path, str(value))
        client.close()

    def guest(self, domain):
        client = self.client()
        client.control("restrict", str(domain))
        return client

    def environment(self):
        return {**os.environ, "XENSTORED_PATH": str(self.socket)}

    def end(self, number=signal.SIGTERM):
        """Its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        self.process.stdout.close()
        return status

    def memory(self):
        """KiB that it has in RAM."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()


def eventually(condition, what):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {SECONDS} s: {what}")
        time.sleep(0.01)


def run_all(names):
    """Runs the functions of a test; every one that fails says so. The exit status."""
    import traceback
    failed = 0
    for name, function in names.items():
        if not name.startswith("test_"):
            continue
        try:
            function()
            print(f"ok {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0
