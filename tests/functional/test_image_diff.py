# SPDX-License-Identifier: Apache-2.0
"""`sheaf image diff` and `sheaf image sbom` of small images that are built here."""

import json
import re

import pytest

import sheaf

BASE = """\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY base/ /
"""
STATUS = """\
Package: curl
Status: install ok installed
Architecture: amd64
Source: curl-source (7.88.1-10)
Version: {curl}

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1

"""
OS_RELEASE = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n'
GONE = json.dumps({"name": "gone", "version": "3.0.0"})
METADATA = "Name: Flask_Thing\nVersion: 2.0\nLicense: Modified BSD\n\nA thing.\n"


@pytest.fixture
def context(machine):
    """Two images in the store, `one` and `two`, the second built on the first."""
    made = sheaf.Project(machine, "context")
    made.write("busybox", sheaf.busybox())
    made.write("base/usr/lib/os-release", OS_RELEASE)
    made.write("base/var/lib/dpkg/status", STATUS.format(curl="7.88.1-10"))
    made.write("base/srv/node_modules/@scope/tool/package.json",
               json.dumps({"name": "@scope/tool", "version": "1.0.0", "license": "MIT"}))
    made.write("base/srv/node_modules/gone/package.json", GONE)
    made.write("base/etc/motd", "welcome\n")
    made.write("status", STATUS.format(curl="7.88.1-11"))
    made.write("METADATA", METADATA)
    made.write("One", BASE)
    made.write("Two", "FROM one\n"
                      "COPY status /var/lib/dpkg/status\n"
                      "COPY METADATA /usr/lib/python3/dist-packages/flask_thing-2.0.dist-info/METADATA\n"
                      "RUN rm -r /srv/node_modules/gone && chmod 600 /etc/motd && ln -s motd /etc/issue\n")
    for name in ("One", "Two"):
        made.ok("build", "-f", name, "-t", name.lower(), ".")
    return made


def test_diff_shows_packages_and_files(context):
    status = len(STATUS.format(curl="7.88.1-10"))
    assert context.ok("image", "diff", "one", "two").out.splitlines() == [
        "packages",
        "  ~ deb  curl:amd64   7.88.1-10 -> 7.88.1-11",
        "  - npm  gone         3.0.0",
        "  + pip  Flask_Thing  2.0",
        "",
        f"files: {status + len(GONE)} B gone, {status + len(METADATA)} B new",
        "  + /etc/issue  link",
        "  ~ /etc/motd  mode 0644 -> 0600",
        f"  - /srv/node_modules/gone/  1 entry, {len(GONE)} B",
        f"  + /usr/lib/python3/  3 entries, {len(METADATA)} B",
        f"  ~ /var/lib/dpkg/status  content, {status} B",
    ]


def test_diff_for_programs(context):
    diff = context.ok("image", "diff", "one", "two", "--json").json()
    assert diff["packages"] == [
        {"type": "deb", "name": "curl", "architecture": "amd64", "before": "7.88.1-10", "after": "7.88.1-11"},
        {"type": "npm", "name": "gone", "architecture": None, "before": "3.0.0", "after": None},
        {"type": "pip", "name": "Flask_Thing", "architecture": None, "before": None, "after": "2.0"}]
    files = {file["path"]: file for file in diff["files"]}
    assert files["/etc/motd"]["differs"] == ["mode"]
    assert (files["/etc/motd"]["before"]["mode"], files["/etc/motd"]["after"]["mode"]) == ("0644", "0600")
    assert files["/etc/issue"]["before"] is None and files["/etc/issue"]["after"]["target"] == "motd"
    assert files["/srv/node_modules/gone/package.json"]["after"] is None
    assert "/usr/lib/python3/dist-packages/flask_thing-2.0.dist-info/METADATA" in files
    assert "/bin/busybox" not in files


def test_diff_the_other_way_round_is_the_mirror_image(context):
    there = context.ok("image", "diff", "one", "two", "--json").json()
    back = context.ok("image", "diff", "two", "one", "--json").json()

    def mirrored(change):
        return {**change, "before": change["after"], "after": change["before"]}

    assert [mirrored(change) for change in back["files"]] == there["files"]
    assert [mirrored(change) for change in back["packages"]] == there["packages"]
    assert mirrored(back["bytes"]) == there["bytes"]


def test_nothing_differs_from_itself_or_its_rebuild(context):
    assert context.ok("image", "diff", "one", "one").out == ""
    context.ok("build", "-f", "One", "-t", "again", "--no-cache", ".")
    assert context.ok("image", "diff", "one", "again").out == ""


def test_images_that_are_not_there_are_named(context):
    for words in (("diff", "one", "nowhere"), ("diff", "nowhere", "one"), ("sbom", "nowhere")):
        outcome = context.sheaf("image", *words)
        assert outcome.code == 5, outcome
        assert "nowhere" in outcome.err
    outcome = context.sheaf("image", "sbom", "one", "--format", "xml")
    assert outcome.code == 2, outcome
    assert "'xml'" in outcome.err and "cyclonedx" in outcome.err


def test_spdx_names_every_package(context):
    document = context.ok("image", "sbom", "two").json()
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"]: package for package in document["packages"]}
    assert set(packages) == {"two:latest", "curl", "@scope/tool", "Flask_Thing"}
    assert packages["curl"]["versionInfo"] == "7.88.1-11"
    assert packages["curl"]["externalRefs"][0]["referenceLocator"] == \
        "pkg:deb/debian/curl@7.88.1-11?arch=amd64&distro=debian-12"
    assert "curl-source 7.88.1-10" in packages["curl"]["sourceInfo"]
    assert packages["@scope/tool"]["licenseDeclared"] == "MIT"
    identity = context.ok("image", "show", "two", "--json").json()["id"]
    assert packages["two:latest"]["checksums"] == [{"algorithm": "SHA256", "checksumValue": identity[len("sha256:"):]}]
    ids = {package["SPDXID"] for package in document["packages"]} | {"SPDXRef-DOCUMENT"}
    assert len(ids) == len(document["packages"]) + 1
    for relation in document["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= ids


def test_cyclonedx_names_every_package(context):
    document = context.ok("image", "sbom", "two", "--format", "cyclonedx").json()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert {component["purl"] for component in document["components"]} == {
        "pkg:deb/debian/curl@7.88.1-11?arch=amd64&distro=debian-12", "pkg:npm/%40scope/tool@1.0.0",
        "pkg:pypi/flask-thing@2.0"}
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["serialNumber"])


@pytest.mark.parametrize("form", ["spdx", "cyclonedx"])
def test_the_same_image_gives_the_same_bytes(context, form):
    first = context.ok("image", "sbom", "two", "--format", form).out
    assert context.ok("image", "sbom", "two", "--format", form).out == first
    assert context.ok("image", "sbom", "one", "--format", form).out != first


def test_an_image_without_a_name_is_called_by_its_id(context):
    identity = context.ok("image", "show", "two", "--json").json()["id"]
    context.ok("image", "rm", "two")
    for asked in (identity, identity[len("sha256:"):][:12]):
        component = context.ok("image", "sbom", asked, "--format", "cyclonedx").json()["metadata"]["component"]
        assert component["name"] == identity
        assert component["purl"].startswith(f"pkg:oci/image@{identity}?")


def test_what_cannot_be_read_is_a_warning(context):
    context.write("broken.json", "{")
    context.write("Broken", "FROM one\nCOPY broken.json /srv/node_modules/broken/package.json\n")
    context.ok("build", "-f", "Broken", "-t", "broken", ".")
    outcome = context.ok("image", "sbom", "broken")
    assert "/srv/node_modules/broken/package.json" in outcome.err
    assert "curl" in {package["name"] for package in outcome.json()["packages"]}
