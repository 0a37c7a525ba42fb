# SPDX-License-Identifier: Apache-2.0
"""Registries that do not say the truth, images that were made to harm, and places where an image should not go."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import tarfile
import termios
import threading

import fault_proxy
import pytest
import registries
import sheaf

MANIFESTS = "/manifests/"


def member(name, **changes):
    info = tarfile.TarInfo(name)
    for key, value in changes.items():
        setattr(info, key, value)
    return info


def layer_of(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def layout(machine, name, layer, **config):
    """An OCI layout with one image of one layer."""
    folder = machine.directory(name)
    (folder / "blobs/sha256").mkdir(parents=True)

    def put(content, kind):
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    text = {"architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}, **config}
    manifest = {"schemaVersion": 2, "config": put(json.dumps(text).encode(), "config.v1+json"),
                "layers": [put(gzip.compress(layer, mtime=0), "layer.v1.tar+gzip")]}
    index = {"schemaVersion": 2, "manifests": [put(json.dumps(manifest).encode(), "manifest.v1+json")]}
    (folder / "index.json").write_text(json.dumps(index))
    machine.give(folder)
    return folder


def small_image(machine, name, text):
    path = layout(machine, f"layout-{text}", layer_of((member("file"), text.encode())))
    machine.ok("import", path, name)
    return name


@pytest.fixture
def two_images(machine, tmp_path):
    """A registry with the images of one machine and a proxy in front of it; another machine."""
    with registries.Registry(tmp_path / "registry") as server, sheaf.machine_for(machine.account) as other:
        proxy = fault_proxy.FaultProxy(server.address)
        digests = {}
        for text in ("good", "evil"):
            small_image(machine, f"{text}:1", text)
            pushed = machine.ok("push", f"{text}:1", f"{server.address}/{text}:1", "--json").json()
            digests[text] = pushed["manifest"]
        yield proxy, digests, other
        proxy.stop()


def test_a_registry_cannot_pass_one_image_off_as_another(two_images):
    """It says the digest of one image and sends another: the digest would name the wrong image from then on."""
    proxy, digests, other = two_images
    proxy.set_rules({"method": "HEAD", "path": "/evil/manifests", "status": 200, "times": -1,
                     "headers": {"Docker-Content-Digest": digests["good"]}})
    lied = other.run("pull", f"{proxy.address}/evil:1")
    assert lied.code != 0 and digests["good"] in lied.err
    pulled = other.ok("pull", f"{proxy.address}/good@{digests['good']}", "--json").json()["images"][0]
    assert not pulled["up_to_date"]
    other.ok("export", f"{proxy.address}/good@{digests['good']}", "--format", "dir", "-o", other.home / "root")
    assert (other.home / "root/file").read_text() == "good"


def test_images_of_a_registry_without_head_are_kept_apart(two_images):
    proxy, digests, other = two_images
    proxy.set_rules({"method": "HEAD", "path": MANIFESTS, "status": 404, "times": -1})
    for text, digest in digests.items():
        pulled = other.ok("pull", f"{proxy.address}/{text}:1", "--json").json()["images"][0]
        assert (pulled["manifest"], pulled["up_to_date"]) == (digest, False)


def test_what_a_registry_calls_a_tag_must_be_one(two_images):
    proxy, _, other = two_images
    tags = json.dumps({"tags": ["1\nerror: made up", "fine"]})
    proxy.set_rules({"path": MANIFESTS, "status": 404, "times": -1}, {"path": "tags/list", "status": 200, "body": tags})
    refused = other.run("pull", f"{proxy.address}/good:2")
    assert refused.code == 5 and "fine" in refused.err and "made up" not in refused.err


def test_a_registry_that_is_slow_to_know_a_blob_is_asked_again(two_images, machine):
    proxy, digests, _ = two_images
    unknown = json.dumps({"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]})
    proxy.set_rules({"method": "PUT", "path": MANIFESTS, "status": 400, "body": unknown})
    assert machine.ok("push", "good:1", f"{proxy.address}/good:2", "--json").json()["manifest"] == digests["good"]


def test_a_registry_without_tls_that_nobody_named_insecure(machine, tmp_path):
    with registries.Registry(tmp_path / "registry") as server:
        refused = machine.run("pull", f"{server.elsewhere}/a:1")
    assert refused.code == 11 and "insecure: true" in refused.err


@pytest.mark.parametrize("proxy", ["nonsense://user:sesame42@proxy.invalid", "user:sesame42@127.0.0.1:1"])
def test_the_password_of_a_proxy_is_not_shown(machine, proxy):
    refused = machine.run("pull", "registry.invalid/a:1", HTTPS_PROXY=proxy, https_proxy=proxy)
    assert refused.code == 11 and "sesame42" not in refused.err


def test_an_export_replaces_files_only(machine):
    name = small_image(machine, "small:1", "x")
    pipe, link, target = (machine.home / part for part in ("pipe", "link", "target"))
    os.mkfifo(pipe)
    target.write_text("old")
    link.symlink_to("target")
    machine.give(machine.home)
    got = []
    for form in ("oci", "docker", "tar"):
        reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
        reader.start()
        machine.ok("export", name, "--format", form, "-o", pipe)
        reader.join()
        assert tarfile.is_tarfile(io.BytesIO(got.pop())) and stat.S_ISFIFO(pipe.stat().st_mode)
        machine.ok("export", name, "--format", form, "-o", link)
        assert link.is_symlink() and tarfile.is_tarfile(target)
        machine.ok("export", name, "--format", form, "-o", "/dev/null")
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
        refused = machine.run("export", name, "--format", form, "-o", machine.store)
        assert refused.code == 2 and "is a directory" in refused.err and "hint: " in refused.err
    assert sorted(path.name for path in machine.home.iterdir() if "partial" in path.name) == []


def test_a_file_in_an_archive_that_is_a_device_is_not_read(machine):
    """The layer is /dev/zero, which has no end."""
    archive = machine.home / "archive.tar"
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer.tar"]}])
    with tarfile.open(archive, "w") as tar:
        for name, text in (("config.json", config), ("manifest.json", manifest)):
            info = member(name, size=len(text))
            tar.addfile(info, io.BytesIO(text.encode()))
        tar.addfile(member("layer.tar", type=tarfile.CHRTYPE, devmajor=1, devminor=5))
    refused = machine.run("import", archive, timeout=20)
    assert refused.code != 0 and "layer.tar" in refused.err


def test_ids_that_the_user_does_not_have(machine):
    folder = layout(machine, "ids", layer_of((member("file", uid=3_000_000_000, gid=0), b"x")))
    outcome = machine.run("import", folder, "ids:1")
    if machine.account.uid == 0:
        assert outcome.code == 0
    else:
        assert outcome.code != 0 and "3000000000:0" in outcome.err and "/etc/subuid" in outcome.err


def test_a_layer_of_a_cache_must_be_what_its_inventory_says(machine):
    with sheaf.machine_for(machine.account) as other:
        cache = machine.directory("cache")
        cache.chmod(0o777)
        project = sheaf.tiny_project(machine)
        project.layer("tool", "RUN echo hello > /tool\n")
        project.write("sheaf.yml", "layers: [tool]\n")
        project.ok("build", SHEAF_CACHES=str(cache))
        exchange_trees(cache)
        machine.give(cache)
        second = sheaf.tiny_project(other)
        second.layer("tool", "RUN echo hello > /tool\n")
        second.write("sheaf.yml", "layers: [tool]\n")
        outcome = second.ok("up", "--", "/bin/cat", "/tool", SHEAF_CACHES=str(cache))
    assert outcome.out == "hello\n" and "'/tool' of the layer's tree has another content" in outcome.err


def exchange_trees(cache):
    """The layer of /tool in a cache keeps its record and its inventory, and gets another file."""
    blobs = cache / "blobs/sha256"

    def put(content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    index = json.loads((cache / "index.json").read_text())
    for entry in index["manifests"]:
        manifest = json.loads((blobs / entry["digest"][7:]).read_text())
        if (blobs / manifest["layers"][1]["digest"][7:]).read_bytes().endswith(b"\ttool\n"):
            manifest["layers"][0].update(put(gzip.compress(layer_of((member("tool"), b"other\n")))))
            entry.update(put(json.dumps(manifest).encode()))
    (cache / "index.json").write_text(json.dumps(index))


def test_an_import_that_waits_for_its_input_can_be_stopped(machine):
    read, write = os.pipe()
    with subprocess.Popen([machine.program, "import", "-"], stdin=read, stderr=subprocess.PIPE, text=True,
                          env=machine.environment(), cwd=machine.home, **machine.account.identity()) as process:
        sheaf.wait_until(lambda: (machine.store / "tmp").is_dir() and machine.leftovers(), what="the import")
        process.send_signal(signal.SIGINT)
        outcome = sheaf.finish(process, timeout=20)
    for end in (read, write):
        os.close(end)
    assert outcome.code == 130 and machine.leftovers() == []


def on_a_terminal(machine, *words, typed=b""):
    """What the program prints on a terminal, and whether the terminal shows what is typed at the end."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with subprocess.Popen([machine.program, *words], stdin=theirs, stdout=theirs, stderr=theirs,
                          env=machine.environment(), cwd=machine.home, start_new_session=True,
                          preexec_fn=lambda: __import__("fcntl").ioctl(theirs, termios.TIOCSCTTY, 0),
                          **machine.account.identity()) as process:
        shown = b""

        def read():
            nonlocal shown
            try:
                shown += os.read(ours, 65536)
            except BlockingIOError:
                pass

        if typed:
            sheaf.wait_until(lambda: not termios.tcgetattr(theirs)[3] & termios.ECHO, what="the question")
            os.write(ours, typed)
        try:
            sheaf.wait_until(lambda: read() or process.poll() is not None, what="the end")
        finally:
            process.kill()
        read()
    echoes = bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
    for end in (ours, theirs):
        os.close(end)
    return shown, echoes, process.returncode


def test_what_strangers_wrote_does_not_steer_the_terminal(machine):
    line = "\x1b]0;title\x07\x9b2J RUN <<END\nfake row"
    machine.ok("import", layout(machine, "escapes", layer_of((member("file"), b"x")), history=[{"created_by": line}]),
               "escapes:1")
    shown, _, code = on_a_terminal(machine, "image", "show", "escapes:1")
    assert code == 0 and b"RUN <<END fake row" in shown
    assert b"\x1b" not in shown and b"\x07" not in shown and "\x9b".encode() not in shown


def test_the_terminal_is_as_before_when_a_login_is_interrupted(machine):
    shown, echoes, code = on_a_terminal(machine, "login", "-u", "alice", "127.0.0.1:1", typed=b"secret\x03")
    assert code == 130 and echoes and b"secret" not in shown
    assert not pathlib.Path(machine.home, ".docker/config.json").exists()
