# SPDX-License-Identifier: Apache-2.0
"""`dotfiles:` lands in the home as the last layer, and stays when something else is selected."""

import socket
import subprocess

import pytest

from sheaf import machine_for, tiny_project, wait_until

LIST = "cd ~dev; find . -type f | sort | while read -r f; do stat -c '%a %U %n' $f; done"


@pytest.fixture(scope="module")
def machine(account):
    with machine_for(account) as made:
        yield made


def project_with(machine, name, settings):
    project = tiny_project(machine, name)
    project.layer("tool", "RUN echo tool > /tool\n")
    project.layer("homely", "RUN echo from-a-layer > /home/dev/.profile\n")
    project.write("sheaf.yml", settings)
    return project


def test_a_folder_lands_in_the_home(machine):
    project = project_with(machine, "folder", "dotfiles: dots\nlayers: [tool]\n")
    project.write("dots/.config/app/rc", "a = 1\n")
    project.write("dots/bin/hello", "#!/bin/sh\necho hello\n").chmod(0o755)
    project.write("dots/template", "#!/bin/sh\n").chmod(0o644)
    project.write("dots/program", "\x7fprogram").chmod(0o755)
    project.write("dots/.git/config", "not taken\n")
    outcome = project.ok("up", "--progress", "json", "--", "/bin/sh", "-c", LIST)
    assert outcome.out.splitlines() == [
        "644 dev ./.config/app/rc", "755 dev ./bin/hello", "755 dev ./program", "644 dev ./template"], outcome
    assert outcome.subjects("begin") == ["layer base", "layer dotfiles", "layer tool"], outcome
    assert project.shell("id -un; ~dev/bin/hello; cat /tool").split() == ["dev", "hello", "tool"]

    assert "nothing to do" in project.ok("up", "--", "/bin/true").err
    project.write("sheaf.yml", "dotfiles: dots\nlayers: []\n")
    assert project.ok("up", "--progress", "json", "--", "/bin/true").subjects("begin") == []
    project.write("dots/.config/app/rc", "a = 2\n")
    outcome = project.ok("up", "--progress", "json", "--", "/bin/sh", "-c", "cat ~dev/.config/app/rc")
    assert outcome.out == "a = 2\n" and outcome.subjects("begin") == ["layer dotfiles"], outcome


def test_they_win_over_what_a_layer_puts_there(machine):
    project = project_with(machine, "both", "dotfiles: dots\nlayers: [homely]\n")
    project.write("dots/.profile", "from-the-user\n")
    assert project.shell("cat ~dev/.profile") == "from-the-user\n"


def test_a_project_reaches_for_nothing_else(machine):
    project = project_with(machine, "thief", "dotfiles: /etc\n")
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code != 0 and "'/etc' lies outside of the project" in outcome.err and "sheaf.yml:1" in outcome.err, outcome


def test_a_repository_is_taken_at_its_commit(machine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("git")
    folder.chmod(0o755)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder)]
    (folder / ".vimrc").write_text("set number\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    address = f"git://127.0.0.1:{free_port()}/"
    port = address.rstrip("/").rpartition(":")[2]
    daemon = subprocess.Popen(["git", "daemon", "--export-all", f"--base-path={folder}", "--listen=127.0.0.1",
                               f"--port={port}", str(folder)], stderr=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_COUNT": "1",
                                   "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"})
    try:
        project = project_with(machine, "repository", f"dotfiles: {address}#main\n")
        wait_until(lambda: answers(port), what="git daemon answers")
        outcome = project.ok("up", "--progress", "json", "--", "/bin/sh", "-c", LIST)
        assert outcome.out == "644 dev ./.vimrc\n", outcome
        outcome = project.sheaf("plan", "--json")
        assert outcome.code == 0, outcome
        assert [layer["state"] for layer in outcome.json()["layers"]] == ["reused", "reused"], outcome
    finally:
        daemon.terminate()
        daemon.wait()


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def answers(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", int(port))) == 0
