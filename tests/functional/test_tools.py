# SPDX-License-Identifier: Apache-2.0
"""Pinned downloads of layers: building with them, `sheaf layer update`, and servers that say nonsense."""

import json

import pytest

import sheaf
from stand_ins import CATALOGUE, WITH_DOWNLOADS, Server, StandIns, archive, sha256

INSTALL = """\
ARG TOOL_URL TOOL_SHA256 TOOL_VERSION
ADD --unpack=true --checksum=sha256:${TOOL_SHA256} ${TOOL_URL} /opt/
RUN echo "${TOOL_VERSION}" > /opt/version
"""
FOLDER = ".sheaf/layers/tool"


class Upstream(Server):
    """The pages of a project that offers one tool."""

    def release(self, version: str) -> None:
        """Publishes a version, the newest from now on."""
        files = {f"tool-{version}-{arch}.tar.gz": archive("tar", {"tool": f"tool {version} for {arch}\n"})
                 for arch in ("x86_64", "aarch64")}
        self.pages |= {f"/{version}/{name}": content for name, content in files.items()}
        lines = [f"{sha256(content)}  ./{name}\n" for name, content in files.items()]
        self.pages[f"/{version}/SHA256SUMS"] = "".join(lines).encode()
        self.pages["/latest.txt"] = f"v{version}\n".encode()

    def downloads(self) -> str:
        return f"""\
# What the layer downloads.
tool:
  url: {self.url}/{{version}}/tool-{{version}}-{{arch}}.tar.gz
  arch: {{amd64: x86_64, arm64: aarch64}}
  latest: {{url: '{self.url}/latest.txt'}}
  checksums: {self.url}/{{version}}/SHA256SUMS
  version: '1.0'  # the first one
"""


@pytest.fixture
def upstream():
    started = Upstream()
    started.release("1.0")
    yield started
    started.stop()


@pytest.fixture
def layer(project, upstream):
    """A project with a layer that downloads a tool, whose checksums are not known yet."""
    project.layer("tool", INSTALL, **{"downloads.yml": upstream.downloads()})
    return project


def text_of(project) -> str:
    return (project.path / FOLDER / "downloads.yml").read_text()


def test_a_layer_is_pinned_built_and_moved_on(layer, upstream):
    refused = layer.sheaf("build", "--layers", "tool")
    assert refused.code != 0, refused
    assert "no checksum of version 1.0" in refused.err and "sheaf layer update tool" in refused.err, refused

    added = layer.ok("layer", "update", "tool")
    assert "checksums added" in added.out, added
    assert layer.shell("cat /opt/tool /opt/version", "--layers", "tool").startswith("tool 1.0 for "), added

    upstream.release("2.0")
    before = text_of(layer)
    shown = layer.ok("layer", "update", "tool", "--dry-run")
    assert "1.0" in shown.out and "2.0" in shown.out and "would write" in shown.out, shown
    assert text_of(layer) == before

    said = layer.ok("layer", "update", "--json", "--download", "tool").json()["layers"][0]
    assert said["written"] and not said["copy"] and said["path"].endswith(f"{FOLDER}/downloads.yml"), said
    assert said["downloads"][0]["old_version"] == "1.0" and said["downloads"][0]["new_version"] == "2.0", said
    after = text_of(layer)
    assert "version: '2.0'  # the first one" in after and after.startswith("# What the layer downloads."), after
    assert layer.build("--layers", "tool").subjects("begin") != []
    assert "\n2.0\n" in layer.shell("cat /opt/tool /opt/version", "--layers", "tool")

    unchanged = layer.ok("layer", "update", "tool")
    assert "wrote" not in unchanged.out and text_of(layer) == after, unchanged
    assert layer.build("--layers", "tool").subjects("begin") == [], "nothing changed, nothing is built"


def test_an_older_newest_version_is_not_taken(layer, upstream):
    upstream.pages["/latest.txt"] = b"v0.9\n"
    layer.ok("layer", "update", "tool")
    assert "version: '1.0'" in text_of(layer)


def test_only_what_has_the_checksum_is_built(layer, upstream):
    layer.ok("layer", "update", "tool")
    for path in list(upstream.pages):
        if path.endswith(".tar.gz"):
            upstream.pages[path] = archive("tar", {"tool": "something else\n"})
    outcome = layer.sheaf("build", "--layers", "tool")
    assert outcome.code != 0 and "has the digest" in outcome.err, outcome


LISTS = "/2.0/SHA256SUMS"


@pytest.mark.parametrize(("page", "content", "words", "said"), [
    ("/latest.txt", 404, [], "status 404"),
    ("/latest.txt", b"<html>come back later</html>", [], "names no version"),
    ("/latest.txt", b"v3/../../x", [], "names no version"),
    (LISTS, 404, [], "status 404"),
    (LISTS, b"<html>not found</html>", [], "names no checksum of 'tool-2.0-x86_64.tar.gz'"),
    (LISTS, b"", [], "names no checksum"),
    (LISTS, ("0" * 64 + "  tool-2.0-x86_64.tar.gz\n").encode(), [], "names no checksum of 'tool-2.0-aarch64.tar.gz'"),
    (LISTS, b"0" * 64, ["--download"], "but upstream publishes 0000"),
    ("/2.0/tool-2.0-aarch64.tar.gz", 404, ["--download"], "status 404"),
], ids=["no version", "garbage for a version", "a path for a version", "no list", "a page for a list", "empty list",
        "list without one of them", "wrong checksum", "no file"])
def test_nonsense_changes_nothing(layer, upstream, page, content, words, said):
    upstream.release("2.0")
    upstream.pages[page] = content
    before = text_of(layer)
    outcome = layer.sheaf("layer", "update", *words, "tool")
    assert outcome.code not in (0, 1) and said in outcome.err, outcome
    assert text_of(layer) == before
    assert sorted(entry.name for entry in (layer.path / FOLDER).iterdir()) == [
        "Containerfile", "downloads.yml", "layer.yml"]


def test_a_released_file_does_not_change(layer, upstream):
    layer.ok("layer", "update", "tool")
    before = text_of(layer)
    upstream.pages["/1.0/SHA256SUMS"] = b"".join(
        f"{'5' * 64}  tool-1.0-{arch}.tar.gz\n".encode() for arch in ("x86_64", "aarch64"))
    outcome = layer.sheaf("layer", "update", "tool")
    assert outcome.code != 0 and "now says that version 1.0 for amd64 has the checksum 5555" in outcome.err, outcome
    assert text_of(layer) == before


def test_without_published_checksums_the_file_is_asked(layer, upstream):
    text = "".join(line for line in text_of(layer).splitlines(True) if "checksums" not in line)
    layer.write(f"{FOLDER}/downloads.yml", text)
    refused = layer.sheaf("layer", "update", "tool")
    assert refused.code != 0 and "publishes no checksums" in refused.err and "--download" in refused.err, refused
    layer.ok("layer", "update", "--download", "tool")
    assert sha256(upstream.pages["/1.0/tool-1.0-x86_64.tar.gz"]) in text_of(layer)


def test_github_names_versions_and_checksums(project, upstream):
    upstream.release("2.0")
    names = [path.rpartition("/")[2] for path in upstream.pages if path.startswith("/2.0/tool")]
    upstream.pages["/repos/owner/tool/releases/latest"] = json.dumps({
        "tag_name": "v2.0",
        "assets": [{"name": name, "digest": "sha256:" + sha256(upstream.pages[f"/2.0/{name}"])} for name in names],
    }).encode()
    text = upstream.downloads().replace(f"{{url: '{upstream.url}/latest.txt'}}", "{github: owner/tool}")
    text = text.replace(f"{upstream.url}/{{version}}/SHA256SUMS", "github")
    project.layer("tool", INSTALL, **{"downloads.yml": text})
    project.ok("layer", "update", "tool", GITHUB_API_URL=upstream.url)
    assert all(sha256(upstream.pages[f"/2.0/{name}"]) in text_of(project) for name in names)
    upstream.pages["/repos/owner/tool/releases/latest"] = 403
    refused = project.sheaf("layer", "update", "tool", GITHUB_API_URL=upstream.url)
    assert refused.code != 0 and "set GITHUB_TOKEN" in refused.err, refused
    assert project.shell("cat /opt/version", "--layers", "tool") == "2.0\n"


def test_a_layer_of_the_user_is_changed_in_place(machine, project, upstream):
    folder = machine.home / ".config/sheaf/layers/tool"
    folder.mkdir(parents=True)
    (folder / "layer.yml").write_text("summary: a tool\nkind: tool\n")
    (folder / "Containerfile").write_text(sheaf.FROM + "USER root\n" + INSTALL)
    (folder / "downloads.yml").write_text(upstream.downloads())
    machine.give(machine.home)
    outcome = project.ok("layer", "update", "tool")
    assert f"wrote '{folder}/downloads.yml'" in outcome.out, outcome
    assert project.shell("cat /opt/version", "--layers", "tool") == "1.0\n"


def test_all_mistakes_of_the_file_are_shown(layer):
    layer.write(f"{FOLDER}/downloads.yml", "tool: {url: 'ftp://h/f', verison: 1}\nother: []\n")
    outcome = layer.sheaf("config", "check")
    assert outcome.code != 0, outcome
    for said in (f"{FOLDER}/downloads.yml:1:13: error", "did you mean 'version'?", "must be a map"):
        assert said in outcome.err, outcome


def test_what_cannot_be_updated_says_so(layer):
    unknown = layer.sheaf("layer", "update", "tol")
    assert unknown.code == 5 and "did you mean 'tool'?" in unknown.err, unknown
    without = layer.sheaf("layer", "update", "gh")
    assert without.code != 0 and "downloads nothing that is pinned" in without.err, without


def test_every_built_in_layer_with_downloads_is_planned(project):
    project.write("sheaf.yml", "family: deb\n")
    outcome = project.sheaf("plan", "--json", "--layers", ",".join(WITH_DOWNLOADS))
    if outcome.code == 0:
        planned = {layer["name"] for layer in outcome.json()["layers"]}
        assert set(WITH_DOWNLOADS) <= planned
    else:  # an architecture for which no checksum was found
        errors = [line for line in outcome.err.splitlines() if ": error: " in line]
        assert errors and all("no checksum of version" in line for line in errors), outcome


@pytest.fixture
def stand_ins():
    started = StandIns()
    yield started
    started.stop()


# What a layer puts into PATH.
PROGRAMS = {
    "gcloud": ["bq", "gcloud", "gsutil"],
    "k8s": ["flux", "helm", "k9s", "kubectl", "kubectx", "kubens", "stern", "talosctl"],
    "shell": ["eza", "lazygit", "starship", "ya", "yazi"],
    "tailscale": ["tailscale", "tailscaled"],
    "terraform": ["terraform"],
    "terragrunt": ["terragrunt"],
}


# install(1), which Debian's busybox lacks: -m MODE FILE… PLACE
INSTALL_PROGRAM = """\
#!/bin/sh
mode=$2
shift 2
for place; do :; done
cp "$@"
while [ $# -gt 1 ]; do
  if [ -d "$place" ]; then chmod "$mode" "$place/${1##*/}"; else chmod "$mode" "$place"; fi
  shift
done
"""


def test_built_in_layers_install_what_upstream_offers(project, stand_ins):
    """Their own Containerfiles and addresses, on archives laid out as upstream's."""
    project.layer("coreutils", "COPY --chmod=0755 install /usr/local/bin/install\n", install=INSTALL_PROGRAM)
    for name in PROGRAMS:
        stand_ins.offer(name)
        lines = (CATALOGUE / name / "Containerfile").read_text().splitlines(keepends=True)
        commands = "".join(line for line in lines[2:] if "apt-get" not in line)
        project.layer(name, commands, "kind: tool\nneeds: [coreutils]\n", **{"downloads.yml": stand_ins.here(name)})
    updated = project.ok("layer", "update", "--download", *PROGRAMS, GITHUB_API_URL=stand_ins.url)
    assert updated.out.count("checksums added") == len(stand_ins.offered), updated
    script = "".join(f"{program};" for programs in PROGRAMS.values() for program in programs)
    said = project.shell(script, "--layers", ",".join(PROGRAMS)).splitlines()
    assert len(said) == sum(len(programs) for programs in PROGRAMS.values()), said
