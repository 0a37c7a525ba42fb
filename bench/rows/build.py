# SPDX-License-Identifier: Apache-2.0
"""Builds of Dockerfiles: whole commands, from start to exit."""

import shutil

from harness import contexts
from harness.clock import Series, quietly
from harness.house import Action, Floor
from rows import row


def unchanged(house, result, files):
    """A file of 20 instructions that was built before, and nothing changed."""
    context = contexts.twenty_instructions(house.folder(f"context-{files}"))
    contexts.small_files(context / "src", files, "same")

    def action(program):
        quietly(program.build(context, "bench-again"))
        return Action(lambda i: program.build(context, "bench-again"))

    house.compare(result, action)
    house.floor(result, "stat walk of the context", "walk", context)
    # The context stays: ext4 is slow at making files for seconds after many were removed.


@row("build-noop", "build, nothing changed: 20 instructions, three of them COPY, 10,000 files", target=20)
def build_noop(house, result):
    unchanged(house, result, 1000 if house.options.quick else 10_000)


@row("build-noop-100k", "the same with 100,000 files")
def build_noop_large(house, result):
    unchanged(house, result, 2000 if house.options.quick else 100_000)


def cold(house, name, write):
    """Actions of builds of what `write(context, mark)` made, new for every run of every program."""

    def action(program):
        context = house.folder(f"{name}-{program.name}")
        return Action(lambda i: program.build(context, f"bench-{name}"), lambda i: write(context, house.fresh()))

    return action


@row("run-step", "one trivial RUN step: a build of twenty that were never built, divided by 20", target=7.5)
def run_step(house, result):
    result.divisor = 20
    house.compare(result, cold(house, "steps", contexts.twenty_steps))
    house.floor_of_sandbox(result)


@row("last-step", "build of twenty trivial RUN steps of which the last one changed")
def last_step(house, result):
    mark = house.fresh()

    def action(program):
        context = contexts.twenty_steps(house.folder(f"last-{program.name}"), mark)
        quietly(program.build(context, "bench-last"))
        return Action(lambda i: program.build(context, "bench-last"),
                      lambda i: contexts.twenty_steps(context, mark, house.fresh()))

    house.compare(result, action)
    house.floor_of_sandbox(result)


@row("copy", "COPY of 20,000 new files of up to 1,400 bytes", ratio=3)
def copy(house, result):
    files = 1000 if house.options.quick else 20_000

    def write(context, mark):
        contexts.small_files(context / "src", files, mark)
        contexts.write(context, f"{contexts.FROM_BASE}\nCOPY src /src\n")
        house.sync()

    house.compare(result, cold(house, "copy", write))
    source = house.work / "copy-sheaf" / "src"
    house.floor(result, "writing as many files", "copy", source, house.scratch, runs=5)
    house.floor(result, "SHA-256 of the files", "sha256", source)


@row("large-file", "COPY of a new file of 1 GB", target_peak=100)
def large_file(house, result):
    size = house.options.large_bytes
    source = house.folder("large-source") / "large"
    contexts.large_file(source, size)

    def write(context, _):
        if not (context / "large").exists():
            contexts.write(context, f"{contexts.FROM_BASE}\nCOPY large /large\n")
            shutil.copy(source, context / "large")
        contexts.touch_content(context / "large")
        house.sync()

    house.compare(result, cold(house, "large", write), min(house.runs, 3))
    house.floor(result, "SHA-256 of it, one thread", "sha256", source.parent, runs=3)
    house.floor(result, "writing as much to the disk", "write", size, house.scratch, runs=3)
    for program in [house.sheaf, *house.present_peers()]:  # the file several times in each storage
        shutil.rmtree(house.work / f"large-{program.name}")
        program.prune()
    shutil.rmtree(source.parent)


@row("stages", "eight stages of 'sleep 1' that need nothing of each other, and a ninth that copies from all", target=2500)
def stages(house, result):
    house.compare(result, cold(house, "stages", contexts.eight_stages), min(house.runs, 3))
    result.floors.append(Floor("sleep 1", Series([1000.0])))
