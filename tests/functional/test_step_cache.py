# SPDX-License-Identifier: Apache-2.0
"""`sheaf build --cache-from` and `--cache-to`: a second machine carries out no step."""

import json
import pathlib
import subprocess

import pytest
import sheaf


def context(machine, word="one", last="two", side="x"):
    """Two stages; what RUN writes is random, so that it shows who carried it out."""
    folder = machine.directory(f"context-{word}-{last}-{side}")
    (folder / "busybox").write_bytes(sheaf.busybox())
    (folder / "busybox").chmod(0o755)
    (folder / "word").write_text(word)
    (folder / "Dockerfile").write_text(
        "FROM scratch AS tools\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n"
        "RUN /bin/busybox --install -s /bin && mkdir -p /d/empty && touch /d/one /d/two && chmod 1777 /d && chown 12:34 /d/empty\n"
        "FROM tools AS made\nCOPY word /\n"
        "RUN head -c 100000 /dev/urandom > /random && ln /random /hard && touch -d @1000000000 /random\n"
        f"RUN echo {side} > /side\n"
        "FROM tools\nRUN rm /d/empty /d/one /d/two -r\nRUN true\nCOPY --from=made /random /taken\n"
        f"RUN echo {last} > /last\nCMD [\"/bin/cat\", \"/last\"]\n")
    machine.give(folder)
    return folder


def build(machine, folder, *words, **options):
    """(outcome, metadata of a build)"""
    outcome = machine.ok("build", "--progress", "json", "-t", "localhost/made", *words, folder, "--json", **options)
    return outcome, outcome.json()


def steps(outcome):
    return outcome.subjects("step")


def place(kind, machine, server, account, name):
    if kind == "registry":
        at = f"type=registry,ref={server.address}/{name}-{account.name}:cache"
        return at, at
    folder = machine.directory(name)
    return f"type=local,src={folder}", f"type=local,dest={folder}"


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("kind", ["registry", "directory"])
def test_the_second_machine_carries_out_nothing(machine, other, server, account, kind, mode):
    source, target = place(kind, machine, server, account, f"second-{mode}")
    first, made = build(machine, context(machine), "--cache-to", f"{target},mode={mode}")
    assert made["sheaf.steps.run"] == 9 and len(steps(first)) == 9, made
    subprocess.run(["chmod", "-R", "a+rX", machine.folder], check=True)
    second, same = build(other, context(other), "--cache-from", source)
    assert same["sheaf.steps.run"] == 0 and steps(second) == [] and second.subjects("begin") == [], second
    assert same["sheaf.steps.from_caches"] == made["sheaf.steps.run"]
    assert same["containerimage.config.digest"] == made["containerimage.config.digest"], "random content is the same"
    assert other.ok("up", "--image", "localhost/made").out == "two\n"
    assert other.leftovers() == []
    # What changed is carried out: of the image's last step nothing else is needed.
    changed, _ = build(other, context(other, last="three"), "--cache-from", source)
    assert len(steps(changed)) == 1, changed
    # A change in the stage that is copied from needs trees that only mode=max has put there.
    with sheaf.machine_for(account) as third:
        deep, made = build(third, context(third, side="y"), "--cache-from", source)
        assert made["sheaf.steps.run"] == {"min": 5, "max": 1}[mode], deep
        assert "warning" not in {event["event"] for event in deep.events}, deep


def test_trees_of_other_stages_are_not_fetched(machine, other, server, account):
    source, target = place("registry", machine, server, account, "lazy")
    build(machine, context(machine), "--cache-to", f"{target},mode=max")
    build(other, context(other), "--cache-from", source)
    have = len(list((other.store / "steps").iterdir()))
    assert have == len(list((machine.store / "steps").iterdir())) - 4, "three of 'made' and RUN true stay away"
    # Put there again from a machine that does not have them, under another name: they are fetched for it.
    onward = target.replace(":cache", ":onward")
    build(other, other.folder / "context-one-two-x", "--cache-from", source, "--cache-to", f"{onward},mode=max")
    with sheaf.machine_for(account) as third:
        _, made = build(third, context(third, side="y"), "--cache-from", onward)
        assert made["sheaf.steps.run"] == 1


def test_beside_the_image(machine, other, server, account):
    name = f"{server.address}/inline-{account.name}:1"
    machine.ok("build", "--push", "-t", name, "--cache-to", "type=inline", context(machine))
    plain = machine.ok("push", name, "--json").json()
    assert plain["bytes_sent"] == 0 and plain["packed"] == 0, "the image is the one without a cache"
    second, made = build(other, context(other), "--cache-from", name)
    assert made["sheaf.steps.run"] == 0, second
    outcome = machine.ok("build", "--cache-to", "type=inline", context(machine, last="again"))
    assert "add --push" in outcome.err


def spoil(folder, digest):
    path = folder / "blobs/sha256" / digest.removeprefix("sha256:")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def manifest_of(folder):
    entry = json.loads((folder / "index.json").read_text())["manifests"][0]["digest"]
    return json.loads((folder / "blobs/sha256" / entry.removeprefix("sha256:")).read_text())


def test_what_is_wrong_with_a_cache_is_said_once(machine, other, server, account):
    source, target = place("directory", machine, server, account, "spoiled")
    build(machine, context(machine), "--cache-to", f"{target},mode=max")
    folder = pathlib.Path(target.split("dest=")[1])
    spoil(folder, manifest_of(folder)["layers"][0]["digest"])
    subprocess.run(["chmod", "-R", "a+rX", machine.folder], check=True)
    outcome, made = build(other, context(other), "--cache-from", source)
    warnings = [event["text"] for event in outcome.events if event["event"] == "warning"]
    assert len(warnings) == 1 and "it is carried out instead" in warnings[0] and str(folder) in warnings[0], outcome
    assert made["sheaf.steps.run"] == 1, "COPY gives the same once more"
    assert outcome.subjects("fail") == []
    assert other.ok("up", "--image", "localhost/made").out == "two\n"


def test_a_cache_that_lies_is_not_believed(machine, other, server, account):
    """One step's tree under the record of another."""
    source, target = place("directory", machine, server, account, "lying")
    build(machine, context(machine), "--cache-to", f"{target},mode=max")
    folder = pathlib.Path(target.split("dest=")[1])
    blobs = folder / "blobs/sha256"
    manifest = manifest_of(folder)
    listed = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    with_blob = [step for step in listed["steps"] if "blob" in step]
    with_blob[0]["blob"], with_blob[1]["blob"] = with_blob[1]["blob"], with_blob[0]["blob"]
    manifest["config"] = put_blob(blobs, manifest["config"], listed)
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0] = put_blob(blobs, index["manifests"][0], manifest)
    (folder / "index.json").write_text(json.dumps(index))
    subprocess.run(["chmod", "-R", "a+rX", machine.folder], check=True)
    outcome, _ = build(other, context(other), "--cache-from", source)
    assert "its tree is not the one that its record says" in outcome.err
    assert other.ok("up", "--image", "localhost/made").out == "two\n"


def put_blob(blobs, descriptor, value):
    import hashlib
    content = json.dumps(value).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {**descriptor, "digest": f"sha256:{digest}", "size": len(content)}


def test_a_cache_that_is_not_there_fails_no_build(machine, server, account):
    nothing, _ = place("registry", machine, server, account, "nothing")
    image = f"{server.address}/image-{account.name}:1"
    machine.ok("build", "--push", "-t", image, context(machine, "a"))
    outcome, _ = build(machine, context(machine, "b"), "--cache-from", "127.0.0.1:1/nobody:x", "--cache-from", nothing,
                       "--cache-from", image)
    warnings = [event["text"] for event in outcome.events if event["event"] == "warning"]
    assert len([text for text in warnings if "going on without it" in text]) == 2, outcome
    assert any("127.0.0.1:1/nobody" in text for text in warnings)
    assert any("holds no steps of sheaf" in text for text in warnings)
    assert "there is nothing in" in outcome.err
    # Writing is another matter, unless told otherwise.
    folder = context(machine, "c")
    refused = machine.run("build", "--cache-to", "127.0.0.1:1/nobody:x", "-t", "localhost/kept", folder)
    assert refused.code == 11 and "writing the cache '127.0.0.1:1/nobody:x'" in refused.err, refused
    assert machine.ok("image", "show", "localhost/kept")
    machine.ok("build", "--cache-to", "type=registry,ref=127.0.0.1:1/nobody:x,ignore-error=true", folder)


@pytest.mark.parametrize("option, value, says", [
    ("--cache-from", "type=gha", "'gha' are not known here; registry, local and inline are"),
    ("--cache-to", "type=s3,bucket=x", "'s3' are not known here"),
    ("--cache-from", "type=inline", "type=registry,ref=IMAGE"),
    ("--cache-to", "type=local,dest=/x,mode=all", "neither min nor max"),
    ("--cache-to", "type=registry", "needs 'ref='"),
    ("--cache-from", "type=local,src=/x,bucket=y", "no attribute 'bucket'"),
])
def test_what_is_not_understood(machine, option, value, says):
    outcome = machine.run("build", option, value, machine.home)
    assert outcome.code == (7 if "not known" in says else 2) and says in outcome.err, outcome
