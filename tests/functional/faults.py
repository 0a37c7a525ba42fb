# SPDX-License-Identifier: Apache-2.0
"""Breaks system calls of the program, one after the other, and looks at what is left.

    SHEAF_BINARY=build/bin/sheaf SHEAF_FAULT_RUN=build/tests/fault_run python3 tests/functional/faults.py --points 5000

After each point: the program ended, with a message if it failed; what was in the store still is; what is new in it is
what the undisturbed command makes; the same command then succeeds, and nothing is left over. docs/HACKING.md explains
how to read a finding.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import fault_world
import registries
import sheaf
from fault_world import OPERATIONS, Broken, Operation, Point, Seen, World, differences

FAULTS = ("kill", "ENOSPC", "EDQUOT", "EIO", "EINTR", "EMFILE")
# Those of a disk that stays full or broken.
LASTING = ("ENOSPC", "EIO")
# Points that leave all as it was share a store and the undisturbed run after them.
STREAK = 8
# A build that could not look at its context a second time is good, and says that the next one has to repeat it.
NOT_REMEMBERED = "it is not remembered for later builds"
CRASHED = ("terminate called", "what():", "assertion", "Assertion", "AddressSanitizer", "ThreadSanitizer")


@dataclasses.dataclass(frozen=True)
class Finding:
    operation: str
    account: str
    points: tuple
    what: str
    err: str = ""

    def __str__(self) -> str:
        text = f"{self.operation} ({self.account}), {'; '.join(self.points)}: {self.what}"
        return text + ("\n    " + "\n    ".join(self.err.strip().splitlines()[-6:]) if self.err.strip() else "")


def group_of(name: str) -> str:
    """The folder of the layer (or step, …) that a file of the store belongs to."""
    return "/".join(name.split("/")[:2]) + "/"


class Summary:
    """Counts of all threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self.points: collections.Counter = collections.Counter()
        self.findings: list[Finding] = []

    def count(self, operation: str, account: str, point: Point) -> None:
        with self._lock:
            self.points[(operation, account, point.fault)] += 1

    def find(self, finding: Finding) -> None:
        with self._lock:
            self.findings.append(finding)
            print(finding, file=sys.stderr, flush=True)

    def total(self) -> int:
        return sum(self.points.values())

    def __str__(self) -> str:
        lines = [f"{'operation':<16}{'account':<8}" + "".join(f"{fault:>9}" for fault in FAULTS) + f"{'all':>9}"]
        for operation, account in sorted({key[:2] for key in self.points}):
            row = [self.points[(operation, account, fault)] for fault in FAULTS]
            lines.append(f"{operation:<16}{account:<8}" + "".join(f"{n:>9}" for n in [*row, sum(row)]))
        lines.append(f"{self.total()} points, {len(self.findings)} findings")
        return "\n".join(lines)


class Walk:
    """The points of one operation in one world."""

    def __init__(self, world: World, operation: Operation, summary: Summary):
        self.world, self.operation, self.summary = world, operation, summary
        world.prepare(operation)
        self.counts = self._counted()
        self.expected = self._reference()
        self._start_anew()
        self._streak: list[Point] = []

    def _counted(self) -> dict[str, int]:
        self.world.reset()
        self.world.clear_out()
        made = fault_world.run_broken(self.world, self.operation, None)
        assert made.code == 0, f"{self.operation.name} fails without faults:\n{made.err}"
        self._counted_state = self.world.state()
        return made.report["counts"]

    def _reference(self) -> tuple[str, Seen, Seen]:
        """What the undisturbed command prints and makes."""
        self._start_anew()
        made = self._undisturbed()
        assert made.code == 0, made
        state = self.world.state()
        unlike = differences(self._counted_state, state)
        assert not unlike, f"two runs of {self.operation.name} make different stores: {unlike}"
        return made.out, state, self.world.outputs()

    def _undisturbed(self) -> sheaf.Outcome:
        return self.world.machine.run(*self.world.words(self.operation))

    def all_points(self) -> list[Point]:
        return [Point(fault, nth, onwards) for fault in FAULTS for onwards in (False, True)
                if not onwards or fault in LASTING for nth in range(1, self.counts[fault] + 1)]

    def run(self, points: list[Point]) -> None:
        for point in points:
            self._one(point)
        self._finish_streak()

    def _find(self, point: Point | None, what: str, broken: Broken | None = None, err: str = "") -> None:
        points = [str(each) for each in ([point] if point else self._streak)]
        if broken:
            hit = broken.hit
            points = [f"{point} ({hit['call']} of {hit['target']} in {hit['process']})"]
        self.summary.find(Finding(self.operation.name, self.world.account.name, tuple(points), what,
                                  err or (broken.err if broken else "")))

    def _cannot_happen(self, point: Point, hit: dict) -> bool:
        """Files of local file systems are not interrupted, SQLite does not expect it; a call that makes nothing needs
        no space."""
        if point.fault == "EINTR":
            return "index.db" in hit["target"] or str(self.world.folder) not in hit["target"]
        return point.fault in ("ENOSPC", "EDQUOT") and hit["call"] == "openat2"

    def _one(self, point: Point) -> None:
        broken = fault_world.run_broken(self.world, self.operation, point)
        if broken.hit and self._cannot_happen(point, broken.hit):
            self._start_anew()
            return
        if not broken.hit:
            if self.world.state() != self.before or self.world.staged():
                self._start_anew()
            return  # threads made fewer calls this time
        self.summary.count(self.operation.name, self.world.account.name, point)
        self._streak.append(point)
        self._check_end(point, broken)
        if broken.code == 0 and NOT_REMEMBERED in broken.err:  # its step has another name each time
            self._start_anew()
            self._streak.clear()
            return
        after = self.world.state()
        self._check_visible(point, broken, after)
        succeeded = broken.code == 0 and broken.report["signal"] == 0
        undone = self._undone(after) if succeeded else []
        if point.fault == "EIO" and self.operation.prints_times and all(each.startswith("left: ") for each in undone):
            undone = []  # what cannot be read is not taken away
        self._check_output(point, broken)
        if undone:
            self._find(point, f"it succeeded without all that it does: {'; '.join(undone[:5])}", broken)
        elif succeeded:
            self._streak.pop()  # that it succeeds has been shown
            if self.operation.changes_nothing:
                return
            self._finish_streak()
            self._start_anew()
            return
        if after != self.before or self.world.staged() or len(self._streak) == STREAK:
            self._finish_streak()

    def _check_end(self, point: Point, broken: Broken) -> None:
        report = broken.report
        if report["hung"]:
            self._find(point, "it did not end", broken)
        if report["left"]:
            self._find(point, f"it left processes: {report['left']}", broken)
        was_killed = point.fault == "kill" and broken.hit["process"] == "main"
        if was_killed:
            return
        # What 'up' runs died with its helper; 'up' ends as a shell would.
        if report["code"] == 128 + 9 and point.fault == "kill" and self.operation.runs_command:
            return
        is_other = broken.out != self.expected[0] and not self.operation.prints_times
        if report["code"] == 0 and report["signal"] == 0 and is_other:
            self._find(point, f"it succeeded, and printed {broken.out!r} instead of {self.expected[0]!r}", broken)
        if report["signal"] or report["code"] >= 128 or any(word in broken.err for word in CRASHED):
            self._find(point, f"it crashed: code {report['code']}, signal {report['signal']}", broken)
        elif report["code"] != 0 and "error: " not in broken.err:
            self._find(point, f"it failed with code {report['code']} and without a message", broken)
        elif report["code"] != 0 and point.fault == "EINTR":
            self._find(point, "it did not try again", broken)

    def _undone(self, after: Seen) -> list[str]:
        return differences(after, self.expected[1]) + differences(self.world.outputs(), self.expected[2])

    def _check_visible(self, point: Point, broken: Broken, after: Seen) -> None:
        """Nothing is lost; what is new is whole, and what the undisturbed command makes."""
        reference = self.expected[1]
        wrong = [f"lost: {name}" for name in self.before if name not in after and name in reference
                 and not name.startswith(fault_world.REMADE)]
        for name, value in after.items():
            allowed = [seen[name] for seen in (self.before, reference) if name in seen]
            if not allowed and not fault_world.TEMPORARY.search(name.rstrip('/')) and not name.startswith(fault_world.REMADE):
                wrong.append(f"made: {name}")
            elif allowed and value not in allowed:
                wrong.append(f"differs: {name}")
        roots = {group_of(name) for name in after if name not in self.before and "/" in name}
        groups = ("layers/", "joins/", "steps/", "unpacked/")
        wrong += [f"half-made: {name}" for name in reference
                  if name.startswith(groups) and name not in after and group_of(name) in roots]
        wrong += [f"half-removed: {name}" for name in self.before
                  if name.startswith(groups) and name not in after and group_of(name) in after]
        if wrong:
            self._find(point, "; ".join(wrong[:5]), broken)

    def _check_output(self, point: Point, broken: Broken) -> None:
        if not self.operation.output:
            return
        place = self.world.out / self.operation.output
        whole = place / self.operation.complete if self.operation.complete else place
        wrong = differences(self.world.outputs(), self.expected[2])
        if whole.exists() and wrong:
            self._find(point, f"its output is there and not complete: {wrong[:3]}", broken)
        # What a killed process was writing goes when the same file is written again.
        left = [name for name in os.listdir(self.world.out) if not name.endswith(".partial")]
        if not self.operation.complete and left not in ([], [self.operation.output]):
            self._find(point, f"it left {left}", broken)
        self.world.clear_out()

    def _finish_streak(self) -> None:
        """The store opens, and the same command succeeds."""
        if not self._streak:
            return
        if not self.operation.is_mending:
            checked = self.world.machine.run("fsck")
            if checked.code != 0:
                self._find(None, f"fsck finds damage: {checked}", err=checked.err)
        was_done = not self._undone(self.world.state())  # before the program died, and it may say so
        made = self._undisturbed()
        if was_done and made.code == self.operation.code_if_done != 0:
            pass
        elif made.code != 0:
            self._find(None, f"the undisturbed command then fails with code {made.code}", err=made.err)
        else:
            self._check_result(made, was_done)
        self._streak.clear()
        self._start_anew()

    def _check_result(self, made: sheaf.Outcome, was_done: bool) -> None:
        out, store, outputs = self.expected
        wrong = differences(self.world.state(), store) + differences(self.world.outputs(), outputs)
        if not self.operation.runs_command:  # 'up' with nothing to do does not open the store, which cleans up
            wrong += [f"staged: {name}" for name in self.world.staged()]
        if made.out != out and not was_done and not self.operation.prints_times:
            wrong.append(f"it prints {made.out!r} instead of {out!r}")
        if wrong:
            self._find(None, "after the undisturbed command: " + "; ".join(wrong[:5]))

    def _start_anew(self) -> None:
        self.world.reset()
        self.world.clear_out()
        self.before = self.world.state()


# ---- several walks at once -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def worlds(account: sheaf.Account, count: int, registry: str):
    """`count` worlds of an account, each for one thread."""
    with tempfile.TemporaryDirectory(prefix="sheaf-faults-", dir=fault_world.fast_folder()) as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield [World(folder / str(number), account, registry) for number in range(count)]


def walk_all(account: sheaf.Account, points: int, seed: int, summary: Summary, registry: str,
             only: list[str] | None = None, jobs: int = 2) -> None:
    """About `points` points, spread over the operations as they have calls."""
    operations = [operation for operation in OPERATIONS if not only or operation.name in only]

    def work(number: int, world: World) -> None:
        for operation in operations:
            walk = Walk(world, operation, summary)
            wanted = points * len(chosen[operation.name]) // sum(map(len, chosen.values()))
            own = share(chosen[operation.name], wanted, random.Random(f"{seed} {operation.name}"))[number::jobs]
            walk.run(sorted(own, key=lambda point: (point.onwards, point.nth)))

    with worlds(account, jobs, registry) as made, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        chosen = {operation.name: Walk(made[0], operation, summary).all_points() for operation in operations}
        for future in [pool.submit(work, number, world) for number, world in enumerate(made)]:
            future.result()


def share(points: list[Point], wanted: int, chosen: random.Random) -> list[Point]:
    """`wanted` of them, each once as long as there are enough."""
    made: list[Point] = []
    while wanted > len(made):
        made += chosen.sample(points, min(len(points), wanted - len(made)))
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--account", choices=["root", "user", "both"], default="both")
    parser.add_argument("operation", nargs="*", help="only these")
    options = parser.parse_args()
    accounts = sheaf.accounts()
    summary, begin = Summary(), time.monotonic()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, registries.Registry(folder) as server:
        for name, part in {"root": 0.8, "user": 0.2}.items():
            if options.account in (name, "both"):
                points = int(options.points * (part if options.account == "both" else 1))
                walk_all(accounts[name], points, options.seed, summary, server.address, options.operation,
                         options.jobs)
    print(summary)
    print(f"{time.monotonic() - begin:.0f} s, seed {options.seed}")
    return 1 if summary.findings else 0


if __name__ == "__main__":
    sys.exit(main())
