# SPDX-License-Identifier: Apache-2.0
"""A web server in place of all upstream projects of the built-in layers: small archives, laid out as theirs are."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import pathlib
import re
import tarfile
import threading
import urllib.parse
import zipfile

import yaml

CATALOGUE = pathlib.Path(__file__).resolve().parents[2] / "catalogue-data"
WITH_DOWNLOADS = sorted(path.parent.name for path in CATALOGUE.glob("*/downloads.yml"))

# What is in an archive, where it is not the program alone.
LAYOUTS = {
    "gcloud": ["google-cloud-sdk/bin/gcloud", "google-cloud-sdk/bin/gsutil", "google-cloud-sdk/bin/bq"],
    "helm": ["linux-{arch}/helm", "linux-{arch}/LICENSE"],
    "tailscale": ["tailscale_{version}_{arch}/tailscale", "tailscale_{version}_{arch}/tailscaled"],
    "terraform": ["LICENSE.txt", "terraform"],
    "terragrunt": ["terragrunt_linux_{arch}"],
    "yazi": ["yazi-{arch}-unknown-linux-musl/yazi", "yazi-{arch}-unknown-linux-musl/ya"],
}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(kind: str, files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as packed:
            for name, text in files.items():
                packed.writestr(name, text)
    else:
        with tarfile.open(fileobj=data, mode="w:gz") as packed:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text), 0o755
                packed.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


class Server:
    """Answers with `pages`: contents, or a status, by path with query."""

    def __init__(self):
        self.pages: dict[str, bytes | int] = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = outer.pages.get(self.path, 404)
                content = b"" if isinstance(page, int) else page
                self.send_response(page if isinstance(page, int) else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()


class StandIns(Server):
    """All that the `downloads.yml` of a built-in layer leads to; `here` is that file, leading to this server, without
    digests."""

    def __init__(self):
        super().__init__()
        self.offered: list[str] = []

    def offer(self, layer: str) -> None:
        for name, artefact in yaml.safe_load((CATALOGUE / layer / "downloads.yml").read_text()).items():
            self.offer_artefact(name, artefact)

    def here(self, layer: str) -> str:
        text = (CATALOGUE / layer / "downloads.yml").read_text().replace("https://", self.url + "/")
        return re.sub(r"  sha256:\n(    .*\n)+", "", text)

    def offer_artefact(self, name: str, artefact: dict) -> None:
        self.offered.append(name)
        version = str(artefact["version"])
        digests = {}
        for arch in artefact.get("arch", {"amd64": "amd64", "arm64": "arm64"}).values():
            url = artefact["url"].format(version=version, arch=arch)
            content = self.file_of(name, url, version, arch)
            self.pages[path_of(url)] = content
            digests[url.rpartition("/")[2]] = sha256(content)
            if artefact.get("checksums", "github") != "github":
                listed = path_of(artefact["checksums"].format(version=version, arch=arch))
                line = f"{sha256(content)}  {url.rpartition('/')[2]}\n"
                self.pages[listed] = self.pages.get(listed, b"") + line.encode()
        self.offer_latest(artefact["latest"], version, digests)

    def offer_latest(self, latest: dict, version: str, digests: dict[str, str]) -> None:
        if "github" in latest:
            path = f"/repos/{latest['github']}/releases/latest"
            known = json.loads(self.pages.get(path, b'{"assets": []}'))["assets"]
            assets = [{"name": name, "digest": f"sha256:{digest}"} for name, digest in digests.items()]
            self.pages[path] = json.dumps({"tag_name": f"v{version}", "assets": known + assets}).encode()
        elif "json" in latest:
            document: object = version
            for key in reversed(latest["json"].split(".")):
                document = {key: document}
            self.pages[path_of(latest["url"])] = json.dumps(document).encode()
        else:
            self.pages[path_of(latest["url"])] = f"v{version}\n".encode()

    @staticmethod
    def file_of(name: str, url: str, version: str, arch: str) -> bytes:
        program = f"#!/bin/sh\necho {name} {version}\n"
        files = {path.format(version=version, arch=arch): program for path in LAYOUTS.get(name, [name])}
        if url.endswith(".zip"):
            return archive("zip", files)
        return archive("tar", files) if url.endswith((".tar.gz", ".tgz")) else program.encode()


def path_of(url: str) -> str:
    """Where the server has what is at an address of upstream."""
    parts = urllib.parse.urlsplit(url)
    return f"/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
