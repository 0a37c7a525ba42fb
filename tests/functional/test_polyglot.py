# SPDX-License-Identifier: Apache-2.0
"""The whole way with real packages: examples/polyglot, as root and as an ordinary user."""

import os
import pathlib
import re
import shutil

import pytest

from sheaf import EXAMPLES, IS_ROOT, Project, machine_for

LONG = 900
REPRODUCIBLE = ("base", "python", "node")


def cache_folder():
    default = "/var/cache/sheaf-test" if IS_ROOT else os.path.expanduser("~/.cache/sheaf-test")
    return pathlib.Path(os.environ.get("SHEAF_TEST_CACHE", default))


def copy_whole(source, target):
    """Other tests, which run meanwhile, see a file as a whole or not at all; most are there already."""
    have, wanted = (os.stat(path) if os.path.exists(path) else None for path in (target, source))
    if have is None or (have.st_size, have.st_mtime_ns) != (wanted.st_size, wanted.st_mtime_ns):
        unfinished = f"{target}.{os.getpid()}.unfinished"
        shutil.copy2(source, unfinished)
        os.replace(unfinished, target)


def copy_downloads(source, target):
    """Debian and npm packages, which both are checked again where they are used."""
    unwanted = shutil.ignore_patterns("partial", "lock", "*.unfinished")
    for kind in ("apt", "npm"):
        if (source / kind).is_dir():
            shutil.copytree(source / kind, target / kind, dirs_exist_ok=True, ignore=unwanted, copy_function=copy_whole)


class Bench:
    """One account's store with the project, and the first run on it."""

    def __init__(self, machine):
        self.machine = machine
        self.project = Project(machine)
        shutil.copytree(EXAMPLES / "polyglot", self.project.path, dirs_exist_ok=True)
        machine.give(self.project.path)
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        self.first = self.up("--agents", "codex", "--", "./check")
        copy_downloads(machine.store / "cache", cache_folder())

    def up(self, *words):
        return self.project.sheaf("up", "--progress", "json", *words, timeout=LONG)

    def content_keys(self, names):
        return {name: self.project.ok("layer", "show", name, "--json").json()["content_key"] for name in names}


@pytest.fixture(scope="module")
def bench(account):
    with machine_for(account) as machine:
        yield Bench(machine)


@pytest.fixture(scope="module")
def known_keys():
    """Content keys by account, as far as they are known."""
    return {}


def test_first_run_builds_and_checks(bench):
    outcome = bench.first
    assert outcome.code == 0, outcome
    for words in ("python3: ", "node: ", "codex: ", "dpkg --audit: clean", "/workspace is writable", "all good"):
        assert words in outcome.out, outcome
    assert re.search(r"^Ran [1-9]\d* tests?", outcome.out, re.MULTILINE), outcome
    assert re.search(r"fail 0$", outcome.out, re.MULTILINE), outcome
    assert outcome.subjects("begin") == ["layer base", "layer codex", "layer node", "layer python"]


def test_second_run_does_nothing(bench):
    outcome = bench.up("--agents", "codex", "--", "/bin/true")
    assert outcome.code == 0 and outcome.subjects("begin") == [], outcome
    assert any("nothing to do" in event["text"] for event in outcome.events)


def test_content_keys_do_not_depend_on_the_account(bench, known_keys):
    known_keys[bench.machine.account.name] = bench.content_keys(REPRODUCIBLE)
    assert len({tuple(keys.items()) for keys in known_keys.values()}) == 1, known_keys


@pytest.mark.parametrize("script", [
    "sudo ldconfig -C /tmp/fresh && sudo cmp /tmp/fresh /etc/ld.so.cache",
    "test -z \"$(dpkg --audit 2>&1)\"",
    "sudo apt-get check",
    "dpkg-query -W -f '${db:Status-Status}\\n' python3 git | sort -u | grep -qx installed",
    "! sudo dpkg -V 2>&1 | grep . >&2",
])
def test_joined_state_is_what_the_tools_would_write(bench, script):
    outcome = bench.up("--agents", "codex", "--", "/bin/sh", "-c", script)
    assert outcome.code == 0, outcome


def test_one_agent_more_builds_one_layer(bench):
    outcome = bench.up("--agents", "codex,opencode", "--", "./check", "--short")
    assert outcome.code == 0 and "opencode: " in outcome.out, outcome
    assert outcome.subjects("begin") == ["layer opencode"]


def test_one_agent_less_builds_nothing(bench):
    outcome = bench.up("--agents", "opencode", "--", "opencode", "--version")
    assert outcome.code == 0 and re.search(r"\d+\.\d+", outcome.out), outcome
    assert outcome.subjects("begin") == []


def test_one_language_more_builds_one_layer(bench):
    settings = bench.project.path / "sheaf.yml"
    bench.project.write("sheaf.yml", settings.read_text() + "layers: [go]\n")
    outcome = bench.up("--agents", "codex", "--", "go", "version")
    assert outcome.code == 0 and "go version go1." in outcome.out, outcome
    assert outcome.subjects("begin") == ["layer go"]
