# SPDX-License-Identifier: Apache-2.0
"""`sheaf verify`: joined layers against a sequential build, and a layer against itself built again."""

import os
import pathlib
import re
import subprocess

import pytest

from sheaf import Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 900
# No apt cache files and no documentation: what the comparison is about is the databases.
BASE = """\
    kind: base
    bootstrap:
      tool: mmdebstrap
      suite: bookworm
      variant: minbase
      packages: [ca-certificates, sudo]
    """


def differing(layers):
    return {layer["name"]: layer["differences"] for layer in layers if not layer["identical"]}


def rebuild(project, *names, code=0, **options):
    outcome = project.sheaf("verify", "--rebuild", "--json", *names, **options)
    assert outcome.code == code, outcome
    return outcome.json()["layers"]


def store_state(machine):
    """Everything of the store that a user can tell apart, but downloads and logs."""
    folders = [machine.store / name for name in ("layers", "recipes", "generations") if (machine.store / name).exists()]
    able = [] if os.geteuid() == 0 and machine.account.uid == 0 else ["unshare", "--map-root-user", "--map-auto", "--"]
    listing = subprocess.run([*able, "find", *folders, "-printf", "%p %i %T@ %C@ %s\\n"], check=True,
                             capture_output=True, text=True, **({} if not able else machine.account.identity()))
    return sorted(listing.stdout.splitlines())


# ---- on the tiny base ------------------------------------------------------------------------------------------------


def test_a_layer_that_builds_the_same_again(project):
    project.layer("a", "RUN echo a > /etc/a\nCOPY note /opt/\nWORKDIR /srv/here\n", note="a note\n")
    project.build("--layers", "a")
    before = store_state(project.machine)
    (layer,) = rebuild(project, "a")
    assert layer["identical"] and layer["differences"] == []
    assert layer["content_key"] == layer["rebuilt_content_key"]
    assert any("host name" in text for text in layer["conditions"])
    assert store_state(project.machine) == before
    assert project.machine.leftovers() == []
    assert not list(pathlib.Path("/dev/shm").glob("sheaf-verify-*"))
    assert "a: bit-identical (sha256:" in project.ok("verify", "--rebuild", "a").out


def test_the_first_difference_and_its_step_are_named(project):
    project.layer("bad", """\
        RUN echo steady > /opt-first
        RUN mkdir -p /opt && head -c8 /dev/urandom > /opt/x; head -c8 /dev/urandom > /opt/y
        RUN echo steady > /opt-last
        """)
    outcome = project.sheaf("verify", "--rebuild", "bad")
    assert outcome.code == 1, outcome
    first, second = outcome.out.splitlines()[1:3]
    assert "/opt/x: contents" in first, outcome
    assert "step 2 of 3 (RUN mkdir -p /opt" in second, outcome
    assert "and 1 more" in outcome.out, outcome
    (layer,) = rebuild(project, "bad", code=1)
    assert [(d["path"], d["step"]) for d in layer["differences"]] == [("opt/x", 2), ("opt/y", 2)]
    assert layer["steps"] == 3 and not layer["identical"]


def test_a_step_sees_the_other_conditions(project):
    project.layer("name", "RUN true\nRUN hostname > /opt-name\n")
    project.layer("count", "RUN nproc > /opt-count\n")
    layers = rebuild(project, "name", code=1)
    assert [(d["path"], d["step"]) for d in layers[0]["differences"]] == [("opt-name", 2)]
    expected = {} if len(os.sched_getaffinity(0)) == 1 else {"count": ["opt-count"]}
    found = differing(rebuild(project, "count", code=1 if expected else 0))
    assert {name: [d["path"] for d in of] for name, of in found.items()} == expected


def test_a_fact_that_differs_names_its_record(project):
    project.layer("who", "RUN true\nRUN echo u:x:$(hexdump -n 3 -e '1/4 \"%u\"' /dev/urandom):1::/:/bin/sh >> /etc/passwd\n")
    (layer,) = rebuild(project, "who", code=1)
    (difference,) = layer["differences"]
    assert (difference["path"], difference["record"], difference["step"]) == ("etc/passwd", "u", 2)


@pytest.mark.parametrize("changes", [{"TZ": "Asia/Tokyo"}, {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE"}, {"SECRET": "x"}])
def test_the_callers_environment_does_not_matter(project, changes):
    project.layer("a", "RUN env | grep -v -e PATH= -e ^HOSTNAME= -e ^LD_PRELOAD= -e FAKE | sort > /etc/seen; date +%Z >> /etc/seen\n")
    project.build("--layers", "a")
    (layer,) = rebuild(project, "a", **changes)
    assert layer["identical"]


def test_the_callers_umask_does_not_matter(project):
    project.layer("a", "COPY note /opt/deep/\nWORKDIR /srv/here\nRUN echo a > /etc/a\n", note="a note\n")
    project.build("--layers", "a")
    (layer,) = rebuild(project, "a", prefix=["/bin/sh", "-c", 'umask 077; exec "$@"', "sh"])
    assert layer["identical"], layer


def test_all_layers_of_the_catalogue_that_fit(project):
    project.layer("a", "RUN echo a > /etc/a\n")
    project.layer("b", "RUN cat /etc/a > /etc/b\n", "kind: tool\nneeds: [a]\n")
    names = {layer["name"] for layer in rebuild(project, "a", "b", "base")}
    assert names == {"a", "b", "base"}


def test_equivalence_on_small_layers(project):
    project.layer("a", "RUN mkdir -p /opt/a && echo a > /opt/a/file && chmod 711 /home\n")
    project.layer("b", "RUN mkdir -p /opt/b && ln -s ../a/file /opt/b/link && rm /etc/issue && echo b > /home/b\n",
                  "kind: tool\nreplaces: [base]\n")
    outcome = project.ok("verify", "--equivalence", "--layers", "a,b")
    assert "equivalent: no unexplained difference" in outcome.out, outcome
    assert project.machine.leftovers() == []


def test_what_depends_on_the_neighbour_is_a_difference(project):
    """b behaves otherwise when a is there, without needing it: what the join cannot know and this must find."""
    project.layer("a", "RUN echo a > /etc/a\n")
    project.layer("b", "RUN if test -e /etc/a; then echo with; else echo without; fi > /etc/b\n")
    outcome = project.sheaf("verify", "--equivalence", "--layers", "a,b", "--json")
    assert outcome.code == 1, outcome
    result = outcome.json()
    assert result["unexplained"] == 1
    (difference,) = [d for d in result["differences"] if d["class"] == "DIFFERS"]
    assert difference["path"] == "etc/b" and difference["detail"] == "line 1: 'without' / 'with'"
    assert "/etc/b: contents" in project.sheaf("verify", "--equivalence", "--layers", "a,b").out


@pytest.mark.parametrize("words", [
    [], ["--equivalence", "--rebuild", "a"], ["--rebuild"], ["--equivalence", "a"], ["--rebuild", "--all", "a"],
])
def test_wrong_usage(project, words):
    outcome = project.sheaf("verify", *words)
    assert outcome.code == 2 and "hint: " in outcome.err, outcome


def test_an_unknown_layer(project):
    project.layer("known", "RUN true\n")
    outcome = project.sheaf("verify", "--rebuild", "knwon")
    assert outcome.code == 5 and "known" in outcome.err, outcome


# ---- on Debian -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def debian(account):
    """A project on a small Debian base with three layers of packages."""
    with machine_for(account) as machine:
        project = Project(machine)
        project.layer("base", "USER root\n", settings=BASE)
        for name, packages in {"jq": "jq", "tree": "tree", "redis": "redis-tools"}.items():
            project.layer(name, f"RUN apt-get install -y --no-install-recommends {packages}\n")
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        yield project
        copy_downloads(machine.store / "cache", cache_folder())


def test_equivalence_of_debian_layers(debian):
    outcome = debian.sheaf("verify", "--equivalence", "--layers", "jq,tree,redis", "--json", timeout=LONG)
    assert outcome.code == 0, outcome
    result = outcome.json()
    assert result["unexplained"] == 0
    assert result["packages"]["joined"] == result["packages"]["sequential"] > 60
    assert result["packages"]["differences"] == []
    assert result["paths"] > 5000
    assert result["files_read"] < 1000, "files of the base are the same inodes in both"
    classes = {d["class"] for d in result["differences"]}
    assert classes <= {"noise", "identity", "order only", "same facts", "known exception"}


def test_system_accounts_of_two_layers(debian):
    for name in ("alpha", "omega"):
        debian.layer(name, f"RUN useradd -r {name} && install -d -o {name} -g {name} /srv/{name}\n")
    outcome = debian.sheaf("verify", "--equivalence", "--layers", "alpha,omega", timeout=LONG)
    assert outcome.code == 0, outcome


def test_debian_layers_build_the_same_again(debian):
    outcome = debian.sheaf("verify", "--rebuild", "jq", "redis", timeout=LONG)
    assert outcome.code == 0, outcome
    assert len(re.findall(r"^(jq|redis): bit-identical", outcome.out, re.MULTILINE)) == 2, outcome


def test_the_first_difference_of_a_debian_layer(debian):
    debian.layer("bad", """\
        RUN apt-get install -y --no-install-recommends tree
        RUN date +%N > /opt/x; head -c8 /dev/urandom > /opt/y
        RUN ldconfig
        """)
    outcome = debian.sheaf("verify", "--rebuild", "bad", timeout=LONG)
    assert outcome.code == 1, outcome
    assert "/opt/x: contents" in outcome.out and "and 1 more" in outcome.out, outcome
    assert "written by step 2 of 3 (RUN date" in outcome.out, outcome


def test_what_depends_on_the_date_is_found(debian):
    """The clock is set ahead; libfaketime belongs to what the tests install."""
    debian.layer("dated", "RUN apt-get install -y --no-install-recommends tree\nRUN date +%F > /opt/day\n")
    outcome = debian.sheaf("verify", "--rebuild", "dated", timeout=LONG)
    assert outcome.code == 1, outcome
    assert "DIFFERS in 1 of" in outcome.out and "/opt/day: contents" in outcome.out, outcome
    assert "written by step 2 of 2 (RUN date +%F" in outcome.out, outcome
    assert "the clock is set ahead (+3d)" in outcome.out, outcome
