# SPDX-License-Identifier: Apache-2.0
"""No layer holds what names one machine: each start makes its own. Servers of Debian run on what is made."""

import re

import pytest

from sheaf import Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 900
INSTALL = "RUN apt-get install -y --no-install-recommends"
SERVERS = {"ssh-server": "openssh-server", "postgres": "postgresql", "redis": "redis-server"}


class Bench:
    """One account's store with all servers built."""

    def __init__(self, machine):
        self.machine = machine
        self.project = Project(machine)
        for name, package in SERVERS.items():
            self.project.layer(name, f"{INSTALL} {package}\n")
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        self.built = self.project.sheaf("build", "--layers", ",".join(SERVERS), timeout=LONG)
        copy_downloads(machine.store / "cache", cache_folder())

    def shell(self, script, *layers, user="root"):
        """What `script` prints, run by root inside."""
        sudo = ["sudo"] if user == "root" else []
        outcome = self.project.sheaf("up", "-q", "--layers", ",".join(layers), "--", *sudo, "/bin/bash", "-c", script,
                                     timeout=LONG)
        assert outcome.code == 0, outcome
        assert outcome.err == "", outcome
        return outcome.out

    def tree(self, name):
        key = self.project.ok("layer", "show", name, "--json").json()["content_key"].removeprefix("sha256:")
        return self.machine.store / "layers" / key / "tree"


@pytest.fixture(scope="module")
def bench(account):
    with machine_for(account) as machine:
        made = Bench(machine)
        assert made.built.code == 0, made.built
        yield made


def test_nothing_that_names_a_machine_is_in_a_layer(bench):
    for name in ("base", *SERVERS):
        tree = bench.tree(name)
        for pattern in ("etc/machine-id", "var/lib/dbus/machine-id", "etc/ssh/ssh_host_*", "etc/ssl/*/ssl-cert-snakeoil*",
                        "var/lib/postgresql/*/*/*"):
            assert list(tree.glob(pattern)) == [], (name, pattern)
    assert (bench.tree("postgres") / "var/lib/postgresql").is_dir()


def test_every_run_has_a_machine_id_of_its_own(bench):
    first, second = (bench.shell("cat /etc/machine-id", "redis", user="dev") for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{32}\n", first), first
    assert first != second


def test_every_run_has_host_keys_of_its_own(bench):
    script = "mkdir -p /run/sshd && sshd -t && cat /etc/ssh/ssh_host_ed25519_key.pub && stat -c %a /etc/ssh/ssh_host_*_key"
    first, second = (bench.shell(script, "ssh-server") for _ in range(2))
    assert first.startswith("ssh-ed25519 ")
    assert first.splitlines()[1:] == ["600", "600", "600"]
    assert first != second


def test_postgres_starts_on_a_cluster_of_its_own(bench):
    script = """pg_ctlcluster 15 main start && cd / &&
        sudo -u postgres psql -Atc 'select 1; select system_identifier from pg_control_system()' &&
        stat -c '%U %a' /var/lib/postgresql/15/main && openssl x509 -in /etc/ssl/certs/ssl-cert-snakeoil.pem -noout -serial"""
    first, second = (bench.shell(script, "postgres").splitlines() for _ in range(2))
    assert first[0] == "1"
    assert first[2] == "postgres 700"
    assert first[1] != second[1]
    assert first[3] != second[3]


def test_a_layer_may_change_the_configuration_of_a_cluster(bench):
    bench.project.layer("tuned", "RUN echo \"work_mem = '33MB'\" >> /etc/postgresql/15/main/postgresql.conf\n",
                        "kind: tool\nneeds: [postgres]\n")
    script = "service postgresql start >/dev/null && cd / && sudo -u postgres psql -Atc 'show work_mem'"
    assert bench.shell(script, "tuned") == "33MB\n"


def test_redis_answers(bench):
    script = "service redis-server start >/dev/null 2>&1; for i in $(seq 50); do redis-cli ping && break; sleep 0.1; done 2>/dev/null"
    assert bench.shell(script, "redis").split()[-1] == "PONG"


def test_a_layer_may_keep_what_would_be_dropped(bench):
    bench.project.layer("kept", "RUN echo x > /var/log/audit.log && echo y > /opt/state\n", """\
        kind: tool
        capture:
          - {path: var/log/audit.log, class: keep, reason: read by a test}
          - {path: opt/state, class: runtime, reason: says nothing}
        """)
    assert bench.shell("cat /var/log/audit.log; ls /opt", "kept") == "x\n"
    shown = bench.project.ok("layer", "show", "--capture", "--json", "kept").json()
    assert shown["rules"][0] == {"path": "var/log/audit.log", "class": "keep", "reason": "read by a test",
                                 "target": None, "from": "layer"}
    assert shown["dropped"]["runtime"] >= 1
    assert "says nothing" in bench.project.ok("layer", "show", "--capture", "kept").out


def test_a_missing_account_command_is_named(project):
    """The tiny base has none; the message is that of the command in whose place ours stands."""
    project.layer("a", "RUN useradd -r svc\n")
    outcome = project.sheaf("up", "--layers", "a", "--", "/bin/true")
    assert outcome.code == 3 and "| useradd: not found" in outcome.err, outcome
