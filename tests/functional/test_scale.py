# SPDX-License-Identifier: Apache-2.0
"""Many files, no files, many layers, long paths; and what equal layers take on the disk."""

import os
import pathlib
import subprocess

import pytest

from sheaf import IS_ROOT, Machine, machine_for, tiny_project

FILES = 100_000
LAYERS = 60


def tree_of(project, name):
    """The stored tree of the newest build of a layer."""
    layers = {layer["name"]: layer for layer in project.ok("layer", "list", "--json").json()["layers"]}
    return project.machine.store / "layers" / layers[name]["content_key"].removeprefix("sha256:") / "tree"


def paths_of(project, name):
    return [line.split("\t")[-1] for line in (tree_of(project, name).parent / "inventory").read_text().splitlines()[1:]]


def inode(path):
    return os.lstat(path).st_ino


def test_a_layer_of_100_000_files_and_an_empty_one(project):
    project.layer("many", f"""\
        RUN mkdir -p /opt/many && cd /opt/many && seq 1 250 | xargs mkdir && \\
            for d in *; do (cd $d && seq 1 {FILES // 250} | xargs touch); done
        """)
    project.layer("empty", "RUN true\n")
    project.build("--layers", "many,empty")
    assert sum(path.startswith("opt") for path in paths_of(project, "many")) == FILES + 252, "250 folders, two above them"
    assert paths_of(project, "empty") == []
    assert project.shell("find /opt/many -type f | wc -l", "--layers", "many,empty").strip() == str(FILES)


def test_sixty_layers(project):
    names = [f"l{i:02}" for i in range(LAYERS)]
    for name in names:
        project.layer(name, f"RUN mkdir -p /opt/{name} /opt/all && echo {name} > /opt/{name}/own && echo same > /opt/all/same\n")
    project.build("--layers", ",".join(names))
    out = project.shell("cat /opt/l*/own; cat /opt/all/same; touch /tmp/x && echo writable", "--layers", ",".join(names))
    assert out.split() == [*names, "same", "writable"]


def test_equal_files_of_two_layers_are_one_on_the_disk(project):
    script = "mkdir -p /opt/both && cp /bin/busybox /opt/both/tool && chmod 4755 /opt/both/tool"
    project.layer("a", f"RUN {script}\n")
    project.layer("b", f"RUN {script} && echo b > /opt/b && cp /opt/b /opt/c && ln /opt/c /opt/d\n")
    project.build("--layers", "a")
    project.build("--layers", "b")
    a, b = tree_of(project, "a"), tree_of(project, "b")
    assert inode(a / "opt/both/tool") == inode(b / "opt/both/tool")
    usage = project.ok("df", "--json").json()
    layers = {layer["name"]: layer for layer in usage["layers"]}
    blocks = os.lstat(a / "opt/both/tool").st_blocks * 512
    assert layers["a"]["shared_bytes"] == layers["b"]["shared_bytes"] == usage["saved_bytes"] == blocks
    assert layers["a"]["bytes"] == layers["a"]["exclusive_bytes"] + blocks
    du = subprocess.run(["du", "-s", "--block-size=1", project.machine.store], check=True, capture_output=True, text=True)
    if IS_ROOT:
        assert usage["total_bytes"] == int(du.stdout.split()[0])
    both = project.shell("stat -c '%a %u' /opt/both/tool; cmp /bin/busybox /opt/both/tool && echo equal", "--layers", "a,b")
    assert both.split() == ["4755", "0", "equal"]
    # Writing to the shared file inside touches neither layer.
    project.shell("cp /opt/both/tool /tmp/t && echo x >> /tmp/t", "--layers", "a,b")
    assert inode(a / "opt/both/tool") == inode(b / "opt/both/tool")


def test_a_layer_on_top_of_a_shared_file_is_captured_rightly(project):
    """The file that "above" changes has several names in the store, but one in the environment."""
    script = "mkdir -p /opt/both && echo same > /opt/both/f && echo same > /opt/both/g"
    project.layer("a", f"RUN {script}\n")
    project.layer("b", f"RUN {script} && echo b > /opt/b\n")
    project.layer("above", "RUN echo more >> /opt/both/f && chmod 600 /opt/both/g && chmod 644 /opt/both/g\n",
                  "kind: tool\nneeds: [a, b]\n")
    project.build("--layers", "a")
    project.build("--layers", "b")
    a, b = tree_of(project, "a"), tree_of(project, "b")
    assert inode(a / "opt/both/f") == inode(b / "opt/both/f")
    project.build("--layers", "above")
    assert [path for path in paths_of(project, "above") if path.startswith("opt")] == ["opt", "opt/both", "opt/both/f"]
    assert (a / "opt/both/f").read_text() == "same\n"
    assert project.shell("cat /opt/both/f /opt/both/g", "--layers", "above").split() == ["same", "more", "same"]


def test_a_damaged_layer_is_built_again(project):
    project.layer("a", "RUN echo a > /etc/a\n")
    project.build("--layers", "a")
    tree = tree_of(project, "a")
    record = tree.parent / "layer.json"
    record.write_text("{")
    outcome = project.build("--layers", "a")
    assert outcome.subjects("begin") == ["layer a"]
    assert [event["text"] for event in outcome.events if event["event"] == "warning"] == [
        f"the layer at '{tree.parent}' is damaged: it counts as missing"]
    assert project.shell("cat /etc/a", "--layers", "a") == "a\n"
    assert project.build("--layers", "a").subjects("begin") == []


@pytest.fixture
def far_machine(account):
    """A machine whose store has a path of 240 characters."""
    with machine_for(account) as machine:
        path = str(machine.folder)
        while len(path) < 240:
            path += "/" + "s" * max(1, min(100, 239 - len(path)))
            pathlib.Path(path).mkdir()
        machine.give(machine.folder)
        machine.store = pathlib.Path(path)
        yield machine


def test_a_store_with_a_long_path(far_machine: Machine):
    assert len(str(far_machine.store)) == 240
    project = tiny_project(far_machine)
    project.layer("a", "RUN echo a > /etc/a\n")
    project.layer("b", "RUN echo b > /etc/b\n")
    project.build("--layers", "a,b")
    assert project.shell("cat /etc/a /etc/b", "--layers", "a,b").split() == ["a", "b"]
