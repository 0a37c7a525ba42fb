# SPDX-License-Identifier: Apache-2.0
"""Images and layers to and from a registry on this machine, as users do it. What the client does with every kind of
server and trouble is tested in tests/integration/registry."""

import hashlib
import json
import subprocess
import tarfile

import pytest
import registries
import sheaf


def context(machine, name="context", text="one\n"):
    folder = machine.directory(name)
    (folder / "busybox").write_bytes(sheaf.busybox())
    (folder / "busybox").chmod(0o755)
    (folder / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n"
        "RUN /bin/busybox --install -s /bin && mkdir -p /data/empty && chmod 1777 /data && ln /bin/busybox /data/hard\n"
        "RUN rm /data/hard && touch -d @1000000000 /data/old && chown 12:34 /data/old\n"
        f"COPY text /data/\nCMD [\"/bin/cat\", \"/data/text\"]\n")
    (folder / "text").write_text(text)
    machine.give(folder)
    return folder


def built(machine, name, **options):
    machine.ok("build", "-q", "-t", name, context(machine, **options))
    return name


def files_of(machine, image):
    """Digest of the root file system's tar, without the times of folders that unpacking does not set."""
    file = machine.home / "root.tar"
    machine.ok("export", image, "--format", "tar", "-o", file)
    lines = []
    with tarfile.open(file) as tar:
        for member in tar:
            content = hashlib.sha256(tar.extractfile(member).read()).hexdigest() if member.isreg() else ""
            time = 0 if member.isdir() else int(member.mtime)
            lines.append((member.name, member.type, member.mode, member.uid, member.gid, member.linkname, time, content))
    return sorted(lines)


def tag_names(server, repository):
    answer = subprocess.run(["curl", "-s", f"{server.url}/v2/{repository}/tags/list"], capture_output=True, check=True)
    return answer.stdout.decode()


def test_another_machine_gets_the_same(machine, other, servers, account):
    name = built(machine, f"{servers['open'].address}/same-{account.name}:1")
    pushed = machine.ok("push", name, "--json").json()
    assert (pushed["packed"], pushed["unchanged"]) == (pushed["layers"], False)
    pulled = other.ok("pull", name, "--json").json()["images"][0]
    assert pulled["manifest"] == pushed["manifest"]
    assert not pulled["up_to_date"] and pulled["bytes_fetched"] > 0
    assert files_of(other, name) == files_of(machine, name)
    assert other.ok("up", "--image", name).out == "one\n"
    assert other.ok("pull", name, "--json").json()["images"][0]["up_to_date"]


def test_nothing_is_sent_twice_and_nothing_is_changed(machine, other, servers, account):
    name = built(machine, f"{servers['open'].address}/twice-{account.name}:1")
    first = machine.ok("push", name, "--json").json()
    again = machine.ok("push", name, "--json").json()
    assert first["bytes_sent"] > 0 and again["bytes_sent"] == 0 and again["manifest"] == first["manifest"]
    other.ok("pull", name)
    elsewhere = other.ok("push", name, name.replace("twice", "elsewhere"), "--json").json()
    assert elsewhere["unchanged"] and elsewhere["manifest"] == first["manifest"]
    assert elsewhere["bytes_sent"] == 0, "blobs of another repository are mounted"


def test_a_blob_that_was_lost_is_fetched_again_though_its_files_are_there(machine, other, servers, account):
    name = built(machine, f"{servers['open'].address}/lost-{account.name}:1")
    machine.ok("push", name)
    archive = machine.home / "image.tar"
    machine.ok("export", name, "-o", archive)
    again = machine.home / "again.tar"
    other.ok("pull", name)
    for bring in (["pull", name], ["import", archive]):
        largest = max((other.store / "blobs/sha256").iterdir(), key=lambda blob: blob.stat().st_size)
        largest.unlink()
        outcome = other.run("export", name, "-o", other.home / "image.tar")
        assert outcome.code != 0 and "lost or damaged" in outcome.err and "pull or import" in outcome.err, outcome
        other.ok(*bring)
        assert largest.is_file()
        other.ok("export", name, "-o", other.home / "image.tar")
        machine.ok("export", name, "-o", again)
        assert (other.home / "image.tar").read_bytes() == again.read_bytes() == archive.read_bytes()
        (other.home / "image.tar").unlink()


def test_root_and_user_make_the_same_blobs(servers):
    digests = set()
    for account in sheaf.accounts().values():
        with sheaf.machine_for(account) as machine:
            folder = context(machine)
            name = f"{servers['open'].address}/equal:{account.name}"
            machine.ok("build", "-q", "-t", name, folder, SOURCE_DATE_EPOCH="1700000000")
            digests.add(machine.ok("push", name, "--json", SOURCE_DATE_EPOCH="1700000000").json()["manifest"])
    assert len(digests) == 1


def test_stages_start_from_images_of_a_registry(machine, other, servers, account):
    name = built(machine, f"{servers['open'].address}/base-{account.name}:1")
    machine.ok("push", name)
    folder = other.directory("from")
    (folder / "Dockerfile").write_text(f"FROM {name}\nRUN cat /data/text > /copy\nCMD [\"/bin/cat\", \"/copy\"]\n")
    other.give(folder)
    other.ok("build", "-t", "localhost/made", folder)
    assert other.ok("up", "--image", "localhost/made").out == "one\n"
    # Something newer under the same name is seen only if asked for.
    machine.ok("build", "-t", name, context(machine, "newer", "two\n"))
    machine.ok("push", name)
    other.ok("build", "-t", "localhost/made", folder)
    assert other.ok("up", "--image", "localhost/made").out == "one\n"
    other.ok("build", "--pull", "-t", "localhost/made", folder)
    assert other.ok("up", "--image", "localhost/made").out == "two\n"


def fetched(address, media_type="*/*"):
    command = ["curl", "-sf", "-H", f"Accept: {media_type}", address]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_what_is_said_of_an_image(machine, servers, account):
    name = built(machine, f"{servers['open'].address}/said-{account.name}:1")
    pushed = machine.ok("push", name, "--attest", "--json").json()
    assert len(pushed["attestations"]) == 4
    assert machine.ok("push", name, "--attest", "--json").json()["attestations"] == pushed["attestations"]
    # Debian's registry has no referrers API: the tag schema's index lists them.
    address = f"{servers['open'].url}/v2/said-{account.name}"
    tag = pushed["manifest"].replace(":", "-")
    index = json.loads(fetched(f"{address}/manifests/{tag}", "application/vnd.oci.image.index.v1+json"))
    said = {}
    for entry in index["manifests"]:
        manifest = json.loads(fetched(f"{address}/manifests/{entry['digest']}", entry["mediaType"]))
        assert manifest["subject"]["digest"] == pushed["manifest"]
        said[entry["artifactType"]] = fetched(f"{address}/blobs/{manifest['layers'][0]['digest']}")
    assert json.loads(said["application/spdx+json"])["spdxVersion"] == "SPDX-2.3"
    assert json.loads(said["application/vnd.cyclonedx+json"])["bomFormat"] == "CycloneDX"
    statement = json.loads(said["application/vnd.in-toto+json"])
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert "sha256:" + statement["subject"][0]["digest"]["sha256"] == pushed["manifest"]
    assert b"data/text" in said["application/vnd.sheaf.inventory.v1+text"]


def test_build_and_push_in_one(machine, servers, account):
    repository = f"pushed-{account.name}"
    built = machine.ok("build", "--push", "--sbom=true", "-t", f"{servers['open'].address}/{repository}:7", "--json",
                       context(machine)).json()
    tags = tag_names(servers["open"], repository)
    assert '"7"' in tags
    assert built["containerimage.digest"].replace(":", "-") in tags, "the list of what is said of it"


def test_what_is_not_there(machine, servers):
    outcome = machine.run("pull", f"{servers['open'].address}/nobody:1")
    assert outcome.code == 5 and "nobody:1" in outcome.err
    outcome = machine.run("push", "localhost/nothing:1")
    assert outcome.code == 5 and "image list" in outcome.err
    assert machine.run("pull", "127.0.0.1:1/x").code == 11
    assert machine.ok("image", "list", "--json").json() == []


def login(machine, server, password):
    command = [machine.program, "login", "-u", registries.USER, "--password-stdin", server.address]
    made = subprocess.run(command, input=password.encode(), capture_output=True, env=machine.environment(),
                          cwd=machine.home, check=False, **machine.account.identity())
    return sheaf.Outcome(made.returncode, made.stdout.decode(), made.stderr.decode())


def test_login_and_logout(machine, servers, account):
    server = servers["closed"]
    name = built(machine, f"{server.address}/secret-{account.name}:1")
    outcome = machine.run("push", name)
    assert outcome.code == 6 and f"sheaf login {server.address}" in outcome.err, outcome
    wrong = login(machine, server, "wrong")
    assert wrong.code == 6 and "wrong" not in wrong.err.replace("wrong user name or password", ""), wrong
    assert not (machine.home / ".docker").exists()
    assert login(machine, server, registries.PASSWORD).code == 0
    file = machine.home / ".docker/config.json"
    assert file.stat().st_mode & 0o777 == 0o600 and server.address in file.read_text()
    machine.ok("push", name)
    machine.ok("logout", server.address)
    assert machine.run("push", name).code == 6


def test_a_certificate_of_our_own(machine, account, tmp_path):
    folder = tmp_path / "authority"
    folder.mkdir()
    authority = registries.Authority(str(folder))
    with registries.Registry(tmp_path / "tls", tls=authority) as server:
        # Not by a name that is this machine's: such may answer as they like.
        name = built(machine, f"{server.elsewhere}/tls:1")
        refused = machine.run("push", name)
        assert refused.code == 6 and "certificate" in refused.err, refused
        public = machine.home / "ca.pem"
        public.write_bytes(open(authority.certificate, "rb").read())
        config = machine.home / ".config/sheaf/config.yml"
        config.parent.mkdir(parents=True)
        config.write_text(f"registries:\n  '{server.elsewhere}':\n    ca: ~/ca.pem\n")
        machine.give(machine.home)
        machine.ok("push", name)


def environment_images(machine, server, account):
    project = sheaf.tiny_project(machine)
    project.layer("a", "RUN head -c 300000 /dev/urandom > /opt-a\n")
    project.layer("b", "RUN echo b > /opt-b\n")
    project.layer("c", "RUN echo c > /opt-c\n")
    sent = []
    for layers in ("[a, b]", "[a, c]", "[a, b, c]"):
        project.write("sheaf.yml", f"layers: {layers}\n")
        image = project.ok("build", "--json").json()["image"]
        sent.append(machine.ok("push", image, f"{server.address}/stack-{account.name}:{len(sent)}", "--json").json())
    return project, sent


def test_another_selection_sends_only_what_is_new(machine, other, servers, account):
    _, sent = environment_images(machine, servers["open"], account)
    assert sent[0]["bytes_sent"] > 300000
    assert 0 < sent[2]["bytes_sent"] < 20000, "layers are shared, the join is small"
    name = f"{servers['open'].address}/stack-{account.name}:2"
    other.ok("pull", name)
    script = "cat /opt-b /opt-c; id -un"
    assert other.ok("up", "--image", name, "--", "/bin/sh", "-c", script).out == "b\nc\ndev\n"


def test_base_and_agents_are_images_of_their_own(machine):
    project = sheaf.tiny_project(machine)
    project.layer("a", "RUN echo a > /opt-a\n")
    for agent in ("robot", "helper"):
        project.layer(agent, f"RUN echo {agent} > /opt-{agent}\n", settings="kind: agent\n")
    project.write("sheaf.yml", "layers: [a]\nagents: 'robot,helper'\nenv: {OWN: project}\n")
    made = project.ok("build", "--json").json()
    assert made["agents_image"] == "sheaf-l1-cli:base-helper-robot" and made["image"].endswith(":l2-cli")
    said = {name: machine.ok("image", "show", name, "--json").json() for name in (made["agents_image"], made["image"])}
    labels = said[made["agents_image"]]["config"]["Labels"]
    assert labels["sheaf.agents"].split(",") == ["helper", "robot"] and "a" not in labels["sheaf.layers"].split(",")
    assert "OWN=project" in said[made["image"]]["config"]["Env"]
    assert "OWN=project" not in said[made["agents_image"]]["config"]["Env"], "other projects share it"
    script = "cat /opt-robot /opt-helper; test ! -e /opt-a"
    assert machine.ok("up", "--image", made["agents_image"], "--", "/bin/sh", "-c", script).out == "robot\nhelper\n"
    # Another project with the same agents has the same image, and one without agents has none.
    project.write("sheaf.yml", "agents: 'helper,robot'\n")
    project.ok("build")
    assert machine.ok("image", "show", made["agents_image"], "--json").json()["id"] == said[made["agents_image"]]["id"]
    project.write("sheaf.yml", "layers: [a]\n")
    assert project.ok("build", "--json").json()["agents_image"] is None


def cached_project(machine, cache):
    project = sheaf.tiny_project(machine)
    project.write("sheaf.yml", "layers: [a, b]\n")
    project.layer("a", "RUN head -c 100 /dev/urandom > /opt-a\n")
    project.layer("b", "RUN cat /opt-a > /opt-b\n", settings="kind: tool\nneeds: [a]\n")
    return project


@pytest.mark.parametrize("kind", ["registry", "directory"])
def test_the_second_machine_builds_nothing(machine, other, servers, account, kind):
    cache = f"{servers['open'].address}/layers-{account.name}"
    if kind == "directory":
        cache = str(machine.directory("layers"))
    first = cached_project(machine, cache)
    made = first.ok("up", "--progress", "json", "--", "/bin/cat", "/opt-b", SHEAF_CACHES=cache)
    second = cached_project(other, cache)
    same = second.ok("up", "--progress", "json", "--", "/bin/cat", "/opt-b", SHEAF_CACHES=cache)
    ended = {event["subject"]: event["text"] for event in same.events if event["event"] == "end"}
    assert all(ended[f"layer {name}"].startswith("fetched") for name in ("base", "a", "b")), ended
    assert same.out == made.out, "random content shows that it was not built again"


def test_a_cache_never_fails_a_build(machine, servers):
    project = cached_project(machine, "")
    places = f"127.0.0.1:1/nobody {servers['closed'].address}/closed"
    outcome = project.ok("up", "--", "/bin/true", SHEAF_CACHES=places)
    assert outcome.err.count("going on without it") == 2, outcome


def test_a_project_cannot_choose_a_cache_for_everybody(machine, servers):
    project = cached_project(machine, "")
    project.write("sheaf.yml", f"layers: [a]\ncaches: ['{servers['open'].address}/evil']\n")
    outcome = project.ok("up", "--", "/bin/true")
    assert "which is not used" in outcome.err
    assert "NAME_UNKNOWN" in tag_names(servers["open"], "evil")
    project.write("sheaf.yml", "registries: {example.org: {insecure: true}}\n")
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code == 2 and "sheaf.yml:1" in outcome.err, outcome


@pytest.mark.parametrize("arrange", ["oci", "oci-dir", "docker"])
def test_files_of_images(machine, other, arrange):
    name = built(machine, "localhost/files:1")
    file = machine.home / "image"
    machine.ok("export", name, "--format", arrange, "-o", file)
    subprocess.run(["chmod", "-R", "a+rX", file, machine.home], check=True)
    imported = other.ok("import", file, "--json").json()["images"][0]
    assert imported["names"] == ["localhost/files:1"]
    assert files_of(other, "localhost/files:1") == files_of(machine, name)
