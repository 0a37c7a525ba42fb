# SPDX-License-Identifier: Apache-2.0
"""The project's own layer: `snippet:` in sheaf.yml, on top of all that was selected; `repo:` and `branch:`, which do
not belong to it."""

import subprocess

import sheaf

STACK = "layers: [one, two]\n"


def stack_project(machine, settings="", name="project"):
    """A project with two layers of a file each, and its own settings."""
    project = sheaf.tiny_project(machine, name)
    project.layer("one", "RUN echo one > /one\n")
    project.layer("two", "RUN echo two > /two\n")
    project.write("sheaf.yml", STACK + settings)
    return project


def plan_of(project, *words):
    return {layer["name"]: layer for layer in project.ok("plan", "--json", *words).json()["layers"]}


def built(outcome):
    assert outcome.code == 0, outcome
    return outcome.subjects("begin")


def test_it_is_built_on_the_whole_stack(machine):
    project = stack_project(machine, "snippet: |\n  USER root\n  RUN cat /one /two > /both\n  ENV FROM_SNIPPET=yes\n  USER dev\n")
    lines = project.ok("plan", "--json").json()["layers"]
    assert [line["name"] for line in lines] == ["base", "one", "two", "project"]
    assert lines[-1]["kind"] == "project" and lines[-1]["reason"] == "snippet, sheaf.yml:2", lines[-1]
    outcome = project.ok("up", "--progress", "json", "--", "/bin/sh", "-c", "cat /both; echo $FROM_SNIPPET; id -un")
    assert outcome.out == "one\ntwo\nyes\ndev\n", outcome
    assert outcome.subjects("begin") == ["layer base", "layer one", "layer project", "layer two"], outcome
    assert "has no effect" not in outcome.err, outcome
    again = project.ok("up", "--", "/bin/cat", "/both")
    assert again.out == "one\ntwo\n" and "nothing to do" in again.err, again


def test_another_selection_or_snippet_builds_only_this_layer(machine):
    project = stack_project(machine, "snippet: |\n  USER root\n  RUN echo first > /mine\n")
    project.layer("three", "RUN echo three > /three\n")
    assert len(built(project.build())) == 4
    first = project.ok("build", "--json").json()
    project.write("sheaf.yml", STACK + "snippet: |\n  USER root\n  RUN echo second > /mine\n")
    line = plan_of(project)["project"]
    assert line["state"] == "stale-self" and "instruction: RUN echo second" in line["why"], line
    assert built(project.build()) == ["layer project"]
    second = project.ok("build", "--json").json()
    assert first["id"] != second["id"] and first["image"] == second["image"]
    assert built(project.build("--layers", "one,two,three")) == ["layer project", "layer three"]
    project.write("sheaf.yml", STACK + "snippet: |\n  USER root\n  RUN echo first > /mine\n")
    assert built(project.build()) == [] and project.ok("build", "--json").json()["id"] == first["id"]


def test_two_projects_share_what_is_equal_and_nothing_else(machine):
    snippet = "snippet: |\n  USER root\n  RUN echo {} > /mine\n"
    first = stack_project(machine, snippet.format("a"), "first")
    second = stack_project(machine, snippet.format("b"), "second")
    third = stack_project(machine, snippet.format("a"), "third")
    ids = [project.ok("build", "--json").json() for project in (first, second, third)]
    assert ids[0]["id"] != ids[1]["id"] and ids[0]["id"] == ids[2]["id"], ids
    assert [project.shell("cat /mine") for project in (first, second, third)] == ["a\n", "b\n", "a\n"]
    assert [image["image"] for image in ids] == ["first:l2-dev", "second:l2-dev", "third:l2-dev"]


def test_files_of_the_project(machine):
    project = stack_project(machine, "snippet: {file: deploy/Containerfile}\n")
    project.write("deploy/Containerfile",
                  "USER root\nCOPY deploy/tool /usr/local/bin/\nCOPY conf /conf/\nCOPY *.txt /texts/\nRUN /usr/local/bin/tool > /ran\n")
    project.write("deploy/tool", "#!/bin/sh\necho tool $(cat /one)\n")
    project.write("conf/a", "a\n")
    project.write("conf/deep/b", "b\n")
    project.write("conf/secret", "no\n")
    project.write("read.txt", "text\n")
    project.write(".dockerignore", "conf/secret\n")
    project.write("unrelated/file", "1\n")
    assert project.shell("cat /ran /texts/*; cd /conf && find . -type f | sort") == "tool one\ntext\n./a\n./deep/b\n"
    assert "nothing to do" in project.ok("up", "--", "/bin/true").err
    # What nothing names is not part of it; what is named is, new files included.
    project.write("unrelated/file", "2\n")
    project.write("conf/secret", "still no\n")
    assert built(project.build()) == []
    project.write("conf/deep/c", "c\n")
    line = plan_of(project)["project"]
    assert line["state"] == "stale-self" and "file 'conf/deep/c'" in line["why"], line
    assert project.shell("cat /conf/deep/c") == "c\n"
    project.write("deploy/Containerfile", "USER root\nRUN echo changed > /ran\n")
    assert project.shell("cat /ran") == "changed\n"
    # .sheafignore comes before .dockerignore.
    project.write("deploy/Containerfile", "COPY conf /conf/\n")
    project.write(".sheafignore", "conf/deep\n")
    assert project.shell("cd /conf && find . -type f | sort") == "./a\n./secret\n"


def test_a_large_project_is_not_read(machine):
    project = stack_project(machine, "snippet: |\n  COPY small /small\n")
    project.write("small", "small\n")
    project.write("large", "")
    with open(project.path / "large", "ab") as file:
        file.truncate(200 << 20)
    assert project.shell("cat /small") == "small\n"
    project.write("sheaf.yml", STACK + "snippet: |\n  COPY . /all/\n")
    outcome = project.sheaf("plan")
    assert outcome.code == 2 and "files or 1" in outcome.err and ".sheafignore" in outcome.err, outcome
    project.write(".sheafignore", "large\n.sheaf\n")
    assert project.shell("ls /all") == "sheaf.yml\nsmall\n"


def test_mistakes_stand_where_they_are_written(machine):
    project = stack_project(machine, "snippet: |\n  USER root\n\n  RUNN make\n  COPY missing /\n  FROM other\n")
    outcome = project.sheaf("plan")
    assert outcome.code == 2, outcome
    for text in ("sheaf.yml:5:3: error: there is no instruction 'RUNN'", "5 |   RUNN make", "did you mean 'RUN'?"):
        assert text in outcome.err, outcome
    project.write("sheaf.yml", STACK + "snippet: |\n  USER root\n  COPY missing other* /etc/\n  EXPOSE 80\n")
    outcome = project.sheaf("plan")
    assert "sheaf.yml:4:8: error: the project has no 'missing' [missing-file]" in outcome.err, outcome
    assert "sheaf.yml:4:16: error: the project has no 'other*' [missing-file]" in outcome.err, outcome
    assert "sheaf.yml:5:3: error:" in outcome.err and outcome.code == 2, outcome
    project.write("sheaf.yml", "snippet: {file: setup}\n")
    outcome = project.sheaf("plan")
    assert "setup" in outcome.err and "sheaf.yml:1" in outcome.err and outcome.code != 0, outcome
    project.write("setup", "\nRUN\n")
    outcome = project.sheaf("plan")
    assert "setup:2:1: error:" in outcome.err and "2 | RUN" in outcome.err, outcome
    project.write("sheaf.yml", "snippet: {file: ../../secret}\n")
    (machine.folder / "secret").write_text("RUN\n")
    outcome = project.sheaf("plan")
    assert outcome.code != 0 and "RUN" not in outcome.err, outcome


def test_links_are_not_followed_out_of_the_project(machine):
    project = stack_project(machine, "snippet: |\n  COPY folder /folder\n")
    project.write("folder/file", "x\n")
    (project.path / "folder" / "link").symlink_to("/etc/hostname")
    outcome = project.sheaf("plan")
    assert outcome.code == 2 and "'folder/link' is no plain file" in outcome.err, outcome
    project.write("sheaf.yml", STACK + "snippet: |\n  COPY link /link\n")
    (project.path / "link").symlink_to("folder/file")
    outcome = project.sheaf("plan")
    assert outcome.code == 2 and "is reached by a link" in outcome.err, outcome


def test_its_name_is_nobody_elses(machine):
    project = stack_project(machine)
    project.layer("project", "RUN echo mine\n")
    outcome = project.sheaf("plan")
    assert outcome.code == 2 and "'project' in '.sheaf/layers/project' is not a layer name" in outcome.err, outcome


def test_repo_and_branch_do_not_rebuild_it(machine):
    snippet = "snippet: |\n  USER root\n  RUN echo ${CODE_REPO:-nothing} > /seen\n"
    project = stack_project(machine, snippet)
    first = project.ok("build", "--json").json()
    project.write("sheaf.yml", STACK + snippet + "repo: https://git.example.org/app.git\nbranch: main\n")
    outcome = project.build()
    assert outcome.subjects("begin") == [] and "has no effect" not in outcome.err, outcome
    second = project.ok("build", "--json").json()
    assert second["id"] != first["id"]
    shown = project.ok("image", "show", second["image"], "--json").out
    assert '"CODE_REPO=https://git.example.org/app.git"' in shown and '"GIT_BRANCH=main"' in shown, shown
    assert project.shell("cat /seen; echo $CODE_REPO $GIT_BRANCH") == "nothing\nhttps://git.example.org/app.git main\n"
    project.write("sheaf.yml", STACK + snippet + "repo: https://git.example.org/app.git\nenv: {CODE_REPO: mine}\n")
    assert project.shell("echo $CODE_REPO") == "mine\n"
