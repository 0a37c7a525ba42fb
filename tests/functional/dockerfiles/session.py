# SPDX-License-Identifier: Apache-2.0
"""What all tests of the corpus share: the builders, the servers, and results that are computed once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import os
import pathlib
import shutil
import tempfile

import sheaf

from . import builders, servers
from . import case as cases


class Session:
    """Builds every case once per builder; buildah's run ahead in two threads."""

    def __init__(self, corpus: list[cases.Case], compared: set[str], stack: contextlib.ExitStack):
        self.stack = stack
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-corpus-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        self.commits: dict[str, dict[str, str]] = {}
        self.serve(corpus)
        if sheaf.IS_ROOT:
            self.buildah = builders.Buildah(self.folder / "buildah", self.values)
            stack.callback(self.buildah.close)
        self.workers = concurrent.futures.ThreadPoolExecutor(2)
        stack.callback(self.workers.shutdown, cancel_futures=True)
        self.ahead = {case.name: self.workers.submit(self.buildah.build, case) for case in corpus
                      if sheaf.IS_ROOT and case.name in compared and not case.without_peer}
        self.ours: dict[tuple[str, str], builders.Image] = {}

    def serve(self, corpus: list[cases.Case]) -> None:
        for top in ("http", "git"):
            (self.folder / top).mkdir()
        for case in corpus:
            self.write_served(case)
        self.http = self.stack.enter_context(servers.http_server(self.folder / "http"))
        self.git = self.stack.enter_context(servers.git_daemon(self.folder / "git"))

    def write_served(self, case: cases.Case) -> None:
        for top, commit in (("http", ""), ("git", "COMMIT1"), ("git2", "COMMIT2")):
            if not case.has(top):
                continue
            place = self.folder / ("http" if top == "http" else "git") / case.name
            for section in case.sections:
                if section.path.startswith(top.encode() + b"/"):
                    # git takes a file with the time and size it had before for unchanged
                    moved = dataclasses.replace(section, path=section.path[len(top) + 1:],
                                                mtime=section.mtime + len(top))
                    cases.write_section(moved, place, {})
                    if moved.mode is not None:
                        (place / os.fsdecode(moved.path)).chmod(moved.mode)
            if commit:
                ids = self.commits.setdefault(case.name, {})
                ids[commit] = servers.commit(place, commit)
                if commit == "COMMIT1":
                    servers.git(place, "tag", "v1")

    def values(self, case: cases.Case) -> dict[str, str]:
        return {"HTTP": f"{self.http}/{case.name}", "GIT": f"{self.git}/{case.name}",
                **self.commits.get(case.name, {})}

    def peer(self, case: cases.Case) -> builders.Image:
        return self.ahead[case.name].result()

    @functools.cache
    def builder(self, account: str) -> builders.Sheaf:
        machine = self.stack.enter_context(sheaf.machine_for(sheaf.accounts()[account]))
        return builders.Sheaf(machine, self.values)

    def sheaf(self, case: cases.Case, account: str) -> builders.Image:
        key = (case.name, account)
        if key not in self.ours:
            self.ours[key] = self.builder(account).build(case)
            for name, value in self.values(case).items():  # as the case writes it
                self.ours[key].log = self.ours[key].log.replace(value, f"@{name}@")
        return self.ours[key]


@contextlib.contextmanager
def session(corpus: list[cases.Case], compared: set[str]):
    """`compared`: the names of the cases that `peer` will be asked for."""
    with contextlib.ExitStack() as stack:
        yield Session(corpus, compared, stack)
