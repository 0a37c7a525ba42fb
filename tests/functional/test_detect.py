# SPDX-License-Identifier: Apache-2.0
"""What `sheaf detect` prints, and what the versions that files ask for do to the environment."""

import pytest

from sheaf import Project, tiny_project

TOOL = """\
    kind: toolchain
    args: {version: {type: version, default: "2"}}
    detect:
      - {file: .tool-version, version: first-line, alone: no}
      - {file: tool.json, version: needs.tool}
    """
MAKES_VERSION = "ARG VERSION\nRUN echo $VERSION > /etc/tool-version\n"


@pytest.fixture
def tool(machine):
    """A project with a layer whose version files ask for."""
    project = tiny_project(machine)
    project.layer("tool", MAKES_VERSION, TOOL)
    project.write("app/tool.json", '{"needs": {\n  "tool": ">=1"}}\n')
    return project


def version_inside(project, *words):
    return project.shell("cat /etc/tool-version", *words).strip()


def test_versions_of_real_languages(machine):
    project = Project(machine)
    project.write("package.json", '{\n  "engines": {"node": ">=18 <23"}\n}\n')
    project.write("api/go.mod", "module x\n\ngo 1.40\n")
    project.write("api/.gitignore", "/generated\n")
    project.write("api/generated/Cargo.toml", "")
    project.write(".python-version", "3.11\n")
    result = project.ok("detect", "--json").json()
    assert result["findings"] == [
        {"layer": "node", "file": "package.json", "line": 2, "what": "package.json: engines.node", "version": ">=18 <23"},
        {"layer": "go", "file": "api/go.mod", "line": 3, "what": "go.mod: go", "version": ">=1.40"}]
    assert [(choice["layer"], choice["file"], choice["line"]) for choice in result["versions"]] == [
        ("go", "api/go.mod", 3), ("node", "package.json", 2)]
    assert result["versions"][1]["warnings"] == [] and result["versions"][1]["argument"] == "22"
    assert "asks for go >=1.40, but the layer 'go' brings" in result["versions"][0]["warnings"][0]
    text = project.ok("detect").out
    assert "package.json:2" in text and ">=18 <23" in text and "warning: api/go.mod:3 asks for go >=1.40" in text
    assert "rust" not in text and "python" not in text


def test_a_broken_file_is_told_and_calls_for_its_layer(machine):
    project = Project(machine)
    project.write("package.json", "{\n\x1b[31m\n")
    result = project.ok("detect", "--json").json()
    assert [finding["layer"] for finding in result["findings"]] == ["node"]
    assert result["unread"] == [{"file": "package.json", "why": "line 2 is not JSON"}]
    assert "warning: package.json: line 2 is not JSON" in project.ok("detect").out


def test_a_file_name_cannot_write_on_the_terminal(machine):
    project = Project(machine)
    project.write("\x1b]0;title\x07/package.json", "{}")
    assert "\x1b" not in project.ok("detect").out


def test_the_version_of_a_file_is_handed_to_the_layer(tool):
    assert version_inside(tool) == "2", "the default will do for >=1"
    tool.write(".tool-version", "v1.5\n")
    assert version_inside(tool) == "1.5"
    reasons = {layer["name"]: layer["reason"] for layer in tool.ok("plan", "--json").json()["layers"]}
    assert reasons["tool"] == "detected: app/tool.json; version 1.5 for .tool-version:1"
    assert "tool is built with version 1.5, for .tool-version:1" in tool.ok("detect").out


def test_a_version_that_is_edited_in_place_counts(tool):
    path = tool.write(".tool-version", "1.5\n")
    assert version_inside(tool) == "1.5"
    assert "nothing to do" in tool.ok("up", "--", "/bin/true").err
    with path.open("r+") as file: # no folder changes
        file.write("1.6\n")
    assert version_inside(tool) == "1.6"
    path.write_text("# the same\n1.6\n")
    assert "nothing to do" in tool.ok("up", "--", "/bin/true").err, "another line is no other version"


def test_an_ignore_file_that_is_edited_in_place_counts(tool):
    path = tool.write(".gitignore", "/xyz\n")
    assert version_inside(tool) == "2"
    with path.open("r+") as file:
        file.write("/app\n")
    assert tool.sheaf("up", "--", "/bin/cat", "/etc/tool-version").code == 1, "nothing calls for the layer any more"


def test_the_settings_count_more_than_files(tool):
    tool.write(".tool-version", "1.5\n")
    tool.write("sheaf.yml", "args: {tool: {version: 9}}\n")
    assert version_inside(tool) == "9"


def test_one_layer_of_a_name_whatever_the_command(tool):
    tool.write(".tool-version", "1.5\n")
    assert version_inside(tool) == "1.5"
    assert tool.ok("verify", "--rebuild", "tool", "--progress", "json").subjects("begin").count("layer tool") <= 1
    layers = tool.ok("plan", "--json").json()["layers"]
    assert {layer["state"] for layer in layers} == {"reused"}


def test_a_wish_that_is_not_met_is_a_warning(machine):
    project = tiny_project(machine)
    project.layer("tool", "RUN true\n", "kind: toolchain\nbrings: 2\ndetect: [{file: tool.json, version: needs.tool}]\n")
    project.write("tool.json", '{"needs": {"tool": "^3.1"}}\n')
    warnings = [event["text"] for event in project.build().events if event["event"] == "warning"]
    assert warnings == ["tool.json:1 asks for tool ^3.1, but the layer 'tool' brings 2; a layer 'tool' of the project's "
                        "own, in .sheaf/layers, can bring another"]
