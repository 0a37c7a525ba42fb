# SPDX-License-Identifier: Apache-2.0
"""Images as the base of layers: from a registry on this machine, an OCI layout, a docker archive. They are busyboxes,
so nothing comes from the network; test_debian_image_base.py does the same with a Debian."""

import contextlib

import pytest
import registries
import sheaf

DOCKERFILE = """\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY files /
RUN mkdir -p /home/dev /tmp /workspace /srv/old && touch /etc/gone /srv/old/file && chmod 1777 /tmp && \\
    echo data > /srv/first && ln /srv/first /srv/second && echo owned > /srv/owned
RUN rm -r /etc/gone /srv/old && mkdir /srv/old && echo new > /srv/old/other && chown 12:34 /srv/owned
ENV GREETING=hello PATH=/opt/own/bin:/bin
LABEL maker=tests
"""


@pytest.fixture
def publisher(account):
    """Another machine of the same account, which makes images."""
    with sheaf.machine_for(account) as made:
        yield made


def image(machine, name, issue="one", os_release="", platform=(), dockerfile=DOCKERFILE):
    """An image in the store of `machine`."""
    folder = machine.folder / f"context-{len(list(machine.folder.iterdir()))}"
    etc = folder / "files" / "etc"
    etc.mkdir(parents=True)
    (folder / "busybox").write_bytes(sheaf.busybox())
    (folder / "Dockerfile").write_text(dockerfile)
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n")
    (etc / "group").write_text("root:x:0:\ndev:x:1000:\n")
    (etc / "issue").write_text(issue + "\n")
    if os_release:
        (etc / "os-release").write_text(os_release)
    machine.give(folder)
    machine.ok("build", "-q", "-t", name, *platform, folder)
    return name


def published(machine, name, **options):
    """Pushes such an image; its digest in the registry."""
    image(machine, name, **options)
    return machine.ok("push", name, "--json").json()["manifest"]


def project_on(machine, base, more=""):
    project = sheaf.Project(machine)
    project.layer("own", "RUN echo own > /own\n")
    project.write("sheaf.yml", f"base: {base}\nlayers: [own]\n{more}")
    return project


def notes(outcome, subject):
    return [event["text"] for event in outcome.events if event["event"] == "note" and event["subject"] == subject]


def plan_of(project, *words):
    return {layer["name"]: layer for layer in project.ok("plan", "--json", *words).json()["layers"]}


def test_an_image_of_a_registry_is_the_base(machine, publisher, servers, account):
    name = f"{servers['open'].address}/bases/{account.name}:1"
    digest = published(publisher, name)
    project = project_on(machine, name)
    assert "is not here yet" in plan_of(project)["base"]["why"]
    script = """\
        cat /etc/issue /own; echo $GREETING $PATH; test -e /etc/gone && echo deleted file is there
        ls /srv/old; stat -c %u:%g /srv/owned; test /srv/first -ef /srv/second && echo one file
        """
    outcome = project.ok("up", "--progress", "json", "--", "/bin/sh", "-c", script)
    lines = outcome.out.splitlines()
    assert lines[:2] == ["one", "own"], outcome
    assert lines[2].startswith("hello ") and "/opt/own/bin" in lines[2].split(" ")[1].split(":"), outcome
    assert lines[3:] == ["other", "12:34", "one file"], outcome
    assert outcome.subjects("begin") == ["layer base", "layer own"], outcome
    assert any(digest in text for text in notes(outcome, "base")), outcome
    assert machine.leftovers() == []
    tags = project.ok("build", "--json").json()
    assert "sheaf-l0:" + name.replace("/", "-").replace(":", "-") in machine.ok("image", "list").out, tags


def test_the_registry_is_asked_only_when_it_has_to_be(machine, publisher, account, tmp_path_factory):
    registry = registries.Registry(tmp_path_factory.mktemp("registry")).start()
    name = f"{registry.address}/bases/moving:1"
    try:
        first = published(publisher, name)
        project = project_on(machine, name)
        assert project.ok("up", "--", "/bin/cat", "/etc/issue").out == "one\n"
        registry.stop()
        again = project.ok("up", "--", "/bin/cat", "/etc/issue")
        assert again.out == "one\n" and "nothing to do" in again.err, again
        project.write("sheaf.yml", f"base: {name}\nlayers: [own]\nenv: {{A: b}}\n")
        again = project.ok("up", "--progress", "json", "--", "/bin/cat", "/etc/issue")
        assert again.out == "one\n" and again.subjects("begin") == [], again
        assert project.sheaf("up", "--pull", "--", "/bin/true").code != 0

        registry.start()
        second = published(publisher, name, issue="two")
        assert second != first
        assert plan_of(project)["base"]["state"] == "reused"
        assert project.ok("up", "--", "/bin/cat", "/etc/issue").out == "one\n"
        line = plan_of(project, "--pull")["base"]
        assert (line["state"], line["action"]) == ("stale-self", "build"), line
        assert first[:19] in line["why"] and second[:19] in line["why"] and name in line["why"], line
        assert plan_of(project)["base"]["state"] == "reused", "a plan brings nothing into the store"
        outcome = project.ok("up", "--pull", "--progress", "json", "--", "/bin/cat", "/etc/issue")
        assert outcome.out == "two\n" and outcome.subjects("begin") == ["layer base", "layer own"], outcome
        assert plan_of(project, "--pull")["base"]["state"] == "reused"
        # By its digest the older one is still there, and so is all that was built on it.
        registry.stop()
        project.write("sheaf.yml", f"base: {name.rpartition(':')[0]}@{first}\nlayers: [own]\n")
        outcome = project.ok("up", "--progress", "json", "--", "/bin/cat", "/etc/issue")
        assert outcome.out == "one\n" and outcome.subjects("begin") == [], outcome
    finally:
        registry.stop()


def test_a_pull_by_hand_counts(machine, publisher, servers, account):
    name = f"{servers['open'].address}/bases/by-hand-{account.name}:1"
    published(publisher, name)
    project = project_on(machine, name)
    project.ok("up", "--", "/bin/true")
    published(publisher, name, issue="two")
    machine.ok("pull", name)
    assert plan_of(project)["base"]["why"].startswith("image ")
    assert project.ok("up", "--", "/bin/cat", "/etc/issue").out == "two\n"


def test_a_layer_of_the_catalogue_may_name_its_image(machine, publisher, servers, account):
    name = f"{servers['open'].address}/bases/catalogue-{account.name}"
    published(publisher, f"{name}:3")
    project = sheaf.Project(machine)
    project.write(".sheaf/layers/house/layer.yml",
                  "summary: the base of the house\nkind: base\nargs:\n  release: {default: '2'}\n")
    project.write(".sheaf/layers/house/Containerfile", f"ARG RELEASE\nFROM {name}:${{RELEASE}}\nRUN echo more >> /etc/issue\n"
                  "RUN rm /srv/second && mkdir /data && chown 1000:1000 /data\nENV HOUSE=1\nUSER dev\nWORKDIR /workspace\n")
    project.write("sheaf.yml", "base: house\nargs: {house: {release: '3'}}\n")
    outcome = project.ok("up", "--", "/bin/sh", "-c", "cat /etc/issue; id -un; echo $HOUSE $GREETING; ls /srv; touch /data/x")
    assert outcome.out.split() == ["one", "more", "dev", "1", "hello", "first", "old", "owned"], outcome


def test_layouts_and_docker_archives_are_bases(machine, account):
    name = image(machine, "tiny:1")
    project = sheaf.Project(machine)
    machine.ok("export", name, "-o", project.path / "image.tar")
    machine.ok("export", name, "--format", "docker", "-o", project.path / "docker.tar")
    machine.ok("export", name, "--format", "oci-dir", "-o", project.path / "layout")
    project.layer("own", "RUN echo own > /own\n")
    keys = set()
    for base in ("tiny:1", "oci-layout://image.tar", "oci-layout://docker.tar", "oci-layout://layout:1"):
        project.write("sheaf.yml", f"base: {base}\nlayers: [own]\n")
        outcome = project.ok("up", "--", "/bin/sh", "-c", "cat /etc/issue /own; echo $GREETING")
        assert outcome.out == "one\nown\nhello\n", outcome
        assert "nothing to do" in project.ok("up", "--", "/bin/true").err
        keys.add(project.ok("layer", "show", "base", "--json").json()["content_key"])
    assert len(keys) == 1, "the same files and configuration are the same layer, wherever they came from"


@pytest.mark.parametrize("case", ["absent", "closed", "nowhere", "platform", "empty"])
def test_what_keeps_an_image_from_being_the_base_is_said(machine, publisher, servers, account, case):
    address = servers["open"].address
    if case == "platform":
        published(publisher, f"{address}/bases/arm-{account.name}:1", platform=("--platform", "linux/arm64"),
                  dockerfile="FROM scratch\nCOPY files /\n")
    if case == "empty":
        published(publisher, f"{address}/bases/empty-{account.name}:1", dockerfile="FROM scratch\nENV A=b\n")
    name, code, words = {
        "absent": (f"{address}/bases/none:1", 5, ["MANIFEST_UNKNOWN", "sheaf image list"]),
        "closed": (f"{servers['closed'].address}/bases/tiny:1", None, ["sheaf login"]),
        "nowhere": ("registry.invalid/bases/tiny:1", None, ["registry.invalid"]),
        "platform": (f"{address}/bases/arm-{account.name}:1", 7, ["linux/arm64", "linux/"]),
        "empty": (f"{address}/bases/empty-{account.name}:1", 2, ["no files"]),
    }[case]
    outcome = project_on(machine, name).sheaf("up", "--", "/bin/true")
    assert outcome.code != 0 and (code is None or outcome.code == code), outcome
    assert f"getting the base '{name}' (sheaf.yml:1)" in outcome.err, outcome
    assert all(word in outcome.err for word in words), outcome


def test_a_name_that_is_none_is_shown_with_its_place(machine):
    project = project_on(machine, "registry.example.org/Team/base:1")
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code == 2 and "sheaf.yml:1:7" in outcome.err and "^" in outcome.err, outcome
    (project.path / "sheaf.yml").unlink()
    outcome = project.sheaf("up", "--base", "debian:", "--", "/bin/true")
    assert outcome.code == 2 and "--base" in outcome.err, outcome


def test_layers_must_fit_the_family_of_the_image(machine, publisher, servers, account):
    name = f"{servers['open'].address}/bases/family-{account.name}:1"
    published(publisher, name, os_release='ID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n')
    project = project_on(machine, name)
    project.layer("debs", "RUN true\n", "kind: tool\nfamilies: [deb]\n")
    # The built-in base would ask Alpine for its tools: this one has nothing for apk, and the image is used as it is.
    project.layer("base", "", "kind: base\nfamilies: [deb]\n")
    project.layer("both", "RUN echo deb > /both\n", "kind: tool\nfamilies: {deb: Containerfile, apk: Containerfile.apk}\n",
                  **{"Containerfile.apk": sheaf.FROM + "RUN echo apk > /both\n"})
    outcome = project.sheaf("up", "--layers", "debs", "--", "/bin/true")
    assert outcome.code == 2, outcome
    assert f"layer 'debs' is for deb, but the base '{name}' is apk (Alpine Linux v3.20)" in outcome.err, outcome
    assert project.ok("up", "--layers", "both", "--", "/bin/cat", "/both").out == "apk\n"
    project.write("sheaf.yml", f"base: {name}\nfamily: deb\n")
    outcome = project.sheaf("plan", "--layers", "debs")
    assert outcome.code == 0, outcome


@pytest.mark.root_only
def test_root_and_user_make_the_same_base(servers):
    name = f"{servers['open'].address}/bases/same:1"
    keys = {}
    with contextlib.ExitStack() as stack:
        machines = {who: stack.enter_context(sheaf.machine_for(account)) for who, account in sheaf.accounts().items()}
        published(machines["root"], name)
        for who in machines:
            second = stack.enter_context(sheaf.machine_for(sheaf.accounts()[who]))
            project = project_on(second, name)
            project.ok("up", "--", "/bin/true")
            keys[who] = [project.ok("layer", "show", layer, "--json").json()["content_key"] for layer in ("base", "own")]
    assert keys["root"] == keys["user"]
