# SPDX-License-Identifier: Apache-2.0
"""Contexts that mean harm or ask much: refused or handled, and nothing outside of the image's root is touched."""

import contextlib
import ctypes
import gzip
import os
import pathlib
import socket
import tarfile
import time

import pytest

from image_builds import HOSTILE, Images, archive, member, refused

MANY = 100_000


@pytest.fixture
def images(machine):
    return Images(machine)


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
    os.chmod(images.context / "zero", 0o666)  # whatever the umask
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
        if outcome.code == 0:  # as root of a user namespace its owner can read it
            assert b"x/closed/file" in images.made()
        else:
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


@contextlib.contextmanager
def opens_of(path: pathlib.Path):
    """Yields a function that says how often the file was opened so far. (inotify(7), IN_OPEN)"""
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert queue >= 0 and libc.inotify_add_watch(queue, os.fsencode(path), 0x20) >= 0
    seen = []

    def count() -> int:
        with contextlib.suppress(BlockingIOError):
            while True:
                seen.append(os.read(queue, 16))  # without a name an event has 16 bytes
        return len(seen)

    try:
        yield count
    finally:
        os.close(queue)


def test_an_unchanged_context_is_not_read_again(images):
    images.put("file", b"one")
    time.sleep(1.1)  # what changed just now may be read once more: its times could be ambiguous
    with opens_of(images.context / "file") as opens:
        images.changes("COPY file /file\n")
        first = opens()
        assert first > 0
        again = images.build("COPY file /file\n", "--progress", "json")
        assert again.subjects("begin") == [] and opens() == first, again


def test_a_change_of_times_is_no_change(images):
    images.put("file", b"one")
    images.changes("COPY file /file\nRUN cp /file /copy\n")
    os.utime(images.context / "file", (1_000_000_000, 1_000_000_000))
    again = images.build("COPY file /file\nRUN cp /file /copy\n", "--progress", "json")
    assert again.code == 0 and again.subjects("begin") == [], again


# ---- archives --------------------------------------------------------------------------------------------------------


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
    outcome = images.build(f"RUN mkdir -p /dest && ln -s {images.outside} /dest/link && ln -s {images.outside} /link\n"
                           f"ADD a.tar {place}\n")
    if outcome.code == 0:
        assert any(path.endswith(b"/new") for path in images.made())
    else:
        refused(outcome, "a.tar")
    copied = images.changes(f"RUN ln -s {images.outside} /link\nCOPY a.tar /link/copied\n")
    assert os.fsencode(images.outside).lstrip(b"/") + b"/copied" in copied


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


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["user"], indirect=True)
def test_files_of_a_team(images):
    """A folder of the caller whose group no sub-id stands for: only as the caller may anything be done in it."""
    images.put("private/file", b"text")
    images.put("Dockerfile", b"FROM localhost/base\nCOPY private /private\n")
    uid = images.machine.account.uid
    for path in (images.context, images.context / "private", images.context / "private/file", images.context / "Dockerfile"):
        os.chown(path, uid, 0)
        path.chmod(0o750 if path.is_dir() else 0o640)
    words = ["build", "-q", "--iidfile", "id", "-o", "type=local,dest=out", "-o", "type=tar,dest=out.tar", "."]
    images.machine.ok(*words, cwd=images.context)
    for name in ("id", "out", "out/private/file", "out.tar"):
        assert os.lstat(images.context / name).st_uid == uid, name
    assert (images.context / "out/private/file").read_bytes() == b"text"
