# SPDX-License-Identifier: Apache-2.0
"""The command line: help, completion, what needs no build."""

import re

import pytest

from sheaf import Project

COMMANDS = ["init", "up", "run", "plan", "build", "join", "detect", "layer list", "layer show", "config show",
            "config check", "config edit", "verify", "df", "gc", "fsck", "store migrate", "doctor", "version", "completion", "man"]


def test_version(machine):
    text = machine.ok("version").out
    assert re.fullmatch(r"sheaf \d+\.\d+\.\d+\S*\n", text)
    assert machine.ok("--version").out == text
    assert "sheaf " + machine.ok("version", "--json").json()["version"] + "\n" == text


def test_a_folder_of_something_else_is_no_store(machine):
    """Else what is in it would be garbage to `sheaf gc`."""
    place = machine.directory("place")
    for name in ("logs/app.log", "tests/unit.py", "tmp/build-out/program"):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text("mine\n")
    before = sorted(place.rglob("*"))
    for command in ("df", "gc", "fsck", "store migrate"):
        outcome = machine.run(*command.split(), "--root", place)
        assert outcome.code in (2, 5) and "is no store" in outcome.err + outcome.err.replace("there is", "is"), outcome
        assert sorted(place.rglob("*")) == before, command
    refused = machine.run("df", "--root", "")
    assert refused.code == 2 and "'--root' is empty" in refused.err, refused
    (place / "file").write_text("")
    refused = machine.run("df", "--root", place / "file")
    assert refused.code == 2 and "is no folder" in refused.err, refused
    machine.ok("df", "--root", machine.directory("empty"))
    (machine.directory("brought") / "cache/apt").mkdir(parents=True)
    machine.ok("df", "--root", machine.folder / "brought")


def test_output_that_cannot_be_written_is_a_failure(machine):
    machine.ok("df")
    for redirection in (">/dev/full", ">&-"):
        outcome = machine.run("df", "--json", prefix=["sh", "-c", f'exec "$@" {redirection}', "sh"])
        assert outcome.code not in (0, 130) and "writing to standard output" in outcome.err, outcome


def test_streams_that_are_closed_are_nobodys(project):
    """None of our own files gets their numbers, where programs inside would find it."""
    project.ok("up", "--", "/bin/true")
    for redirection in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        shell = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
        told = project.sheaf("up", "--", "/bin/sh", "-c", "ls -l /proc/self/fd > /workspace/seen", prefix=shell)
        assert told.code == 0, (redirection, told)
        seen = (project.path / "seen").read_text()
        assert "in-use" not in seen and str(project.machine.store) not in seen, (redirection, seen)
    project.layer("more", "RUN echo more > /more\n")
    assert project.sheaf("build", "--layers", "more", prefix=["sh", "-c", 'exec "$@" >&- 2>&-', "sh"]).code == 0
    ended = project.sheaf("build", "-f", "-", ".", prefix=["sh", "-c", 'exec "$@" <&-', "sh"])
    assert ended.code not in (0, 130) and "error: " in ended.err, ended


def test_help_lists_all_commands(machine):
    text = machine.ok("--help").out
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\b", text, re.MULTILINE), command
    assert machine.ok("help").out == text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_examples(machine, command):
    text = machine.ok(*command.split(), "--help").out
    assert f"sheaf {command}" in text
    assert "examples:\n" in text.lower()
    assert machine.ok("help", *command.split()).out == text


@pytest.mark.parametrize("words, message, suggestion", [
    (["biuld"], "no command 'biuld'", "build"),
    (["layer", "lst"], "no command 'layer lst'", "layer list"),
    (["plan", "--jsn"], "no option '--jsn'", "--json"),
    (["up", "--agent", "codex"], "no option '--agent'", "--agents"),
])
def test_typing_mistakes_are_named_and_mended(machine, words, message, suggestion):
    outcome = machine.run(*words)
    assert outcome.code == 2, outcome
    assert message in outcome.err
    assert re.search(rf"did you mean '{suggestion}'", outcome.err), outcome
    assert outcome.out == ""


def test_operands_are_counted(machine):
    assert machine.run("layer", "show").code == 2
    assert machine.run("version", "now").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(machine, shell):
    script = machine.ok("completion", shell).out
    for word in ("doctor", "detect", "agents", "progress"):
        assert word in script


def test_completion_of_an_unknown_shell(machine):
    outcome = machine.run("completion", "tcsh")
    assert outcome.code == 2, outcome
    assert "bash" in outcome.err


def test_manual_page(machine):
    lines = machine.ok("man").out.splitlines()
    assert next(line for line in lines if not line.startswith(('.\\"', "'\\\""))).startswith(".TH ")
    for section in ("NAME", "SYNOPSIS", "COMMANDS"):
        assert any(re.fullmatch(rf'\.SH "?{section}"?', line) for line in lines), section
    for command in COMMANDS:
        assert any(command in line.replace("\\-", "-") for line in lines), command
    assert any("130" in line for line in lines), "the exit codes"


def test_doctor(machine):
    outcome = machine.run("doctor", "--json")
    checks = {check["name"]: check for check in outcome.json()["checks"]}
    assert {"kernel", "user namespaces", "mmdebstrap", "overlayfs", "disk"} <= set(checks)
    bad = [name for name, check in checks.items() if check["health"] == "bad"]
    assert (outcome.code, bad) == (0, []), outcome
    text = machine.ok("doctor").out
    assert all(name in text for name in checks)


def test_layer_list(machine):
    layers = {layer["name"]: layer for layer in machine.ok("layer", "list", "--json").json()["layers"]}
    assert {"base", "python", "node", "go", "codex", "opencode"} <= set(layers)
    assert layers["codex"]["kind"] == "agent"
    assert layers["codex"]["needs"] == ["node"]
    assert not any(layer["built"] for layer in layers.values())
    assert "codex" in machine.ok("layer", "list").out


def test_layer_show_names_the_one_that_won_and_what_it_shadows(project):
    text = project.ok("layer", "show", "base").out
    assert re.search(r"from +project \(.sheaf/layers/base\)", text), text
    assert re.search(r"shadows +builtin", text), text


def test_layer_show_of_an_unknown_name_suggests(machine):
    outcome = machine.run("layer", "show", "pyton")
    assert outcome.code == 5, outcome
    assert "no layer is called 'pyton'" in outcome.err
    assert "did you mean 'python'" in outcome.err


@pytest.fixture
def polyglot(machine):
    project = Project(machine)
    project.write("backend/pyproject.toml", "[project]\nname = 'x'\n")
    project.write("frontend/package.json", "{}\n")
    project.write("frontend/node_modules/dependency/go.mod", "module x\n")
    project.write("copilot", "not an agent\n")
    project.write("deploy/values.yaml", "a: 1\n")
    return project


def test_detect(polyglot):
    findings = polyglot.ok("detect", "--json").json()["findings"]
    assert sorted((found["layer"], found["file"]) for found in findings) == [
        ("node", "frontend/package.json"), ("python", "backend/pyproject.toml")]
    text = polyglot.ok("detect").out
    assert "backend/pyproject.toml" in text
    assert "frontend/package.json" in text
    assert "copilot" not in text and "values.yaml" not in text and "node_modules" not in text


def test_detect_finds_nothing_in_an_empty_folder(machine):
    project = Project(machine)
    assert project.ok("detect", "--json").json() == {"findings": [], "versions": [], "unread": []}
    assert "nothing detected" in project.ok("detect").out


def test_a_project_is_started_with_what_was_found(polyglot):
    shown = polyglot.ok("init", "--print").out
    polyglot.ok("init")
    written = (polyglot.path / "sheaf.yml").read_text()
    assert written == shown
    assert "backend/pyproject.toml" in written and "#agents: [claude]" in written
    again = polyglot.sheaf("init")
    assert again.code == 2 and "there is a" in again.err and "config edit" in again.err, again


def test_config_show_says_where_values_come_from(polyglot):
    polyglot.write("sheaf.yml", "layers: [go]\nenv:\n  EDITOR: vim\n")
    shown = polyglot.ok("config", "show", "--agents", "codex", "--json").json()
    origins = {value["key"]: (value["value"], value["origin"]) for value in shown["values"]}
    assert origins == {"agents": ("codex", "--agents"), "layers": ("[go]", "sheaf.yml:1"),
                       "env.EDITOR": ("vim", "sheaf.yml:3"), "base": ("base", "built in")}
    assert re.search(r"^env.EDITOR +vim +sheaf.yml:3$", polyglot.ok("config", "show").out, re.MULTILINE)


def test_config_check_reports_every_mistake(polyglot):
    assert "no mistakes" in polyglot.ok("config", "check").out
    polyglot.write("sheaf.yml", "bse: x\nmounts: 3\n")
    outcome = polyglot.sheaf("config", "check")
    assert outcome.code == 2 and "sheaf.yml:1:1" in outcome.err and "sheaf.yml:2:9" in outcome.err, outcome


def test_config_edit_keeps_the_file_whole(polyglot):
    before = "env: {A: b}\n"
    polyglot.write("sheaf.yml", before)
    outcome = polyglot.sheaf("config", "edit", EDITOR="sed -i 1ibse:")
    assert outcome.code == 2 and "did you mean 'base'" in outcome.err, outcome
    assert (polyglot.path / "sheaf.yml").read_text() == before
    polyglot.ok("config", "edit", EDITOR="sed -i 1s/.*/base:\\ base/")
    assert (polyglot.path / "sheaf.yml").read_text() == "base: base\n" + before


def test_plan_of_an_unbuilt_project(polyglot):
    layers = polyglot.ok("plan", "--agents", "codex", "--json").json()["layers"]
    assert [layer["name"] for layer in layers][0] == "base"
    assert {layer["name"] for layer in layers} == {"base", "python", "node", "codex"}
    assert {layer["action"] for layer in layers} == {"build"}
    reasons = {layer["name"]: layer["reason"] for layer in layers}
    assert "backend/pyproject.toml" in reasons["python"]
    assert "--agents" in reasons["codex"]
    assert "4 of 4 layers to build" in polyglot.ok("plan", "--agents", "codex").out


def test_order_of_agents_does_not_matter(polyglot):
    def names(agents):
        return [layer["name"] for layer in polyglot.ok("plan", "--agents", agents, "--json").json()["layers"]]

    assert names("codex,opencode") == names("opencode,codex")
    every = names("all")
    assert {"claude", "codex", "gemini", "opencode"} < set(every)
    assert names("all,-opencode") == [name for name in every if name != "opencode"]
