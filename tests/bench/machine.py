# SPDX-License-Identifier: BSD-2-Clause
"""Run one machine until the program in it says that it is done, and return what it printed."""
import ctypes
import signal
import subprocess
import threading

END = "bench: end"
SECONDS_TO_POWER_OFF = 10


class Failure(Exception):
    """The machine did not do what it was started for; `output` is all it printed."""

    def __init__(self, message, output=""):
        super().__init__(message)
        self.output = output


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def read_to_end(process, lines):
    """Collect lines up to the last one that matters."""
    for line in process.stdout:
        lines.append(line.replace("\r", ""))
        if END in line or "bench: failed" in line:
            return


def stop(process):
    """It powers off by itself on most systems; nobody waits long for the others."""
    try:
        process.wait(SECONDS_TO_POWER_OFF)
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            process.wait(SECONDS_TO_POWER_OFF)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def drain(process):
    """A full pipe would keep the machine from powering off."""
    for _ in process.stdout:
        pass


def run(command, time_limit, directory=None):
    """Returns the text that the machine printed up to the end of the measurement."""
    lines = []
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               cwd=directory, preexec_fn=die_with_parent)
    reader = threading.Thread(target=read_to_end, args=(process, lines), daemon=True)
    reader.start()
    reader.join(time_limit)
    finished = not reader.is_alive()
    if finished:
        threading.Thread(target=drain, args=(process,), daemon=True).start()
        stop(process)
    else:
        process.kill()
        process.wait()
    text = "".join(lines)
    if "bench: failed" in text:
        raise Failure(next(line for line in lines if "bench: failed" in line).strip(), text)
    if END not in text:
        raise Failure("ended early" if finished else f"not done after {time_limit:g} seconds", text)
    return text
