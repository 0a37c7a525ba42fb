# SPDX-License-Identifier: Apache-2.0
"""Both builders behind one interface: a case's folder in, an `Image` out."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess

import sheaf

from . import case as cases
from . import config, tree

BASE = """\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY root/ /
RUN mkdir -p -m 1777 /tmp && mkdir -p /home /var && mkdir -m 700 /root \\
 && mkdir /home/app && chown 1000:1000 /home/app
CMD ["/bin/sh"]
"""
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n"
              "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\nstaff:x:50:app\napp:x:1000:\nnogroup:x:65534:\n",
    "hosts": "", "hostname": "", "resolv.conf": ""}
IMAGE = "localhost/base"
BUD = ["bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--network", "host", "--layers=false"]


@dataclasses.dataclass
class Image:
    """What a builder made of a case, or how it failed."""

    code: int
    log: str
    tree: tree.Tree = dataclasses.field(default_factory=dict)
    config: dict = dataclasses.field(default_factory=dict)


def base_case() -> cases.Case:
    made = cases.Case("base", sections=[cases.Section(b"Dockerfile", text=BASE)])
    made.sections += [cases.Section(b"context/root/etc/" + name.encode(), text=text) for name, text in ETC.items()]
    made.sections += [cases.Section(b"context/root/" + name, kind="dir") for name in (b"dev", b"proc", b"sys", b"run")]
    return made


class Builder:
    """Builds cases, each in its own folder below `folder`."""

    def __init__(self, folder: pathlib.Path, owner: sheaf.Account, values):
        self.folder = folder
        self.owner = owner
        self.values = values  # case -> what stands for @HTTP@ and the like
        self.base = self.build(base_case(), IMAGE)
        assert self.base.code == 0, f"the base cannot be built:\n{self.base.log}"

    def build(self, case: cases.Case, name: str = "") -> Image:
        place = self.folder / "cases" / case.name
        values = {**self.values(case), "CASE": str(place), "PARENT": f"localhost/parent-{case.name}"}
        cases.write(case, place, values, (self.owner.uid, self.owner.gid))
        if case.name == "base":
            (place / "context/busybox").write_bytes(sheaf.busybox())
        if case.has("parent"):
            parent = self.run(values["PARENT"], place, ["-f", str(place / "parent/Dockerfile")], {})
            if parent.code != 0:
                return dataclasses.replace(parent, log=f"building the parent:\n{parent.log}")
        words = [cases.replaced(word, values) for word in case.args]
        return self.run(name or f"localhost/{case.name}", place, ["-f", str(place / case.file), *words], case.env)

    def run(self, name: str, place: pathlib.Path, words: list[str], env: dict[str, str]) -> Image:
        raise NotImplementedError


class Buildah(Builder):
    """Debian's buildah with a store of its own; as root."""

    def __init__(self, folder: pathlib.Path, values):
        self.driver = "overlay"
        try:
            super().__init__(folder, sheaf.Account.caller(), values)
        except AssertionError:  # no overlay on this file system
            self.driver = "vfs"
            super().__init__(folder, sheaf.Account.caller(), values)

    def buildah(self, *words: str, env: dict[str, str] | None = None,
                timeout: float = 120) -> subprocess.CompletedProcess:
        store = ["--storage-driver", self.driver, "--root", str(self.folder / self.driver),
                 "--runroot", str(self.folder / f"{self.driver}-run")]
        return subprocess.run(["buildah", *store, *words], text=True, errors="replace", stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout, env={**os.environ, "TMPDIR": str(self.folder), **(env or {})})

    def run(self, name: str, place: pathlib.Path, words: list[str], env: dict[str, str]) -> Image:
        made = self.buildah(*BUD, "-t", name, *words, str(place / "context"), env=env)
        image = Image(made.returncode, made.stdout + made.stderr)
        if image.code == 0:
            shown = json.loads(self.checked("inspect", "--type", "image", name))
            image.config = config.normal(shown["Docker"]["config"])
            image.tree = self.squashed(place, words, env) if image.config["OnBuild"] else self.tree_of(name)
        return image

    def checked(self, *words: str) -> str:
        made = self.buildah(*words)
        assert made.returncode == 0, f"buildah {' '.join(words)}:\n{made.stdout}{made.stderr}"
        return made.stdout.strip()

    def squashed(self, place: pathlib.Path, words: list[str], env: dict[str, str]) -> tree.Tree:
        """For an image with triggers, which `buildah from` would carry out: built again as one layer, read as a tar."""
        name, out = "localhost/squashed", self.folder / f"squashed-{place.name}"
        made = self.buildah(*BUD, "--squash", "-t", name, *words, str(place / "context"), env=env)
        assert made.returncode == 0, made.stderr
        self.checked("push", name, f"dir:{out}")
        (layer,) = json.loads((out / "manifest.json").read_text())["layers"]
        return tree.of_tar(out / layer["digest"].removeprefix("sha256:"))

    def tree_of(self, name: str) -> tree.Tree:
        container = self.checked("from", "--pull-never", name)
        try:
            return tree.of_folder(pathlib.Path(self.checked("mount", container)))
        finally:
            self.checked("rm", container)

    def close(self) -> None:
        self.checked("rm", "--all")
        self.checked("rmi", "--all", "--force")


class Sheaf(Builder):
    """The program under test, as the account of a machine."""

    def __init__(self, machine: sheaf.Machine, values):
        self.machine = machine
        super().__init__(machine.directory("corpus"), machine.account, values)

    def run(self, name: str, place: pathlib.Path, words: list[str], env: dict[str, str]) -> Image:
        file = self.machine.home / "root.tar"
        made = self.machine.run("build", "-t", name, "--output", f"type=tar,dest={file}", *words, place / "context",
                                **env)
        image = Image(made.code, made.out + made.err)
        if image.code == 0:
            image.tree = tree.of_tar(file)
            image.config = config.normal(self.machine.ok("image", "show", name, "--json").json()["config"])
            file.unlink()
        return image
