# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas for editors, against files that are right and files that are wrong."""

import json
import pathlib

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = {name: json.loads((ROOT / "share/schemas" / f"{name}.schema.json").read_text())
           for name in ("layer", "downloads", "sheaf", "config")}
LAYERS = sorted(ROOT.glob("catalogue-data/*/layer.yml"))
DOWNLOADS = sorted(ROOT.glob("catalogue-data/*/downloads.yml"))
# What only a look at the text or at several values shows.
BEYOND_SCHEMAS = {"alias", "base-with-needs", "duplicate-key", "indentation", "not-utf8", "open-bracket", "open-quote",
                  "syntax", "two-documents"}
BAD = sorted(folder for folder in (ROOT / "tests/golden/catalogue/bad").iterdir() if folder.name not in BEYOND_SCHEMAS)


def mistakes(kind: str, text: str) -> list:
    validator = jsonschema.Draft7Validator(SCHEMAS[kind])
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_is_one(kind):
    jsonschema.Draft7Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("path", LAYERS, ids=lambda path: path.parent.name)
def test_layers_we_ship(path):
    assert mistakes("layer", path.read_text()) == []


@pytest.mark.parametrize("path", DOWNLOADS, ids=lambda path: path.parent.name)
def test_downloads_we_ship(path):
    assert mistakes("downloads", path.read_text()) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/sheaf.yml")), ids=lambda path: path.parent.name)
def test_example_projects(path):
    assert mistakes("sheaf", path.read_text()) == []


@pytest.mark.parametrize("folder", BAD, ids=lambda folder: folder.name)
def test_files_with_mistakes(folder):
    kind = next(kind for kind in ("layer", "downloads", "sheaf") if (folder / f"{kind}.yml").exists())
    assert mistakes(kind, (folder / f"{kind}.yml").read_text())


def test_settings_of_every_kind():
    text = """
base: base
family: deb
layers: [go, python]
agents: [codex]
args: {node: {version: 20}}
env: {EDITOR: vim, DEBUG: 1}
mounts: ["~/data:/data:ro"]
ports: [8080, "127.0.0.1:80:80/tcp"]
gpus: all
snippet: {file: setup.containerfile}
tests: [{command: "true"}]
image: registry.example.org/team/env:1
stacks: [{name: base}, {name: aws, layers: [aws]}, {name: ai, agents: "all,-codex"}]
caches: [/srv/cache]
"""
    assert mistakes("sheaf", text) == []
    with_registry = text + "registries: {localhost:5000: {insecure: yes, mirrors: [mirror.example]}}\n"
    assert mistakes("config", with_registry) == []
    assert mistakes("sheaf", with_registry), "a project cannot set registries"
    assert mistakes("sheaf", "") == []


@pytest.mark.parametrize("text", ["layrs: [go]", "layers: go", "layers: [All Of Them]", "family: debian",
                                  "snippet: {path: x}", "stacks: {a: b}", "stacks: [{layers: [a]}]", "mounts: [/data]", "args: {node: 20}"])
def test_wrong_settings(text):
    assert mistakes("sheaf", text)
