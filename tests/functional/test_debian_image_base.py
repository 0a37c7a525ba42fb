# SPDX-License-Identifier: Apache-2.0
"""A small Debian in a registry as the base: the built-in base's tools and user come on top of it."""

import pytest
import registries

from sheaf import Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
MINIMAL = "kind: base\nbootstrap: {tool: mmdebstrap, suite: bookworm, variant: minbase}\n"


class Bench:
    """A registry with a Debian that has a user of its own, and a machine with a project on it."""

    def __init__(self, machine, publisher, registry):
        self.registry, self.machine = registry, machine
        self.name = f"{registry.address}/bases/debian:12"
        for each in (machine, publisher):
            copy_downloads(cache_folder(), each.store / "cache")
            each.give(each.store)
        maker = Project(publisher)
        maker.layer("base", "RUN useradd --uid 1000 --create-home --shell /bin/sh somebody && echo mine > /home/somebody/file\n"
                    "ENV MADE_BY=tests\n", settings=MINIMAL)
        made = maker.ok("build", "--json", timeout=LONG).json()
        publisher.ok("image", "tag", made["image"], self.name)
        self.digest = publisher.ok("push", self.name, "--json", timeout=LONG).json()["manifest"]
        copy_downloads(publisher.store / "cache", cache_folder())
        self.project = Project(machine)
        self.project.layer("own", "RUN apt-get install -y --no-install-recommends hello\n")
        self.project.write("sheaf.yml", f"base: {self.name}\nlayers: [own]\n")
        self.first = self.project.sheaf("up", "--progress", "json", "--", "true", timeout=LONG)
        copy_downloads(machine.store / "cache", cache_folder())

    def shell(self, script):
        return self.project.shell(script).splitlines()


@pytest.fixture(scope="module")
def bench(account, tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    with machine_for(account) as machine, machine_for(account) as publisher, registries.Registry(folder) as registry:
        yield Bench(machine, publisher, registry)


def test_it_is_fetched_and_built_upon(bench):
    outcome = bench.first
    assert outcome.code == 0, outcome
    assert outcome.subjects("begin") == ["layer base", "layer own"], outcome
    assert f"{bench.digest} (deb, Debian GNU/Linux 12 (bookworm))" in outcome.err, outcome


def test_it_has_the_tools_and_the_user_of_the_built_in_base(bench):
    assert bench.shell("id -un; id -u; pwd; sudo -n id -u; git --version >/dev/null && rg --version >/dev/null && echo tools") == [
        "dev", "1000", "/workspace", "0", "tools"]
    assert bench.shell("cat ~/file; echo $HOME $MADE_BY $REPO_ROOT; getent passwd somebody || echo renamed") == [
        "mine", "/home/dev tests /workspace", "renamed"]


def test_layers_join_with_it(bench):
    assert bench.shell("hello -g joined; dpkg --audit; dpkg-query -W -f '${Status}\\n' hello git | sort -u; sudo apt-get check -qq") == [
        "joined", "install ok installed"]
    outcome = bench.project.sheaf("verify", "--rebuild", "base", timeout=LONG)
    assert outcome.code == 0, outcome


def test_nothing_is_asked_of_the_registry_again(bench):
    bench.registry.stop()
    try:
        outcome = bench.project.ok("up", "--", "hello", "-g", "still")
        assert outcome.out == "still\n" and "nothing to do" in outcome.err, outcome
    finally:
        bench.registry.start()
