# SPDX-License-Identifier: Apache-2.0
"""The init script of the built-in base with a repository on this machine: it clones, follows the remote as
GIT_RESET_MODE says, and loses nothing that somebody made."""

import os
import pathlib
import subprocess

import pytest
import sheaf

SCRIPT = sheaf.FUNCTIONAL.parent.parent / "catalogue-data/base/sheaf-init"


class Desk:
    """A remote repository with one commit on 'main', somebody who pushes to it, and a workspace."""

    def __init__(self, machine):
        self.machine = machine
        self.remote, self.author, self.work = (machine.directory(name) for name in ("remote", "author", "work"))
        self.script = machine.folder / "sheaf-init"
        self.script.write_bytes(SCRIPT.read_bytes())
        self.script.chmod(0o755)
        self.git(self.remote, "init", "-q", "--bare", "-b", "main", ".")
        self.git(self.author, "clone", "-q", self.address, ".")
        self.git(self.author, "checkout", "-q", "-b", "main")
        self.push("file", "one\n")

    @property
    def address(self):
        return f"file://{self.remote}"

    def run(self, folder, *words, **changes):
        environment = self.machine.environment(
            GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@example.org", GIT_COMMITTER_NAME="A",
            GIT_COMMITTER_EMAIL="a@example.org", GIT_CONFIG_NOSYSTEM="1", **changes)
        return subprocess.run([*map(str, words)], cwd=folder, env=environment, text=True, capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, **self.machine.account.identity())

    def git(self, folder, *words):
        made = self.run(folder, "git", *words)
        assert made.returncode == 0, made
        return made.stdout.strip()

    def write(self, folder, name, text):
        path = folder / name
        path.write_text(text)
        self.machine.give(folder)

    def push(self, name, text, branch="main"):
        self.write(self.author, name, text)
        self.git(self.author, "add", "-A")
        self.git(self.author, "commit", "-q", "-m", f"{name} is {text.strip()}")
        self.git(self.author, "push", "-q", "origin", f"HEAD:{branch}")

    def start(self, mode="", **changes):
        """What the script says; it has to run its command whatever happens."""
        settings = {"REPO_ROOT": str(self.work), "CODE_REPO": self.address, **({"GIT_RESET_MODE": mode} if mode else {})}
        made = self.run(self.work, "/bin/bash", self.script, "echo", "started", **{**settings, **changes})
        assert made.returncode == 0 and made.stdout == "started\n", made
        return made.stderr

    def text(self, name):
        path = self.work / name
        return path.read_text() if path.exists() else None

    def saved(self):
        return [line.strip(" *") for line in self.git(self.work, "branch", "--list", "sheaf/saved-*").splitlines()]


@pytest.fixture
def desk(machine):
    return Desk(machine)


def test_it_clones_into_an_empty_folder_only(desk):
    assert desk.start() == "" and desk.text("file") == "one\n"
    desk.push("file", "branch\n", "other")
    second = desk.machine.directory("second")
    assert desk.start(REPO_ROOT=str(second), GIT_BRANCH="other") == ""
    assert (second / "file").read_text() == "branch\n"
    third = desk.machine.directory("third")
    desk.write(third, "mine", "x\n")
    assert "has files but is no repository" in desk.start(REPO_ROOT=str(third))
    assert sorted(os.listdir(third)) == ["mine"]
    assert "could not be brought" in desk.start(REPO_ROOT=str(desk.machine.directory("fourth")), GIT_BRANCH="absent")
    assert "could not be brought" in desk.start(REPO_ROOT=str(desk.machine.directory("fifth")), CODE_REPO="file:///absent")


def test_without_a_mode_it_only_fetches(desk):
    desk.start()
    desk.push("file", "two\n")
    desk.write(desk.work, "file", "mine\n")
    assert desk.start() == ""
    assert desk.text("file") == "mine\n"
    assert desk.git(desk.work, "rev-list", "--count", "HEAD..origin/main") == "1"


def test_soft_moves_the_branch_and_keeps_the_files(desk):
    desk.start()
    desk.push("file", "two\n")
    desk.write(desk.work, "file", "mine\n")
    desk.start("soft")
    assert desk.text("file") == "mine\n"
    assert desk.git(desk.work, "rev-parse", "HEAD") == desk.git(desk.author, "rev-parse", "HEAD")


def test_hard_keeps_a_dirty_tree_in_a_stash(desk):
    desk.start()
    desk.push("file", "two\n")
    desk.write(desk.work, "file", "mine\n")
    desk.write(desk.work, "untracked", "mine, too\n")
    assert "local changes are kept" in desk.start("hard")
    assert desk.text("file") == "two\n" and desk.text("untracked") is None
    desk.git(desk.work, "stash", "show", "--include-untracked", "-p")
    assert desk.git(desk.work, "show", "stash@{0}:file") == "mine"
    assert desk.git(desk.work, "show", "stash@{0}^3:untracked") == "mine, too"


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_local_commits_are_kept_in_a_branch(desk, mode):
    desk.start()
    desk.write(desk.work, "own", "work\n")
    desk.git(desk.work, "add", "-A")
    desk.git(desk.work, "commit", "-q", "-m", "own work")
    own = desk.git(desk.work, "rev-parse", "HEAD")
    desk.push("file", "two\n")
    said = desk.start(mode)
    (saved,) = desk.saved()
    assert f"'{saved}'" in said and desk.git(desk.work, "rev-parse", saved) == own
    assert desk.git(desk.work, "rev-parse", "HEAD") == desk.git(desk.author, "rev-parse", "HEAD")
    assert desk.start(mode) == "" and desk.saved() == [saved], "nothing new is saved when there is nothing to save"


def test_another_clone_and_a_wrong_mode_are_left_alone(desk):
    desk.start()
    assert "stays as it is" in desk.start("hard", CODE_REPO="file:///another")
    assert "cannot be 'harder'" in desk.start("harder")
    assert "cannot be '-x'" in desk.start(GIT_BRANCH="-x")
    assert desk.text("file") == "one\n"


def test_keys_are_added_once(desk):
    for _ in range(2):
        desk.start(CODE_REPO="", SSH_PUBLIC_KEY="ssh-ed25519 AAAA me\n", SSH_KNOWN_HOSTS="host ssh-ed25519 BBBB")
    folder = pathlib.Path(desk.machine.home) / ".ssh"
    assert (folder / "authorized_keys").read_text() == "ssh-ed25519 AAAA me\n"
    assert (folder / "known_hosts").read_text() == "host ssh-ed25519 BBBB\n"
    assert (folder / "authorized_keys").stat().st_mode & 0o77 == 0
