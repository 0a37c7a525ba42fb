# SPDX-License-Identifier: Apache-2.0
"""Layers of the family rpm with the real rpm and dnf: Debian has both, so that a Debian which says it is a Fedora, with a
repository of small packages made by rpmbuild, is the base. What Fedora's own packages do, only a Fedora shows."""

import pytest

from sheaf import Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
BASE = """\
kind: base
bootstrap:
  {tool: mmdebstrap, suite: bookworm, variant: minbase, packages: [createrepo-c, dnf, rpm]}
"""
OS_RELEASE = 'ID=fedora\\nVERSION_ID=44\\nNAME="Fedora Linux"\\nPRETTY_NAME="Fedora Linux 44 (made by tests)"\\n'
SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: the package {name}
License: none
BuildArch: noarch
AutoReqProv: no
{tags}
%description
The package {name}.
%install
mkdir -p %{{buildroot}}/usr/share/{name} %{{buildroot}}/etc
echo {name} {version} > %{{buildroot}}/usr/share/{name}/readme
echo {name} > %{{buildroot}}/etc/{name}.conf
%files
%dir /usr/share/{name}
/usr/share/{name}/readme
%config(noreplace) /etc/{name}.conf
"""
PACKAGES = {
    "floor": SPEC.format(name="floor", version="1.0", tags=""),
    "common": SPEC.format(name="common", version="2.0", tags=""),
    "alpha": SPEC.format(name="alpha", version="1.0", tags="Requires: common\nRequires: floor"),
    "beta": SPEC.format(name="beta", version="3.1", tags="Requires: common"),
}
COMMANDS = f"""\
COPY specs /specs/
RUN mkdir -p /etc/rpm /usr/lib/sysimage/rpm /srv/repository /etc/yum.repos.d /etc/dnf/vars && \\
    printf '%%_dbpath /usr/lib/sysimage/rpm\\n' > /etc/rpm/macros && \\
    for spec in /specs/*; do \\
      rpmbuild -bb --quiet --define '_topdir /tmp/top' --define '_rpmdir /srv/repository' "$spec" || exit 1; \\
    done && \\
    createrepo_c --quiet /srv/repository && \\
    printf '[own]\\nname=own\\nbaseurl=file:///srv/repository\\ngpgcheck=0\\n' > /etc/yum.repos.d/own.repo && \\
    echo 44 > /etc/dnf/vars/releasever && \\
    rm -r /specs /tmp/top && \\
    dnf install -y floor
RUN printf '{OS_RELEASE}' > /usr/lib/os-release && \\
    useradd --uid 1000 --create-home --shell /bin/bash dev && mkdir -p /workspace && chown dev:dev /workspace
"""


class Bench:
    def __init__(self, machine, publisher):
        for each in (machine, publisher):
            copy_downloads(cache_folder(), each.store / "cache")
            each.give(each.store)
        maker = Project(publisher)
        specs = {f"specs/{name}.spec": spec for name, spec in PACKAGES.items()}
        maker.layer("base", COMMANDS, settings=BASE, **specs)
        made = maker.ok("build", "--json", timeout=LONG).json()
        layout = publisher.directory("exports") / "layout"
        maker.ok("export", made["image"], "--format", "oci-dir", "-o", layout, timeout=LONG)
        copy_downloads(publisher.store / "cache", cache_folder())
        self.project = Project(machine)
        # What the built-in base has for rpm is Fedora's: this one has nothing for it, and the image is used as it is.
        self.project.layer("base", "", settings="kind: base\nfamilies: [deb]\n")
        for name in ("alpha", "beta"):
            self.project.layer(name, f"RUN dnf install -y {name}\n", "kind: tool\nfamilies: [rpm]\n")
        self.project.layer("debs", "RUN apt-get install -y hello\n", "kind: tool\nfamilies: [deb]\n")
        publisher.folder.chmod(0o755)
        self.project.write("sheaf.yml", f"base: oci-layout://{layout}\nlayers: [alpha, beta]\n")
        self.first = self.project.sheaf("up", "--progress", "json", "--", "true", timeout=LONG)

    def shell(self, script, *words):
        return self.project.shell(script, *words).splitlines()


@pytest.fixture(scope="module")
def bench(account):
    with machine_for(account) as machine, machine_for(account) as publisher:
        yield Bench(machine, publisher)


def test_layers_are_built_by_dnf(bench):
    outcome = bench.first
    assert outcome.code == 0, outcome
    assert outcome.subjects("begin") == ["layer alpha", "layer base", "layer beta"], outcome
    assert "(rpm, Fedora Linux 44 (made by tests))" in outcome.err, outcome


def test_both_are_in_the_joined_database(bench):
    # Times of files are not looked at: those of a layer are never younger than its base.
    assert sorted(bench.shell("rpm -qa --qf '%{name} %{version}\\n' 2>/dev/null")) == [
        "alpha 1.0", "beta 3.1", "common 2.0", "floor 1.0"]
    assert bench.shell("rpm -Va --nomtime 2>&1 | grep -v '^rpm: '; rpmdb --verifydb 2>&1 | grep -v '^rpm: '; cat /usr/share/*/readme | sort") == [
        "alpha 1.0", "beta 3.1", "common 2.0", "floor 1.0"]
    assert bench.shell("rpm -q --whatrequires common --qf '%{name}\\n' 2>/dev/null | sort") == ["alpha", "beta"]


def test_packages_can_be_removed_and_installed(bench):
    script = """\
        set -e
        dnf -q remove -y alpha >/dev/null
        test ! -e /usr/share/alpha
        rpm -qa --qf '%{name}\\n' 2>/dev/null | sort
        dnf -q install -y alpha >/dev/null
        rpm -q alpha 2>/dev/null
        dnf -q check
        """
    assert bench.shell(script) == ["beta", "common", "floor", "alpha-1.0-1.noarch"]


def test_one_layer_alone_has_its_packages_only(bench):
    assert sorted(bench.shell("rpm -qa --qf '%{name}\\n' 2>/dev/null", "--layers", "beta")) == ["beta", "common", "floor"]


def test_layers_of_other_families_do_not_fit(bench):
    outcome = bench.project.sheaf("up", "--layers", "debs", "--", "true")
    assert outcome.code != 0 and "layer 'debs' is for deb, but the base" in outcome.err, outcome
