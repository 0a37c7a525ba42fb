# SPDX-License-Identifier: Apache-2.0
"""Vertical stacks (`stacks:` in sheaf.yml), level by level, and images that are used as they are (`image:`)."""

import sheaf

STACKS = """\
stacks:
  - name: base
  - {name: aws, layers: [aws]}
  - {name: k8s, layers: [k8s]}
  - {name: ai, agents: helper}
"""


def stack_project(machine, settings=STACKS):
    project = sheaf.tiny_project(machine)
    for name in ("aws", "k8s", "other"):
        project.layer(name, f"RUN echo {name} > /{name}\n")
    project.layer("helper", "RUN echo helper > /helper\n", settings="kind: agent\ncommand: [cat, /helper]\n")
    project.layer("found", "RUN echo found > /found\n", settings="kind: tool\ndetect: [marker]\n")
    project.write("marker", "")
    project.write("sheaf.yml", settings + "snippet: |\n  USER root\n  RUN echo mine > /mine\n")
    return project


def names(project, *words):
    return [layer["name"] for layer in project.ok("plan", "--json", *words).json()["layers"]]


def test_each_level_has_what_is_below_it(machine):
    project = stack_project(machine)
    assert names(project, "--stack", "base") == ["base"]
    assert names(project, "--stack", "k8s") == ["base", "aws", "k8s"]
    assert names(project, "--stack", "ai") == ["base", "aws", "k8s", "helper"]
    assert names(project) == ["base", "found", "project"], "without --stack nothing is as before"
    assert names(project, "--stack", "aws", "--layers", "other", "--agents", "helper") == ["base", "aws", "other", "helper"]
    reasons = {layer["name"]: layer["reason"] for layer in project.ok("plan", "--stack", "k8s", "--json").json()["layers"]}
    assert reasons["aws"] == "level 'aws', sheaf.yml:3" and reasons["k8s"] == "level 'k8s', sheaf.yml:4", reasons


def test_levels_are_built_once_and_named(machine, server):
    project = stack_project(machine)
    ids = {}
    for level, built in {"base": ["layer base"], "aws": ["layer aws"], "k8s": ["layer k8s"], "ai": ["layer helper"]}.items():
        outcome = project.ok("build", "--stack", level, "--progress", "json", "--json")
        assert outcome.subjects("begin") == built, outcome
        made = outcome.json()
        assert made["image"] == f"project:{level}"
        ids[level] = made["id"]
    assert len(set(ids.values())) == 4
    remote = f"{server.address}/stacks/{machine.account.name}:k8s"
    machine.ok("image", "tag", "project:k8s", remote)
    machine.ok("push", remote)
    with sheaf.machine_for(machine.account) as other:
        assert other.ok("up", "--image", remote, "--", "/bin/cat", "/aws", "/k8s").out == "aws\nk8s\n"


def test_a_level_is_used_like_any_environment(machine):
    project = stack_project(machine)
    script = "cat /aws; test -e /k8s || echo no k8s; test -e /mine || echo no snippet; test -e marker && echo project"
    assert project.shell(script, "--stack", "aws") == "aws\nno k8s\nno snippet\nproject\n"
    assert "nothing to do" in project.ok("up", "--stack", "aws", "--", "/bin/true").err
    outcome = project.ok("up", "--stack", "k8s", "--progress", "json", "--", "/bin/true")
    assert outcome.subjects("begin") == ["layer k8s"], outcome
    assert project.ok("run", "helper", "--stack", "k8s").out == "helper\n"
    assert project.ok("generate", "--stack", "k8s", "--json").json()["files"][:3] == [
        "L0.Dockerfile", "L1.cli.Dockerfile", "L2.Dockerfile"]


def test_mistakes(machine):
    project = stack_project(machine)
    outcome = project.sheaf("up", "--stack", "k9s")
    assert outcome.code == 5 and "there is no level 'k9s'" in outcome.err and "did you mean 'k8s'?" in outcome.err, outcome
    project.write("sheaf.yml", "stacks:\n  - {name: one, layers: [awz]}\n")
    outcome = project.sheaf("plan", "--stack", "one")
    assert outcome.code == 5 and "unknown layer 'awz' (level 'one', sheaf.yml:2)" in outcome.err, outcome
    assert "did you mean 'aws'?" in outcome.err, outcome
    project.write("sheaf.yml", "stacks:\n  - {name: One}\n  - {name: a, layer: [x]}\n  - {name: a}\n  - {layers: [x]}\n  - {name: l2-dev}\n")
    outcome = project.sheaf("plan")
    assert outcome.code == 2, outcome
    for text in ("sheaf.yml:2:12: error: 'One' cannot be the name of a level", "sheaf.yml:3:15: error: unknown key 'layer'",
                 "sheaf.yml:4:12: error: there are two levels 'a'", "sheaf.yml:5:5: error: a level of 'stacks' needs 'name'",
                 "sheaf.yml:6:12: error: 'l2-dev' cannot be"):
        assert text in outcome.err, (text, outcome)
    project.write("sheaf.yml", "layers: [other]\n")
    outcome = project.sheaf("up", "--stack", "x")
    assert outcome.code == 5 and "the settings have no 'stacks'" in outcome.err, outcome


def test_dev_builds_the_image_without_agents_too(machine):
    project = stack_project(machine)
    outcome = project.ok("build", "--agents", "helper", "--dev", "--json")
    assert outcome.json()["image"] == "project:l2-cli", outcome
    listed = machine.ok("image", "list").out
    assert "project:l2-dev" in listed and "sheaf-l1-cli:base-helper" in listed and "sheaf-l0:base" in listed, listed
    assert machine.ok("up", "--image", "project:l2-dev", "--", "/bin/sh", "-c", "ls -d /helper || echo none").out == "none\n"


def test_an_image_instead_of_layers(machine):
    project = stack_project(machine)
    project.ok("build", "--stack", "aws")
    image = sheaf.Project(machine, "plain")
    image.write("file", "of the project\n")
    image.write("sheaf.yml", "image: project:aws\nenv: {A: b}\n")
    outcome = image.sheaf("up", "--", "/bin/sh", "-c", "cat /aws /workspace/file; echo $A; id -un; pwd")
    assert outcome.code == 0 and outcome.out == "aws\nof the project\nb\ndev\n/workspace\n", outcome
    assert "project:aws (sheaf.yml:1) is used as it is" in outcome.err, outcome
    assert names(image) == ["project:aws"]
    (line,) = image.ok("plan", "--image", "localhost/absent", "--json").json()["layers"]
    assert line["action"] == "fetch" and "not here yet" in line["why"], line
    assert image.ok("build", "--json").json()["image"] == "plain:l2-dev"
    outcome = image.sheaf("generate")
    assert outcome.code == 2 and "nothing to generate" in outcome.err, outcome
    for words in (("--layers", "x"), ("--agents", "all"), ("--stack", "x"), ("--base", "x")):
        outcome = image.sheaf("up", "--image", "project:aws", *words)
        assert outcome.code == 2 and "exclude each other" in outcome.err, outcome
    image.write("sheaf.yml", "image: 'Not an image'\n")
    outcome = image.sheaf("plan")
    assert outcome.code == 2 and "sheaf.yml:1:8: error:" in outcome.err, outcome
