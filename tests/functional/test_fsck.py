# SPDX-License-Identifier: Apache-2.0
"""`sheaf fsck`: damage is found and named; what can be mended is."""

import fcntl
import os
import shutil
import subprocess
import time

import pytest

import sheaf


@pytest.fixture
def built(project):
    """Two layers, an environment, and an image of a Dockerfile."""
    project.write("sheaf.yml", "layers: [one, two]\n")
    for name in ("one", "two"):
        project.layer(name, f"RUN mkdir -p /opt && echo {name} > /opt/{name}\n")
    project.ok("up", "--", "/bin/true")
    project.ok("build")
    project.write("Dockerfile", "FROM scratch\nCOPY sheaf.yml /\n")
    project.ok("build", "-t", "app:1", "-f", "Dockerfile", ".")
    return project


def layer(project, name):
    (record,) = [one for one in project.ok("df", "--json").json()["layers"] if one["name"] == name]
    return project.machine.store / "layers" / record["content_key"].removeprefix("sha256:")


def check(project, *words):
    outcome = project.sheaf("fsck", "--json", *words)
    return outcome.code, outcome.json()["problems"]


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    mode = path.stat().st_mode
    path.chmod(0o644)
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    path.chmod(mode)


def test_a_store_is_whole(built):
    code, problems = check(built)
    assert (code, problems) == (0, [])
    text = built.ok("fsck").out
    assert text.startswith("checked ") and text.endswith(": all is well\n"), text
    assert "3 layers" in text and "1 steps" in text, text


@pytest.mark.root_only
def test_a_flipped_bit_of_a_layer_is_named_put_aside_and_built_again(built):
    flip(layer(built, "two") / "tree/opt/two")
    outcome = built.sheaf("fsck")
    assert outcome.code == 1 and "layer two: '/opt/two' of the layer's tree has another content" in outcome.out, outcome
    assert "fsck --repair" in outcome.err
    code, problems = check(built, "--repair")
    assert code == 0 and len(problems) == 1 + 2, problems  # the image of the project, and its name
    assert problems[0]["used_by"] and problems[0]["mended"] and "built again" in problems[0]["done"], problems
    assert check(built) == (0, [])
    aside = list((built.machine.store / "quarantine").glob("*/layers-*"))
    assert len(aside) == 1 and (aside[0] / "tree/opt/two").exists()
    assert built.shell("cat /opt/two") == "two\n"


@pytest.mark.root_only
def test_a_damaged_layer_comes_from_a_cache(built):
    cache = built.machine.directory("cache")
    built.write("sheaf.yml", "layers: [one, two, three]\n")
    built.layer("three", "RUN echo 3 > /three\n")
    settings = built.machine.home / ".config/sheaf"
    settings.mkdir(parents=True)
    (settings / "config.yml").write_text(f"caches: ['{cache}']\n")
    built.ok("up", "--", "/bin/true")
    path = layer(built, "three")
    flip(path / "tree/three")
    code, problems = check(built, "--repair")
    assert code == 0 and problems[0]["done"].endswith("fetched from a cache"), problems
    assert (path / "tree/three").read_text() == "3\n"
    assert check(built) == (0, [])


def test_an_image_that_lost_blobs_works_and_is_named(built):
    built.ok("export", "app:1", "--format", "oci-dir", "-o", "layout")
    built.ok("image", "rm", "app:1")
    built.ok("gc", "--older-than", "0", "-q")
    built.ok("import", "layout", "localhost/came:1")
    assert check(built) == (0, [])
    for blob in built.machine.store.glob("blobs/sha256/*"):
        blob.unlink()
    outcome = built.sheaf("fsck")
    assert outcome.code == 0 and "image localhost/came:1: works, but 1 of the blobs it came with is gone" in outcome.out
    built.ok("import", "layout", "localhost/came:1")
    layers = [blob for blob in built.machine.store.glob("blobs/sha256/*") if blob.read_bytes()[:1] != b"{"]
    flip(layers[0])
    report = built.sheaf("fsck", "--json", "--repair").json()
    assert [one["mended"] for one in report["problems"]] == [True], report
    assert [(one["subject"], one["lost_blobs"]) for one in report["incomplete"]] == [("image localhost/came:1", 1)]
    built.ok("import", "layout", "localhost/came:1")
    assert built.ok("fsck", "--json").json()["incomplete"] == []
    for record in built.machine.store.glob("blobs/records/*"):  # without them nobody knows what the blobs are of
        record.unlink()
    assert [one["lost_blobs"] for one in built.ok("fsck", "--json").json()["incomplete"]] == [1]


@pytest.mark.root_only
def test_damage_does_not_spread_to_what_is_built(project):
    """Equal files become one file; one that is not what its layer says is left out of that."""
    project.write(".sheaf/layers/lib/big", "content " * 1000)
    project.layer("lib", "COPY big /opt/big\n")
    project.build("--layers", "lib")
    stored = layer(project, "lib") / "tree/opt/big"
    flip(stored)
    project.layer("lib", "COPY big /opt/big\nRUN echo 2 > /opt/2\n")
    assert project.shell("md5sum < /opt/big", "--layers", "lib") == \
        project.shell("md5sum < /workspace/.sheaf/layers/lib/big", "--layers", "lib")
    code, problems = check(project)
    damaged = [problem["part"] for problem in problems if problem["part"].startswith("layers/")]
    assert code == 1 and damaged == [f"layers/{stored.parents[2].name}"], problems


@pytest.mark.root_only
def test_a_repair_beside_a_collector_is_done(built):
    """Both wait for the same lock; an empty folder for what is put aside is garbage to the collector."""
    for name in ("one", "two"):
        flip(layer(built, name) / f"tree/opt/{name}")
    with open(built.machine.store / "locks/gc", "rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        repair = built.start("fsck", "--repair", "--json")
        time.sleep(0.5)
        collector = built.start("gc", "--older-than", "0", "-q")
        time.sleep(0.3)
    report = sheaf.finish(repair).json()
    assert sheaf.finish(collector).code == 0
    assert all(problem["mended"] for problem in report["problems"]) and report["problems"], report
    assert check(built) == (0, [])


KINDS = ["layers/*/inventory", "layers/*/facts", "layers/*/layer.json", "recipes/*", "joins/*/seal", "joins/*/join.json",
         "steps/*/tree/sheaf.yml", "step-keys/*", "images/*", "tags/*", "index.db"]


def damage(path, how):
    if how == "flipped":
        flip(path)
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
            owner = path.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid)


@pytest.mark.root_only
@pytest.mark.parametrize("how", ["flipped", "emptied", "removed", "folder"])
def test_every_kind_of_damage_is_mended(built, how):
    """One kind after the other, on one store."""
    for kind in KINDS:
        if (kind, how) == ("index.db", "folder"):
            continue  # not ours to remove: every command says what is in the way
        damage(sorted(built.machine.store.glob(kind))[0], how)
        code, problems = check(built, "--repair")
        assert code == 0, (kind, problems)
        assert check(built) == (0, []), kind
        assert built.shell("cat /opt/one /opt/two") == "one\ntwo\n", kind
        built.ok("build")
        built.ok("build", "-t", "app:1", "-f", "Dockerfile", ".")
        assert check(built) == (0, []), kind
    built.ok("export", "app:1", "-o", "layout")


def test_what_was_made_again_meanwhile_is_not_put_aside(built):
    """fsck reads a pipe, and so it waits between the layers, which it has seen, and the rest."""
    path = layer(built, "one")
    shutil.rmtree(path / "tree") if sheaf.IS_ROOT else subprocess.run(
        ["unshare", "--map-root-user", "--map-auto", "--", "rm", "-r", path / "tree"], check=True)
    pipe = built.machine.store / "step-keys" / ("0" * 64)
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    running = built.start("fsck", "--repair", "--json")
    with open(pipe, "wb"):  # waits until it is read
        assert built.shell("cat /opt/one") == "one\n"
        pipe.unlink()
    outcome = sheaf.finish(running)
    problems = {problem["part"].split("/")[0]: problem for problem in outcome.json()["problems"]}
    assert outcome.code == 0 and problems["layers"]["done"].startswith("whole again"), outcome
    assert (path / "layer.json").exists()
    assert check(built) == (0, [])
    assert built.ok("plan").out.endswith("nothing to build\n")
