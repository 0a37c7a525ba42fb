# SPDX-License-Identifier: Apache-2.0
"""Contexts and Dockerfiles that come from standard input, from repositories and from servers."""

import bz2
import gzip
import io
import lzma
import pathlib
import tarfile

import pytest

from dockerfiles import servers
from image_builds import HOSTILE, Images, member, refused


@pytest.fixture
def images(machine):
    return Images(machine)


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
