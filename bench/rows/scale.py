# SPDX-License-Identifier: Apache-2.0
"""A store of thousands of layers: 5,000 real small ones and 100,000 recipes in the index."""

import pathlib
import shutil
import tempfile

from harness import contexts
from harness.clock import BenchError, Command, Series, quietly
from harness.house import Action, Cell, say
from harness.programs import Unable, remove_tree
from rows import row

class BigStore:
    """Made once, by commits of the store's own library; in memory where there is room, because each commit waits for
    the disk, and then copied."""

    def __init__(self, house):
        self._house = house
        self.path = house.work / "big-store"
        self.project = house.work / "big-project"
        contexts.project(self.project)
        contexts.layer(self.project, "one", ["USER root", "RUN mkdir -p /opt/one && echo one > /opt/one/text"])
        layers, rows = (200, 2000) if house.options.quick else (5000, 95_000)
        say(f"filling a store with {layers} layers and {rows + layers} recipes")
        with tempfile.TemporaryDirectory(prefix="sheaf-bench.", dir=roomy_memory()) as memory:
            made = pathlib.Path(memory) / "store"
            quietly(self.command("build", "--layers", "one", store=made))
            quietly(Command([house.tools / "bench_fill_store", made, layers, rows]))
            quietly(Command(["cp", "-a", made, self.path]))
        quietly(self.command("up", "--layers", "one", "--", "true"))
        house.sync()
        house.big_store = self

    def command(self, name, *words, store=None):
        needs_project = name in ("up", "plan", "build")
        return self._house.sheaf.command(name, *(("-C", self.project) if needs_project else ()), *words,
                                         store=store or self.path)


def roomy_memory():
    """/dev/shm, or where temporary files are if that has less than 2 GB."""
    try:
        return "/dev/shm" if shutil.disk_usage("/dev/shm").free > 2 << 30 else None
    except OSError:
        return None


def big_store(house):
    return getattr(house, "big_store", None) or BigStore(house)


def measure(house, result, name, *words, before=lambda store: None):
    store = big_store(house)
    house.own(result, Action(lambda i: store.command(name, *words), lambda i: before(store)))


@row("scale-plan", "sheaf plan, nothing to do, 100,000 recipes in the index", target=10)
def plan(house, result):
    measure(house, result, "plan", "--layers", "one")
    house.floor_of_starting(result)


@row("scale-plan-anew", "the same after what we remember of environments was removed", target=10)
def plan_anew(house, result):
    measure(house, result, "plan", "--layers", "one", before=lambda store: remove_tree(store.path / "plans"))
    house.floor_of_starting(result)


@row("scale-build", "sheaf build of one trivial layer more beside 5,000")
def build_one(house, result):
    def write(store):
        contexts.layer(store.project, "fresh", ["USER root", f"RUN mkdir -p /opt && echo {house.fresh()} > /opt/fresh"])

    measure(house, result, "build", "--layers", "one,fresh", before=write)
    house.floor_of_sandbox(result)


@row("scale-df", "sheaf df of 5,000 layers", target=1000)
def df(house, result):
    measure(house, result, "df")
    house.floor(result, "stat walk of the store", "walk", big_store(house).path)


def has_command(house, name):
    try:
        quietly(house.sheaf.command(name, "--help"))
    except BenchError as error:
        raise Unable(f"this sheaf has no '{name}'") from error


@row("scale-gc", "sheaf gc --dry-run of 5,000 layers", target=1000)
def collect(house, result):
    has_command(house, "gc")
    measure(house, result, "gc", "--dry-run", "--older-than", "0d")


@row("scale-fsck", "sheaf fsck of 5,000 layers, every file read")
def check(house, result):
    has_command(house, "fsck")
    measure(house, result, "fsck")
    house.floor(result, "SHA-256 of the store's files", "sha256", big_store(house).path)


@row("scale-commit", "Store::commit of a layer of five small files, on the disk when it returns", target=30)
def commit(house, result):
    store = house.folder("commit-store")
    output = quietly(Command([house.tools / "bench_fill_store", store, 30 if house.options.quick else 200, 0]))
    result.cells["sheaf"] = Cell(Series(int(line) / 1000 for line in output.split()))
    for peer in house.peers:
        result.cells[peer.name] = Cell(reason="-")
    house.floor(result, "writing one block to the disk", "write", 4096, house.scratch, runs=20)
    result.notes.append(f"{len(result.cells['sheaf'].values)} commits one after the other")
