# SPDX-License-Identifier: Apache-2.0
"""What faults are injected into: a prepared store, the command that runs on a copy of it, and what may be seen of it
afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
from typing import Callable

import sheaf

SMALL_BASE = """\
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
COPY passwd group /etc/
RUN for name in cat echo mkdir touch true; do /bin/busybox ln -s busybox /bin/$name; done; \\
    mkdir -p /home/dev /tmp /workspace
"""
ACCOUNTS = {"passwd": "root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n",
            "group": "root:x:0:\ndev:x:1000:\n"}
# Times differ from file to file: what is made must not depend on when.
DOCKERFILE = """\
FROM localhost/base
COPY one two /srv/
RUN echo made > /srv/three && touch -d @1000000000 /srv/three
ENV NAME=value
"""

# ---- what a store holds ----------------------------------------------------------------------------------------------

# Made again when they are missing: their names count, for leftovers, their contents do not.
REMADE = ("plans/", "blob-places/", "blobs/checked/", "cache/", "logs/", "locks/", "index.db", "pins.json")
UNSEEN = ("tmp/", "quarantine/")
VOLATILE = {"created", "build_ms", "milliseconds"}
Seen = dict[str, tuple]


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items() if key not in VOLATILE}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def digest_of(name: str, content: bytes) -> str:
    """Of what a file says, without when it was said; a record that does not parse says so."""
    if name.endswith("/seal"):
        content = content[content.index(b"\n"):]  # the boot of the machine: what cannot say it is looked at again
    elif not name.startswith(("layers/", "steps/", "unpacked/")) or name.endswith("/layer.json"):
        with contextlib.suppress(ValueError):
            content = json.dumps(without_times(json.loads(content)), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


class Reader:
    """Reads folders; remembers the digests of files that were copied with their times."""

    def __init__(self):
        self._known: dict[tuple, str] = {}

    def read(self, root: pathlib.Path, skipped: tuple = UNSEEN) -> Seen:
        seen: Seen = {}
        pending = [""]
        while pending:
            folder = pending.pop()
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    name = folder + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        name += "/"
                        if name.startswith(skipped):
                            continue
                        pending.append(name)
                    seen[name] = self._entry(name, entry)
        return seen

    def _entry(self, name: str, entry: os.DirEntry) -> tuple:
        info = entry.stat(follow_symlinks=False)
        owner = (info.st_mode, info.st_uid, info.st_gid)
        if name.startswith(REMADE):
            return ()
        if stat.S_ISLNK(info.st_mode):
            return (*owner, os.readlink(entry.path))
        if not stat.S_ISREG(info.st_mode):
            return (*owner, info.st_rdev)
        key = (name, info.st_size, info.st_mtime_ns)
        if key not in self._known:
            self._known[key] = digest_of(name, pathlib.Path(entry.path).read_bytes())
        return (*owner, self._known[key])


TEMPORARY = re.compile(r"\.[A-Za-z0-9]{6}$|\.partial$|\.new$")


def is_harmless(name: str) -> bool:
    """One more log or saved plan; in caches also what could not be removed, which goes with the garbage."""
    return name.startswith("cache/") or (name.startswith(REMADE) and not TEMPORARY.search(name))


def differences(is_: Seen, should: Seen) -> list[str]:
    """In words; what is remade may be missing."""
    missing = [f"missing: {name}" for name in should if name not in is_ and not name.startswith(REMADE)]
    extra = [f"left: {name}" for name in is_ if name not in should and not is_harmless(name)]
    changed = [f"differs: {name}" for name, value in is_.items() if name in should and should[name] != value]
    return sorted(missing + extra + changed)


# ---- operations ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    words: tuple
    prepare: Callable[[World], object]
    # What it writes outside of the store, in the world's folder `out`: there as a whole or not at all.
    output: str = ""
    # What it ends with when it is carried out once more.
    code_if_done: int = 0
    # Each run is like the first.
    changes_nothing: bool = False
    # It ends with the status of a command that it runs.
    runs_command: bool = False
    # The store is damaged, or of an older format, until it succeeds.
    is_mending: bool = False
    # What it prints names times and folders of its own.
    prints_times: bool = False
    # A directory to which others may be added: it is whole once this file is in it.
    complete: str = ""


def nothing(_: World) -> None:
    pass


OPERATIONS = [
    Operation("build", ("build", "-C", "{project}", "--layers", "b"), nothing),
    Operation("detect", ("detect", "-C", "{polyglot}"), nothing, changes_nothing=True),
    Operation("up", ("up", "-C", "{project}", "--layers", "a,b", "--", "/bin/cat", "/etc/a", "/etc/b"),
              lambda world: world.ok("build", "-C", world.project.path, "--layers", "a,b", "--progress", "quiet")
              and world.forget("joins", "plans", "images", "tags"), runs_command=True),
    Operation("image", ("build", "-t", "localhost/made", "{context}"), nothing),
    Operation("pull", ("pull", "{registry}/made"), lambda world: world.publish()),
    Operation("import", ("import", "{folder}/layouts/made", "localhost/brought"), lambda world: world.lay_out()),
    Operation("export-oci", ("export", "localhost/made", "-o", "{out}/image.tar"),
              lambda world: world.make_image(), "image.tar"),
    Operation("export-layout", ("export", "localhost/made", "--format", "oci-dir", "-o", "{out}/layout"),
              lambda world: world.make_image(), "layout", complete="index.json"),
    Operation("export-docker", ("export", "localhost/made", "--format", "docker", "-o", "{out}/image.tar"),
              lambda world: world.make_image(), "image.tar"),
    Operation("tag", ("image", "tag", "localhost/base", "localhost/other"), nothing),
    Operation("rm", ("image", "rm", "localhost/second"),
              lambda world: world.ok("image", "tag", "localhost/base", "localhost/second"), code_if_done=5),
    Operation("gc", ("gc", "--older-than", "0", "-q"), lambda world: world.make_garbage(), prints_times=True),
    Operation("fsck", ("fsck", "--repair", "-q"), lambda world: world.damage(), is_mending=True, prints_times=True),
    Operation("migrate", ("store", "migrate", "-q"), lambda world: world.make_older(), is_mending=True),
]


class World:
    """A folder with a home, a project, a context, and the store that is broken; for one account and one thread."""

    def __init__(self, folder: pathlib.Path, account: sheaf.Account, registry: str):
        self.account, self.folder = account, folder
        self.registry = f"{registry}/{account.name}/{folder.name}"  # images of worlds differ by when they were made
        folder.mkdir()
        self.machine = sheaf.Machine(account, folder)
        self.store, self.pristine, self.base = folder / "store", folder / "pristine", folder / "base"
        self.out = self.machine.directory("out")
        self.project = sheaf.Project(self.machine)
        self.context = self.machine.directory("context")
        self.reader = Reader()
        self._fill()

    def _fill(self) -> None:
        self.project.write(".sheaf/layers/base/busybox", sheaf.busybox())
        self.project.layer("base", SMALL_BASE, settings="kind: base\n", **ACCOUNTS)
        self.project.layer("a", "RUN echo a > /etc/a\n")
        self.project.layer("b", "RUN echo b > /etc/b && mkdir /srv && ln -s /etc/b /srv/link\n")
        polyglot = self.machine.directory("polyglot")
        for name, content in {"go.mod": "module m\n\ngo 1.22\n", "web/package.json": "{}", ".gitignore": "out\n"}.items():
            (polyglot / name).parent.mkdir(exist_ok=True)
            (polyglot / name).write_text(content)
        self.machine.give(polyglot)
        for name, content in {"one": b"1", "two": b"2" * 5000, "Dockerfile": DOCKERFILE.encode()}.items():
            (self.context / name).write_bytes(content)
        self.machine.give(self.context)
        first = self.machine.directory("first")
        (first / "busybox").write_bytes(sheaf.busybox())
        (first / "Dockerfile").write_text("FROM scratch\n" + SMALL_BASE.replace("COPY passwd group /etc/\n", ""))
        self.machine.give(first)
        self.ok("build", "-C", self.project.path, "--layers", "a", "--progress", "quiet")
        self.ok("build", "-q", "-t", "localhost/base", first)
        self.copy(self.store, self.base)

    # What operations need, made in the store.

    def make_image(self) -> None:
        self.ok("build", "-q", "-t", "localhost/made", self.context)

    def lay_out(self) -> None:
        self.make_image()
        self.ok("export", "localhost/made", "--format", "oci-dir", "-o", self.layouts() / "made")
        self.copy(self.base, self.store)

    def layouts(self) -> pathlib.Path:
        self.forget("../layouts")
        return self.machine.directory("layouts")

    def publish(self) -> None:
        self.make_image()
        self.ok("push", "localhost/made", f"{self.registry}/made")
        self.copy(self.base, self.store)

    def make_garbage(self) -> None:
        self.make_image()
        self.ok("image", "rm", "localhost/made")
        self.ok("build", "-C", self.project.path, "--layers", "b", "--progress", "quiet")
        for image in self.ok("image", "list", "--json").json():
            for name in image["names"]:
                if "base" not in name:
                    self.ok("image", "rm", name)

    def damage(self) -> None:
        self.make_image()
        for place in ("layers/*/tree/etc/a", "steps/*/tree/srv/two"):
            for file in self.store.glob(place):
                file.write_bytes(b"flipped")

    def make_older(self) -> None:
        (self.store / "format").write_text("sheaf-store 1\n")
        self.forget("index.db")

    def forget(self, *places: str) -> None:
        for place in places:
            subprocess.run(["rm", "-rf", self.store / place], check=True)

    # Running.

    def prepare(self, operation: Operation) -> None:
        """Makes the store that each point of the operation starts from."""
        self.copy(self.base, self.store)
        operation.prepare(self)
        self.copy(self.store, self.pristine)

    def reset(self) -> None:
        self.copy(self.pristine, self.store)

    def clear_out(self) -> None:
        shutil.rmtree(self.out)
        self.machine.directory("out")

    @staticmethod
    def copy(source: pathlib.Path, target: pathlib.Path) -> None:
        # The files of an ordinary user's store belong to sub-ids; root keeps that.
        subprocess.run(["rm", "-rf", target], check=True)
        subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)

    def words(self, operation: Operation) -> list[str]:
        places = {"project": self.project.path, "context": self.context, "out": self.out, "folder": self.folder, "polyglot": self.folder / "polyglot",
                  "registry": self.registry}
        return [word.format(**places) for word in operation.words]

    def ok(self, *words: object) -> sheaf.Outcome:
        return self.machine.ok(*words)

    def state(self) -> Seen:
        return self.reader.read(self.store)

    def outputs(self) -> Seen:
        return self.reader.read(self.out, ())

    def staged(self) -> list[str]:
        return [name for name in os.listdir(self.store / "tmp") if name != "gate.lock"]


# ---- the faulted run -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Point:
    fault: str
    nth: int
    onwards: bool = False

    def __str__(self) -> str:
        return f"{self.fault} at {self.nth}{' and later' if self.onwards else ''}"


@dataclasses.dataclass(frozen=True)
class Broken:
    """What fault_run reports, and what the program said."""

    report: dict
    out: str
    err: str

    @property
    def hit(self) -> dict | None:
        return self.report["hit"]

    @property
    def code(self) -> int:
        return self.report["code"]


def fault_run() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("SHEAF_FAULT_RUN", "fault_run"))
    assert path.is_file(), "SHEAF_FAULT_RUN must name the program tests/fault_run of the build directory"
    return path


def run_broken(world: World, operation: Operation, point: Point | None) -> Broken:
    report = world.folder / "report"
    broken = []
    if point:
        broken = ["--fault", point.fault, "--nth", str(point.nth), *(["--onwards"] if point.onwards else [])]
    command = [fault_run(), "--report", report, "--skip-flushes", "--limit", "60", *broken, "--user",
               f"{world.account.uid}:{world.account.gid}", "--", world.machine.program, *world.words(operation)]
    # The leak check of a sanitizer has a process of its own, and does not expect its calls to fail.
    environment = {**world.machine.environment(), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    made = subprocess.run(command, cwd=world.machine.home, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, timeout=120)
    err = made.stderr.decode(errors="replace")
    assert made.returncode == 0, f"fault_run failed: {err}"
    return Broken(json.loads(report.read_text()), made.stdout.decode(errors="replace"), err)


def fast_folder() -> str:
    """In memory where that holds what a store needs, else where temporary files are."""
    if "SHEAF_TEST_TMP" in os.environ:
        return os.environ["SHEAF_TEST_TMP"]
    place = "/dev/shm"
    with contextlib.suppress(OSError):
        with tempfile.NamedTemporaryFile(dir=place) as file:
            os.setxattr(file.name, "user.overlay.test", b"")
            flags, space = os.statvfs(place).f_flag, shutil.disk_usage(place).free
            if not flags & (os.ST_NOEXEC | os.ST_NODEV | os.ST_NOSUID) and space > 1 << 29:
                return place
    return tempfile.gettempdir()
