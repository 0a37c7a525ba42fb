# SPDX-License-Identifier: Apache-2.0
"""Interrupted, hung up, ended or killed at any moment: no process, mount, namespace or temporary file stays.

SHEAF_END_POINTS says how many moments are tried (default 100, over all commands and both accounts), SHEAF_END_SEED
repeats a run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pty
import random
import signal
import subprocess
import tarfile
import termios
import threading
import time

import pytest
import registries
import sheaf
import test_hostile_images as images
import traces

POINTS = int(os.environ.get("SHEAF_END_POINTS", "100"))
SEED = int(os.environ.get("SHEAF_END_SEED", str(int.from_bytes(os.urandom(3), "big"))))
# How long an end may take on a machine with much to do, and until what the kernel takes down is gone.
PATIENCE = 20
GRACE = 5

ENDS = ("ctrl-c", "hang-up", "SIGTERM", "SIGHUP", "SIGKILL")


# ---- a command on a terminal -----------------------------------------------------------------------------------------


class OnTerminal:
    """A command that leads a session on a terminal of its own, as one that was typed."""

    def __init__(self, machine, *words, cwd=None, **environment):
        self.master, slave = pty.openpty()
        self.output = b""
        temporary = machine.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        machine.give(temporary)
        self.process = subprocess.Popen(
            [machine.program, *map(str, words)], cwd=cwd or machine.home, stdin=slave, stdout=slave, stderr=slave,
            env=machine.environment(TERM="xterm", TMPDIR=str(temporary), **environment), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **machine.account.identity())
        os.close(slave)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while some := os.read(self.master, 65536):
                self.output += some

    def end(self, how: str) -> None:
        if how == "ctrl-c":
            os.write(self.master, b"\x03")
        elif how == "hang-up":
            os.kill(self.process.pid, signal.SIGHUP)  # what the kernel does when the window goes
            os.kill(self.process.pid, signal.SIGCONT)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, getattr(signal, how))

    def wait(self, seconds: float = PATIENCE) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()

    def close(self) -> str:
        # Whoever still has the terminal open keeps the reader: nobody should.
        self.reader.join(GRACE)
        os.close(self.master)
        return self.output.decode(errors="replace")


# ---- what is ended ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Scenario:
    """`prepare(number)` arranges that there is something to do and returns the words of the command."""

    name: str
    prepare: object
    duration: float = 0.0


class Bench:
    """A project, images and a registry on one machine, and commands on them that are never done before."""

    def __init__(self, machine, registry):
        self.machine = machine
        self.project = sheaf.tiny_project(machine)
        self.registry = registry
        self.second_store = machine.directory("second-store")
        self.stray = [machine.home, machine.folder / "temporary", self.project.path]
        self.project.layer("first", "RUN echo first > /etc/first\n")
        self.project.layer("second", "RUN echo second > /etc/second\n")
        self.project.build("--layers", "first,second")
        self.context = machine.directory("context")
        self._import("localhost/base:1", self._layout("base", 1, busybox=True))
        self.pulled = []
        for number in range(3):
            name = f"localhost/many:{number}"
            self._import(name, self._layout(f"many{number}", 4))
            self.pulled.append(f"{registry.address}/many{os.getuid()}-{machine.account.uid}:{number}")
            machine.ok("push", name, self.pulled[-1])

    def _import(self, name, layout) -> None:
        self.machine.ok("import", layout, name)

    def _layout(self, name, megabytes, busybox=False):
        members = [(images.member(f"data{n}"), random.Random(f"{name} {n}").randbytes(1 << 18))
                   for n in range(4 * megabytes)]
        if busybox:
            members += [(images.member("bin/busybox", mode=0o755), sheaf.busybox()),
                        (images.member("bin/sh", type=tarfile.SYMTYPE, linkname="busybox"), b"")]
        return images.layout(self.machine, f"layout-{name}", images.layer_of(*members))

    def forget(self, store, *folders) -> None:
        for folder in folders:
            sheaf.remove(store / folder)

    # Each has a few steps that take a moment, so that there is something to break into everywhere.

    def build(self, number):
        commands = f"RUN echo {number}; mkdir /etc/d; i=0; while [ $i -lt 300 ]; do echo $i > /etc/d/$i; i=$((i+1)); done\n"
        self.project.layer("third", commands + "RUN sleep 0.1\nCOPY extra /etc/extra\n", extra="x" * 100_000)
        return ["build", "-C", self.project.path, "--layers", "first,third"]

    def image(self, number):
        file = self.context / "Dockerfile"
        file.write_text(f"FROM localhost/base:1 AS a\nRUN echo {number} > /a; sleep 0.05\n"
                        f"FROM localhost/base:1 AS b\nRUN echo {number} > /b; sleep 0.08\n"
                        "FROM a\nCOPY --from=b /b /b\nCOPY Dockerfile /d\nRUN (sleep 100 & sleep 0.02)\n")
        self.machine.give(self.context)
        return ["build", "-t", "localhost/made", self.context]

    def up(self, number):
        return ["up", "-C", self.project.path, "--layers", "first,second", "--", "sh", "-c", "sleep 100 & sleep 0.2"]

    def join(self, number):
        self.forget(self.machine.store, "joins", "plans", "generated")
        return ["join", "-C", self.project.path, "--layers", "first,second"]

    def pull(self, number):
        self.forget(self.second_store, "unpacked", "blobs", "images", "tags")
        return ["pull", "--root", self.second_store, self.pulled[number % len(self.pulled)]]

    def export(self, number):
        kind = ("docker", "oci", "oci-dir", "tar")[number % 4]
        return ["export", "localhost/base:1", "--format", kind, "--compression", "gzip", "-o",
                self.machine.home / f"out-{kind}"]

    def scenarios(self):
        return [Scenario(name, getattr(self, name)) for name in ("build", "image", "export", "up", "join", "pull")]


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with registries.Registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture
def bench(machine, registry):
    traces.adopt_orphans()
    return Bench(machine, registry)


# ---- the tests -------------------------------------------------------------------------------------------------------


class Traces:
    """What is there before a command; what is there more afterwards is a finding."""

    def __init__(self, bench):
        self.bench = bench
        self.processes = set(traces.descendants())
        self.mounts = traces.mounts()

    def files(self) -> list[str]:
        found = []
        for store in (self.bench.machine.store, self.bench.second_store):
            found += [f"{store.name}: tmp/{path.name}" for path in store.glob("tmp/*") if path.name != "gate.lock"]
            found += [f"{store.name}: {name}" for name in traces.temporary_files(store) if not name.startswith("tmp/")]
        for folder in self.bench.stray:
            found += [f"{folder.name}: {name}" for name in traces.temporary_files(folder)]
        return found + [f"TMPDIR: {path.name}" for path in (self.bench.machine.folder / "temporary").iterdir()]

    def more(self) -> list[str]:
        found = [f"process {pid}: {line}" for pid, line in traces.descendants(self.processes).items()]
        return found + [f"mount: {mount}" for mount in traces.mounts() - self.mounts]

    def check(self, killed: bool) -> list[str]:
        """What is left, once the kernel had its moment to take processes and their mounts down."""
        end = time.monotonic() + GRACE
        while (left := self.more()) and time.monotonic() < end:
            time.sleep(0.01)
        if killed:
            for store in (self.bench.machine.store, self.bench.second_store):
                opened = self.bench.machine.run("image", "list", "--root", store)  # the next one to open the store
                left += [] if opened.code == 0 else [f"the store does not open: {opened}"]
        return left + self.files()


def run_to(bench, scenario, number, how, delay, again=None):
    """Ends the command after `delay` seconds, perhaps twice; what it leaves."""
    before = Traces(bench)
    words = scenario.prepare(number)
    command = OnTerminal(bench.machine, *words)
    time.sleep(delay)
    command.end(how)
    if again is not None:
        time.sleep(again)
        with contextlib.suppress(OSError):
            command.end(how)
    problems = []
    try:
        code = command.wait()
    except subprocess.TimeoutExpired:
        code = "none: still running"
    output = command.close()
    if scenario.name == "export" and (how == "SIGKILL" or again is not None):
        # What is outside of the store goes with the next writer of the same file.
        bench.machine.ok(*words, timeout=PATIENCE)
    problems += before.check(killed=how == "SIGKILL" or again is not None)
    expected = {0, 130, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGKILL}
    if code not in expected or "bug in sheaf" in output:
        problems.append(f"ended with {code}")
    return [f"{scenario.name} {number}, {how} after {delay:.4f} s{'' if again is None else ', twice'}: {problem}\n"
            f"{output[-2000:]}" for problem in problems]


def test_every_end_is_clean(bench):
    """Random moments of every command, and each way to end it."""
    print(f"SHEAF_END_SEED={SEED}")
    chance = random.Random(SEED)
    scenarios = bench.scenarios()
    for scenario in scenarios:
        words = scenario.prepare(1_000_000)
        begin = time.monotonic()
        command = OnTerminal(bench.machine, *words)
        assert command.wait() == 0, command.close()
        scenario.duration = time.monotonic() - begin
        command.close()
    problems = []
    for number in range(POINTS // 2):
        scenario = scenarios[number % len(scenarios)]
        how = ENDS[(number // len(scenarios)) % len(ENDS)]
        again = chance.uniform(0, 0.02) if how == "ctrl-c" and chance.random() < 0.5 else None
        problems += run_to(bench, scenario, number, how, chance.uniform(0, 1.1 * scenario.duration), again)
    assert not problems, f"SHEAF_END_SEED={SEED}\n" + "\n".join(problems)
    for scenario in scenarios:  # and then everything works
        command = OnTerminal(bench.machine, *scenario.prepare(2_000_000))
        assert command.wait() == 0, command.close()
        command.close()


def test_a_second_interrupt_is_obeyed_at_once(bench):
    """The first one cleans up, which takes long here; the second does not wait for it, and takes the step along."""
    many = 60_000
    bench.project.layer("slow", f"RUN mkdir /etc/d; cd /etc/d; i=0; while [ $i -lt {many} ]; do : > $i; i=$((i+1)); done;"
                                " touch /etc/ready; sleep 1000\n")
    before = Traces(bench)
    command = OnTerminal(bench.machine, "build", "-C", bench.project.path, "--layers", "slow")
    ready = lambda: any((bench.machine.store / "tmp").glob("build-*/**/etc/ready"))  # noqa: E731
    sheaf.wait_until(ready, 60, "the step has made its files")
    command.end("ctrl-c")
    time.sleep(0.05)
    command.end("ctrl-c")
    assert command.wait() == -signal.SIGINT, command.close()
    command.close()
    left = before.check(killed=False)
    assert len(left) == 1 and left[0].startswith("store: tmp/build-"), left
    assert before.check(killed=True) == []


def test_no_descriptor_of_the_caller_reaches_a_step(project):
    """Whoever starts us may have files open that are no business of what a build runs."""
    project.layer("look", "RUN for fd in /proc/self/fd/*; do echo seen ${fd##*/}; done; exit 1\n")
    project.write("Dockerfile", "FROM scratch\nCOPY --chmod=755 .sheaf/layers/base/busybox /bin/sh\n"
                                "RUN for fd in /proc/self/fd/*; do echo seen ${fd##*/}; done; exit 1\n")
    read, write = os.pipe()
    places = {3: read, 4: write, 5: read, 57: write, 200: read}
    script = " ".join(f"{number}<&{fd}" for number, fd in places.items())
    try:
        for words in (["up", "--", "sh", "-c", "for fd in /proc/self/fd/*; do echo seen ${fd##*/}; done"],
                      ["build", "--layers", "look"], ["build", project.path]):
            command = subprocess.run(
                ["bash", "-c", f'exec "$@" {script}', "bash", project.machine.program, *words], cwd=project.path,
                env=project.machine.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                pass_fds=[read, write], timeout=120, check=False, **project.machine.account.identity())
            seen = {int(line.rpartition("seen ")[2]) for line in (command.stdout + command.stderr).splitlines()
                    if "seen " in line and "$" not in line}
            # 3 is the folder that the shell itself reads.
            assert {0, 1, 2} <= seen <= {0, 1, 2, 3}, (words, seen, command.stderr)
    finally:
        os.close(read)
        os.close(write)
