# SPDX-License-Identifier: Apache-2.0
"""What a command may leave on a machine: processes, mounts, namespaces, temporary files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import re

PR_SET_CHILD_SUBREAPER = 36

# Names that our program and its libraries give to files until they are whole, and how long those may be that are not
# in a place which is emptied as a whole.
TEMPORARY = re.compile(r"\.[A-Za-z0-9]{6}$|\.partial$|^\.sheaf-|^\.git-|\.new-|^\.layer-|^sheaf-verify-|^doctor-|-journal$")


def adopt_orphans() -> None:
    """From here on whatever our children leave running becomes a child of this process, wherever it was started."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def parents() -> dict[int, tuple[int, str]]:
    """Parent and state of every process that is visible here."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            found[int(path.parent.name)] = (int(parent), state)
    return found


def descendants(known: set[int] = frozenset()) -> dict[int, str]:
    """Command lines of living processes below this one; adopted ones that have ended are reaped."""
    table = parents()
    below, fresh = {os.getpid()}, {os.getpid()}
    while fresh:
        fresh = {pid for pid, (parent, _) in table.items() if parent in fresh} - below
        below |= fresh
    found = {}
    for pid in below - {os.getpid()} - known:
        if table[pid][1] == "Z":
            if table[pid][0] == os.getpid():
                with contextlib.suppress(OSError):
                    os.waitpid(pid, os.WNOHANG)
            continue
        with contextlib.suppress(OSError):
            found[pid] = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return found


def mounts() -> set[str]:
    """Mount points of this namespace, and namespaces that are kept by a mount (nsfs)."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {line.split()[4] + (" of " + line.split()[3] if " nsfs " in line else "") for line in lines}


def temporary_files(folder: pathlib.Path) -> list[str]:
    """Files below `folder` that have a name only until they are whole. Trees of layers are left out: they are content."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("tree", "mounts")]
        found += [os.path.relpath(os.path.join(parent, name), folder)
                  for name in folders + files if TEMPORARY.search(name)]
    return sorted(found)
