# SPDX-License-Identifier: Apache-2.0
"""What independent layers change: a change below, and composing what is built."""

from harness import contexts
from harness.clock import quietly
from harness.house import Action
from harness.programs import Unable, remove_tree
from rows import row

LOW_LAYERS = [f"low{i}" for i in range(6)]


def low_command(name, mark):
    """Half a second of work and 300 files."""
    return (f"RUN sleep 0.5 && mkdir -p /opt/{name} && for i in $(seq 300); do echo {mark} $i > /opt/{name}/$i; done")


@row("low-change", "the lowest of six layers changed, half a second of work each: we build it and join, a file's steps "
     "are built from there on")
def low_change(house, result):
    def own():
        folder = contexts.project(house.folder("low-project"))
        for name in LOW_LAYERS:
            contexts.layer(folder, name, ["USER root", low_command(name, "same")])
        command = house.sheaf.command("build", "-C", folder, "--layers", ",".join(LOW_LAYERS))
        quietly(command)
        return Action(lambda i: command, lambda i: contexts.layer(
            folder, LOW_LAYERS[0], ["USER root", low_command(LOW_LAYERS[0], house.fresh())]))

    def action(program):
        if program is house.sheaf:
            return own()
        context = house.folder(f"low-{program.name}")

        def write(mark):
            marks = [mark] + ["same"] * (len(LOW_LAYERS) - 1)
            lines = [low_command(name, one) for name, one in zip(LOW_LAYERS, marks)]
            contexts.write(context, "\n".join([contexts.FROM_BASE, *lines, ""]))

        write("same")
        quietly(program.build(context, "bench-low"))
        return Action(lambda i: program.build(context, "bench-low"), lambda i: write(house.fresh()))

    house.compare(result, action)
    house.floor_of_sandbox(result)
    result.notes.append("of our time half a second is the layer's own work, of a peer's six times that")


# ---- composing ------------------------------------------------------------------------------------------------------

MOST_PARTS = 60


def part_files(folder, count):
    for i in range(count):
        for k in range(20):
            contexts.write(folder / f"p{i}" / "opt" / f"p{i}", f"{i} {k}\n" * 40, f"file{k}")


def parts_project(house):
    """A project of sixty built layers, made once."""
    folder = house.work / "parts-project"
    if not folder.exists():
        contexts.project(folder)
        for i in range(MOST_PARTS):
            contexts.layer(folder, f"p{i}", ["USER root", f"RUN mkdir -p /opt/p{i} && for k in $(seq 20); do "
                                             f"seq 100 > /opt/p{i}/file$k; done"])
        quietly(house.sheaf.command("build", "-C", folder, "--layers", names(MOST_PARTS)))
    return folder


def names(count):
    return ",".join(f"p{i}" for i in range(count))


def parts_image(house, program):
    """The same files as one image to copy from, made once."""
    context = house.work / f"parts-{program.name}"
    if not context.exists():
        part_files(context, MOST_PARTS)
        contexts.write(context, "FROM scratch\nCOPY . /\n")
        quietly(program.build(context, "bench-parts"))


def compose(house, result, count):
    """Of layers that are built. The peers' nearest is COPY --from of an image that has them, on a base that differs."""

    def own():
        folder = parts_project(house)

        def forget(_):
            for place in ("joins", "plans"):
                remove_tree(house.sheaf.store / place)

        return Action(lambda i: house.sheaf.command("build", "-C", folder, "--layers", names(count)), forget)

    def action(program):
        if program is house.sheaf:
            return own()
        if program.name == "buildkit":
            raise Unable("its images have no names to copy from")
        parts_image(house, program)
        context = house.folder(f"compose-{program.name}")
        copies = [f"COPY --from=bench-parts /p{i} /" for i in range(count)]

        def write(_):
            contexts.write(context, house.fresh(), "stamp")
            contexts.write(context, "\n".join([contexts.FROM_BASE, "COPY stamp /stamp", *copies, ""]))

        return Action(lambda i: program.build(context, "bench-compose"), write)

    house.compare(result, action)
    house.floor(result, f"mounting an overlay of {count}", "overlay", count, house.scratch)


COMPOSE = "a new join of {} layers that are built; peers: as many COPY --from"


@row("compose-2", COMPOSE.format(2), target=50)
def compose_2(house, result):
    compose(house, result, 2)


@row("compose-6", COMPOSE.format(6), target=50)
def compose_6(house, result):
    compose(house, result, 6)


@row("compose-20", COMPOSE.format(20))
def compose_20(house, result):
    compose(house, result, 20)


@row("compose-60", COMPOSE.format(60))
def compose_60(house, result):
    compose(house, result, MOST_PARTS)
