# SPDX-License-Identifier: BSD-2-Clause
"""What the style checks share: the list of files, a scanner for C, and how a fault is told.

Each check is run as `tests/style/NAME [ROOT]`; it prints `FILE:LINE: what is wrong` for each fault
and ends with status 1 if there was one. ROOT is another tree to check, used by selftest.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
OUTPUT = ROOT / os.environ.get("O", "build")
C_FOLDERS = ("hypervisor", "abi", "tests", "backends", "toolstack")
SCRIPT_START = "#!"
faults = []


def files():
    """Every file of the tree that is not made by a build, relative to the root."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                                stdout=subprocess.PIPE, check=True).stdout.splitlines()
        return sorted(path for path in listed if (ROOT / path).is_file())
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders
                      if name != "__pycache__" and not name.startswith("build") and
                      pathlib.Path(folder, name) != OUTPUT]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return sorted(found)


def files_in(folders, suffixes):
    """The files under some folders whose names end in one of some suffixes."""
    return [path for path in files() if path.split("/")[0] in folders and path.endswith(tuple(suffixes))]


def read(path):
    return (ROOT / path).read_bytes().decode(errors="replace")


def exists(path):
    return (ROOT / path).exists()


def fault(path, line, text):
    faults.append(f"{path}:{line}: {text}")


def finish():
    """Tell the faults and end."""
    for text in faults:
        print(text)
    sys.exit(1 if faults else 0)


def blank(match):
    """The same text with nothing but its line ends, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group(0))


def code_only(text):
    """C without comments, and without what is inside quotes."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.S)


def without_directives(code):
    """C without preprocessor lines, those continued with a backslash as a whole."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.M)


class Function:
    def __init__(self, head, first, last):
        self.name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head)).group(1)
        self.exported = not re.search(r"\bstatic\b", head)
        self.first = first
        self.last = last
        self.lines = last - first + 1


def functions(path):
    """The functions defined in a C file: a `{` and a `}` at the start of a line around each body."""
    code = without_directives(code_only(read(path)))
    found = []
    for match in re.finditer(r"^([A-Za-z_][^;{}=]*\))\s*^\{(.*?)^\}", code, re.M | re.S):
        head = match.group(1)
        if re.match(r"(struct|union|enum)\s+\w+\s*$", head) or "(" not in head:
            continue
        first = code.count("\n", 0, match.start()) + 1
        found.append(Function(head, first, code.count("\n", 0, match.end()) + 1))
    return found
