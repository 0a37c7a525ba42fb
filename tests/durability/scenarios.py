# SPDX-License-Identifier: Apache-2.0
"""Commands whose writes are recorded, each on a store that its preparation made."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.server
import threading

import registries
import sheaf
import stores
from recording import Recording, record

AGENT = """\
kind: agent
volatile: yes
newest: echo 1.0.0
args: {version: {type: version, default: latest}}
command: [agent]
"""
DOCKERFILE = """\
FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY files /srv/
RUN ln /srv/one /srv/second && mkdir /srv/deep && echo more > /srv/deep/more
RUN rm /srv/two && echo changed > /srv/one
"""


@dataclasses.dataclass
class Scenario:
    name: str
    recording: Recording
    project: sheaf.Project
    #: an image that the command names
    image: str | None = None
    #: what the command prints differs from run to run
    same_output: bool = True
    #: the files of the image
    reference: dict | None = None
    #: what the command needs while it is run again
    services: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)


def layered(machine: sheaf.Machine) -> sheaf.Project:
    project = sheaf.tiny_project(machine)
    project.layer("one", "RUN echo one > /etc/one; mkdir -p /opt/shared; seq 5000 > /opt/shared/numbers\n")
    project.layer("two", "RUN rm /etc/issue; ln -s one /etc/two; mkdir -p /opt/shared; seq 5000 > /opt/shared/numbers\n",
                  "kind: tool\nreplaces: [base]\n")
    return project


def build_layers(machine) -> Scenario:
    """A new store: layers, their join, an image of them and its name."""
    project = layered(machine)
    return Scenario("layers", record(project, ["build", "--layers", "one,two", "--progress", "json"]), project,
                    image="project:l2-dev", same_output=False)


def add_layer(machine) -> Scenario:
    """A store in use: one layer more, which shares files with the one before, and a run in the environment."""
    project = layered(machine)
    project.build("--layers", "one")
    words = ["up", "--layers", "one,two", "--progress", "json", "--", "/bin/md5sum", "/etc/one", "/opt/shared/numbers"]
    return Scenario("one more", record(project, words), project)


class Files(http.server.BaseHTTPRequestHandler):
    """One file of some size, with a version."""

    content = b"".join(b"%d\n" % number for number in range(3000))

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.content)

    do_HEAD = do_GET

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


@functools.cache
def file_server() -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/file"


def context(machine, more: str = "") -> sheaf.Project:
    project = sheaf.Project(machine, "context")
    project.write("busybox", sheaf.busybox())
    project.write("files/one", "one\n")
    project.write("files/two", "two\n")
    project.write("Dockerfile", DOCKERFILE + more)
    return project


def build_image(machine) -> Scenario:
    """An image of a Dockerfile, with a file from the network."""
    project = context(machine, f"ADD {file_server()} /srv/file\nRUN wc -l /srv/file > /srv/count\n")
    words = ["build", "--progress", "json", "-t", "app:1", "--iidfile", "id", "."]
    return Scenario("image", record(project, words), project, image="app:1", same_output=False)


def take_image(machine) -> Scenario:
    """An image that another store made comes in: blobs, unpacked layers, a name."""
    project = context(machine)
    store = machine.directory("publisher")
    project.ok("build", "-q", "-t", "app:1", ".", SHEAF_ROOT=str(store))
    project.ok("export", "app:1", "-o", "app.tar", SHEAF_ROOT=str(store))
    return Scenario("import", record(project, ["import", "app.tar", "app:1", "--progress", "json"]), project,
                    image="app:1", same_output=False)


def pull_image(machine) -> Scenario:
    """The same from a registry."""
    with contextlib.ExitStack() as services:
        server = services.enter_context(registries.Registry(machine.folder / "registry"))
        name = f"{server.address}/app:1"
        project = context(machine)
        store = machine.directory("publisher")
        project.ok("build", "-q", "-t", name, ".", SHEAF_ROOT=str(store))
        project.ok("push", name, SHEAF_ROOT=str(store))
        return Scenario("pull", record(project, ["pull", name, "--progress", "json"]), project, image=name,
                        same_output=False, services=services.pop_all())


def refresh(machine) -> Scenario:
    """A version is settled and remembered for all projects."""
    project = sheaf.tiny_project(machine)
    project.write("sheaf.yml", "agents: [agent]\n")
    project.layer("agent", "ARG VERSION\nRUN echo $VERSION > /agent\n", AGENT)
    project.build()
    return Scenario("refresh", record(project, ["refresh", "--progress", "json"]), project, same_output=False)


def collect_garbage(machine) -> Scenario:
    """An older build, an image without a name and all caches go; the newest builds stay."""
    project = layered(machine)
    project.build("--layers", "one,two")
    project.layer("one", "RUN echo another > /etc/one\n")
    project.build("--layers", "one,two")
    words = ["gc", "--keep-last", "1", "--older-than", "0", "--progress", "json"]
    scenario = Scenario("gc", record(project, words), project, image="project:l2-dev", same_output=False)
    gone = stores.names(scenario.recording.copy, "layers") - stores.names(machine.store, "layers")
    assert gone, scenario.recording.outcome
    return scenario


def migrate(machine) -> Scenario:
    """A store of format 1, which differs from one of format 2 in its index and in what it says."""
    project = layered(machine)
    project.build("--layers", "one,two")
    (machine.store / "format").write_text("sheaf-store 1\n")
    return Scenario("migrate", record(project, ["store", "migrate"]), project, image="project:l2-dev",
                    same_output=False)


ALL = [build_layers, add_layer, build_image, take_image, pull_image, refresh, collect_garbage, migrate]
