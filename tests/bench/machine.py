# SPDX-License-Identifier: BSD-2-Clause
"""Run one machine until the program in it says that it is done, and return what it printed."""
import ctypes
import signal
import subprocess
import threading

END = "bench: end"
FAILURES = ("bench: failed", "Kernel panic", "Panic on CPU", "Domain 0 crashed", "System halted")
SECONDS_TO_POWER_OFF = 10


class Failure(Exception):
    """The machine did not do what it was started for; `output` is all it printed."""

    def __init__(self, message, output=""):
        super().__init__(message)
        self.output = output


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def read_to_end(process, lines, log):
    """Collect lines up to the last one that matters."""
    for line in process.stdout:
        lines.append(line.replace("\r", ""))
        if log:
            log.write(lines[-1])
            log.flush()
        if END in line or any(text in line for text in FAILURES):
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


def run(command, time_limit, directory=None, log=None):
    """Returns the text that the machine printed up to the end of the measurement; `log` is an open
    file that gets it at once."""
    lines = []
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               cwd=directory, preexec_fn=die_with_parent)
    reader = threading.Thread(target=read_to_end, args=(process, lines, log), daemon=True)
    reader.start()
    reader.join(time_limit)
    finished = not reader.is_alive()
    if finished:
        reader = threading.Thread(target=drain, args=(process,), daemon=True)
        reader.start()
        stop(process)
    else:
        process.kill()
        process.wait()
    reader.join(SECONDS_TO_POWER_OFF)
    process.stdout.close()
    text = "".join(lines)
    for line in lines:
        if any(failure in line for failure in FAILURES):
            raise Failure(line.strip(), text)
    if END not in text:
        raise Failure("ended early" if finished else f"not done after {time_limit:g} seconds", text)
    return text
