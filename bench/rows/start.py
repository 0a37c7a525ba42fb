# SPDX-License-Identifier: Apache-2.0
"""Nothing to do, and starting something in what is there."""

import os
import pathlib
import subprocess

from harness import contexts
from harness.house import Action
from harness.clock import Command, quietly
from harness.programs import Unable, remove_tree
from rows import row


def project(house):
    """A built project of a base and one layer, made once."""
    folder = house.work / "project"
    if not folder.exists():
        contexts.project(folder)
        contexts.layer(folder, "steps", ["USER root"] + [f"RUN : {i}" for i in range(20)])
        contexts.layer(folder, "notes", ["USER root", "RUN mkdir -p /opt/notes && echo notes > /opt/notes/text"])
        quietly(house.sheaf.command("build", "-C", folder, "--layers", "steps,notes"))
    return folder


def own(house, folder, *words):
    return Action(lambda i: house.sheaf.command(*words[:1], "-C", folder, *words[1:]))


@row("plan", "sheaf plan, everything built", target=10)
def plan(house, result):
    folder = project(house)
    quietly(house.sheaf.command("up", "-C", folder, "--", "true"))
    house.own(result, own(house, folder, "plan"), max(house.runs, 10))
    house.floor_of_starting(result)


def start(house, program, before=lambda program: None):
    """`true` in what is built: our project, a peer's fresh container."""
    if program is house.sheaf:
        folder = project(house)
        return Action(lambda i: program.command("up", "-C", folder, "--", "true"), lambda i: before(program))
    return Action(lambda i: program.run("bench-base"), lambda i: before(program))


@row("start-warm", "sheaf up -- true, everything built; a peer's run of true in a fresh container", target=25)
def start_warm(house, result):
    quietly(house.sheaf.command("up", "-C", project(house), "--", "true"))
    house.compare(result, lambda program: start(house, program), max(house.runs, 10))
    house.floor_of_sandbox(result)


@row("start-cold", "the same, after the files of program and storage were dropped from memory and what we remember of "
     "environments and joins was removed")
def start_cold(house, result):
    def forget(program):
        if program is house.sheaf:
            for folder in ("plans", "joins"):
                remove_tree(program.store / folder)
        evict([program.folder, *binaries(program)])

    house.compare(result, lambda program: start(house, program, forget))
    house.floor_of_sandbox(result)


def binaries(program):
    paths = {"sheaf": [program.folder.parent / "sheaf-binary"], "buildah": ["/usr/bin/buildah"],
             "podman": ["/usr/bin/podman", "/usr/bin/conmon"], "docker": ["/usr/bin/docker"]}.get(program.name, [])
    return [*paths, "/usr/sbin/runc"] if program.name in ("podman", "docker") else paths


def evict(places):
    """Drops clean pages of files from memory, of these only: others on the machine keep theirs."""
    os.sync()
    for place in map(pathlib.Path, places):
        for path in [place, *place.rglob("*")] if place.exists() else []:
            if path.is_file() and not path.is_symlink():
                file = os.open(path, os.O_RDONLY)
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(file)


# ---- from one selection to another ----------------------------------------------------------------------------------

SELECTIONS = ("one,two", "two,three")


def switching(house, program, forgotten=()):
    """To and fro between two selections that were used before; peers have an image of each."""
    if program is not house.sheaf:
        for number, names in enumerate(SELECTIONS):
            lines = [contexts.FROM_BASE] + [f"RUN mkdir -p /opt/{name} && echo {name} >/opt/{name}/text"
                                            for name in names.split(",")]
            quietly(program.build(contexts.write(house.folder(f"switch-{number}"), "\n".join(lines) + "\n"),
                                  f"bench-switch{number}"))
        return Action(lambda i: program.run(f"bench-switch{i % 2}"))
    folder = project(house)
    for name in ("one", "two", "three"):
        contexts.layer(folder, name, ["USER root", f"RUN mkdir -p /opt/{name} && echo {name} >/opt/{name}/text"])
    for names in SELECTIONS:
        quietly(program.command("up", "-C", folder, "--layers", names, "--", "true"))

    def before(_):
        for place in forgotten:
            remove_tree(program.store / place)

    return Action(lambda i: program.command("up", "-C", folder, "--layers", SELECTIONS[i % 2], "--", "true"), before)


@row("switch", "up -- true with another selection of built layers, to and fro; peers: run of another image", target=50)
def switch(house, result):
    house.compare(result, lambda program: switching(house, program))
    house.floor_of_sandbox(result)


@row("switch-planned", "the same after what we remember of environments was removed", target=50)
def switch_planned(house, result):
    house.own(result, switching(house, house.sheaf, ("plans",)))
    house.floor_of_sandbox(result)


@row("switch-joined", "the same after the joins were removed, too", target=50)
def switch_joined(house, result):
    house.own(result, switching(house, house.sheaf, ("plans", "joins")))
    house.floor_of_sandbox(result)


@row("catalogue", "sheaf plan of six layers and the base with 2,000 layers defined", target=20)
def catalogue(house, result):
    folder = house.work / "catalogue"
    contexts.project(folder)
    contexts.many_definitions(folder, 2000)
    house.own(result, own(house, folder, "plan", "--layers", "part10,part200,part500,part1001,part1500,part1998"))
    house.floor(result, "stat walk of the definitions", "walk", folder)


# ---- an ordinary user -----------------------------------------------------------------------------------------------


class Rootless:
    """A program run by another user, in a home of theirs."""

    def __init__(self, house, user):
        self.home = house.folder(f"home-{user}")
        (self.home / "run").mkdir(exist_ok=True)
        self._user = user

    def own(self, folder):
        quietly(Command(["cp", "-r", folder, self.home / "project"]))
        quietly(Command(["chown", "-R", f"{self._user}:", self.home]))
        return self.home / "project"

    def command(self, *words):
        return Command(["runuser", "-u", self._user, "--", "env", f"HOME={self.home}",
                        f"XDG_RUNTIME_DIR={self.home}/run", f"TMPDIR={self.home}/run", *words])


def rootless(house):
    """Raises Unable where there is no other user; as an ordinary user every row is rootless."""
    user = os.environ.get("SHEAF_TEST_USER", "sheaf-test")
    known = subprocess.run(["id", user], capture_output=True, check=False).returncode == 0
    if os.geteuid() != 0 or not known:
        raise Unable(f"not here: needs root and a user '{user}'")
    return Rootless(house, user)


@row("rootless-start", "up -- true and its peer as an ordinary user (with runuser, which takes some milliseconds)",
     target=30)
def rootless_start(house, result):
    other = rootless(house)
    folder = other.own(project(house))
    up = (house.sheaf.binary, "up", "-C", folder, "--", "true")
    quietly(other.command(*up))

    def action(program):
        if program is house.sheaf:
            return Action(lambda i: other.command(*up))
        # vfs: overlay would need /dev/fuse on many hosts, and a run in a container that exists copies nothing.
        tool = ("buildah", f"--root={other.home}/buildah", f"--runroot={other.home}/buildah-run", "--storage-driver=vfs")
        quietly(other.command(*tool, "bud", "--isolation", "chroot", "--network", "host", "--build-arg",
                              "BASE_IMAGE=scratch", "-t", "base", folder / ".sheaf/layers/base"))
        quietly(other.command(*tool, "from", "--name", "run", "base"))
        return Action(lambda i: other.command(*tool, "run", "--isolation", "chroot", "run", "--", "/bin/true"))

    house.compare(result, action, only=["buildah"])
    house.floor_of_sandbox(result)
