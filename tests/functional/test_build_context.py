# SPDX-License-Identifier: Apache-2.0
"""Contexts that come from elsewhere, and contexts that mean harm: refused or handled, and nothing outside of the
image's root is touched."""

import bz2
import gzip
import io
import lzma
import os
import pathlib
import socket
import subprocess
import tarfile
import time

import pytest

import sheaf
from dockerfiles import builders, servers, tree
from dockerfiles import case as cases

MANY = 100_000


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


@pytest.fixture
def images(machine):
    return Images(machine)


def refused(outcome: sheaf.Outcome, *fragments: str) -> None:
    assert outcome.code not in (0, 134, 139), outcome
    for fragment in fragments:
        assert fragment in outcome.err, outcome


# ---- folders ---------------------------------------------------------------------------------------------------------


def test_a_link_out_of_the_context_does_not_lead_out(images):
    images.put("inside/file")
    (images.context / "out").symlink_to(images.outside)
    (images.context / "up").symlink_to("../outside/precious")
    (images.context / "inside/link").symlink_to(images.outside / "precious")
    for source in ("out/precious", "up", "out"):
        refused(images.build(f"COPY {source} /x\n"))
    assert images.changes("COPY inside /x\n")[b"x/link"] == \
        f"l 777 0:0 x/link -> {images.outside}/precious"


@pytest.mark.parametrize("source", ["../outside/precious", "a/../../outside/precious", "/../outside/precious"])
def test_dots_do_not_lead_out(images, source):
    images.put("a/b")
    refused(images.build(f"COPY {source} /x\n"), "precious")


def test_a_dockerignore_that_is_a_link_out_is_not_read(images):
    (images.outside / "precious").write_text("precious\n")
    images.put("precious", b"mine")
    (images.context / ".dockerignore").symlink_to(images.outside / "precious")
    outcome = images.build("COPY precious /x\n")
    assert outcome.code != 0 or images.made()[b"x"].endswith('"mine"'), outcome


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["root"], indirect=True)
def test_devices(images):
    images.put("file", b"x")
    os.mknod(images.context / "zero", 0o20666, os.makedev(1, 5))
    outcome = images.build("COPY . /x/\n")
    if outcome.code == 0:  # copied as what it is, never read
        assert images.made()[b"x/zero"] == "c 666 0:0 x/zero 1:5"
    else:
        refused(outcome, "zero")


def test_sockets_and_fifos_are_not_read(images):
    images.put("file", b"x")
    os.mkfifo(images.context / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(images.context / "socket"))
        images.machine.give(images.context)
        outcome = images.build("COPY . /x/\n")
    if outcome.code == 0:
        made = images.made()
        assert b"x/socket" not in made and made[b"x/file"] == 'f 644 0:0 x/file "x"'
        assert made.get(b"x/fifo", "p").startswith("p")
    else:
        refused(outcome, "socket")


def test_odd_names(images):
    names = [b"new\nline", b"\xff\xfe", "ü".encode(), b"-rf", b"a\\b", b"x" * 255, b" ", b"..."]
    for name in names:
        images.put(b"d/" + name, name)
    made = images.changes("COPY d /d\n")
    assert sorted(made) == sorted([b"d", *(b"d/" + name for name in names)])


def test_a_context_that_cannot_be_read(images):
    images.put("closed/file")
    (images.context / "closed").chmod(0)
    try:
        outcome = images.build("COPY . /x/\n")
        if images.machine.account.uid != 0:
            refused(outcome, "closed")
    finally:
        (images.context / "closed").chmod(0o755)


def test_a_hundred_thousand_files(images):
    for folder in range(100):
        place = images.context / "many" / str(folder)
        place.mkdir(parents=True)
        for file in range(MANY // 100):
            (place / str(file)).write_bytes(b"%d" % file)
    images.machine.give(images.context)
    assert len(images.changes("COPY many /many\n")) == MANY + 101
    again = images.build("COPY many /many\n", "--progress", "json")
    assert again.code == 0, again
    assert again.subjects("begin") == [] and again.subjects("cached"), again
    target = images.context / "many/7/7"
    target.write_bytes(b"8")
    third = images.build("COPY many /many\n", "--progress", "json")
    assert third.subjects("begin") != [], third


def test_an_unchanged_context_is_not_read_again(images):
    """Nothing is opened the second time: reading would move the time of access, which is older than that of change
    (relatime)."""
    images.put("file", b"one")
    path = images.context / "file"
    os.utime(path, ns=(1, path.stat().st_mtime_ns))
    time.sleep(1.1)  # what changed just now may be read once more: its times could be ambiguous
    images.changes("COPY file /file\n")
    images.changes("COPY file /file\n")
    assert path.stat().st_atime_ns > 1, "the file system keeps no times of access: nothing can be shown"
    os.utime(path, ns=(1, path.stat().st_mtime_ns))  # moves the time of change: read once more
    time.sleep(1.1)
    images.changes("COPY file /file\n")
    seen = path.stat().st_atime_ns
    again = images.build("COPY file /file\n", "--progress", "json")
    assert again.subjects("begin") == [] and path.stat().st_atime_ns == seen, again


def test_a_change_of_times_is_no_change(images):
    images.put("file", b"one")
    images.changes("COPY file /file\nRUN cp /file /copy\n")
    os.utime(images.context / "file", (1_000_000_000, 1_000_000_000))
    again = images.build("COPY file /file\nRUN cp /file /copy\n", "--progress", "json")
    assert again.code == 0 and again.subjects("begin") == [], again


# ---- archives --------------------------------------------------------------------------------------------------------


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
    "hard_link_dots": lambda out: archive(member("h", tarfile.LNKTYPE, f"../../../../../..{out}/precious"), member("h")),
    "link_then_write": lambda out: archive(member("l", tarfile.SYMTYPE, str(out)), member("l/new")),
    "link_then_overwrite": lambda out: archive(member("l", tarfile.SYMTYPE, f"{out}/precious"), member("l")),
    "link_chain": lambda out: archive(member("a", tarfile.SYMTYPE, ".."), member("b", tarfile.SYMTYPE, "a/.."),
                                      member("c", tarfile.SYMTYPE, f"b/../../../../..{out}"), member("c/new")),
    "link_then_folder": lambda out: archive(member("l", tarfile.SYMTYPE, str(out)),
                                            member("l", tarfile.DIRTYPE, mode=0o777), member("l/new")),
    "root_itself": lambda out: archive(member("/", tarfile.DIRTYPE, mode=0o700), member("./", tarfile.DIRTYPE)),
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_archives(images, kind):
    """Refused, or unpacked below the destination; `Images.run` looks at what must not change."""
    images.put("a.tar", HOSTILE[kind](images.outside))
    outcome = images.build("ADD a.tar /dest/\n")
    if outcome.code == 0:
        strangers = [path for path in images.made() if path.split(b"/")[0] not in (b"dest", os.fsencode(
            images.outside).split(b"/")[1])]
        assert strangers == []
    else:
        refused(outcome, "a.tar")


@pytest.mark.parametrize("place", ["/dest/", "/"])
def test_a_link_in_the_image_does_not_lead_out(images, place):
    images.put("a.tar", archive(member("link/new")))
    made = images.changes(f"RUN mkdir -p /dest && ln -s {images.outside} /dest/link && ln -s {images.outside} /link\n"
                          f"ADD a.tar {place}\nCOPY a.tar /link/copied\n")
    assert any(path.endswith(b"/new") for path in made)


def test_devices_in_archives(images):
    device = member("zero", tarfile.CHRTYPE)
    device.devmajor, device.devminor = 1, 5
    images.put("a.tar", archive(device, member("file")))
    outcome = images.build("ADD a.tar /dest/\n")
    if outcome.code == 0:
        assert images.made().get(b"dest/zero", "c 644 0:0 dest/zero 1:5") == "c 644 0:0 dest/zero 1:5"
    else:
        refused(outcome, "zero")


def sparse_archive(apparent: int) -> bytes:
    """A GNU sparse file of `apparent` bytes without any data."""
    header = bytearray(member("huge").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[386:398], header[398:410] = b"%011o\0" % apparent, b"%011o\0" % 0  # one empty piece, at the end
    header[483:495] = b"\x80" + apparent.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


def test_a_huge_sparse_member(images):
    """4 TiB of nothing: refused for its size, or made as a hole; in neither case written."""
    images.put("a.tar", sparse_archive(1 << 42))
    before = os.statvfs(images.machine.store).f_bavail
    outcome = images.build("ADD a.tar /dest/\nRUN rm -f /dest/huge\n")
    if outcome.code != 0:
        refused(outcome, "a.tar")
    lost = (before - os.statvfs(images.machine.store).f_bavail) * os.statvfs(images.machine.store).f_frsize
    assert lost < 1 << 30


@pytest.mark.parametrize("damage", ["cut", "checksum", "size", "gzip"])
def test_damaged_archives(images, damage):
    whole = archive(*(member(f"f{i}") for i in range(50)), contents=bytes(2000))
    broken = {
        "cut": whole[:60_000],
        "checksum": whole[:5 * 512 + 148] + b"777777" + whole[5 * 512 + 154:],
        "size": whole[:124] + b"77777777777\0" + whole[136:],
        "gzip": gzip.compress(whole)[:-2000] + bytes(100),
    }[damage]
    images.put("a.tar", broken)
    outcome = images.build("ADD a.tar /dest/\n")
    if outcome.code == 0:  # not recognised as an archive: then copied as the file that it is
        assert images.made().keys() == {b"dest", b"dest/a.tar"}
    else:
        refused(outcome, "a.tar")


# ---- from elsewhere --------------------------------------------------------------------------------------------------


def packed_context(name: str = "Dockerfile") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for path, content in ((name, b"FROM localhost/base\nCOPY sub /out\n"), ("sub/file", b"text\n")):
            info = member(path)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return packed.getvalue()


PACKERS = {"plain": bytes, "gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}


@pytest.mark.parametrize("packer", sorted(PACKERS))
def test_a_tar_on_standard_input(images, packer):
    outcome = images.run("-", stdin=PACKERS[packer](packed_context()))
    assert outcome.code == 0, outcome
    assert images.made()[b"out/file"] == 'f 644 0:0 out/file "text\\n"'


def test_a_tar_on_standard_input_with_another_file(images):
    outcome = images.run("-f", "Other", "-", stdin=packed_context("Other"))
    assert outcome.code == 0, outcome
    assert b"out/file" in images.made()


def test_a_hostile_tar_on_standard_input(images):
    for kind in sorted(HOSTILE):
        packed = HOSTILE[kind](images.outside)
        refused(images.run("-", stdin=packed))  # it has no Dockerfile, whatever else it does


def test_a_dockerfile_on_standard_input(images):
    images.put("file", b"text\n")
    outcome = images.run("-f", "-", images.context, stdin=b"FROM localhost/base\nCOPY file /out\n")
    assert outcome.code == 0, outcome
    assert images.made()[b"out"] == 'f 644 0:0 out "text\\n"'


def test_a_dockerfile_as_the_whole_context(images):
    outcome = images.run("-", stdin=b"FROM localhost/base\nRUN echo text > /out\n")
    assert outcome.code == 0, outcome
    assert images.made().keys() == {b"out"}
    refused(images.run("-", stdin=b"FROM localhost/base\nCOPY file /out\n"), "file")


def test_nothing_on_standard_input(images):
    refused(images.run("-", stdin=b""), "Dockerfile")


def test_context_and_dockerfile_cannot_both_be_standard_input(images):
    refused(images.run("-f", "-", "-", stdin=b"FROM localhost/base\n"))


@pytest.fixture
def repository(images):
    """A repository with a Dockerfile on top and one in a folder; `v1` is older than `main`."""
    place = images.machine.directory("repositories")
    work = place / "app"
    (work / "sub").mkdir(parents=True)
    for text in ("one\n", "second\n"):
        (work / "file").write_text(text)
        (work / "Dockerfile").write_text("FROM localhost/base\nCOPY file /out\n")
        (work / "sub/Dockerfile").write_text("FROM localhost/base\nCOPY . /sub\n")
        servers.commit(work, "a commit")
        if text == "one\n":
            servers.git(work, "tag", "v1")
    with servers.git_daemon(place) as address:
        yield f"{address}/app/.git"


@pytest.mark.parametrize("suffix, path, content", [("", b"out", "second"), ("#v1", b"out", "one"),
                                                   ("#main:sub", b"sub/Dockerfile", "FROM")])
def test_a_repository_as_context(images, repository, suffix, path, content):
    outcome = images.run(repository + suffix)
    assert outcome.code == 0, outcome
    assert content in images.made()[path]


@pytest.mark.parametrize("suffix", ["#no-such-branch", "#main:../..", "#main:no-such-folder", "#--upload-pack=true"])
def test_a_repository_that_does_not_have_it(images, repository, suffix):
    refused(images.run(repository + suffix))


@pytest.mark.parametrize("packer, name", [("gz", "context.tar.gz"), ("plain", "context.tar"), ("xz", "context")])
def test_a_tar_from_a_server_as_context(images, packer, name):
    served = images.machine.directory("served")
    (served / name).write_bytes(PACKERS[packer](packed_context()))
    with servers.http_server(served) as address:
        outcome = images.run(f"{address}/{name}")
        assert outcome.code == 0, outcome
        assert b"out/file" in images.made()
        refused(images.run(f"{address}/missing.tar"), "404")


def test_a_dockerfile_from_a_server(images):
    served = images.machine.directory("served")
    pathlib.Path(served / "Dockerfile").write_text("FROM localhost/base\nRUN echo text > /out\n")
    with servers.http_server(served) as address:
        outcome = images.run(f"{address}/Dockerfile")
    assert outcome.code == 0, outcome
    assert images.made().keys() == {b"out"}
