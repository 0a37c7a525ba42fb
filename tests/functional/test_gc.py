# SPDX-License-Identifier: Apache-2.0
"""`sheaf gc` and `sheaf df`: what goes, what stays, and what runs meanwhile."""

import concurrent.futures
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import sheaf

EVERYTHING = ("gc", "--keep-last", "0", "--older-than", "0")


@pytest.fixture
def three(project):
    """Three layers, built and joined two by two."""
    project.write("sheaf.yml", "layers: [one]\n")
    for name in ("one", "two", "three"):
        project.layer(name, f"RUN mkdir -p /opt && echo {name} > /opt/{name}\n")
    for pair in ("one,two", "two,three"):
        project.ok("up", "--layers", pair, "--", "/bin/true")
    return project


def names(project):
    return sorted(layer["name"] for layer in project.ok("df", "--json").json()["layers"])


def collect(project, *words):
    """Kinds and names of what went."""
    report = project.ok(*(words or EVERYTHING), "--json").json()
    return {(part["kind"], part["name"]) for part in report["removed"]}


def fsck(project):
    outcome = project.sheaf("fsck")
    assert outcome.code == 0, outcome
    assert outcome.out.endswith(": all is well\n"), outcome


def test_unneeded_layers_go_and_are_built_again(three):
    dry = three.ok(*EVERYTHING, "--dry-run", "--json").json()
    assert names(three) == ["base", "one", "three", "two"]
    done = three.ok(*EVERYTHING, "--json").json()
    assert done["removed"] and done["freed_bytes"] == dry["freed_bytes"] > 0
    assert {part["part"] for part in done["removed"]} == {part["part"] for part in dry["removed"]}
    assert names(three) == [] and three.machine.leftovers() == []
    fsck(three)
    assert three.shell("cat /opt/two", "--layers", "two") == "two\n"
    assert three.ok("gc").out == "nothing to take away\n", "what was used lately stays"


def test_a_layer_that_goes_while_its_record_is_read_is_not_called_damaged(three):
    """The record is a pipe, and so the reader waits for it; meanwhile the layer is taken away as the collector does."""
    (layer,) = [one for one in three.ok("df", "--json").json()["layers"] if one["name"] == "two"]
    path = three.machine.store / "layers" / layer["content_key"].removeprefix("sha256:")
    record = (path / "layer.json").read_bytes()
    (path / "layer.json").unlink()
    os.mkfifo(path / "layer.json")
    (path / "layer.json").chmod(0o666)
    running = three.start("df")
    with open(path / "layer.json", "wb") as pipe:  # waits until it is read
        path.rename(three.machine.folder / "taken")
        pipe.write(record)
    outcome = sheaf.finish(running)
    assert outcome.code == 0 and "damaged" not in outcome.out + outcome.err, outcome


def test_what_an_image_needs_stays(three):
    three.ok("build", "--layers", "two")
    gone = collect(three)
    assert {("layer", "one"), ("layer", "three")} <= gone and names(three) == ["base", "two"]
    fsck(three)
    image = three.ok("image", "list", "--json").json()[0]["names"][0]
    target = three.path / "out"
    three.ok("export", image, "-o", target)
    assert target.exists()
    for listed in three.ok("image", "list", "--json").json():
        three.ok("image", "rm", *listed["names"])
    collect(three)
    assert names(three) == [] and three.ok("image", "list", "--json").json() == []


def test_keep_last_counts_builds_of_a_name(three):
    for word in ("second", "third"):
        three.layer("one", f"RUN echo {word} > /one\n")
        three.ok("up", "--", "/bin/true")
    assert names(three).count("one") == 3
    assert collect(three, "gc", "--keep-last", "2") >= {("layer", "one")}
    assert names(three).count("one") == 2
    collect(three, "gc", "--keep-last", "1")
    assert names(three) == ["base", "one", "three", "two"]
    assert three.shell("cat /one") == "third\n"
    assert "nothing to build" in three.ok("plan").out


def test_a_size_is_reached_and_no_more_goes(three):
    three.layer("big", "RUN dd if=/dev/zero of=/big bs=1M count=8\n")
    three.ok("up", "--layers", "big", "--", "/bin/true")
    total = three.ok("df", "--json").json()["total_bytes"]
    assert collect(three, "gc", "--max-size", str(2 * total)) == set()
    report = three.ok("gc", "--max-size", "4m", "--json").json()
    assert three.ok("df", "--json").json()["total_bytes"] <= 4 << 20, report
    refused = three.sheaf("gc", "--max-size", "lots")
    assert refused.code == 2 and "'--max-size lots' is not a size" in refused.err, refused


def test_what_runs_is_left_alone(three):
    """An environment, and a build that waits for nothing else, while everything is collected."""
    three.layer("slow", "RUN sleep 2\nRUN cat /opt/one /opt/two > /both\n", "kind: tool\nneeds: [one, two]\n")
    shell = three.start("up", "--layers", "one,two", "--", "/bin/sh", "-c", "sleep 3; cat /opt/one /opt/two")
    build = three.start("up", "--layers", "slow", "--", "/bin/cat", "/both")
    time.sleep(1)
    running = three.ok("df", "--json").json()["running"]
    assert {process["pid"] for process in running} >= {shell.pid, build.pid}
    for _ in range(3):
        collect(three)
        assert {"base", "one", "two"} <= set(names(three)) <= {"base", "one", "two", "slow"}  # may be built
        time.sleep(0.2)
    for process in (shell, build):
        outcome = sheaf.finish(process)
        assert (outcome.code, outcome.out) == (0, "one\ntwo\n"), outcome
    collect(three)
    assert names(three) == []
    fsck(three)


def test_who_waits_for_a_collector_can_be_interrupted(three):
    with open(three.machine.store / "locks/gc", "rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        with three.start("build", "--layers", "two") as process:
            time.sleep(1)
            assert process.poll() is None, sheaf.finish(process)
            process.send_signal(signal.SIGINT)
            assert sheaf.finish(process, 5).code == 130


def test_a_log_that_is_written_stays(three):
    three.layer("failing", "RUN sleep 2; echo because; exit 1\n")
    with three.start("build", "--layers", "failing") as process:
        time.sleep(1)
        collect(three)
        outcome = sheaf.finish(process)
    log = re.search(r"the whole log: (\S+\.log)", outcome.err)
    assert outcome.code != 0 and log, outcome
    assert "because" in pathlib.Path(log.group(1).strip("'")).read_text()


def test_what_was_put_aside_stays_while_it_is_used(three):
    shell = three.start("up", "--layers", "one,two", "--", "/bin/sh", "-c", "sleep 4; cat /opt/one /opt/two")
    time.sleep(1.5)
    (layer,) = [one for one in three.ok("df", "--json").json()["layers"] if one["name"] == "two"]
    path = three.machine.store / "layers" / layer["content_key"].removeprefix("sha256:") / "inventory"
    path.chmod(0o644)
    path.write_text("no inventory\n")
    three.ok("fsck", "--repair")
    collect(three)
    outcome = sheaf.finish(shell)
    assert (outcome.code, outcome.out) == (0, "one\ntwo\n"), outcome


def test_an_image_whose_name_was_damaged_stays(three):
    three.ok("build", "--layers", "two")
    for tag in three.machine.store.glob("tags/*"):
        tag.write_text("\x01" + tag.read_text())
    before = [image["id"] for image in three.ok("image", "list", "--json").json()]
    collect(three)
    assert [image["id"] for image in three.ok("image", "list", "--json").json()] == before


def test_collectors_and_builders_at_once(three):
    def work(number):
        for _ in range(4):
            if number % 2:
                three.ok(*EVERYTHING)
            else:
                pair = ("one,two", "two,three", "one,three")[number // 2 % 3]
                text = three.shell("cat /opt/*", "--layers", pair)
                assert set(text.split()) == set(pair.split(","))

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(work, number) for number in range(6)]:
            future.result()
    fsck(three)
    assert three.machine.leftovers() == []


def test_a_killed_collector_leaves_whole_parts(three):
    for moment in (0.005, 0.01, 0.02, 0.03):
        for pair in ("one,two", "two,three"):
            three.ok("up", "--layers", pair, "--", "/bin/true")
        collector = three.start(*EVERYTHING)
        time.sleep(moment)
        collector.send_signal(signal.SIGKILL)
        collector.communicate()
        fsck(three)
        assert three.machine.leftovers() == []


def test_builds_of_an_image(machine):
    """Steps of a named image stay with it; those of others go."""
    context = sheaf.Project(machine, "context")
    context.write("busybox", sheaf.busybox())
    context.write("Dockerfile", "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\nRUN echo 1 > /one\n")
    context.ok("build", "-t", "kept", ".")
    context.write("Dockerfile", "FROM scratch\nCOPY --chmod=755 busybox /bin/sh\nRUN echo 2 > /two\n")
    context.ok("build", "-t", "gone", ".")
    context.ok("image", "rm", "gone")
    gone = collect(context)
    assert len([kind for kind, _ in gone if kind == "image"]) == 1
    assert len([kind for kind, _ in gone if kind == "step"]) == 1
    context.ok("export", "kept", "-o", "layout")
    fsck(context)
    usage = context.ok("df", "--json").json()["images"]
    assert [image["names"] for image in usage] == [["kept:latest"]]
    assert usage[0]["exclusive_bytes"] == usage[0]["bytes"] > 0


def test_an_old_store_is_migrated_on_demand(three):
    form = three.machine.store / "format"
    form.write_text("sheaf-store 1\n")
    refused = three.sheaf("plan")
    assert refused.code != 0 and "sheaf store migrate" in refused.err, refused
    assert three.ok("store", "migrate").out == "the store had format 1, and has format 2 now\n"
    assert names(three) == ["base", "one", "three", "two"]
    assert three.ok("store", "migrate").out == "the store has format 2 already\n"
    form.write_text("sheaf-store 3\n")
    for words in (("plan",), ("store", "migrate"), ("gc",)):
        refused = three.sheaf(*words)
        assert refused.code != 0 and "format 3" in refused.err, refused
    assert form.read_text() == "sheaf-store 3\n"


LONG_AGO = time.time() - 30 * 24 * 3600


def make_old(machine):
    """All parts of the store, as if nothing had been used for a month. Folders may belong to a sub-id."""
    script = f"cd '{machine.store}' && find . -mindepth 1 -maxdepth 3 -exec touch -h -d @{int(LONG_AGO)} {{}} +"
    able = [] if sheaf.IS_ROOT else ["unshare", "--map-root-user", "--map-auto", "--"]
    subprocess.run([*able, "sh", "-ec", script], check=True)


def test_looking_is_no_use(project):
    """Records are read by gc, df and fsck themselves, whatever times of reading the file system keeps."""
    project.write("Dockerfile", "FROM scratch\nCOPY sheaf.yml /\n")
    project.write("sheaf.yml", "layers: []\n")
    for text in ("one", "two"):
        project.write("sheaf.yml", f"layers: [] # {text}\n")
        project.ok("build", "-t", "app", "-f", "Dockerfile", ".")
    make_old(project.machine)
    for look in ("image list", "df", "fsck", "gc --dry-run"):
        project.ok(*look.split())
    gone = collect(project, "gc", "--older-than", "14d")
    assert {kind for kind, _ in gone} >= {"image", "step", "record"}, gone
    assert len(project.ok("image", "list", "--json").json()) == 1


def test_a_remembered_environment_is_used_when_it_starts(three):
    make_old(three.machine)
    assert "nothing to do" in three.sheaf("up", "--layers", "two,three", "--", "/bin/true").err
    assert not {("layer", "two"), ("layer", "three"), ("layer", "base")} & collect(three, "gc", "--older-than", "14d")
    assert three.shell("cat /opt/three", "--layers", "two,three") == "three\n"


@pytest.mark.root_only
def test_records_of_another_shape_end_nothing(three):
    joins = sorted((three.machine.store / "joins").glob("*/join.json"))
    for join, text in zip(joins, ('{"layers":[1]}', '{"layers":[{"name":5}]}')):
        join.write_text(text)
    sorted((three.machine.store / "plans").glob("*"))[0].write_text('{"environment": [1]}')
    collect(three)
    assert names(three) == []


@pytest.mark.root_only
def test_linked_folders_are_left_alone(three):
    elsewhere = three.machine.directory("elsewhere")
    precious = elsewhere / "precious"
    precious.write_text("kept\n")
    logs = three.machine.store / "logs"
    shutil.rmtree(logs)
    logs.symlink_to(elsewhere)
    collect(three)
    assert precious.read_text() == "kept\n"
