# SPDX-License-Identifier: Apache-2.0
"""The join on real Debian layers: every subset of seven toolchains, the whole set against a sequential build."""

import itertools
import pathlib

import pytest

from sheaf import Account, Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
APT = "RUN apt-get install -y --no-install-recommends "
TOOLCHAINS = {
    "build": APT + "build-essential\n",
    "go": APT + "golang-go\n",
    "java": APT + "openjdk-17-jdk-headless maven\n",
    "node": APT + "nodejs npm\n",
    "python": APT + "python3 python3-pip python3-venv\n",
    "rust": APT + "rustc cargo\n",
    "tools": APT + "git openssh-client ripgrep jq\n",
}
AGENTS = {"codex": "@openai/codex", "opencode": "opencode-ai"}
BASE = """\
    kind: base
    bootstrap:
      tool: mmdebstrap
      suite: bookworm
      variant: minbase
      packages: [adduser, ca-certificates, perl]
    """
# What a joined root may hold otherwise than the sequential one: docs/concepts/equivalence.md. At most three.
EXCEPTIONS = 3

CHECK = "test -z \"$(dpkg --audit 2>&1)\" && apt-get check -qq"
TRY = {
    "build": "printf 'int main(){return 0;}' > t.c && gcc t.c -o t && ./t && make --version",
    "go": "printf 'package main\\nfunc main(){println(42)}' > t.go && go run t.go",
    "java": "printf 'class T{public static void main(String[] a){System.out.print(42);}}' > T.java && java T.java",
    "node": "node -e 'console.log(42)' && npm --version",
    "python": "python3 -c 'import ssl, sqlite3, venv' && pip3 --version",
    "rust": "printf 'fn main(){println!(\"42\");}' > t.rs && rustc t.rs && ./t && cargo --version",
    "tools": "git --version && rg --version && jq --version && ssh -V",
    "codex": "codex --version",
    "opencode": "opencode --version",
}


class Bench:
    """One store with all layers built, each alone on what it needs."""

    def __init__(self, machine):
        self.machine = machine
        self.project = Project(machine)
        self.project.layer("base", "RUN useradd --uid 1000 --create-home dev && mkdir /workspace && chown dev /workspace\n"
                           "WORKDIR /workspace\nUSER dev\n", settings=BASE)
        for name, commands in TOOLCHAINS.items():
            self.project.layer(name, commands, "kind: toolchain\n")
        for name, package in AGENTS.items():
            self.project.layer(name, f"RUN npm install -g --no-audit --no-fund {package}\n", "kind: agent\nneeds: [node]\n")
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        self.first = self.sheaf("build", *self.selection([*TOOLCHAINS, *AGENTS]), "--progress", "json")
        copy_downloads(machine.store / "cache", cache_folder())

    @staticmethod
    def selection(names):
        return ["--layers", ",".join(names)]

    def sheaf(self, *words):
        return self.project.sheaf(*words, timeout=LONG)

    def inside(self, names, script):
        """Runs as root: `dev` of this base has no sudo."""
        self.project.write("sheaf.yml", "")
        return self.sheaf("up", "--strict", *self.selection([*names, "asroot"]), "--", "/bin/sh", "-c", script)


@pytest.fixture(scope="module")
def bench():
    """One account only, since this takes minutes: root if it can be; test_polyglot and test_adversarial do both."""
    with machine_for(Account.caller()) as machine:
        made = Bench(machine)
        # USER of a layer of kind project says as whom commands run.
        made.project.layer("asroot", "USER root\n", "kind: project\n")
        yield made


def test_every_layer_is_built_alone(bench):
    assert bench.first.code == 0, bench.first
    assert len(bench.first.subjects("begin")) == 1 + len(TOOLCHAINS) + len(AGENTS)


def test_every_subset_joins_and_satisfies_dpkg_and_apt(bench):
    failed = []
    for size in range(1, len(TOOLCHAINS) + 1):
        for names in itertools.combinations(TOOLCHAINS, size):
            outcome = bench.inside(names, CHECK)
            if outcome.code != 0:
                failed.append((names, str(outcome)))
    assert not failed, f"{len(failed)} of 127: {failed[0]}"


def test_all_of_it_works(bench):
    names = [*TOOLCHAINS, *AGENTS]
    script = "set -e; export HOME=/root; cd /tmp; dpkg -V; " + "; ".join(f"{TRY[name]} >/dev/null" for name in names)
    outcome = bench.inside(names, script)
    assert outcome.code == 0, outcome


@pytest.mark.parametrize("names", [("python",), ("node", "rust"), ("build", "go", "java", "tools"), tuple(TOOLCHAINS)])
def test_one_more_package_installs_and_goes_again(bench, names):
    deb = next(iter(sorted((bench.machine.store / "cache" / "apt").glob("adduser_*.deb"))))
    assert deb.is_file()
    script = """set -e
        mkdir -p /tmp/p/DEBIAN && printf 'Package: one-more\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@example.org>\\nDescription: t\\n' > /tmp/p/DEBIAN/control
        mkdir -p /tmp/p/etc && echo x > /tmp/p/etc/one-more && dpkg-deb -b /tmp/p /tmp/one-more.deb >/dev/null
        apt-get install -y -qq /tmp/one-more.deb >/dev/null && test -e /etc/one-more
        apt-get purge -y -qq one-more >/dev/null && test ! -e /etc/one-more
        test -z "$(dpkg --audit)" && apt-get check -qq
        apt-get autoremove -s | grep -q '^0 upgraded, 0 newly installed, 0 to remove'
        """
    outcome = bench.inside(names, script)
    assert outcome.code == 0, outcome


def test_the_whole_set_equals_the_sequential_build(bench):
    outcome = bench.sheaf("verify", "--equivalence", "--json", *bench.selection([*TOOLCHAINS, *AGENTS]))
    result = outcome.json()
    unexplained = [d for d in result["differences"] if d["class"] == "differs" or d["reason"] is None]
    assert outcome.code == 0 and result["unexplained"] == 0, unexplained
    known = [d["path"] for d in result["differences"] if d["class"] == "known exception"]
    assert len(known) <= EXCEPTIONS, known
    packages = result["packages"]
    assert packages["joined"] == packages["sequential"] and packages["joined"] > 500
    assert packages["differences"] == []


def test_a_scanner_sees_the_packages_of_all_layers(bench):
    """Only the status file is read, as scanners of exported images do."""
    lowers = bench.sheaf("join", *TOOLCHAINS).out.split()
    status = next(pathlib.Path(lower) / "var/lib/dpkg/status" for lower in reversed(lowers)
                  if (pathlib.Path(lower) / "var/lib/dpkg/status").exists())
    stanzas = [stanza for stanza in status.read_text().split("\n\n") if stanza.strip()]
    seen = sorted(dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")["Package"]
                  for stanza in stanzas)
    listed = bench.inside(TOOLCHAINS, "dpkg-query -W -f '${Package}\\n'").out.split()
    assert seen == sorted(listed) and len(seen) == len(stanzas)
