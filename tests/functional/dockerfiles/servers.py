# SPDX-License-Identifier: Apache-2.0
"""An HTTP server and a git daemon on loopback, for what cases download."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import pathlib
import socket
import subprocess
import threading

GIT = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2020-01-02T03:04:05Z",
       "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "2020-01-02T03:04:05Z",
       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files with fixed types; a path below `named/` comes with a Content-Disposition."""

    def log_message(self, *words) -> None:
        pass

    def end_headers(self) -> None:
        if "/named/" in self.path:
            self.send_header("Content-Disposition", 'attachment; filename="given.txt"')
        super().end_headers()


@contextlib.contextmanager
def http_server(folder: pathlib.Path):
    """Yields the URL of a server of `folder`."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def git_daemon(folder: pathlib.Path):
    """Yields the URL of a git daemon that serves every repository below `folder`."""
    port = free_port()
    with subprocess.Popen(["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", "--export-all",
                           f"--base-path={folder}", str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True) as daemon:
        try:
            wait_for(port)
            yield f"git://127.0.0.1:{port}"
        finally:
            os.killpg(daemon.pid, 15)


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError(f"nothing listens on port {port} after 10 s")


def git(folder: pathlib.Path, *words: str) -> str:
    made = subprocess.run(["git", "-C", folder, "-c", "init.defaultBranch=main", *words], check=True, text=True,
                          capture_output=True, env={**os.environ, **GIT})
    return made.stdout.strip()


def commit(folder: pathlib.Path, message: str) -> str:
    """Commits all that is in a work tree (made a repository if it is none) and returns the commit's id."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
        git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")
