# SPDX-License-Identifier: Apache-2.0
"""`sheaf build --platform A,B`: one name, an image for each. Nothing of another architecture is run here."""

import json
import platform
import subprocess
import tarfile

import sheaf

HERE, THERE = ("arm64", "amd64") if platform.machine() == "aarch64" else ("amd64", "arm64")
BOTH = f"linux/{HERE},linux/{THERE}"


def context(machine, final, name="context"):
    """A stage that runs here and says what it builds for; `final` follows."""
    folder = machine.directory(name)
    (folder / "busybox").write_bytes(sheaf.busybox())
    (folder / "busybox").chmod(0o755)
    (folder / "Dockerfile").write_text(
        "FROM --platform=$BUILDPLATFORM scratch AS tools\nCOPY busybox /bin/busybox\n"
        "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nARG TARGETARCH\nRUN echo made for $TARGETARCH > /made\n" + final)
    machine.give(folder)
    return folder


def shown(machine, image):
    """Architecture and what /made says."""
    file = machine.home / "root.tar"
    machine.ok("export", image, "--format", "tar", "-o", file)
    with tarfile.open(file) as tar:
        said = tar.extractfile("made").read().decode().split()[-1]
    return machine.ok("image", "show", image, "--json").json()["architecture"], said


def fetched(address):
    kinds = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"]
    command = ["curl", "-sf", *(word for kind in kinds for word in ("-H", f"Accept: {kind}")), address]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_an_index_in_a_registry(machine, other, server, account):
    repository = f"index-{account.name}"
    name = f"{server.address}/{repository}:1"
    folder = context(machine, "FROM scratch\nCOPY --from=tools /made /made\nENV A=1\n")
    made = machine.ok("build", "--push", "--platform", BOTH, "-t", name, folder, "--json").json()
    index = fetched(f"{server.url}/v2/{repository}/manifests/1")
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == [HERE, THERE]
    assert made["containerimage.descriptor"]["mediaType"] == index["mediaType"]
    assert "containerimage.config.digest" not in made and made["image.name"] == name
    assert shown(machine, name) == (HERE, HERE), "in the store the name is this machine's image"
    other.ok("pull", name)
    assert shown(other, name) == (HERE, HERE)
    other.ok("pull", "--platform", f"linux/{THERE}", name)
    assert shown(other, name) == (THERE, THERE)
    # A stage takes the image of its platform, and the name here stays what it is.
    onward = context(other, f"FROM {name}\nCOPY busybox /more\n", "onward")
    other.ok("pull", name)
    other.ok("build", "--platform", f"linux/{THERE}", "-t", "localhost/onward", onward)
    assert shown(other, "localhost/onward") == (THERE, THERE)
    assert shown(other, name) == (HERE, HERE)


def test_files_with_several_platforms(machine, account):
    folder = context(machine, "FROM scratch\nCOPY --from=tools /made /made\n")
    layout, files = machine.home / "layout.tar", machine.home / "files"
    machine.ok("build", "--platform", BOTH, "-o", f"type=oci,dest={layout},name=localhost/both:1", "-o",
               f"type=local,dest={files}", folder)
    assert (files / f"linux_{THERE}/made").read_text() == f"made for {THERE}\n"
    machine.ok("import", "--platform", f"linux/{THERE}", layout)
    assert shown(machine, "localhost/both:1") == (THERE, THERE)
    for kind in ("docker", "tar"):
        refused = machine.run("build", "--platform", BOTH, "-o", f"type={kind},dest={machine.home}/x", folder)
        assert refused.code == 7 and "one platform" in refused.err, refused


def test_programs_of_another_platform_are_not_run(machine):
    folder = context(machine, "FROM scratch\nCOPY --from=tools / /\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n"
                              "RUN echo > /run\n")
    outcome = machine.run("build", "--platform", f"linux/{HERE},linux/mips64le", folder)
    assert outcome.code == 7 and "runs no programs for linux/mips64le" in outcome.err, outcome
    assert "binfmt_misc" in outcome.err and "RUN echo" in outcome.err
