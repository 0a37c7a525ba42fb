# SPDX-License-Identifier: Apache-2.0
"""The machine and the programs, as figures need them to be understood."""

import os
import pathlib
import platform
import subprocess

POLICIES = {os.SCHED_OTHER: "normal", os.SCHED_FIFO: "fifo", os.SCHED_RR: "round robin", os.SCHED_BATCH: "batch"}


def describe(house):
    """Values are texts or numbers; the keys are those of the JSON (bench/README.md)."""
    return {
        "processors": os.cpu_count(),
        "processor": _line("/proc/cpuinfo", "model name"),
        "memory_mb": int(_line("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "system": _line("/etc/os-release", "PRETTY_NAME").strip('"'),
        "file_system": _file_system(house.work),
        "user": "root" if os.geteuid() == 0 else "ordinary",
        "scheduling": POLICIES.get(os.sched_getscheduler(0), "other"),
        "load_at_start": os.getloadavg()[0],
        "programs": {program.name: program.absent and f"not here: {program.absent}" or _version(program)
                     for program in [house.sheaf, *house.peers]},
        "commit": _commit(),
    }


def _version(program):
    extra = {"podman": "chroot isolation to build, runc to run", "buildah": "chroot isolation",
             "docker": "BuildKit inside, runc"}.get(program.name)
    return program.version() + (f" ({extra})" if extra else "")


def _line(path, key):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return line.partition("=" if "=" in line else ":")[2].strip()
    return "unknown"


def _file_system(folder):
    best = ("", "unknown")
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        place, kind = line.split()[1:3]
        if (str(folder) + "/").startswith(place.rstrip("/") + "/") and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def _commit():
    here = pathlib.Path(__file__).parent
    done = subprocess.run(["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True,
                          text=True, check=False)
    return done.stdout.strip() or None
