# SPDX-License-Identifier: Apache-2.0
"""Every mistake is named, with its place, before anything is built."""

import re

import pytest


def built_nothing(machine):
    folder = machine.store / "layers"
    return not folder.exists() or not list(folder.iterdir())


def fails(project, *words, code=2):
    outcome = project.sheaf(*words)
    assert outcome.code == code, outcome
    assert built_nothing(project.machine)
    return outcome.err


def test_unknown_layer_in_the_settings(project):
    project.write("sheaf.yml", "layers: [pyton]\n")
    error = fails(project, "up", "--", "/bin/true", code=5)
    assert "pyton" in error
    assert "did you mean 'python'" in error


def test_unknown_agent(project):
    error = fails(project, "up", "--agents", "codx", "--", "/bin/true", code=5)
    assert "codx" in error
    assert "did you mean 'codex'" in error


def test_a_layer_that_is_no_agent(project):
    error = fails(project, "up", "--agents", "python", "--", "/bin/true", code=2)
    assert "python" in error and "agent" in error


def test_cycle_in_needs_shows_the_path(project):
    project.layer("a", "RUN true\n", "kind: tool\nneeds: [b]\n")
    project.layer("b", "RUN true\n", "kind: tool\nneeds: [c]\n")
    project.layer("c", "RUN true\n", "kind: tool\nneeds: [a]\n")
    error = fails(project, "up", "--layers", "a", "--", "/bin/true")
    cycle = r"a\W+(needs )?\W*b\W+(needs )?\W*c\W+(needs )?\W*a"
    assert re.search(cycle, error), error


def test_all_mistakes_of_the_settings_in_one_run(project):
    project.write("sheaf.yml", """\
        layers: [base]
        agnets: [codex]
        mounts:
          - nowhere
        family: debian
        """)
    error = fails(project, "build")
    for place in ("sheaf.yml:2:1", "sheaf.yml:4:5", "sheaf.yml:5:9"):
        assert place in error, error
    assert len(re.findall(r"^[ |\d]*\^", error, re.MULTILINE)) == 3, error
    assert "agents" in error


def test_settings_that_are_no_yaml(project):
    project.write("sheaf.yml", "layers: [python\n")
    assert re.search(r"sheaf\.yml:\d+:\d+", fails(project, "build"))


def test_mistakes_of_several_files_in_one_run(project):
    project.write("sheaf.yml", "lyers: [a]\n")
    project.write(".sheaf/layers/a/layer.yml", "summary: a\nkind: tol\n")
    project.write(".sheaf/layers/a/Containerfile", "FROM scratch\n")
    error = fails(project, "build")
    assert "sheaf.yml:1:1" in error
    assert ".sheaf/layers/a/layer.yml:2:7" in error


@pytest.mark.parametrize("commands, place, words", [
    ("RNU true\n", "4:1", "RUN"),
    ("RUN true\nCOPY missing /etc/\n", "5:6", "missing"),
    ("COPY --chmod=99 layer.txt /etc/\n", "4:", "is no mode"),
    ("WORKDIR\n", "4:", "WORKDIR"),
])
def test_mistakes_in_a_containerfile(project, commands, place, words):
    project.layer("a", commands, **{"layer.txt": "text\n"})
    error = fails(project, "build", "--layers", "a")
    assert f".sheaf/layers/a/Containerfile:{place}" in error, error
    assert words in error
    assert "^" in error


def test_a_layer_is_built_on_what_it_needs_only(project):
    project.write(".sheaf/layers/a/layer.yml", "summary: a\nkind: tool\n")
    project.write(".sheaf/layers/a/Containerfile", "FROM debian:12\nRUN true\n")
    error = fails(project, "build", "--layers", "a")
    assert ".sheaf/layers/a/Containerfile:1:6" in error
    assert "BASE_IMAGE" in error


@pytest.mark.parametrize("jobs", ["0", "65", "many", "-1", "1.5"])
def test_jobs(project, jobs):
    assert f"--jobs {jobs}" in fails(project, "build", f"--jobs={jobs}")


def test_progress_style(project):
    assert "--progress pretty" in fails(project, "build", "--progress", "pretty")


def test_a_project_that_does_not_exist(machine):
    outcome = machine.run("up", "-C", machine.folder / "nowhere")
    assert outcome.code == 5, outcome
    assert "nowhere" in outcome.err


def test_run_without_an_agent(machine):
    assert machine.run("run").code == 2


def test_a_command_that_does_not_exist(project):
    outcome = project.sheaf("up", "--", "no-such-command")
    assert outcome.code == 127, outcome
    assert "no-such-command" in outcome.err
