# SPDX-License-Identifier: Apache-2.0
"""Commands of ours with a file of 1 GB: what counts is the memory."""

import shutil

from harness import contexts
from harness.clock import quietly
from harness.house import Action
from harness.programs import remove_tree
from rows import row

PEAK = 100


def large(house):
    """An image and a built layer with the file, made once: the project's folder."""
    folder = house.work / "large-project"
    if not folder.exists():
        contexts.project(folder)
        source = house.folder("large-image")
        contexts.large_file(source / "large", house.options.large_bytes)
        contexts.write(source, f"{contexts.FROM_BASE}\nCOPY large /large\n")
        quietly(house.sheaf.build(source, "bench-large"))
        shutil.rmtree(source)
        write_layer(house, folder)
        quietly(house.sheaf.command("build", "-C", folder, "--layers", "large"))
    return folder


def write_layer(house, folder):
    """The base's busybox writes the file, other bytes each time."""
    megabytes = house.options.large_bytes >> 20
    contexts.layer(folder, "large", ["USER root", f"RUN mkdir -p /opt && echo {house.fresh()} > /opt/mark && "
                                     f"dd if=/dev/urandom of=/opt/large bs=1M count={megabytes}"])


def once(house, result, command, before=lambda i: None, after=lambda i: None):
    house.sync()
    house.own(result, Action(lambda i: command, before, after), min(house.runs, 2))


@row("1g-layer", "sheaf build of a layer whose step writes 1 GB: run, capture, commit", target_peak=PEAK)
def layer(house, result):
    folder = large(house)
    command = house.sheaf.command("build", "-C", folder, "--layers", "large")
    once(house, result, command, lambda i: write_layer(house, folder))
    house.floor(result, "writing as much to the disk", "write", house.options.large_bytes, house.scratch, runs=3)


@row("1g-export", "sheaf export of an image with a 1 GB layer", target_peak=PEAK)
def export(house, result):
    large(house)
    target = house.work / "large.tar"

    def before(_):
        house.sheaf.forget_packed()
        target.unlink(missing_ok=True)

    once(house, result, house.sheaf.command("export", "-q", "-o", target, "bench-large"), before,
         lambda i: target.unlink())


@row("1g-push", "sheaf push of it", target_peak=PEAK)
def push(house, result):
    large(house)
    house.registry.open()
    house.registry.empty()

    def before(_):
        house.registry.empty()
        house.sheaf.forget_packed()

    once(house, result, house.sheaf.push("bench-large", place(house)), before)


def place(house):
    return f"{house.registry.address}/large:1"


@row("1g-pull", "sheaf pull of it", target_peak=PEAK)
def pull(house, result):
    large(house)
    house.registry.open()
    quietly(house.sheaf.push("bench-large", place(house)))
    once(house, result, house.sheaf.pull(place(house)), lambda i: house.sheaf.forget_pulled(place(house)))
    house.sheaf.forget_pulled(place(house))


@row("1g-verify", "sheaf verify --rebuild of the layer", target_peak=PEAK)
def verify(house, result):
    folder = large(house)
    contexts.layer(folder, "large", ["USER root", "RUN mkdir -p /opt && yes sheaf | head -c "
                                     f"{house.options.large_bytes} > /opt/large"])
    quietly(house.sheaf.command("build", "-C", folder, "--layers", "large"))
    once(house, result, house.sheaf.command("verify", "--rebuild", "-C", folder, "large"))
    remove_tree(house.sheaf.store / "logs")
