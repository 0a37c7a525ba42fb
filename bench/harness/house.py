# SPDX-License-Identifier: Apache-2.0
"""What one run of the benchmarks has: folders, programs, a registry, the clock; and how a row is measured with them."""

import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from harness import contexts
from harness.clock import BenchError, Clock, Command, Series, quietly
from harness.programs import (BuildKit, Buildah, Docker, Podman, Sheaf, Unable, container_groups, remove_groups,
                              remove_tree, start_daemon, stop_daemon, unmount_below)

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Everything that is started has this variable, so that it is found again.
MARK = "SHEAF_BENCH_RUN"

# A program that took this long in a row so far gets no run more, if it made that many.
PATIENCE = ((3, 12_000), (2, 25_000), (1, 45_000))


@dataclass
class Row:
    name: str
    title: str
    run: Callable
    unit: str = "ms"
    target: Optional[float] = None
    """At most, in the unit."""
    ratio: Optional[float] = None
    """How many times as fast as the fastest peer, at least."""
    target_peak: Optional[float] = None
    """At most, in MB: of the command's largest process."""
    only_named: bool = False
    """Left out unless asked for."""


@dataclass
class Cell:
    """What one program did in one row."""
    values: Series = field(default_factory=Series)
    peaks: Series = field(default_factory=Series)
    reason: Optional[str] = None
    """Why there are no values, or no more."""


@dataclass
class Floor:
    what: str
    values: Series


@dataclass
class Result:
    row: Row
    cells: dict = field(default_factory=dict)
    """By the name of the program."""
    floors: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    divisor: int = 1
    """How many of the thing one command does."""

    @property
    def floor(self):
        return max(self.floors, key=lambda floor: floor.values.median, default=None)


@dataclass
class Action:
    command: Callable
    """From the number of the run to what is measured."""
    before: Callable = lambda i: None
    after: Callable = lambda i: None


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class House:
    def __init__(self, options):
        self.options = options
        self.runs = options.runs
        self.tools = pathlib.Path(os.environ.get("BENCH_TOOLS", ROOT / "build-bench" / "bench-tools"))
        self.work = None
        self.peers = []
        self._daemons = []
        self._numbers = itertools.count(1)
        self._floors = {}
        self._groups = set()

    # ---- opening and closing ----

    def open(self):
        os.environ[MARK] = str(os.getpid())
        self._groups = container_groups()
        binary = pathlib.Path(os.environ.get("SHEAF", ROOT / "build-bench" / "bin" / "sheaf"))
        for program in (binary, self.tools / "bench_clock", self.tools / "bench_floor"):
            if not os.access(program, os.X_OK):
                raise SystemExit(f"bench: there is no program at '{program}': ./dev bench builds it")
        # Short: a store's sockets and overlays have names of limited length.
        parent = pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
        self.work = parent / f"sheaf-bench.{os.getpid()}"
        self.work.mkdir()
        self.work.chmod(0o755)
        self.scratch = self.folder("scratch")
        self.clock = Clock(self.tools, self.scratch)
        self.registry = Registry(self)
        self.sheaf = Sheaf(self.work, binary)
        base = contexts.base(self.work / "base")
        self.sheaf.start(base)
        if self.sheaf.absent:
            raise SystemExit(f"bench: sheaf does not build: {self.sheaf.absent}")
        for kind in (Buildah, Podman, Docker, BuildKit):
            self._open_peer(kind, base)

    def _open_peer(self, kind, base):
        if self.options.peers is not None and kind.name not in self.options.peers:
            return
        peer = kind(self.work, self.registry.address) if kind is BuildKit else kind(self.work)
        self.peers.append(peer)
        if kind.name in ("buildah", "podman") and not shutil.which(kind.name):
            peer.absent = f"no {kind.name}: apt-get install {kind.name}"
        else:
            peer.start(base)
        say(f"{kind.name}: " + (f"not here: {peer.absent}" if peer.absent else peer.version()))

    def close(self):
        if self.work is None:
            return
        for program in self.peers:
            program.stop()
        for daemon in self._daemons:
            stop_daemon(daemon)
        end_marked(f"{MARK}={os.getpid()}")
        remove_groups(container_groups() - self._groups)
        unmount_below(self.work)
        remove_tree(self.work)
        if self.work.exists():
            say(f"could not remove all of '{self.work}'")

    # ---- for rows ----

    def folder(self, name):
        path = self.work / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def fresh(self):
        """A text that no build has seen."""
        return f"{os.getpid()}-{next(self._numbers)}"

    def present_peers(self):
        return [peer for peer in self.peers if not peer.absent]

    def own(self, result, action, runs=None):
        """A row without peers."""
        self._measure(result, {self.sheaf: action}, runs or self.runs)
        for peer in self.peers:
            result.cells.setdefault(peer.name, Cell(reason="-"))

    def compare(self, result, action_of, runs=None, only=None):
        """Every program in turn, run after run. `action_of` makes the action of a program, or raises Unable. `only`
        names the peers that take part."""
        actions = {}
        for program in [self.sheaf, *self.peers]:
            if program.absent:
                result.cells[program.name] = Cell(reason=f"not here: {program.absent}")
                continue
            try:
                if only is not None and program is not self.sheaf and program.name not in only:
                    raise Unable("-")
                actions[program] = action_of(program)
            except Unable as unable:
                result.cells[program.name] = Cell(reason=str(unable))
            except BenchError as error:
                self._failed(result, program, error)
        self._measure(result, actions, runs or self.runs)

    def _measure(self, result, actions, runs):
        for program in actions:
            result.cells[program.name] = Cell()
        for i in range(runs):
            for program, action in actions.items():
                cell = result.cells[program.name]
                if cell.reason is None and not _is_enough(cell, result.divisor):
                    self._run_once(result, program, action, i)

    def _run_once(self, result, program, action, i):
        cell = result.cells[program.name]
        try:
            action.before(i)
            sample = self.clock.run(action.command(i), program.daemons)
            action.after(i)
        except (BenchError, Unable) as error:
            self._failed(result, program, error)
            return
        cell.values.append(sample.ms / result.divisor)
        cell.peaks.append(sample.peak_mb)

    def _failed(self, result, program, error):
        if program is self.sheaf:
            raise error
        say(f"{result.row.name}: {program.name} failed: {error}")
        result.cells.setdefault(program.name, Cell()).reason = f"failed: {error}"

    def floor(self, result, label, what, *arguments, runs=None, divisor=1):
        """Adds the floor `what` of bench_floor; equal ones are measured once."""
        key = (what, *map(str, arguments))
        if key not in self._floors:
            words = [self.tools / "bench_floor", what, runs or max(5, self.runs), *arguments]
            times = quietly(Command(list(map(str, words)))).split()
            self._floors[key] = Series(int(time) / 1000 for time in times)
            remove_tree(self.scratch / "copied")
        result.floors.append(Floor(label, Series(ms / divisor for ms in self._floors[key])))

    def floor_of_starting(self, result):
        self.floor(result, "fork and exec", "spawn", contexts.busybox(), runs=50)

    def floor_of_sandbox(self, result):
        """Beside the programs' storages, on the same file system."""
        if os.geteuid() == 0:
            lower = self.sheaf.folder / "floor-lower"
            (lower / "bin").mkdir(parents=True, exist_ok=True)
            shutil.copy(contexts.busybox(), lower / "bin" / "busybox")
            self.floor(result, "namespaces, overlay, exec", "sandbox", "/bin/busybox", lower, self.scratch, runs=50)

    def sync(self):
        os.sync()

    def daemon(self, words, log):
        self._daemons.append(start_daemon(words, log, self.work))
        return self._daemons[-1]


def end_marked(mark):
    """Ends what was started with this line in its environment and still runs, as after Ctrl-C."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            pid = int(entry.name)
            if pid != os.getpid() and mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass  # it ended meanwhile, or is another user's


def _is_enough(cell, divisor):
    spent = sum(cell.values) * divisor
    return any(len(cell.values) >= runs and spent > limit for runs, limit in PATIENCE)


class Registry:
    """Debian's docker-registry on this machine, without TLS; started when a row needs it."""

    def __init__(self, house):
        self._house = house
        self._folder = house.work / "registry"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self._port}"
        self._is_open = False

    def open(self):
        if self._is_open:
            return
        if not shutil.which("docker-registry"):
            raise BenchError("no docker-registry: apt-get install docker-registry")
        self._folder.mkdir()
        settings = self._house.work / "registry.yml"
        settings.write_text(f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
                            f"storage: {{filesystem: {{rootdirectory: {self._folder}}}}}\n"
                            f'http: {{addr: "{self.address}"}}\n')
        self._house.daemon(["docker-registry", "serve", str(settings)], self._house.work / "registry.log")
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                self._is_open = True
                return
            except OSError:
                time.sleep(0.1)
        raise BenchError("docker-registry does not answer")

    def empty(self):
        subprocess.run(["rm", "-rf", str(self._folder / "docker")], check=True)
