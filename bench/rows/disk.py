# SPDX-License-Identifier: Apache-2.0
"""Bytes on the disk."""

import random

from harness import contexts
from harness.clock import BenchError, Command, Series, quietly
from harness.house import Cell, Floor
from harness.programs import Unable
from rows import row

LAYERS = 10
FILES = 100


def selections():
    """Five of six layers of ten, each in the order of a stack; always the same ones."""
    choose = random.Random(7)
    return [sorted(choose.sample(range(LAYERS), 6)) for _ in range(5)]


def used_mb(folder):
    """Allocated blocks, a file of several names once; mounts are left out."""
    return int(quietly(Command(["du", "-sxk", str(folder)])).split()[0]) / 1024


def step(layer):
    """A hundred files of 40 kB, other ones in each layer."""
    return (f"RUN mkdir -p /opt/s{layer} && for i in $(seq {FILES}); do first=$((1{layer:02}0000 + i)); "
            f"seq $first $((first + 4999)) > /opt/s{layer}/$i; done")


def own_growth(house):
    folder = contexts.project(house.folder("sets-project"))
    for i in range(LAYERS):
        contexts.layer(folder, f"s{i}", ["USER root", step(i)])
    store = house.folder("sets-store")
    build = ("build", "-C", folder, "--layers")
    quietly(house.sheaf.command("build", "-C", folder, store=store))
    before = used_mb(store)
    for chosen in selections():
        quietly(house.sheaf.command(*build, ",".join(f"s{i}" for i in chosen), store=store))
    return used_mb(store) - before


def growth(house, program):
    if program is house.sheaf:
        return own_growth(house)
    if program.name == "buildkit":
        raise Unable("a cache alone is no image")
    before = used_mb(program.folder)
    for number, chosen in enumerate(selections()):
        context = contexts.write(house.folder(f"sets-{program.name}"),
                                 "\n".join([contexts.FROM_BASE, *(step(i) for i in chosen), ""]))
        quietly(program.build(context, f"bench-set{number}"))
    return used_mb(program.folder) - before


@row("disk", "growth of the storage by 5 selections of 6 of 10 layers; peers: 5 images of 6 RUN steps", unit="MB")
def disk(house, result):
    for program in [house.sheaf, *house.peers]:
        cell = result.cells[program.name] = Cell()
        if program.absent:
            cell.reason = f"not here: {program.absent}"
            continue
        try:
            cell.values.append(growth(house, program))
        except Unable as unable:
            cell.reason = str(unable)
        except BenchError as error:
            if program is house.sheaf:
                raise
            cell.reason = f"failed: {error}"
    used = len({layer for chosen in selections() for layer in chosen})
    blocks = used * FILES * 40 / 1024  # a file of 40,000 bytes takes ten blocks of 4 kB
    result.floors.append(Floor("blocks of the different files", Series([blocks])))
    result.notes.append("measured once: it does not vary; a peer's includes its build cache, ours its joins")
