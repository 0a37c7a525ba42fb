# SPDX-License-Identifier: Apache-2.0
"""Building images of contexts that are made on the spot, and archives that mean harm."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile

import sheaf
from dockerfiles import builders, tree
from dockerfiles import case as cases


class Images:
    """Builds on the tiny base and reads what comes out."""

    def __init__(self, machine):
        self.machine = machine
        self.base = builders.Sheaf(machine, lambda case: {}).base
        self.context = machine.directory("context")
        self.outside = machine.directory("outside")
        (self.outside / "precious").write_text("precious\n")
        machine.give(self.outside)

    def put(self, name: str | bytes, content: bytes = b"") -> None:
        path = os.path.join(os.fsencode(self.context), os.fsencode(name))
        cases.make_folders(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(content)
        self.machine.give(self.context)

    def build(self, dockerfile: str, *words, context=None, **options) -> sheaf.Outcome:
        """Runs the build; the Dockerfile is outside of the context."""
        file = self.machine.home / "Dockerfile"
        file.write_text("FROM localhost/base\n" + dockerfile)
        self.machine.give(self.machine.home)
        return self.run("-f", file, *words, context or self.context, **options)

    def run(self, *words, stdin: bytes | None = None, **environment) -> sheaf.Outcome:
        command = [self.machine.program, "build", "-t", "localhost/made", "--output",
                   f"type=tar,dest={self.machine.home}/root.tar", *map(str, words)]
        made = subprocess.run(command, input=stdin if stdin is not None else b"", capture_output=True, timeout=300,
                              cwd=self.machine.home, env=self.machine.environment(**environment),
                              **self.machine.account.identity(), check=False)
        assert (self.outside / "precious").read_text() == "precious\n"
        assert [path.name for path in self.outside.iterdir()] == ["precious"]
        return sheaf.Outcome(made.returncode, made.stdout.decode(errors="replace"),
                             made.stderr.decode(errors="replace"))

    def changes(self, *words, **options) -> dict[bytes, str]:
        """What a successful build added to the base, as lines of tree.py by path."""
        outcome = self.build(*words, **options)
        assert outcome.code == 0, outcome
        return self.made()

    def made(self) -> dict[bytes, str]:
        made = tree.of_tar(self.machine.home / "root.tar")
        return {path: line for path, (_, line) in tree.differences(self.base.tree, made).items()}


def refused(outcome: sheaf.Outcome, *fragments: str) -> None:
    assert outcome.code not in (0, 134, 139), outcome
    for fragment in fragments:
        assert fragment in outcome.err, outcome


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0, mode: int = 0o644):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size, made.mode = kind, link, size, mode
    return made


def archive(*members, contents: bytes = b"evil") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for info in members:
            if info.type == tarfile.REGTYPE:
                info.size = len(contents)
            made.addfile(info, io.BytesIO(contents))
    return packed.getvalue()


HOSTILE = {
    "absolute": lambda out: archive(member(f"{out}/new"), member("/abs")),
    "dots": lambda out: archive(member("../../../../../.." + f"{out}/new")),
    "dots_inside": lambda out: archive(member("a/../../../../../../../.." + f"{out}/new")),
    "hard_link_out": lambda out: archive(member("h", tarfile.LNKTYPE, f"{out}/precious"), member("h")),
    "hard_link_dots": lambda out: archive(member("h", tarfile.LNKTYPE, f"../../../../../..{out}/precious"),
                                          member("h")),
    "link_then_write": lambda out: archive(member("l", tarfile.SYMTYPE, str(out)), member("l/new")),
    "link_then_overwrite": lambda out: archive(member("l", tarfile.SYMTYPE, f"{out}/precious"), member("l")),
    "link_chain": lambda out: archive(member("a", tarfile.SYMTYPE, ".."), member("b", tarfile.SYMTYPE, "a/.."),
                                      member("c", tarfile.SYMTYPE, f"b/../../../../..{out}"), member("c/new")),
    "link_then_folder": lambda out: archive(member("l", tarfile.SYMTYPE, str(out)),
                                            member("l", tarfile.DIRTYPE, mode=0o777), member("l/new")),
    "root_itself": lambda out: archive(member("/", tarfile.DIRTYPE, mode=0o700), member("./", tarfile.DIRTYPE)),
}
