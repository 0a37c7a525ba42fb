# SPDX-License-Identifier: Apache-2.0
"""`sheaf plan` and `sheaf why`: each state of a layer told from the others, with what changed and what is done."""

import re
import shutil

import pytest
import registries
import sheaf

TOOL = "kind: tool\n"


def layers(project, *words, **options):
    return {layer["name"]: layer for layer in project.ok("plan", "--json", *words, **options).json()["layers"]}


def states(project, *words, **options):
    return {name: (layer["state"], layer["action"]) for name, layer in layers(project, *words, **options).items()}


def why(project, layer, *words, **options):
    return project.ok("why", layer, "--json", *words, **options).json()


def changes(project, layer):
    return [(one["input"], one["name"], one["before"], one["after"]) for one in why(project, layer)["changes"]]


def built(outcome):
    return [subject for subject in outcome.subjects("end") if subject.startswith("layer ")]


@pytest.fixture
def chain(project):
    """'top' on 'low', and 'side' beside them."""
    project.write("sheaf.yml", "layers: [top, side]\n")
    project.layer("low", "RUN echo low > /low\n")
    project.layer("top", "RUN cat /low > /top\n", "kind: tool\nneeds: [low]\n")
    project.layer("side", "COPY side /side\n", side="one\n")
    return project


def test_states_of_one_machine(chain):
    build, reuse = ("missing", "build"), ("reused", "reuse")
    assert states(chain) == {"base": build, "low": build, "side": build, "top": build}
    chain.build()
    assert states(chain) == {"base": reuse, "low": reuse, "side": reuse, "top": reuse}
    assert chain.ok("plan").out.endswith("nothing to build\n")
    # Its own recipe, and what stands on it. The others stay.
    chain.layer("low", "RUN echo lower > /low\n")
    assert states(chain) == {"base": reuse, "low": ("stale-self", "build"), "side": reuse,
                             "top": ("stale-parent", "build")}
    # A layer that was never built is missing, whatever else is stale.
    chain.write("sheaf.yml", "layers: [top, side, fresh]\n")
    chain.layer("fresh", "RUN echo fresh > /fresh\n", "kind: tool\nneeds: [low]\n")
    assert states(chain)["fresh"] == build
    outcome = chain.build()
    assert built(outcome) == ["layer fresh", "layer low", "layer top"], outcome
    assert set(states(chain).values()) == {reuse}


def test_a_changed_base_marks_exactly_what_stands_on_it(chain):
    chain.build()
    chain.write(".sheaf/layers/base/issue", "another base\n")
    found = layers(chain)
    assert {name: layer["state"] for name, layer in found.items()} == {
        "base": "stale-self", "low": "stale-parent", "side": "stale-parent", "top": "stale-parent"}
    assert all(found[name]["why"] == "parent: 'base' is built first" for name in ("low", "side", "top"))


def test_what_gives_the_same_leaves_what_is_above_alone(chain):
    chain.build()
    chain.layer("low", "RUN printf 'low\\n' > /low\n")
    assert states(chain)["top"] == ("stale-parent", "build"), "nobody can know before it is built"
    assert built(chain.build()) == ["layer low"]


def test_a_lost_layer_is_corrupt_and_no_other(chain):
    chain.build()
    top = why(chain, "top")["build"]["content_key"].removeprefix("sha256:")
    folder = chain.machine.store / "layers" / top
    shutil.rmtree(folder / "tree")
    assert states(chain)["top"] == ("corrupt", "build")
    assert states(chain)["low"] == ("reused", "reuse")
    assert "damaged or lost" in chain.ok("why", "top").out
    chain.ok("up", "--", "true")
    assert chain.shell("cat /top") == "low\n"


def test_why_names_what_changed(chain):
    chain.layer("side", "ARG COLOUR\nRUN echo $COLOUR > /colour\nCOPY side /side\n",
                "kind: tool\nargs: {colour: {type: string, default: red}}\n", side="one\n")
    text = chain.ok("why", "side").out
    assert "side: missing" in text and "not built yet" in text and "named in sheaf.yml:1" in text
    chain.build()
    assert "the first build of this name" in chain.ok("why", "side").out
    # A file.
    chain.write(".sheaf/layers/side/side", "two\n")
    ((kind, name, before, after),) = changes(chain, "side")
    assert (kind, name) == ("file", "side") and before != after
    assert "file 'side' changed" in chain.ok("why", "side").out
    # An argument; and once built, what made that build necessary.
    chain.write(".sheaf/layers/side/side", "one\n")
    chain.write("sheaf.yml", "layers: [top, side]\nargs: {side: {colour: blue}}\n")
    assert changes(chain, "side") == [("argument", "COLOUR", "red", "blue")]
    chain.build()
    assert why(chain, "side")["state"] == "reused"
    assert changes(chain, "side") == [("argument", "COLOUR", "red", "blue")]
    # An instruction.
    chain.layer("low", "RUN echo low > /low\nRUN echo more > /more\n")
    assert changes(chain, "low") == [("instruction", "", "", "RUN echo more > /more")]
    # What lies below, told apart from what is the layer's own.
    chain.build()
    ((kind, name, _, _),) = changes(chain, "top")
    assert (kind, name) == ("parent", "low")
    # The environment of its steps.
    chain.layer("low", "ENV WORD=x\nRUN echo low > /low\nRUN echo more > /more\n")
    assert changes(chain, "low") == [("variable", "WORD", "", "x")]


def test_why_of_another_layer(chain):
    chain.layer("spare", "RUN true\n")
    assert "not selected in this project" in chain.ok("why", "spare").out
    outcome = chain.sheaf("why", "spar")
    assert outcome.code != 0 and "no layer is called 'spar'" in outcome.err and "'spare'" in outcome.err


def test_the_plan_is_a_tree(chain):
    lines = chain.ok("plan").out.splitlines()
    assert lines[-1] == "4 of 4 layers to build"
    assert [line.split(" tool ")[0].split(" base ")[0].rstrip() for line in lines[1:-1]] == [
        "base", "├─ low", "│  └─ top", "└─ side"]


def test_caches_are_asked(machine, other, server, account):
    place = f"{server.address}/plans-{account.name}"
    one, two = sheaf.tiny_project(machine), sheaf.tiny_project(other)
    for project in (one, two):
        project.write("sheaf.yml", "layers: [tool]\n")
        project.layer("tool", "RUN echo tool > /tool\n")
    one.ok("build", SHEAF_CACHES=place)
    found = layers(two, SHEAF_CACHES=place)
    assert {name: layer["action"] for name, layer in found.items()} == {"base": "fetch", "tool": "fetch"}
    assert all(layer["bytes"] > 0 and place in layer["why"] for layer in found.values())
    assert "0 of 2 layers to build, 2 to fetch" in two.ok("plan", SHEAF_CACHES=place).out
    assert not list((other.store / "layers").iterdir()), "a plan transfers nothing"
    # Only the changed one has to be built.
    two.layer("tool", "RUN echo another > /tool\n")
    assert states(two, SHEAF_CACHES=place) == {"base": ("missing", "fetch"), "tool": ("missing", "build")}


def test_caches_that_do_not_answer(project, servers):
    closed = registries.free_port()
    found = layers(project, SHEAF_CACHES=f"localhost:{closed}/layers")
    assert found["base"]["state"] == "unreachable" and found["base"]["action"] == "build"
    assert f"localhost:{closed}" in found["base"]["why"]
    closed_cache = f"{servers['closed'].address}/layers"
    found = layers(project, SHEAF_CACHES=closed_cache)
    assert found["base"]["state"] == "unauthorised", found["base"]
    assert "sheaf login" in project.ok("why", "base", SHEAF_CACHES=closed_cache).out


def test_layer_diff(chain):
    chain.build()
    chain.layer("side", "COPY side /side\nRUN echo more > /more\n", side="one and two\n")
    chain.build()
    diff = chain.ok("layer", "diff", "side~1", "side", "--json").json()
    assert [(one["input"], one["name"]) for one in diff["changes"]] == [("instruction", ""), ("file", "side")]
    assert diff["before"]["bytes"] == 4 and diff["after"]["bytes"] == 17
    text = chain.ok("layer", "diff", "side~", "side").out
    assert "new instruction: RUN echo more > /more" in text and "file 'side' changed" in text
    assert "+ /more" in text and "~ /side  content, 4 B -> 12 B" in text, text
    key = diff["before"]["content_key"].removeprefix("sha256:")
    assert chain.ok("layer", "diff", key[:12], "side").out == text
    assert "the content is the same" in chain.ok("layer", "diff", "side", "side").out
    for words, message in ((("side~7", "side"), "there are only 2 builds of 'side' here"),
                           (("sied", "side"), "did you mean 'side'?"), (("side~x", "side"), "'side~x' names no build"),
                           (("0123456789ab", "side"), "no layer has the content '0123456789ab'")):
        outcome = chain.sheaf("layer", "diff", *words)
        assert outcome.code != 0 and message in outcome.err, outcome


PLAN = """\
LAYER      KIND  ACTION  STATE         SIZE  TIME  WHY                                       IN THE STACK BECAUSE
base       base  reuse   reused        SIZE  -     unchanged                                 the base
├─ low     tool  build   stale-self    -     TIME  new instruction: RUN echo more > /more    needed by top
│  └─ top  tool  build   stale-parent  -     TIME  parent: 'low' is built first              named in sheaf.yml:1
├─ new     tool  build   missing       -     -     not built yet                             named in sheaf.yml:1
└─ side    tool  reuse   reused        SIZE  -     unchanged                                 named in sheaf.yml:1
3 of 5 layers to build; last time that took TIME
"""
WHY = """\
low: stale-self, new instruction: RUN echo more > /more
  in the stack   needed by top
  built on       base
  next           'sheaf up' builds it
  compared with  the build of DATE (content DIGEST)
  changed        new instruction: RUN echo more > /more
"""


def normalised(text):
    for pattern, word in ((r"\d+(\.\d+)? [kMG]?B\b", "SIZE"), (r"~?\d+(\.\d+)? m?s\b", "TIME"),
                          (r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE"), (r"content [0-9a-f]{12}", "content DIGEST")):
        text = re.sub(pattern, word, text)
    return [re.sub(r" {2,}", "  ", line) for line in text.splitlines()]


def test_texts_for_people(chain):
    chain.build()
    chain.layer("low", "RUN echo low > /low\nRUN echo more > /more\n")
    chain.layer("new", "RUN true\n")
    chain.write("sheaf.yml", "layers: [top, side, new]\n")
    assert normalised(chain.ok("plan").out) == normalised(PLAN)
    assert normalised(chain.ok("why", "low").out) == normalised(WHY)


def test_layers_of_other_projects_are_no_older_builds(machine):
    one, two = sheaf.tiny_project(machine, "one"), sheaf.tiny_project(machine, "two")
    for project, word in ((one, "alpha"), (two, "omega")):
        project.write("sheaf.yml", "layers: [tool]\nsnippet: |\n  USER root\n  RUN echo " + word + " > /mine\n")
        project.layer("tool", f"RUN echo {word} > /tool\n")
    one.build()
    found = layers(two)
    assert (found["tool"]["state"], found["project"]["state"]) == ("missing", "missing"), found
    assert "alpha" not in two.ok("plan").out + two.ok("why", "project").out
    two.build()
    assert "the first build of this name" in two.ok("why", "tool").out
