# SPDX-License-Identifier: Apache-2.0
"""Stores on other file systems and in awkward places: the same layers everywhere, and a clear word where it cannot be.

File systems are mounted in a mount namespace of their own, which ends with the test: no mount and no loop device stays."""

import contextlib
import dataclasses
import io
import os
import pathlib
import subprocess
import tarfile

import pytest

import sheaf

pytestmark = pytest.mark.root_only

#: Scripts that mount one on "$1"; "$1.img" is where an image may be.
IMAGE = 'truncate -s {size} "$1.img"; {make} "$1.img" >&2; mount -o loop{options} "$1.img" "$1"'
WORKING = {
    "tmpfs": 'mount -t tmpfs sheaf-test "$1"',
    "ext4": IMAGE.format(size="96M", make="mkfs.ext4 -q", options=""),
    "xfs": IMAGE.format(size="400M", make="mkfs.xfs -q", options=""),
    "btrfs": IMAGE.format(size="200M", make="mkfs.btrfs -q", options=""),
}
REFUSED = {
    # The kernel writes no overlay on an overlay.
    "overlay": 'mount -t tmpfs sheaf-test "$1"; mkdir "$1/lower" "$1/upper" "$1/work"; mount -t overlay sheaf-test '
               '-o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1"',
    "ramfs": 'mount -t ramfs sheaf-test "$1"',  # no extended attributes
}
SMALL = {
    "tmpfs": 'mount -t tmpfs -o size=16m sheaf-test "$1"',
    "ext4": IMAGE.format(size="16M", make="mkfs.ext4 -q -m 0", options=""),
    "few inodes": IMAGE.format(size="64M", make="mkfs.ext4 -q -m 0 -N 700", options=""),
}
KINDS = """\
ADD kinds.tar /opt/kinds/
RUN cd /opt/kinds && echo one > first && ln first second && mkfifo pipe && ln -s first link && mkdir -m 1777 empty && \\
    touch "$(printf 'n%.0s' $(seq 255))" 'spaces and é' && chmod 4755 first && truncate -s 1M sparse && \\
    touch -d '2001-02-03 04:05:06' old && chown 1000:1000 old && \\
    rm /etc/issue && rm -r /srv/old && mkdir /srv/old && echo new > /srv/old/new
"""
LOOK = "cd /opt/kinds && ls -lan . /srv/old | grep -v -e '^d' -e total; test first -ef second && echo linked; " \
       "test -e /etc/issue || echo deleted; grep -c extra /etc/passwd"


@dataclasses.dataclass
class Place:
    """A store that only commands run here can see."""

    machine: sheaf.Machine
    holder: subprocess.Popen

    def enter(self) -> list[str]:
        return ["nsenter", "-t", str(self.holder.pid), "-m", "--"]

    def run(self, project: sheaf.Project, *words: object) -> sheaf.Outcome:
        """As the account, in the project's folder."""
        account = self.machine.account
        begin = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", "sh", "-c",
                 'cd "$0" && exec "$@"', str(project.path), str(self.machine.program)]
        with subprocess.Popen([*self.enter(), *begin, *map(str, words)], env=self.machine.environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace") as process:
            return sheaf.finish(process)

    def ok(self, project: sheaf.Project, *words: object) -> sheaf.Outcome:
        outcome = self.run(project, *words)
        assert outcome.code == 0, outcome
        return outcome

    def as_root(self, *words: object) -> None:
        subprocess.run([*self.enter(), *map(str, words)], check=True)


def loop_files() -> list[str]:
    """What loop devices of this machine show."""
    found = []
    for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            found.append(path.read_text().strip())
    return found


@contextlib.contextmanager
def mounted(machine: sheaf.Machine, script: str):
    """Mounts on the store's folder; the namespace is that of a process that ends when we do."""
    owner = f'; chown {machine.account.uid}:{machine.account.gid} "$1"; echo ready; exec cat'
    with subprocess.Popen(["unshare", "-m", "sh", "-ec", script + owner, "sh", str(machine.store)],
                          env={"PATH": sheaf.PATH}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "ready\n", f"this machine cannot do: {script}"
            yield Place(machine, holder)
        finally:
            holder.stdin.close()
            holder.wait()
    sheaf.wait_until(lambda: not any(str(machine.folder) in file for file in loop_files()), 30, "loop devices are free")
    assert str(machine.folder) not in pathlib.Path("/proc/self/mounts").read_text()


def archive() -> bytes:
    """Files with attributes and times of nanoseconds, which no command of the base can make."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, headers in {"noted": {"SCHILY.xattr.user.note": "kept", "mtime": "1234567890.123456789"},
                              "large": {"SCHILY.xattr.user.large": "x" * 900}}.items():
            info = tarfile.TarInfo(name)
            info.pax_headers = headers
            made.addfile(info)
    return packed.getvalue()


def project_of_kinds(machine: sheaf.Machine) -> sheaf.Project:
    """Layers with files of all sorts, and a Dockerfile."""
    project = sheaf.tiny_project(machine)
    project.write(".sheaf/layers/kinds/kinds.tar", archive())
    project.layer("low", "RUN mkdir -p /srv/old/deep && echo old > /srv/old/deep/file\n")
    project.layer("kinds", KINDS, "kind: tool\nneeds: [low]\nreplaces: [base, low]\n")
    project.layer("other", "RUN echo extra:x:1500:1500::/:/bin/sh >> /etc/passwd && echo other > /etc/other\n")
    project.write("Dockerfile", """\
        FROM scratch
        COPY --chmod=755 .sheaf/layers/base/busybox /bin/busybox
        RUN ["/bin/busybox", "--install", "-s", "/bin"]
        ADD .sheaf/layers/kinds/kinds.tar /srv/
        RUN cd /srv && ln noted second && rm large && mkdir old && echo 1 > old/file
        RUN rm -r /srv/old && mkdir /srv/old
        """)
    return project


def made_by(run) -> dict[str, object]:
    """What all stores must agree on: content keys, what a program sees inside, the image's id."""
    built = run("build", "--layers", "kinds,other", "-q", "--json").json()
    keys = {layer["name"]: layer["content_key"] for layer in built["layers"]}
    seen = run("up", "--layers", "kinds,other", "-q", "--", "/bin/sh", "-c", LOOK).out
    image = run("build", "-q", "-t", "app", ".").out
    return {"keys": keys, "seen": seen, "image": image}


@pytest.fixture(scope="module")
def expected(account):
    with sheaf.machine_for(account) as machine:
        made = made_by(project_of_kinds(machine).ok)
    assert {"linked", "deleted", "1"} <= set(made["seen"].splitlines()), made["seen"]
    return made


@pytest.mark.parametrize("name", WORKING)
def test_the_same_on_every_file_system(machine, expected, name):
    project = project_of_kinds(machine)
    with mounted(machine, WORKING[name]) as place:
        made = made_by(lambda *words: place.ok(project, *words))
        assert made == expected
        place.ok(project, "fsck")
        assert place.ok(project, "df", "--json").json()
        again = place.ok(project, "build", "--layers", "kinds,other", "--progress", "json")
        assert again.subjects("begin") == []
        place.ok(project, "export", "app", "-o", machine.home / "app.tar")


@pytest.mark.parametrize("name", REFUSED)
def test_file_systems_that_cannot_hold_a_store(machine, name):
    project = project_of_kinds(machine)
    with mounted(machine, REFUSED[name]) as place:
        for words in (["build", "--layers", "kinds"], ["build", "."]):
            outcome = place.run(project, *words)
            assert outcome.code not in (0, 3), outcome
            assert "hint: stores work on ext4, xfs, btrfs and tmpfs" in outcome.err, outcome


@pytest.mark.parametrize("name", SMALL)
def test_a_full_file_system(machine, name):
    project = sheaf.tiny_project(machine)
    project.layer("big", "COPY big /opt/big\nCOPY many /opt/many\n")
    folder = project.path / ".sheaf/layers/big"
    project.write(".sheaf/layers/big/big", bytes(12 << 20 if name != "few inodes" else 1))
    (folder / "many").mkdir()
    for number in range(700):
        (folder / "many" / str(number)).touch()
    machine.give(project.path)
    with mounted(machine, SMALL[name]) as place:
        place.ok(project, "build")
        before = place.ok(project, "fsck").out
        outcome = place.run(project, "build", "--layers", "big")
        assert outcome.code == 9, outcome
        assert "No space left on device" in outcome.err and "hint: " in outcome.err, outcome
        # What was good is there and whole, and nothing half-made lies about.
        assert place.ok(project, "fsck").out == before
        assert place.ok(project, "up", "--progress", "json", "--", "/bin/true").subjects("begin") == []
        place.as_root("sh", "-c", f'test "$(ls "{machine.store}/tmp")" = gate.lock')
        project.layer("big", "RUN echo small > /opt-small\n")
        place.ok(project, "build", "--layers", "big")


def test_a_store_that_can_only_be_read(machine):
    project = project_of_kinds(machine)
    with mounted(machine, WORKING["tmpfs"]) as place:
        place.ok(project, "build", "--layers", "low")
        image = place.ok(project, "build", "-q", "-t", "app", ".").out
        place.as_root("mount", "-o", "remount,ro", machine.store)
        assert "nothing to build" in place.ok(project, "plan", "--layers", "low").out
        assert "app:latest" in place.ok(project, "image", "list").out
        assert place.ok(project, "image", "show", "app", "--json").json()["id"] in image
        assert place.ok(project, "df", "--json").json()
        assert "all is well" in place.ok(project, "fsck").out
        place.ok(project, "why", "low")
        for words in (["build", "--layers", "low,other"], ["build", "-t", "new", "."], ["image", "tag", "app", "new"],
                      ["up", "--layers", "low", "--", "/bin/true"], ["gc"]):
            outcome = place.run(project, *words)
            assert outcome.code == 6, outcome
            assert "Read-only file system" in outcome.err, outcome
            assert "hint: the store can only be read" in outcome.err, outcome
        place.as_root("mount", "-o", "remount,rw", machine.store)
        place.ok(project, "up", "--layers", "low,other", "--", "/bin/true")


@pytest.mark.parametrize("name", ["spaces and ünïcode 'quotes' %s", "/".join(["long" * 50] * 2), "colon:comma,equals=\\"],
                         ids=["words", "length", "options"])
def test_awkward_places(machine, expected, name):
    project = project_of_kinds(machine)
    store = machine.home / name
    store.mkdir(parents=True)
    machine.give(machine.home)
    made = made_by(lambda *words: project.ok(*words, SHEAF_ROOT=str(store)))
    assert made == expected
    project.ok("fsck", SHEAF_ROOT=str(store))


@pytest.mark.parametrize("folders, words", [(3, "SQLite takes paths of at most"), (25, "File name too long")])
def test_places_that_are_too_long(machine, folders, words):
    project = project_of_kinds(machine)
    outcome = project.sheaf("build", SHEAF_ROOT=f"{machine.home}/" + "/".join(["long" * 50] * folders))
    assert outcome.code == 2, outcome
    assert words in outcome.err, outcome


@pytest.mark.parametrize("account", ["user"], indirect=True)
def test_the_store_of_another_user(machine):
    project = sheaf.tiny_project(machine)
    project.build()
    with sheaf.machine_for(sheaf.Account.caller()) as other:
        for words in (["plan"], ["build"], ["image", "list"], ["gc"], ["fsck"], ["df"]):
            outcome = other.run(*words, "--root", machine.store)
            assert outcome.code == 6, outcome
            assert "belongs to another user" in outcome.err and "hint: " in outcome.err, outcome
    assert project.build().subjects("begin") == []


def test_a_file_with_another_owner(machine):
    project = sheaf.tiny_project(machine)
    project.layer("one", "RUN echo one > /etc/one\n")
    project.build("--layers", "one")
    (file,) = machine.store.glob("layers/*/tree/etc/one")
    os.chown(file, 4321, 4321)
    outcome = project.sheaf("fsck")
    assert outcome.code == 1, outcome
    assert "etc/one" in outcome.out + outcome.err, outcome
    project.ok("fsck", "--repair")
    project.build("--layers", "one")
    assert project.shell("stat -c %u:%g /etc/one", "--layers", "one") == "0:0\n"


@pytest.mark.parametrize("offset", ["-400d", "+4000d"])
def test_a_clock_that_was_wrong(machine, offset):
    """Built while the clock was wrong, used when it is right, and the other way round."""
    project = sheaf.tiny_project(machine)
    project.layer("one", "RUN echo one > /etc/one\n")
    project.layer("two", "RUN echo two > /etc/two\n")
    wrong = {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "FAKETIME": offset}
    first = project.ok("build", "--layers", "one", "--json", "-q", **wrong).json()
    project.ok("fsck")
    outcome = project.ok("build", "--layers", "one,two", "--progress", "json")
    assert outcome.subjects("begin") == ["layer two"]
    assert project.ok("build", "--layers", "one,two", "--progress", "json", **wrong).subjects("begin") == []
    keys = {layer["name"]: layer["content_key"] for layer in first["layers"]}
    again = {layer["name"]: layer["content_key"] for layer in
             project.ok("build", "--layers", "one,two", "--json", "-q").json()["layers"]}
    assert keys.items() <= again.items()
    assert "nothing" in project.ok("gc", "--dry-run", **wrong).out.lower()
