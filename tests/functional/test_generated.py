# SPDX-License-Identifier: Apache-2.0
"""Files that are a function of the whole root, on the Debian base: what the join made against the tools run by hand.

Needs the network, and openssl(1) on this machine to make a certificate authority.
"""

import pathlib
import re
import subprocess

import pytest

from sheaf import Project, machine_for
from test_polyglot import cache_folder, copy_downloads

LONG = 900
APT = "RUN apt-get install -y --no-install-recommends "

PAGE = """.TH {name} 1
.SH NAME
{name} \\- {words}
"""
SCHEMA = """<schemalist><schema id="org.sheaf.{name}" path="/org/sheaf/{name}/">
<key name="colour" type="s"><default>'{name}'</default></key></schema></schemalist>
"""


def authority(folder: pathlib.Path) -> str:
    """The certificate of a new authority."""
    made = folder / "corp.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key", "-out", made, "-days", "2", "-subj", "/CN=Sheaf Test Authority"],
                   check=True, capture_output=True)
    return made.read_text()


class Bench:
    def __init__(self, machine):
        self.machine = machine
        self.project = project = Project(machine)
        copy_downloads(cache_folder(), machine.store / "cache")
        machine.give(machine.store)
        project.write("sheaf.yml", "agents: none\n")
        project.layer("corp", """\
            COPY corp.crt /usr/local/share/ca-certificates/corp.crt
            RUN update-ca-certificates
            """, **{"corp.crt": authority(machine.folder)})
        project.layer("jre", APT + "openjdk-17-jre-headless\n")
        project.layer("handmade", """\
            COPY own.crt /root/own.crt
            RUN keytool -importcert -noprompt -cacerts -storepass changeit -alias byhand -file /root/own.crt
            """, settings="kind: tool\nneeds: [jre]\n", **{"own.crt": authority(machine.folder)})
        project.layer("appended", "RUN echo '# by hand' >>/etc/ssl/certs/ca-certificates.crt\n")
        project.layer("pages-a", "COPY a.1 /usr/local/share/man/man1/sheafa.1\n",
                      **{"a.1": PAGE.format(name="sheafa", words="first sheaf page")})
        project.layer("pages-b", "COPY b.1 /usr/local/share/man/man1/sheafb.1\n",
                      **{"b.1": PAGE.format(name="sheafb", words="second sheaf page")})
        project.layer("manuals", APT + "man-db\n")
        project.layer("glib", APT + "libglib2.0-bin libglib2.0-0\n")
        for name in ("red", "blue"):
            project.layer(f"schema-{name}", f"COPY s.xml /usr/share/glib-2.0/schemas/org.sheaf.{name}.gschema.xml\n",
                          **{"s.xml": SCHEMA.format(name=name)})
        project.layer("locales", APT + "locales\n")
        for name in ("de_DE", "fr_FR"):
            project.layer(f"lang-{name[:2]}", f"RUN echo '{name}.UTF-8 UTF-8' >/etc/locale.gen && locale-gen\n",
                          settings="kind: tool\nneeds: [locales]\n")
        project.layer("fonts", APT + "fontconfig fonts-dejavu-core\n")
        project.layer("more-fonts", APT + "fonts-freefont-ttf\n")
        project.layer("info", APT + "install-info\n")
        project.layer("info-page", "COPY x.info /usr/share/info/sheafx.info\n", **{"x.info": (
            "This is sheafx.\n\nINFO-DIR-SECTION Sheaf\nSTART-INFO-DIR-ENTRY\n"
            "* Sheafx: (sheafx).        Words of the sheaf.\nEND-INFO-DIR-ENTRY\n")})

    def up(self, layers: str, script: str):
        outcome = self.project.sheaf("up", "--progress", "json", "--layers", layers, "--", "/bin/bash", "-ec", script,
                                     timeout=LONG)
        copy_downloads(self.machine.store / "cache", cache_folder())
        assert outcome.code == 0, outcome
        return outcome


@pytest.fixture(scope="module")
def bench(account):
    with machine_for(account) as machine:
        yield Bench(machine)


def generated(outcome) -> list[str]:
    """What was made for the composition, in all its stages."""
    return sorted({subject for subject in outcome.subjects("end") if subject.startswith("generated ")})


FOLDER = "find /etc/ssl/certs -maxdepth 1 -printf '%f %l %m %U %G\\n' | sort; sha256sum /etc/ssl/certs/*.crt"


def test_certificates_are_as_the_tool_leaves_them(bench):
    outcome = bench.up("corp", f"({FOLDER}) >/tmp/ours; sudo update-ca-certificates --fresh >&2; ({FOLDER}) >/tmp/theirs;"
                               "diff /tmp/ours /tmp/theirs && openssl verify -CApath /etc/ssl/certs"
                               " /usr/local/share/ca-certificates/corp.crt; ls /etc/ssl/certs | wc -l")
    assert "corp.crt: OK" in outcome.out, outcome
    assert int(outcome.out.split()[-1]) > 200, outcome
    assert generated(outcome) == ["generated certificates"]


def test_the_keystore_has_an_authority_of_another_layer(bench):
    script = "keytool -list -cacerts -storepass changeit 2>/dev/null"
    both = bench.up("corp,jre", script).out
    alone = bench.up("jre", script).out
    assert "debian:corp.pem" in both and "debian:corp.pem" not in alone, both
    count = int(re.search(r"contains (\d+) entries", alone)[1])
    assert count > 100 and f"contains {count + 1} entries" in both
    assert len(re.findall("trustedCertEntry", both)) == count + 1


def test_the_keystore_has_what_the_hook_would_put_there(bench):
    listing = "keytool -list -cacerts -storepass changeit 2>/dev/null | grep -A1 trustedCert | sed 's/, [A-Z].*//' | sort"
    bench.up("corp,jre", f"{listing} >/tmp/ours; sudo rm /etc/ssl/certs/java/cacerts; "
                         "sudo touch /var/lib/ca-certificates-java/fresh 2>/dev/null || "
                         "(sudo mkdir /var/lib/ca-certificates-java && sudo touch /var/lib/ca-certificates-java/fresh); "
                         "sudo /var/lib/dpkg/info/ca-certificates-java.postinst configure >&2; "
                         f"{listing} >/tmp/theirs; test -s /tmp/theirs; diff /tmp/ours /tmp/theirs")


def test_entries_made_by_hand_stay(bench):
    outcome = bench.up("corp,handmade", "keytool -list -cacerts -storepass changeit 2>/dev/null")
    assert "byhand" in outcome.out and "debian:corp.pem" in outcome.out, outcome


def test_a_bundle_written_by_hand_stays_and_is_told(bench):
    outcome = bench.up("appended", "tail -1 /etc/ssl/certs/ca-certificates.crt")
    assert outcome.out == "# by hand\n", outcome
    outcome = bench.up("appended,corp", "tail -1 /etc/ssl/certs/ca-certificates.crt")
    assert outcome.out == "# by hand\n", outcome
    assert any("layer 'appended'" in event["text"] for event in outcome.events if event["event"] == "warning")


def test_manual_pages_of_all_layers_are_found(bench):
    outcome = bench.up("pages-a,pages-b,manuals", "apropos sheaf; apropos -e ls | grep '^ls '; "
                       "apropos . | sort >/tmp/ours; sudo -u man mandb -c -q; apropos . | sort >/tmp/theirs; "
                       "diff /tmp/ours /tmp/theirs >&2")
    assert "first sheaf page" in outcome.out and "second sheaf page" in outcome.out, outcome
    assert "generated man-db" in generated(outcome)


def test_the_same_sources_cost_no_second_run(bench):
    bench.up("pages-a,pages-b,manuals", "true")
    outcome = bench.up("pages-a,pages-b,manuals,corp", "apropos sheafa")
    assert "generated man-db" not in generated(outcome), outcome
    assert "first sheaf page" in outcome.out, outcome


def test_nothing_runs_where_the_tool_is_missing(bench):
    assert generated(bench.up("pages-a,pages-b", "test ! -e /var/cache/man/index.db")) == []


def test_schemas_of_two_layers(bench):
    outcome = bench.up("glib,schema-red,schema-blue", "gsettings get org.sheaf.red colour; "
                       "gsettings get org.sheaf.blue colour; cd /usr/share/glib-2.0/schemas; "
                       "sudo /usr/lib/*/glib-2.0/glib-compile-schemas --targetdir=/tmp .; "
                       "cmp /tmp/gschemas.compiled gschemas.compiled")
    assert outcome.out == "'red'\n'blue'\n", outcome


def test_a_locale_that_a_layer_asked_for(bench):
    assert "de_DE.utf8" in bench.up("lang-de", "locale -a").out.split()
    assert "fr_FR.utf8" in bench.up("lang-fr", "locale -a").out.split()


def test_fonts_of_two_layers(bench):
    listing = "fc-list | sort"
    outcome = bench.up("fonts,more-fonts", f"{listing} >/tmp/ours; fc-cache -v | grep -c 'skipping, existing cache'; "
                       f"sudo fc-cache -s -f; {listing} >/tmp/theirs; diff /tmp/ours /tmp/theirs >&2; cat /tmp/ours")
    assert "DejaVu" in outcome.out and "FreeMono" in outcome.out, outcome
    assert int(outcome.out.split()[0]) >= 2, "the caches must be valid for the folders' times"


def test_info_of_two_layers(bench):
    outcome = bench.up("info,info-page", "cat /usr/share/info/dir")
    assert "Words of the sheaf" in outcome.out, outcome
