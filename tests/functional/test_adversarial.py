# SPDX-License-Identifier: Apache-2.0
"""Layers made to get in each other's way, on a small Debian base: each group ends equal to its sequential build, or as
the named conflict with its remedy carried out.

Needs the network, and openssl(1) on this machine to make a certificate authority.
"""

import contextlib

import pytest

from sheaf import IS_ROOT, Project, accounts, machine_for
from test_generated import PAGE, SCHEMA, authority
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
APT = "RUN apt-get install -y --no-install-recommends "
BASE = """\
    kind: base
    bootstrap:
      tool: mmdebstrap
      suite: bookworm
      variant: minbase
      packages: [adduser, ca-certificates, ed, perl, tree]
    """
# A package of this test, made by the layer that installs it: $1 is its version, $2 what its program prints.
MAKE_DEB = r"""#!/bin/sh
set -e
root=$(mktemp -d)
mkdir -p $root/DEBIAN $root/usr/bin $root/etc
printf 'Package: sheaf-tool\nVersion: %s\nArchitecture: all\nMaintainer: Sheaf <sheaf@example.org>\nDescription: tool\n' $1 >$root/DEBIAN/control
printf '/etc/sheaf-tool.conf\n' >$root/DEBIAN/conffiles
printf '#!/bin/sh\necho %s\n' "$2" >$root/usr/bin/sheaf-tool
printf 'colour = green\nsize = 1\n' >$root/etc/sheaf-tool.conf
chmod -R u=rwX,go=rX $root && chmod 755 $root/usr/bin/sheaf-tool
dpkg-deb --root-owner-group --build $root /tmp/sheaf-tool.deb
apt-get install -y --allow-downgrades /tmp/sheaf-tool.deb
rm -rf $root /tmp/sheaf-tool.deb
"""


def tool(version: str) -> str:
    return f"COPY make-deb /tmp/make-deb\nRUN sh /tmp/make-deb {version} 'tool {version}' && rm /tmp/make-deb\n"


REPLACES_BASE = "kind: tool\nreplaces: [base]\n"


def schema(name: str) -> str:
    folder = "/usr/share/glib-2.0/schemas"
    return APT + (f"libglib2.0-bin\nCOPY s {folder}/org.sheaf.{name}.gschema.xml\n"
                  f"RUN /usr/lib/*/glib-2.0/glib-compile-schemas {folder}\n")


def locale(name: str) -> str:
    return APT + f"locales\nRUN sed -i 's/^# *{name}.UTF-8/{name}.UTF-8/' /etc/locale.gen && locale-gen\n"


def diversion(name: str, options: str) -> str:
    path = f"/usr/bin/{name}"
    return (f"RUN dpkg-divert {options} --rename --add {path} && printf '#!/bin/sh\\necho diverted {name}\\n' >{path}"
            f" && chmod 755 {path}\n")


def appended(name: str) -> str:
    return (f"RUN echo 'export OF_{name}=1' >>/etc/bash.bashrc && echo 'VALUE_{name}={name}' >>/etc/environment\n")


#: By group; each is verified alone, and all together are one stack. None of them conflicts.
GROUPS = {
    "accounts": {
        "dbus": APT + "dbus\n", "postgres": APT + "postgresql\n", "redis": APT + "redis-server\n",
        "sshd": APT + "openssh-server\n",
    },
    "alternatives": {
        "joe": APT + "joe\n", "mg": APT + "mg\nRUN update-alternatives --set editor /usr/bin/mg\n",
        "no-ed": "RUN apt-get purge -y ed\n",
    },
    "diversions": {"divert-who": diversion("who", "--local"), "divert-users": diversion("users", "--package tree")},
    "statoverrides": {
        "stat-a": "RUN dpkg-statoverride --update --add root staff 2750 /usr/bin/chage\n",
        "stat-b": "RUN groupadd --system sheafs && dpkg-statoverride --update --add root sheafs 4710 /usr/bin/expiry\n",
    },
    "debconf": {
        "zone": "RUN printf 'tzdata tzdata/Areas select Europe\\ntzdata tzdata/Zones/Europe select Berlin\\n' |"
                " debconf-set-selections && rm -f /etc/localtime /etc/timezone && dpkg-reconfigure tzdata\n",
        "asked": "RUN echo debconf debconf/priority select critical | debconf-set-selections\n",
    },
    "manuals": {
        "man": APT + "man-db\n", "joe": APT + "joe\n",
        "page": "COPY p /usr/local/share/man/man1/sheafa.1\nRUN if command -v mandb; then mandb -q; fi\n",
    },
    "fonts": {"fonts": APT + "fontconfig fonts-dejavu-core\n", "more-fonts": APT + "fontconfig fonts-freefont-ttf\n"},
    "schemas": {"blue": schema("blue"), "red": schema("red")},
    "locales": {"french": locale("fr_FR"), "german": locale("de_DE")},
    "certificates": {
        "corp": "COPY corp.crt /usr/local/share/ca-certificates/corp.crt\nRUN update-ca-certificates\n",
        "java": APT + "openjdk-17-jre-headless\n",
    },
    "capabilities": {"append-a": appended("a"), "ping": APT + "iputils-ping libcap2-bin\n"},
    "appended": {"append-a": appended("a"), "append-b": appended("b")},
    "upgrade": {"old-tool": tool("1.0"), "upgrade": tool("2.0")},
    "removal": {"append-a": appended("a"), "no-tree": "RUN apt-get purge -y tree\n"},
}
SETTINGS = {
    "divert-who": REPLACES_BASE, "divert-users": REPLACES_BASE, "zone": REPLACES_BASE,
    "upgrade": "kind: tool\nneeds: [old-tool]\n",
}
FILES = {
    "page": {"p": PAGE.format(name="sheafa", words="first sheaf page")},
    "red": {"s": SCHEMA.format(name="red")}, "blue": {"s": SCHEMA.format(name="blue")},
    "old-tool": {"make-deb": MAKE_DEB}, "upgrade": {"make-deb": MAKE_DEB},
}
WHOLE = {name: commands for group in GROUPS.values() for name, commands in group.items()}
# What an ordinary user repeats beside the whole stack: links and modes of the base's files, capabilities, accounts.
REPEATED = ("diversions", "statoverrides", "capabilities")


class Bench:
    """One account's store; layers are built when they are first asked for."""

    def __init__(self, machine):
        self.machine = machine
        self.project = Project(machine)
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        self.project.layer("base", "USER root\n", settings=BASE)
        files = {**FILES, "corp": {"corp.crt": authority(machine.folder)}}
        for name, commands in WHOLE.items():
            self.project.layer(name, commands, SETTINGS.get(name, "kind: tool\n"), **files.get(name, {}))

    def sheaf(self, command, names, *words):
        return self.project.sheaf(command, "--layers", ",".join(names), *words, timeout=LONG)

    def equal(self, *names):
        """The stack is what a sequential build makes; the outcome, for its warnings."""
        outcome = self.sheaf("verify", names, "--equivalence", "--json")
        assert outcome.code in (0, 1), outcome
        result = outcome.json()
        assert [d for d in result["differences"] if d["class"] == "DIFFERS" or not d["reason"]] == []
        assert result["packages"]["differences"] == []
        assert outcome.code == 0 and result["unexplained"] == 0
        assert set(result["layers"]) >= set(names)
        return outcome

    def inside(self, names, script):
        """What `script` prints, run by root inside: the base has no other account."""
        outcome = self.sheaf("up", names, "-q", "--", "/bin/bash", "-euc", script)
        assert outcome.code == 0, outcome
        return outcome.out

    def conflict(self, earlier, later, *texts):
        """The two are the named conflict; with the default remedy the stack equals the sequential build."""
        strict = self.sheaf("up", (earlier, later), "--strict", "--", "/bin/true")
        assert strict.code == 4, strict
        for text in (*texts, f"remedy: build layer '{later}' on top of '{earlier}'"):
            assert text in strict.err, strict
        outcome = self.equal(earlier, later)
        for text in (*texts, f"building '{later}' again on top of '{earlier}'"):
            assert text in outcome.err, outcome


def who_runs(name):
    if not IS_ROOT:
        return ("user",)
    return ("root", "user") if name in REPEATED else ("root",)


@pytest.fixture(scope="module")
def benches():
    with contextlib.ExitStack() as stack:
        made = {}

        def bench_of(who):
            if who not in made:
                machine = stack.enter_context(machine_for(accounts()[who]))
                stack.callback(copy_downloads, machine.store / "cache", cache_folder())
                made[who] = Bench(machine)
            return made[who]

        yield bench_of


@pytest.fixture
def bench(benches):
    """That of root, where there is one."""
    return benches("root" if IS_ROOT else "user")


# ---- all together ----------------------------------------------------------------------------------------------------

PROBE = {
    "dpkg": "test -z \"$(dpkg --audit 2>&1)\" && apt-get check -qq && dpkg -V | cat",
    "accounts": "stat -c '%U:%G %a %n' /usr/lib/dbus-1.0/dbus-daemon-launch-helper /etc/ssl/private /etc/redis/redis.conf"
                " /var/lib/postgresql; getent passwd messagebus postgres redis sshd | cut -d: -f3 | sort | uniq -d;"
                " find / -xdev -not -path '/workspace*' \\( -nouser -o -nogroup \\)",
    "alternatives": "readlink -f /usr/bin/editor; update-alternatives --query editor | grep -e ^Alternative -e ^Status;"
                    " find -L /etc/alternatives -name 'editor*' -type l",
    "diversions": "who; users; who.distrib --version | head -1; dpkg-divert --truename /usr/bin/users",
    "statoverrides": "stat -c '%U:%G %a %n' /usr/bin/chage /usr/bin/expiry; dpkg-statoverride --list | grep -c -e chage -e expiry",
    "debconf": "cat /etc/timezone; echo 'get tzdata/Zones/Europe' | debconf-communicate; echo 'get debconf/priority' | debconf-communicate",
    "ucf": "ucfq /etc/ssh/sshd_config /etc/postgresql-common/createcluster.conf | awk '/^\\//{print $1, $2, $3}'",
    "manuals": "apropos -e sheafa; apropos -e joe | head -1",
    "fonts": "fc-list | grep -c -e DejaVu; fc-list | grep -c FreeMono",
    "schemas": "gsettings get org.sheaf.red colour; gsettings get org.sheaf.blue colour",
    "locales": "locale -a | grep -c -e de_DE.utf8 -e fr_FR.utf8",
    "certificates": "openssl verify -CApath /etc/ssl/certs /usr/local/share/ca-certificates/corp.crt;"
                    " keytool -list -cacerts -storepass changeit 2>/dev/null | grep -c debian:corp.pem",
    "capabilities": "getcap /usr/bin/ping",
    "appended": "grep -c OF_ /etc/bash.bashrc; grep -h VALUE_ /etc/environment",
    "upgrade": "sheaf-tool; dpkg-query -W sheaf-tool",
    "removal": "command -v tree ed || echo gone",
    "servers": "pg_ctlcluster 15 main start; cd /; setpriv --reuid postgres --regid postgres --clear-groups psql -Atc 'select 1';"
               " service redis-server start >/dev/null 2>&1; for i in $(seq 50); do redis-cli ping 2>/dev/null && break; sleep 0.1; done",
}
SEEN = {
    "dpkg": "??5?????? c /etc/bash.bashrc\n",  # which two layers edited
    "accounts": "root:messagebus 4754 /usr/lib/dbus-1.0/dbus-daemon-launch-helper\nroot:ssl-cert 710 /etc/ssl/private\n"
                "redis:redis 640 /etc/redis/redis.conf\npostgres:postgres 755 /var/lib/postgresql\n",
    "alternatives": "/usr/bin/mg\nStatus: manual\n" + "".join(
        f"Alternative: /usr/bin/{name}\n" for name in ("jmacs", "joe", "jpico", "jstar", "mg", "rjoe")),
    "diversions": "diverted who\ndiverted users\nwho (GNU coreutils) 9.1\n/usr/bin/users.distrib\n",
    "statoverrides": "root:staff 2750 /usr/bin/chage\nroot:sheafs 4710 /usr/bin/expiry\n2\n",
    "debconf": "Europe/Berlin\n0 Berlin\n0 critical\n",
    "ucf": "/etc/postgresql-common/createcluster.conf postgresql-common Yes\n/etc/ssh/sshd_config openssh-server Yes\n",
    "manuals": "sheafa (1)           - first sheaf page\njoe (1)",
    "fonts": "6\n4\n",
    "schemas": "'red'\n'blue'\n",
    "locales": "2\n",
    "certificates": "/usr/local/share/ca-certificates/corp.crt: OK\n1\n",
    "capabilities": "/usr/bin/ping cap_net_raw=ep\n",
    "appended": "2\nVALUE_a=a\nVALUE_b=b\n",
    "upgrade": "tool 2.0\nsheaf-tool\t2.0\n",
    "removal": "gone\n",
    "servers": "1\nPONG\n",
}


@pytest.mark.parametrize("who", accounts())
def test_all_together_equal_the_sequential_build(benches, who):
    outcome = benches(who).equal(*WHOLE)
    assert "again on top of" not in outcome.err, outcome


@pytest.mark.parametrize("who", accounts())
def test_all_together_work(benches, who):
    mark = "@@@@"
    script = "\n".join(f"echo '{mark}{name}'\n({commands})" for name, commands in PROBE.items())
    parts = dict(part.split("\n", 1) for part in benches(who).inside(WHOLE, script).split(mark)[1:])
    for name, expected in SEEN.items():
        assert parts[name].startswith(expected) if name == "manuals" else parts[name] == expected, (name, parts[name])


def test_the_order_of_the_selection_does_not_matter(bench):
    names = list(WHOLE)
    lowers = bench.project.ok("join", *names, timeout=LONG).out
    for permuted in (names[::-1], names[1::2] + names[::2]):
        assert bench.project.ok("join", *permuted, timeout=LONG).out == lowers


# ---- each group ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who, group", [(who, group) for group in GROUPS for who in who_runs(group)])
def test_a_group_equals_the_sequential_build(benches, who, group):
    outcome = benches(who).equal(*GROUPS[group])
    assert "again on top of" not in outcome.err, outcome


# ---- named conflicts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first, second", [("1.0", "2.0"), ("2.0", "1.0")])
def test_two_versions_of_a_package(bench, first, second):
    bench.project.layer("skew-a", tool(first), **{"make-deb": MAKE_DEB})
    bench.project.layer("skew-b", tool(second), **{"make-deb": MAKE_DEB})
    bench.conflict("skew-a", "skew-b", "sheaf-tool", first, second, "'skew-a'", "'skew-b'")
    assert bench.inside(("skew-a", "skew-b"), "sheaf-tool") == f"tool {second}\n"


def test_a_package_that_one_layer_edits_and_another_removes(bench):
    needs = "kind: tool\nneeds: [old-tool]\n"
    bench.project.layer("edits", "RUN sed -i s/green/red/ /etc/sheaf-tool.conf\n", needs)
    bench.project.layer("removes", "RUN dpkg --purge sheaf-tool\n", needs)
    bench.conflict("edits", "removes", "'/etc/sheaf-tool.conf'", "deleted by one")
    assert bench.inside(("edits", "removes"), "ls /etc/sheaf-tool.conf /usr/bin/sheaf-tool 2>&1 | grep -c 'No such'") == "2\n"


def test_an_answer_for_a_package_that_another_layer_brings(bench):
    bench.project.layer("answered", "RUN echo man-db man-db/install-setuid boolean true | debconf-set-selections\n")
    bench.conflict("answered", "man", "'man-db/install-setuid'")
    assert bench.inside(("answered", "man"), "stat -c '%U %a' /usr/bin/mandb") == "man 6755\n"


def test_two_choices_of_one_alternative(bench):
    for name, program in {"likes-cat": "cat", "likes-tac": "tac"}.items():
        bench.project.layer(name, f"RUN update-alternatives --install /usr/bin/reader reader /usr/bin/{program} 10"
                                  f" && update-alternatives --set reader /usr/bin/{program}\n")
    bench.conflict("likes-cat", "likes-tac", "the status of the alternatives 'reader'")
    assert bench.inside(("likes-cat", "likes-tac"), "readlink -f /usr/bin/reader") == "/usr/bin/tac\n"


# ---- what depends on the neighbour -----------------------------------------------------------------------------------


def test_a_build_that_looks_for_a_neighbour(bench):
    look = "RUN if command -v sheaf-tool >/dev/null; then echo with; else echo without; fi >/etc/probed\n"
    bench.project.layer("probe", look)
    outcome = bench.sheaf("verify", ("old-tool", "probe"), "--equivalence", "--json")
    assert outcome.code == 1, outcome
    (difference,) = [d for d in outcome.json()["differences"] if d["class"] == "DIFFERS"]
    assert (difference["path"], difference["detail"]) == ("etc/probed", "line 1: 'without' / 'with'")
    bench.project.layer("probe", look, "kind: tool\nneeds: [old-tool]\n")
    bench.equal("old-tool", "probe")
    assert bench.inside(("probe",), "cat /etc/probed") == "with\n"
