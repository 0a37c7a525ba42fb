# SPDX-License-Identifier: Apache-2.0
"""To a registry on this machine and back: an image of six layers of the machine's own files."""

from harness import contexts
from harness.clock import quietly
from harness.house import Action, say
from harness.programs import Unable
from rows import row


def image(house, program):
    """The context, and the image 'bench-image' of it in the program's storage; made once."""
    house.registry.open()
    context = house.work / "image"
    if not context.exists():
        say(f"collecting {house.options.image_mb} MB of files for the image")
        contexts.real_layers(context, house.options.image_mb)
        contexts.six_copies(context, "first", "layer5")
        contexts.six_copies(context, "second", "other")
    mark = house.work / f"image-{program.name}"
    if not mark.exists():
        quietly(program.build(context, "bench-image", "first"))
        mark.touch()
    return context


def reference(house, name):
    return f"{house.registry.address}/{name}:1"


def pushing(house, program):
    context = image(house, program)
    to = reference(house, program.name)
    if program.name == "buildkit":
        return Action(lambda i: program.push("bench-image", to, context))

    def before(_):
        house.registry.empty()
        program.forget_packed()
        house.sync()

    return Action(lambda i: program.push("bench-image", to), before)


@row("push", "push of an image that was never packed, to an empty registry, as the program packs unless told otherwise",
     ratio=3)
def push(house, result):
    house.compare(result, lambda program: pushing(house, program))
    house.floor(result, "SHA-256 of the files", "sha256", house.work / "image")
    result.notes.append(f"{house.options.image_mb} MB in six layers; sheaf packs with zstd, the others with gzip")


@row("push-gzip", "the same with gzip")
def push_gzip(house, result):
    def action(program):
        done = pushing(house, program)
        if program is not house.sheaf:
            raise Unable("-")
        return Action(lambda i: program.push("bench-image", reference(house, "gzip"), "--compression", "gzip"),
                      done.before)

    house.compare(result, action)


@row("push-second", "push of another image that shares five of the six layers, to the same place")
def push_second(house, result):
    def action(program):
        context = image(house, program)
        to = reference(house, program.name)
        if program.name == "buildkit":
            raise Unable("buildkit pushes only what it has just built")
        quietly(program.push("bench-image", to))

        def before(_):
            contexts.write(context / "other", house.fresh(), "selection")
            quietly(program.build(context, "bench-second", "second"))
            house.sync()

        return Action(lambda i: program.push("bench-second", to), before)

    house.compare(result, action)
    house.floor_of_starting(result)


def pulling(house, program, name):
    place = reference(house, name)

    def before(_):
        program.forget_pulled(place)
        house.sync()

    return Action(lambda i: program.pull(place), before)


def floors_of_pull(house, result):
    house.floor(result, "writing as many files", "copy", house.work / "image", house.scratch, runs=3)
    house.floor(result, "SHA-256 of the files", "sha256", house.work / "image")


@row("pull", "pull of what we pushed (zstd) into an empty storage", ratio=3)
def pull(house, result):
    image(house, house.sheaf)
    quietly(house.sheaf.push("bench-image", reference(house, "zstd")))

    def action(program):
        if program.name == "docker" and int(program.version().split(".")[0]) < 23:
            raise Unable("Docker before 23 reads no zstd")
        return pulling(house, program, "zstd")

    house.compare(result, action)
    floors_of_pull(house, result)


@row("pull-gzip", "pull of what buildah pushed (gzip) into an empty storage", ratio=3)
def pull_gzip(house, result):
    buildah = next((peer for peer in house.present_peers() if peer.name == "buildah"), None)
    if buildah is None:
        raise Unable("not here: needs buildah")
    image(house, buildah)
    quietly(buildah.push("bench-image", reference(house, "buildah")))
    house.compare(result, lambda program: pulling(house, program, "buildah"))
    floors_of_pull(house, result)
