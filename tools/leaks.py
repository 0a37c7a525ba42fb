#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests left on the machine: `record FILE` before them, `compare FILE` after them, which fails if there is more.

Looked at: mounts and namespaces that are kept by mounts, processes with the namespaces they hold, loop devices,
temporary files. A thing counts if it is new and of the tests: all of them have TESTS_OF_BUILD in their
environment, and all their folders have names that begin with "sheaf".
"""

import contextlib
import json
import os
import pathlib
import re
import sys
import tempfile
import time

OURS = re.compile(r"sheaf|pytest-of-")
# The kernel takes namespaces and mounts down a moment after their last process.
GRACE_SECONDS = 10


def mark(build: str) -> bytes:
    """The variable that CTest gives to every test of this build folder; it must not begin with SHEAF_."""
    return f"TESTS_OF_BUILD={build}".encode()


def mounts() -> list[str]:
    """Mounts in this namespace that have a name of ours, and all that keep a namespace."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        kind, source = after.split()[:2]
        root, point = before.split()[3:5]
        if kind == "nsfs" or OURS.search(f"{root} {point} {source} {after}"):
            found.append(f"{kind} at {point} of {root}")
    return found


def namespaces_of(process: pathlib.Path) -> str:
    with contextlib.suppress(OSError):
        own = {path.name: os.readlink(path) for path in pathlib.Path("/proc/self/ns").iterdir()}
        other = {path.name: os.readlink(path) for path in (process / "ns").iterdir()}
        return ", ".join(sorted(name for name, value in other.items() if own.get(name) != value))
    return ""


def ancestors() -> set[str]:
    found, pid = set(), os.getpid()
    while pid > 0:
        found.add(str(pid))
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def processes(build: str) -> list[str]:
    """Living processes that a test started, wherever they are, or that run a program of the build or a copy of it."""
    found, own = [], ancestors()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        if process.name in own:
            continue
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            program = os.readlink(process / "exe")
            started = mark(build) in (process / "environ").read_bytes().split(b"\0")
            if state != "Z" and (started or program.startswith(build + "/") or "/sheaf-test-" in program):
                namespaces = namespaces_of(process)
                found.append(f"{process.name} {words}" + (f"(in its own {namespaces} namespace)" if namespaces else ""))
    return found


def loop_devices() -> list[str]:
    found = []
    for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            found.append(f"{path.parent.parent.name} of {path.read_text().strip()}")
    return found


def temporary_files() -> list[str]:
    folders = {tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm", os.environ.get("SHEAF_TEST_TMP", "/tmp")}
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):
            found += [f"{folder}/{name}" for name in os.listdir(folder) if name.lstrip(".").startswith("sheaf")]
    return found


def state(build: str) -> dict[str, list[str]]:
    return {"mount": sorted(mounts()), "process": sorted(processes(build)), "loop device": sorted(loop_devices()),
            "temporary file": sorted(temporary_files())}


def more(before: dict, now: dict) -> list[str]:
    return [f"{kind}: {entry}" for kind, entries in now.items() for entry in entries if entry not in before[kind]]


def compare(before: dict, build: str) -> list[str]:
    end = time.monotonic() + GRACE_SECONDS
    while (left := more(before, state(build))) and time.monotonic() < end:
        time.sleep(0.2)
    return left


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[1] not in ("record", "compare"):
        print("usage: leaks.py record|compare FILE BUILD-FOLDER", file=sys.stderr)
        return 2
    file, build = pathlib.Path(sys.argv[2]), os.path.realpath(sys.argv[3])
    if sys.argv[1] == "record":
        file.write_text(json.dumps(state(build), indent=1))
        return 0
    left = compare(json.loads(file.read_text()), build)
    for line in left:
        print(f"left by the tests: {line}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
