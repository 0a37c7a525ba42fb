# SPDX-License-Identifier: Apache-2.0
"""Many processes on one store, some of them killed: no deadlock, no torn read, one build per key, a whole store.

SHEAF_CROWD_SECONDS and SHEAF_CROWD_SIZE set how long and how many (by default 90 s and 16 processes as root, 30 s and 8
as an ordinary user; the long form is 600 and 50), SHEAF_CROWD_SEED repeats the choices of a run.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import sheaf
import test_hostile_images as images
import traces

SEED = int(os.environ.get("SHEAF_CROWD_SEED", str(int.from_bytes(os.urandom(3), "big"))))

ENDINGS = {0: "exit code 0", 130: "stopped", -signal.SIGINT: "stopped", -signal.SIGKILL: "killed"}
TOOLS = ("a", "b", "c", "d", "e")
# Each step notes when it begins and ends. One that is killed never ends.
STEP = """\
RUN --mount=type=cache,id=crowd,target=/crowd,sharing=shared \
read -r run < /proc/sys/kernel/random/uuid; read -r up idle < /proc/uptime; echo "{key} $run begin $up" >> /crowd/log; \
echo {key} > /etc/{name}; sleep 0.{tenths}; read -r up idle < /proc/uptime; echo "{key} $run end $up" >> /crowd/log
"""


class Crowd:
    """Projects on one store whose layers overlap, an image, and commands on all that."""

    def __init__(self, machine):
        self.machine = machine
        is_root = machine.account.uid == 0
        self.seconds = float(os.environ.get("SHEAF_CROWD_SECONDS", "90" if is_root else "30"))
        self.size = int(os.environ.get("SHEAF_CROWD_SIZE", "16" if is_root else "8"))
        # Longer than any command takes on a crowded machine: who takes longer waits for what does not come.
        self.patience = 60 + 6 * self.size
        self.versions: list[pathlib.Path] = []
        self.context = machine.directory("context")
        (self.context / "file").write_text("content\n")
        machine.give(self.context)
        busybox = [(images.member(f"bin/{name}", mode=0o755), sheaf.busybox()) for name in ("sh", "sleep")]
        self.layout = images.layout(machine, "layout", images.layer_of(*busybox))
        machine.ok("import", self.layout, "localhost/base:1")
        self.add_version()
        self.has_gc = machine.run("gc", "--help").code == 0
        self.has_fsck = machine.run("fsck", "--help").code == 0

    def add_version(self) -> None:
        """A project whose layers nobody has built yet."""
        number = len(self.versions)
        project = sheaf.tiny_project(self.machine, f"project-{number}")
        for tenths, name in enumerate(TOOLS):
            needs = f"needs: [{TOOLS[tenths - 1]}]\n" if name in "ce" else ""
            project.layer(name, STEP.format(key=f"{name}{number}", name=name, tenths=tenths % 3), "kind: tool\n" + needs)
        project.write("Dockerfile", f"FROM localhost/base:1\nRUN echo {number} > /a\nRUN sleep 0.1; echo {number} > /b\n"
                                    "COPY file /file\n")
        self.versions.append(project.path)

    def runs(self) -> dict[str, list[tuple[float, float]]]:
        """When the step of each layer ran: its begins and ends, for one that was killed an end at its begin."""
        noted: dict = collections.defaultdict(dict)
        for log in self.machine.store.glob("cache/mounts/**/log"):
            for line in log.read_text().splitlines():
                key, run, kind, when = line.split()
                noted[key].setdefault(run, {})[kind] = float(when)
        return {key: [(run["begin"], run.get("end", run["begin"])) for run in runs.values()]
                for key, runs in noted.items()}

    # Each gives the words of a command and the exit codes that are right.

    def words(self, chance: random.Random, worker: int) -> tuple[list, tuple]:
        project = chance.choice(self.versions[-3:])
        some = ["-C", project, "--layers", ",".join(sorted(chance.sample(TOOLS, chance.randint(1, 3))))]
        own = f"localhost/of-{worker}"
        shared = f"localhost/shared-{chance.randint(0, 2)}"
        # 5: the name is not there, because another worker took it away, or because there was none yet.
        choices = [
            (4, ["plan", *some], (0,)),
            (8, ["up", *some, "--", "true"], (0,)),
            (6, ["build", *some], (0,)),
            (2, ["join", *some], (0,)),
            (2, ["why", "-C", project, "base"], (0,)),
            (8, ["build", "-f", project / "Dockerfile", "-t", own, "-t", shared, self.context], (0,)),
            (2, ["image", "tag", "localhost/base:1", f"{own}:tagged"], (0,)),
            (2, ["image", "rm", chance.choice([own, f"{own}:tagged", shared])], (0, 5)),
            (2, ["df", "--json"], (0,)),
            (2, ["layer", "list", "-C", project], (0,)),
            (2, ["image", "list"], (0,)),
            (2, ["image", "show", shared], (0, 5)),
            (3, ["export", "localhost/base:1", "-o", self.machine.home / f"out-{chance.randint(0, self.size)}.tar"], (0,)),
            (2, ["export", shared, "--format", "oci-dir", "-o", self.machine.home / "layout"], (0, 5)),
            (3, ["import", self.layout, f"localhost/imported-{chance.randint(0, 3)}"], (0,)),
            (2, ["refresh", "-C", project], (0,)),
            (2, ["lock", *some], (0,)),
        ]
        if self.has_gc:
            choices += [(2, ["gc"], (0,)), (1, ["gc", "--older-than", "0", "--keep-last", "0"], (0,)),
                        (1, ["gc", "--dry-run", "--json"], (0,))]
        if self.has_fsck:
            choices += [(1, ["fsck"], (0,))]
        _, words, codes = chance.choices(choices, [weight for weight, _, _ in choices])[0]
        return words, codes


class Worker(threading.Thread):
    """One command after the other until the time is over; what goes wrong is in `problems`."""

    def __init__(self, crowd: Crowd, number: int, end: float, kills: float):
        super().__init__(daemon=True)
        self.crowd, self.number, self.end_time, self.kills = crowd, number, end, kills
        self.chance = random.Random(f"{SEED} {number}")
        self.problems: list[str] = []
        self.counts: collections.Counter = collections.Counter()

    def run(self) -> None:
        try:
            while time.monotonic() < self.end_time:
                self.one()
        except Exception as error:  # noqa: BLE001: a thread's failure is a finding, too
            self.problems.append(f"worker {self.number}: {error!r}")

    def one(self) -> None:
        words, codes = self.crowd.words(self.chance, self.number)
        number = self.chance.choice([signal.SIGKILL, signal.SIGINT]) if self.chance.random() < self.kills else None
        patience = self.chance.expovariate(1 / (0.1 * self.crowd.size)) if number else self.crowd.patience
        with self.crowd.machine.start(*words) as process:
            try:
                out, err = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                if number is None:
                    self.problems.append(f"{words}: still runs after {patience} s, waits in {where(process.pid)}")
                process.send_signal(number or signal.SIGKILL)
                try:
                    out, err = process.communicate(timeout=self.crowd.patience)
                except subprocess.TimeoutExpired:
                    self.problems.append(f"{words}: runs on after {number}, waits in {where(process.pid)}")
                    process.kill()
                    out, err = process.communicate()
                codes = (*codes, 130, -signal.SIGINT, -signal.SIGKILL)
        name = " ".join(map(str, words[:2] if words[0] in ("image", "layer") else words[:1]))
        self.counts[f"{name}: {ENDINGS.get(process.returncode, 'refused')}"] += 1
        if process.returncode not in codes or "bug in sheaf" in err or "damaged" in err:
            self.problems.append(f"{list(map(str, words))} exit code {process.returncode}\n{out[-500:]}\n{err[-1500:]}")


def where(pid: int) -> str:
    """What the threads of a process and of all below it wait for."""
    found = []
    table = traces.parents()
    for process in table:
        above, seen = process, set()
        while above in table and above != pid and above not in seen:
            seen.add(above)
            above = table[above][0]
        if above == pid:
            for thread in pathlib.Path(f"/proc/{process}/task").glob("*"):
                try:
                    found.append(f"{process}: {(thread / 'wchan').read_text()} {(thread / 'syscall').read_text()[:60]}")
                except OSError:
                    continue
    return "; ".join(found)


def crowded(crowd: Crowd, kills: float) -> tuple[list[str], collections.Counter]:
    """The crowd at work; its problems, and what it did."""
    begin = time.monotonic()
    workers = [Worker(crowd, number, begin + crowd.seconds, kills) for number in range(crowd.size)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        workers[0].join(max(2.0, crowd.seconds / 30))
        if time.monotonic() < begin + crowd.seconds:
            crowd.add_version()
    done = sum((worker.counts for worker in workers), collections.Counter())
    return [problem for worker in workers for problem in worker.problems], done


def content_of(crowd: Crowd) -> list[str]:
    """What is wrong with the layers of the newest projects, looked at from inside."""
    problems = []
    for project in crowd.versions[-3:]:
        number = project.name.rpartition("-")[2]
        outcome = crowd.machine.run("up", "-C", project, "--layers", ",".join(TOOLS), "--", "cat",
                                    *(f"/etc/{name}" for name in TOOLS), timeout=crowd.patience)
        if (outcome.code, outcome.out.split()) != (0, [name + number for name in TOOLS]):
            problems.append(f"{project.name}: {outcome}")
    return problems


def test_a_crowd_with_kills(machine):
    print(f"SHEAF_CROWD_SEED={SEED}")
    traces.adopt_orphans()
    known = set(traces.descendants())
    crowd = Crowd(machine)
    problems, done = crowded(crowd, kills=0.15)
    print(json.dumps(dict(sorted(done.items())), indent=1))
    sheaf.wait_until(lambda: not traces.descendants(known), 10, f"nothing runs: {traces.descendants(known)}")
    runs = crowd.runs()
    assert any(end > begin for all_runs in runs.values() for begin, end in all_runs)
    problems += [f"layer {key} was built twice at the same moment: {runs[key]}" for key in runs
                 if any(first[0] < second[0] < first[1] for first in runs[key] for second in runs[key])]
    machine.ok("image", "list")
    problems += [f"left in the store: {name}" for name in machine.leftovers()]
    problems += [f"left in the store: {name}" for name in traces.temporary_files(machine.store)]
    problems += content_of(crowd)
    if crowd.has_fsck:
        outcome = machine.run("fsck", timeout=crowd.patience)
        problems += [] if outcome.code == 0 else [f"fsck: {outcome}"]
    assert not problems, f"SHEAF_CROWD_SEED={SEED}\n{len(problems)} problems\n" + "\n".join(problems[:40])


def test_each_key_is_built_once(machine):
    """All ask for the same layers and steps at the same moment, and nobody is killed."""
    crowd = Crowd(machine)
    project = crowd.versions[-1]
    sets = [",".join(TOOLS[i:] + TOOLS[:i]) for i in range(len(TOOLS))]
    words = [["build", "-C", project, "--layers", sets[number % len(sets)], "--progress", "json"]
             if number % 3 else ["build", "-f", project / "Dockerfile", crowd.context, "--progress", "json"]
             for number in range(crowd.size)]
    outcomes = []
    processes = [machine.start(*each) for each in words]
    for process in processes:
        with process:
            outcomes.append(sheaf.finish(process, crowd.patience))
    assert [outcome.code for outcome in outcomes] == [0] * crowd.size, "\n".join(map(str, outcomes))
    assert {key: len(runs) for key, runs in crowd.runs().items()} == {f"{name}0": 1 for name in TOOLS}
    begun = collections.Counter(subject for outcome in outcomes for subject in outcome.subjects("begin"))
    assert {subject: count for subject, count in begun.items() if subject.startswith("layer ")} == \
        {f"layer {name}": 1 for name in (*TOOLS, "base")}
    carried_out = collections.Counter(event["text"] for outcome in outcomes for event in outcome.events
                                      if event["event"] == "step" and "RUN" in event.get("text", ""))
    assert set(carried_out.values()) == {1}, carried_out
    assert machine.leftovers() == []


def listing(folder: pathlib.Path) -> dict:
    """Every entry with what a write would change."""
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.lstat().st_ino)
            for path in sorted(folder.rglob("*"))}


def test_a_newer_store_is_left_untouched(project):
    """What this sheaf does not know it neither changes nor completes."""
    project.build()
    store = project.machine.store
    (store / "format").write_text("sheaf-store 99\n")
    sheaf.remove(store / "joins")
    sheaf.remove(store / "cache")
    before = listing(store)
    for words in (["build"], ["up", "--", "true"], ["df"], ["image", "list"]):
        outcome = project.sheaf(*words)
        assert outcome.code == 7 and "format" in outcome.err, outcome
        assert listing(store) == before


def test_records_of_newer_versions_are_read(project):
    """A newer sheaf may write more into its records of the same format."""
    project.layer("a", "RUN echo a > /etc/a\n")
    project.build("--layers", "a")
    project.write("Dockerfile", "FROM scratch\nCOPY Dockerfile /file\n")
    project.ok("build", "-t", "localhost/image", project.path)
    store = project.machine.store
    changed = 0
    for pattern in ("recipes/*", "layers/*/layer.json", "images/*.json", "step-keys/*", "blobs/records/*.json"):
        for path in store.glob(pattern):
            text = json.loads(path.read_text())
            path.write_text(json.dumps({**text, "of_the_future": {"list": [1, None, "x"], "number": 1.5}}))
            changed += 1
    assert changed >= 6
    (store / "index.db").unlink()
    outcome = project.build("--layers", "a")
    assert (outcome.subjects("begin"), outcome.subjects("warning")) == ([], [])
    again = project.ok("build", "--progress", "json", project.path)
    assert (again.subjects("begin"), again.subjects("warning")) == ([], [])
    assert "localhost/image" in project.ok("image", "list").out
