# SPDX-License-Identifier: Apache-2.0
"""`sheaf generate`: Debian's buildah builds the files, one on the other, and gets the environment that sheaf joins."""

import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest
import sheaf
from dockerfiles import builders, config, tree

LEVELS = ("L0", "L1.cli", "L2")
# Other builders leave these behind, or mount over them; sheaf's layers never have them.
NOT_COMPARED = (b"dev", b"proc", b"sys", b"run", b"etc/hosts", b"etc/hostname", b"etc/resolv.conf")


def archive(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT) as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o644
            made.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture(scope="module")
def web():
    """A server with an archive and a file; its address."""
    files = {"/tool.tar.gz": archive({"tool/run": b"#!/bin/sh\necho tool\n"}), "/data.txt": b"data\n"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path)
            self.send_response(200 if content else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    yield address, {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    server.shutdown()


def rich_project(machine, web):
    """Layers that use what has to be said otherwise for other builders."""
    address, digests = web
    project = sheaf.tiny_project(machine, "rich")
    project.layer("one", f"""\
        ARG FLAVOUR=plain
        ENV ONE="a $FLAVOUR \\"quoted\\" \\$ value" PATH=/opt/one/bin:$PATH
        WORKDIR /opt/one
        RUN echo "$FLAVOUR $PWD" > flavour && mkdir bin && echo "long enough a command that it has to be broken into several lines" > bin/text
        COPY --chown=1000:1000 --chmod=640 conf/ conf/
        COPY script /usr/bin/
        COPY <<'END' heredoc
        $text
        END
        FETCH --checksum=sha256:{digests['/data.txt']} {address}/data.txt /opt/one/data.txt
        RUN <<END
        echo first > many
        echo second >> many
        END
        LABEL of.one="yes"
        USER dev
        """, script="#!/bin/sh\necho script\n", unused="not copied\n", **{"conf/a": "a\n", "conf/deep/b": "b\n"})
    file = project.path / ".sheaf/layers/one/Containerfile"
    project.write(".sheaf/layers/one/Containerfile", "# sheaf: extensions\n" + file.read_text())
    project.layer("two", """\
        RUN echo "two sees '${FLAVOUR:-nothing}' in $PWD as $(id -un)" > /two
        RUN test -z "$FLAVOUR" && test "$PWD" = /workspace
        RUN ["/bin/sh", "-c", "echo exec > /exec"]
        """)
    project.write("setup", "USER root\nCOPY settings /settings\nRUN cat /two /settings > /both\nENV MINE=1\nUSER dev\n")
    project.write("settings", "of the project\n")
    project.write("sheaf.yml", "layers: [one, two]\nsnippet: {file: setup}\nenv: {EDITOR: vi}\nrepo: https://git.example.org/app.git\n")
    return project


def generated(project, *words):
    folder = project.path / ".sheaf/build"
    project.ok("generate", *words)
    return folder


def test_the_files_say_what_the_layers_do(machine, web):
    project = rich_project(machine, web)
    made = project.ok("generate", "--json").json()
    folder = project.path / ".sheaf/build"
    assert made["directory"] == str(folder) and made["files"] == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".sheaf-generated")
    assert [f"{level}.Dockerfile" in made["files"] for level in LEVELS] == [True] * 3
    assert "layers/one/unused" not in made["files"], "only what is copied is there"
    for level in LEVELS:
        text = (folder / f"{level}.Dockerfile").read_text()
        assert "ARG BASE_IMAGE=" in text and "FROM ${BASE_IMAGE}" in text and "FETCH" not in text, text
    assert (folder / "layers/one/script").stat().st_mode & 0o777 == 0o755
    assert (folder / "layers/one/conf/a").stat().st_mode & 0o777 == 0o644
    assert "CODE_REPO" in (folder / "L2.Dockerfile").read_text()


def test_only_its_own_folder_is_replaced(project):
    project.layer("one", "COPY file /file\n", file="1\n")
    project.write("sheaf.yml", "layers: [one]\n")
    folder = generated(project)
    assert (folder / "layers/one/file").read_text() == "1\n"
    project.layer("one", "COPY other /other\n", other="2\n")
    generated(project)
    assert not (folder / "layers/one/file").exists() and (folder / "layers/one/other").read_text() == "2\n"
    project.write(".sheaf/build/layers/one/other", "changed\n")
    outcome = project.sheaf("generate")
    assert outcome.code != 0 and "build/layers/one/other' was not written by 'sheaf generate'" in outcome.err, outcome
    assert (folder / "layers/one/other").read_text() == "changed\n"
    project.write("mine/precious", "x\n")
    outcome = project.sheaf("generate", "-o", "mine")
    assert outcome.code != 0 and "precious" in outcome.err and "--output" in outcome.err, outcome
    assert sorted(path.name for path in (project.path / "mine").iterdir()) == ["precious"]
    project.ok("generate", "-o", "new/folder")
    assert (project.path / "new/folder/L0.Dockerfile").is_file()
    assert [path.name for path in (project.path / "new").iterdir()] == ["folder"]


def test_what_nobody_else_can_say_is_an_error(project):
    project.layer("one", "COPY --parents a/file /x/\n", **{"a/file": "1\n"})
    project.write("sheaf.yml", "layers: [one]\n")
    outcome = project.sheaf("generate")
    assert outcome.code != 0 and "layer 'one', line 4: COPY --parents cannot be said" in outcome.err, outcome
    assert not (project.path / ".sheaf/build").exists()


@pytest.mark.root_only
def test_buildah_makes_the_same_environment(tmp_path, web):
    with contextlib.ExitStack() as stack:
        machine = stack.enter_context(sheaf.machine_for(sheaf.Account.caller()))
        project = rich_project(machine, web)
        image = project.ok("build", "--json").json()["image"]
        machine.ok("export", image, "--format", "tar", "-o", machine.home / "root.tar")
        ours = tree.of_tar(machine.home / "root.tar")
        ours_config = config.normal(machine.ok("image", "show", image, "--json").json()["config"])

        folder = generated(project)
        peer = builders.Buildah(tmp_path, lambda case: {})
        stack.callback(peer.close)
        below = "scratch"
        for level in LEVELS:
            name = f"localhost/made-{level.lower()}"
            made = peer.buildah(*builders.BUD, "-t", name, "-f", str(folder / f"{level}.Dockerfile"), "--build-arg",
                                f"BASE_IMAGE={below}", str(folder))
            assert made.returncode == 0, made.stdout + made.stderr
            below = name
        theirs = peer.tree_of(below)
        shown = config_of(peer, below)
        found = {path: lines for path, lines in tree.differences(ours, theirs).items()
                 if not any(path == other or path.startswith(other + b"/") for other in NOT_COMPARED)}
        assert found == {}, found
        for field in ("User", "WorkingDir", "Entrypoint", "Cmd"):
            assert shown[field] == ours_config[field], field
        assert sorted(shown["Env"]) == sorted(ours_config["Env"])
        assert shown["Labels"]["of.one"] == "yes"


def config_of(peer, name):
    return config.normal(json.loads(peer.checked("inspect", "--type", "image", name))["Docker"]["config"])
