# SPDX-License-Identifier: Apache-2.0
"""`sheaf refresh`, `lock`, `update`, `--locked`, `--full-rebuild`: layers that follow a moving upstream, held and let go."""

import json
import os
import shutil

import pytest
import sheaf

AGENT = """\
kind: agent
volatile: yes
needs: [low]
newest: cat /newest
args: {version: {type: version, default: latest}}
command: [agent]
"""


def built(outcome):
    return [subject for subject in outcome.subjects("end") if subject.startswith("layer ")]


def keys(project, *words):
    return {layer["name"]: layer["content_key"] for layer in project.ok("build", "--json", *words).json()["layers"]}


def publish(project, version):
    """What the command of the layer finds upstream: here a file of the layer below."""
    project.write(".sheaf/layers/low/newest", version)


@pytest.fixture
def upstream(project):
    """An agent on a layer that says which version is the newest, and a layer beside them."""
    project.write("sheaf.yml", "layers: [side]\nagents: [agent]\n")
    project.layer("low", "COPY newest /newest\n", newest="1.0.0\n")
    project.layer("side", "RUN echo side > /side\n")
    project.layer("agent", "ARG VERSION\nRUN echo $VERSION > /agent\n", AGENT)
    return project


def test_refresh_builds_the_agent_alone(upstream):
    upstream.build()
    assert upstream.shell("cat /agent") == "latest\n"
    first = upstream.ok("refresh", "--progress", "json")
    assert first.out == "agent 1.0.0: built anew\n", first
    assert built(first) == ["layer agent"]
    assert upstream.shell("cat /agent") == "1.0.0\n"
    # Nothing newer: nothing is run, and said so.
    again = upstream.ok("refresh", "agent", "--progress", "json")
    assert again.out == "agent 1.0.0 is the newest\n" and built(again) == []
    publish(upstream, "1.1.0\n")
    upstream.build()
    newer = upstream.ok("refresh", "--progress", "json")
    assert newer.out == "agent 1.0.0 -> 1.1.0\n" and built(newer) == ["layer agent"], newer
    (line,) = upstream.ok("refresh", "--json").json()["layers"]
    assert line == {"name": "agent", "before": "1.1.0", "after": "1.1.0", "rebuilt": False, "changed": False}


def test_up_refreshes_on_demand(upstream):
    upstream.build()
    outcome = upstream.ok("up", "--refresh-agents", "--", "cat", "/agent")
    assert outcome.out == "1.0.0\n" and "agent 1.0.0: built anew" in outcome.err
    assert "nothing to do" in upstream.ok("up", "--", "true").err
    # Everything again, from the base on; what comes out is the same, so that nothing above it changes.
    before = keys(upstream)
    full = upstream.ok("build", "--full-rebuild", "--progress", "json")
    assert built(full) == ["layer agent", "layer base", "layer low", "layer side"]
    assert keys(upstream) == before
    assert upstream.build().subjects("begin") == []


def test_the_newest_version_must_be_one(upstream):
    upstream.build()
    publish(upstream, "one or two\n")
    outcome = upstream.sheaf("refresh")
    assert outcome.code != 0 and "it printed 'one or two', which is no version" in outcome.err, outcome
    assert upstream.shell("cat /agent") == "latest\n", "what was there stays"
    upstream.layer("agent", "ARG VERSION\nRUN echo $VERSION > /agent\n", AGENT.replace("cat /newest", "cat /nothing"))
    outcome = upstream.sheaf("refresh")
    assert outcome.code != 0 and "cat: can't open '/nothing'" in outcome.err, outcome
    outcome = upstream.sheaf("refresh", "agnet")
    assert "no layer is called 'agnet'" in outcome.err and "'agent'" in outcome.err


def test_a_failed_build_leaves_what_was_there(upstream):
    upstream.build()
    upstream.ok("refresh")
    publish(upstream, "2.0.0\n")
    upstream.layer("agent", "ARG VERSION\nRUN test $VERSION != 2.0.0 && echo $VERSION > /agent\n", AGENT)
    upstream.build()
    assert upstream.sheaf("refresh").code == 3
    assert upstream.shell("cat /agent") == "1.0.0\n"


def test_the_settings_go_before_what_was_settled(upstream):
    upstream.build()
    upstream.ok("refresh")
    upstream.write("sheaf.yml", "layers: [side]\nagents: [agent]\nargs: {agent: {version: 0.9.0}}\n")
    assert upstream.shell("cat /agent") == "0.9.0\n"


def test_any_layer_can_be_built_anew(upstream):
    upstream.layer("side", "RUN head -c 8 /dev/urandom | od -An -tx1 > /side\n")
    upstream.build()
    before = upstream.shell("cat /side")
    outcome = upstream.ok("refresh", "side", "--progress", "json")
    assert outcome.out == "side: built anew\n" and built(outcome) == ["layer side"]
    assert upstream.shell("cat /side") != before
    low = upstream.ok("refresh", "low")
    assert low.out == "low: built anew, nothing changed\n"


def test_old_agents_are_built_anew(upstream):
    upstream.build()
    upstream.write("sheaf.yml", "layers: [side]\nagents: [agent]\nrefresh: 1h\n")
    plan = {layer["name"]: layer for layer in upstream.ok("plan", "--json").json()["layers"]}
    assert plan["agent"]["state"] == "reused"
    for folder in ("recipes", "layers"):
        for path in (upstream.machine.store / folder).rglob("*"):
            if path.name == "layer.json" or folder == "recipes":
                text = path.read_text()
                path.write_text("\n".join('  "created": 1000000000,' if '"created"' in line else line
                                          for line in text.split("\n")))
    plan = {layer["name"]: layer for layer in upstream.ok("plan", "--json").json()["layers"]}
    assert (plan["agent"]["state"], plan["agent"]["action"]) == ("expired", "build"), plan["agent"]
    assert "refresh: never" in upstream.ok("why", "agent").out
    outcome = upstream.ok("up", "--", "cat", "/agent")
    assert outcome.out == "1.0.0\n" and "agent 1.0.0: built anew" in outcome.err
    assert "nothing to do" in upstream.ok("up", "--", "true").err
    for wrong in ("soon", "0d", "-1h", "7", "d"):
        upstream.write("sheaf.yml", f"refresh: {wrong}\n")
        assert "is no age" in upstream.sheaf("plan").err


def test_lock_holds_what_was_built(upstream):
    outcome = upstream.sheaf("up", "--locked", "--", "true")
    assert outcome.code != 0 and "sheaf.lock" in outcome.err and "'sheaf lock' writes it" in outcome.err
    upstream.ok("refresh", "agent")
    assert upstream.ok("lock").out == "wrote sheaf.lock\n"
    text = (upstream.path / "sheaf.lock").read_text()
    assert upstream.ok("lock").out == "sheaf.lock is up to date\n"
    assert (upstream.path / "sheaf.lock").read_text() == text
    assert 'version: "1.0.0"' in text and "content: sha256:" in text
    assert upstream.ok("up", "--locked", "--", "cat", "/agent").out == "1.0.0\n"
    # A recipe that changed is refused before anything is built, and named.
    upstream.layer("side", "RUN echo other > /side\n")
    outcome = upstream.sheaf("up", "--locked", "--", "true")
    assert outcome.code != 0 and "'side' has another recipe: 'sheaf why side'" in outcome.err, outcome
    assert upstream.ok("up", "--", "cat", "/side").out == "other\n"
    assert "updating layer side\n" in upstream.ok("lock").out
    upstream.ok("up", "--locked", "--", "true")
    # So is another selection.
    outcome = upstream.sheaf("plan", "--locked", "--agents", "none")
    assert "'agent' is in it, but not in the stack" in outcome.err and "'low' is in it" in outcome.err


def test_update_shows_the_difference(upstream):
    upstream.ok("lock")
    assert upstream.ok("up", "--locked", "--", "cat", "/agent").out == "1.0.0\n", "a lock settles the version"
    publish(upstream, "1.2.0\n")
    assert "updating layer low\n" in upstream.ok("lock").out
    outcome = upstream.ok("update", "agent")
    assert outcome.out == "updating layer agent 1.0.0 -> 1.2.0\nsheaf.lock is updated\n", outcome
    assert upstream.ok("up", "--locked", "--", "cat", "/agent").out == "1.2.0\n"
    assert upstream.ok("update", "agent").out == "sheaf.lock is up to date\n"
    upstream.layer("side", "RUN head -c 8 /dev/urandom | od -An -tx1 > /side\n")
    upstream.ok("lock")
    assert upstream.ok("update").out == "updating layer side\nsheaf.lock is updated\n"
    upstream.ok("up", "--locked", "--", "true")
    # The lock is this project's alone: in another one of this store the agent is not settled.
    other = sheaf.tiny_project(upstream.machine, "other")
    shutil.copytree(upstream.path / ".sheaf", other.path / ".sheaf", dirs_exist_ok=True)
    other.write("sheaf.yml", "agents: [agent]\n")
    assert other.shell("cat /agent") == "latest\n"


def test_a_locked_stack_is_the_same_elsewhere_or_refused(upstream, other, account):
    upstream.layer("side", "RUN head -c 8 /dev/urandom | od -An -tx1 > /side\n")
    upstream.ok("lock")
    before = upstream.shell("cat /side")
    cache = upstream.machine.directory("cache")
    copy = sheaf.Project(other)
    shutil.copytree(upstream.path, copy.path, dirs_exist_ok=True)
    other.give(copy.path)
    outcome = copy.sheaf("up", "--locked", "--", "true")
    assert outcome.code != 0 and "the layer 'side' came out as" in outcome.err and "sheaf.lock has" in outcome.err
    # Without --locked that is only said.
    assert "'sheaf lock' accepts that" in copy.ok("up", "--", "true").err
    # A cache has the very layer.
    upstream.ok("refresh", "side")  # writes another one into the lock, and builds it
    shutil.copy(upstream.path / "sheaf.lock", copy.path / "sheaf.lock")
    third = sheaf.Project(upstream.machine, "third")
    shutil.copytree(upstream.path, third.path, dirs_exist_ok=True)
    upstream.machine.give(third.path)
    assert third.ok("up", "--locked", "--", "cat", "/side").out == upstream.shell("cat /side") != before
    assert cache.is_dir()


def test_wrong_lock_files(upstream):
    upstream.write("sheaf.lock", "version: 1\nlayers:\n  side: {recipe: abc, content: 12, versoin: 1}\n")
    outcome = upstream.sheaf("plan")
    assert outcome.code != 0
    for message in ("sheaf.lock:3:18", "'abc' is no digest", "'12' is no digest", "unknown key 'versoin'"):
        assert message in outcome.err, outcome
    upstream.write("sheaf.lock", "version: 2\nlayers: {}\n")
    assert "reads lock files of version 1 only" in upstream.sheaf("plan").err


def test_what_a_project_says_of_versions_counts_for_it_alone(machine):
    """A project's own layer below an agent answers for it: that must not become the version of other projects."""
    names = ("honest", "other")
    projects = {name: sheaf.tiny_project(machine, name) for name in names}
    for project in projects.values():
        project.write("sheaf.yml", "agents: [codex]\n")
        project.layer("node", "RUN mkdir -p /usr/bin && printf '#!/bin/sh\\necho 6.6.6 > /made\\necho 6.6.6\\n' > /usr/bin/npm"
                      " && chmod 755 /usr/bin/npm\n", "kind: toolchain\n")
    projects["other"].ok("refresh", "codex", "--base", "base")
    assert "codex of " in (machine.store / "pins.json").read_text()
    assert projects["honest"].shell("cat /made") == "6.6.6\n"
    (line,) = [layer for layer in projects["other"].ok("plan", "--json").json()["layers"] if layer["name"] == "codex"]
    assert line["state"] == "reused", line
    pins = json.loads((machine.store / "pins.json").read_text())["layers"]
    assert list(pins) == [f"codex of {projects['other'].path}"], pins


def test_two_refreshes_at_once_both_count(upstream):
    second = AGENT.replace("kind: agent", "kind: tool")
    upstream.layer("tool", "ARG VERSION\nRUN echo $VERSION > /tool\n", second)
    upstream.write("sheaf.yml", "layers: [side, tool]\nagents: [agent]\n")
    upstream.ok("lock")
    publish(upstream, "3.0.0\n")
    upstream.ok("lock")
    started = [upstream.start("refresh", name) for name in ("agent", "tool")]
    outcomes = [sheaf.finish(process) for process in started]
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert (upstream.path / "sheaf.lock").read_text().count('version: "3.0.0"') == 2
    assert upstream.ok("up", "--locked", "--", "cat", "/agent", "/tool").out == "3.0.0\n3.0.0\n"


def test_a_damaged_lock_is_written_anew(upstream):
    upstream.ok("lock")
    text = (upstream.path / "sheaf.lock").read_text()
    for damage in ("<<<<<<< ours\n" + text, "", text[:-40] + "\x01", text.replace("1.0.0", "a\\nb; touch /x")):
        upstream.write("sheaf.lock", damage)
        assert upstream.sheaf("plan").code != 0
        outcome = upstream.ok("lock")
        assert "sheaf.lock is written anew" in outcome.err, outcome
        assert (upstream.path / "sheaf.lock").read_text() == text
    (upstream.path / "sheaf.lock").unlink()
    os.mkfifo(upstream.path / "sheaf.lock")
    outcome = upstream.sheaf("plan", timeout=20)
    assert outcome.code != 0 and "is no plain file" in outcome.err, outcome


def test_images_have_no_layers_to_lock(upstream):
    upstream.write("sheaf.yml", "image: localhost/some:1\n")
    for words in (("lock",), ("refresh",), ("update",), ("test",), ("why", "low")):
        outcome = upstream.sheaf(*words)
        assert outcome.code == 2 and "there are no layers" in outcome.err, outcome
    upstream.write("sheaf.lock", "version: 1\nlayers: {}\n")
    outcome = upstream.sheaf("up", "--locked", "--", "true")
    assert outcome.code == 2 and "uses an image as it is" in outcome.err, outcome


def test_a_base_that_was_built_here_is_locked(upstream, machine):
    image = upstream.machine.directory("image")
    (image / "busybox").write_bytes(sheaf.busybox())
    (image / "Dockerfile").write_text(
        "FROM scratch\nCOPY --chmod=755 busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n"
        "RUN mkdir -p /etc && printf 'root:x:0:0::/:/bin/sh\\ndev:x:1000:1000::/:/bin/sh\\n' > /etc/passwd && mkdir -p /workspace /tmp\n"
        "USER dev\n")
    machine.give(image)
    project = sheaf.Project(machine, "based")
    project.write("sheaf.yml", "base: localhost/own:1\nlayers: [tool]\n")
    project.layer("base", "", "kind: base\nfamilies: [deb]\n")
    project.layer("tool", "RUN echo tool > /tool\n")
    machine.ok("build", "-t", "localhost/own:1", image)
    project.ok("lock")
    assert project.ok("up", "--locked", "--", "cat", "/tool").out == "tool\n"
    assert project.ok("up", "--", "cat", "/tool").out == "tool\n"
    (image / "Dockerfile").write_text((image / "Dockerfile").read_text() + "LABEL new=1\n")
    machine.ok("build", "-t", "localhost/own:1", image)
    # The name stands for another image now; what was locked is still what is used.
    assert project.ok("up", "--locked", "--", "cat", "/tool").out == "tool\n"
