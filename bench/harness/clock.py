# SPDX-License-Identifier: Apache-2.0
"""Runs commands and says how long they took and how much memory their largest process had."""

import os
import pathlib
import statistics
import subprocess
from dataclasses import dataclass, field


TOO_LONG = 900


class BenchError(Exception):
    """A command failed; the text says which one and how its output ended."""


@dataclass(frozen=True)
class Command:
    argv: list
    env: dict = field(default_factory=dict)
    """Added to this process's own."""


@dataclass(frozen=True)
class Sample:
    ms: float
    cpu_ms: float
    peak_mb: float
    """Of the largest process: the command, what it waited for, and the program's daemons."""


class Series(list):
    """Values of one row and one program, in the order they were measured."""

    @property
    def median(self):
        return statistics.median(self)


class Clock:
    def __init__(self, tools, scratch):
        self._program = str(tools / "bench_clock")
        self._result = scratch / "clock-result"
        self.log = scratch / "clock-log"

    def run(self, command, daemons=()):
        """One measured run. `daemons`: ids of processes that work for the command without being its children."""
        for pid in daemons:
            _reset_peak(pid)
        arguments = [self._program, self._result, self.log, *command.argv]
        try:
            done = subprocess.run(arguments, env={**os.environ, **command.env}, capture_output=True, text=True, check=False,
                                  timeout=TOO_LONG)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{shown(command)}: took more than {TOO_LONG} seconds") from error
        if done.returncode != 0:
            raise BenchError(done.stderr.strip())
        wall, cpu, peak, status = map(int, self._result.read_text().split())
        if status != 0:
            raise BenchError(f"{shown(command)}: exit status {status}: {tail(self.log)}")
        peak_kb = max([peak, *(_peak_kb(pid) for pid in daemons)])
        return Sample(wall / 1000, cpu / 1000, peak_kb / 1024)

    def output(self):
        """What the last command printed, both streams."""
        return self.log.read_text(errors="replace")


def shown(command):
    """The program and its first word: 'podman build'."""
    program, *words = map(str, command.argv)
    return " ".join([pathlib.Path(program).name, *[word for word in words if not word.startswith("-")][:1]])


def tail(path):
    lines = [line for line in pathlib.Path(path).read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "no output"


def quietly(command):
    """Runs what is not measured and returns its standard output."""
    done = subprocess.run([str(word) for word in command.argv], env={**os.environ, **command.env}, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BenchError(f"{shown(command)}: exit status {done.returncode}: {' / '.join(lines[-3:])}")
    return done.stdout


def _reset_peak(pid):
    """proc(5), clear_refs: 5 resets the peak of the resident set."""
    try:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        pass  # without the right to do so the peak since its start is reported


def _peak_kb(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
