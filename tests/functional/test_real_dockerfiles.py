# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles as they are widely written (examples/dockerfiles): built, run and built again from what is there."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from sheaf import EXAMPLES, IS_ROOT, Machine, accounts, machine_for

LONG = 900
FOLDER = EXAMPLES / "dockerfiles"
TOKEN = "token-that-nobody-may-see"
BASE = "debian-base"
HOST_CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
TAGS = {BASE: "debian:bookworm-slim", "toolchains": "toolchains:bookworm", "nodejs": "nodejs:bookworm"}
# As in the widely used base images: no documentation, no translations, no flush to the disk after every file.
BOOTSTRAP = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", "--dpkgopt=force-unsafe-io",
             "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
             '--aptopt=Acquire::Languages "none"', "bookworm"]


@dataclasses.dataclass(frozen=True)
class Case:
    """One image: how it is built and run, and what it then prints."""

    folder: str
    expected: tuple[str, ...]  # each is in what the run prints
    command: tuple[str, ...] = ()  # in place of CMD
    options: tuple[str, ...] = ()  # of the build
    needs: tuple[str, ...] = ()  # folders of images that are built before
    variant: str = ""
    config: dict = dataclasses.field(default_factory=dict)  # a part of the image's configuration
    as_root: bool = False  # built by root, too

    @property
    def name(self) -> str:
        return f"{self.folder}-{self.variant}" if self.variant else self.folder

    @property
    def tag(self) -> str:
        return TAGS.get(self.folder, f"{self.name}:latest")


def bash(script: str) -> tuple[str, ...]:
    return ("bash", "-c", script)


def serving(command: str, port: int, after: str = "", path: str = "/") -> tuple[str, ...]:
    """Runs a server, prints what it answers, then does `after`. All of it ends with the sandbox.

    The pipe is of the image's own root, so that servers whose log is a link to /dev/stdout can open it.
    """
    return bash(f"""{command} 2>&1 | cat &
        for attempt in $(seq 150); do exec 3<>/dev/tcp/127.0.0.1/{port} && break; sleep 0.1; done 2>/dev/null
        printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3; {after}""")


CASES = [
    Case("toolchains", ("gcc (Debian", "go version go1.", "cargo 1.", "cmake version 3.", "\n0\n"),
         bash("gcc --version; go version; cargo --version; cmake --version; find /var/cache/apt -name '*.deb' | wc -l")),
    Case("nodejs", ("42\n",), ("-p", "6 * 7"), config={"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"]}),
    Case("go-scratch", ("Hello, world!\nuid 65532 gid 65532\n",), needs=("toolchains",),
         config={"User": "65532:65532", "Entrypoint": ["/hello"], "Cmd": ["world"]}),
    Case("go-cache", ("wordcount 1.4\n3\nok", "example.org/wordcount"),
         bash("wordcount -version; echo three small words | wordcount; cat /usr/share/doc/wordcount/report.txt"),
         ("--build-arg", "VERSION=1.4"), needs=("toolchains",)),
    Case("rust", ("primes 1.2.0 up to 30: [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]\n",), needs=("toolchains",)),
    Case("c-cmake", ("good day from a Release build\n",), needs=("toolchains",), config={"StopSignal": "SIGINT"}),
    Case("c-cmake", ("good day from a Debug build\n",), options=("--build-arg", "BUILD_TYPE=Debug"),
         needs=("toolchains",), variant="debug"),
    Case("node-app", ("up for 2 hours\n", "listening\n", "up for ", "200 text/plain; charset=utf-8\n"),
         serving("node server.js --once; PORT=8085 node server.js", 8085, "PORT=8085 node healthcheck.js"),
         needs=("nodejs",), config={"ExposedPorts": {"3000/tcp": {}}}),
    Case("node-multistage", ("plain as node\nmarked is not here\n", "<h1>Pages</h1>", "<em>stage</em>"),
         needs=("nodejs",), config={"User": "node"}),
    Case("secret", (f"172800000 {hashlib.sha256(TOKEN.encode()).hexdigest()[:12]} undefined\n",), needs=("nodejs",),
         options=("--secret", "id=npmrc,src={secrets}/npmrc", "--secret", "id=token,src={secrets}/token")),
    Case("python-venv", ("notes 0.3.1 {'notes': ['remember this'], 'uid': 10001} /venv\n",), as_root=True,
         config={"ExposedPorts": {"8000/tcp": {}}, "User": "appuser"}),
    Case("java", ("Call[count=2, words=[one, two words]]\n", "user spring, java 17, modules 2\n"),
         config={"Volumes": {"/tmp": {}}, "User": "spring:spring", "WorkingDir": "/app"}),
    Case("nginx", ("running /docker-entrypoint.d/20-envsubst-on-templates.sh", "200 OK", "Served from a layer.",
                   '"GET / HTTP/1.0" 200', "uid 101\n"),
         serving("/docker-entrypoint.sh nginx -g 'daemon off;'", 8081, "echo uid $(id -u nginx); sleep 0.2"),
         config={"StopSignal": "SIGQUIT", "ExposedPorts": {"80/tcp": {}, "8081/tcp": {}}, "Healthcheck": {
             "Test": ["CMD-SHELL", "grep -q nginx /proc/1/cmdline || exit 1"], "Interval": 10_000_000_000,
             "Timeout": 2_000_000_000, "StartPeriod": 1_000_000_000, "Retries": 3}}),
    Case("redis", ("OK\nit is here\nredis\n/data\n",),
         bash("""docker-entrypoint.sh --port 7379 --save '' >/tmp/log & server=$!
             for attempt in $(seq 150); do redis-cli -p 7379 ping && break; sleep 0.1; done >/dev/null 2>&1
             redis-cli -p 7379 set where 'it is here'; redis-cli -p 7379 get where
             stat -c %U /proc/$server; redis-cli -p 7379 config get dir | tail -n 1"""),
         config={"Volumes": {"/data": {}}, "WorkingDir": "/data", "ExposedPorts": {"6379/tcp": {}}}, as_root=True),
    Case("php", ("200 OK", "Hello you, memory 96M, zone UTC\n"), serving("php -S 127.0.0.1:8082", 8082, path="/?name=you"),
         config={"User": "www-data"}),
    Case("perl", ("Good morning, visitor 1\nGood morning, visitor 2\nuid 65534\n", "listening\nHTTP/1.0 200 OK"),
         serving("perl app.pl --once; exec perl app.pl $PORT", 8083), as_root=True,
         config={"ExposedPorts": {"8083/tcp": {}, "9000/udp": {}, "9001/udp": {}, "9002/udp": {}},
                 "Cmd": ["/bin/sh", "-c", "exec perl app.pl $PORT"], "User": "nobody:nogroup"}),
    Case("heredocs", ("started as app\nmade by root\n1 4 9 16 25\none\nthree\ntwo\nsite example.org\nliteral $SITE\n"
                      "[site]\nname = example.org\npath = $PATH\n#!/bin/sh\n# nothing here is filled in: ${SITE}\n",),
         as_root=True),
    Case("static-site", ("<h1>Front page</h1>", "444 33:33 /www/index.html\n", "33:33 /www/packed/about.html.gz\n"),
         serving("httpd -f -p 127.0.0.1:8084 -h /www", 8084,
                 "stat -c '%a %u:%g %n' /www/*.html /www/packed/*", path="/index.html")),
    Case("onbuild-base", ("/usr/src/app\n",), bash("pwd"), config={"OnBuild": [
        "ARG CHECK=yes", "COPY lib.sh *.sh /usr/src/app/",
        'RUN if [ "$CHECK" = yes ]; then for file in *.sh; do bash -n "$file"; done; echo checked > .checked; fi',
        "ENV APP_READY=1"]}, as_root=True),
    Case("onbuild-child", ("child says checked, ready 1\n",), needs=("onbuild-base",), as_root=True,
         config={"Labels": {"app": "child"}}),
    Case("bind-tmpfs", ("count.txt:4\ninterfaces.txt:0\nleast.txt:4\nmounted.txt:1\nsum.txt:", "nothing else is left\n")),
    Case("arg-matrix", ("build linux/amd64\ntarget linux/amd64 linux/amd64\nversion 12 of bookworm, plain\n",),
         options=("--platform", "linux/amd64")),
    Case("arg-matrix", ("rich in words\nversion 12-r3 of bookworm, rich\n",), variant="rich",
         options=("--platform", "linux/amd64", "--build-arg", "FLAVOUR=rich", "--build-arg", "REVISION=3")),
    Case("devcontainer", ("vscode\nroot\nLANG=en_GB.UTF-8\n/workspaces/project\nvscode\nless\n",),
         bash("id -un; sudo id -un; locale 2>&1 | head -n 1; pwd; stat -c %U .; . ~/.bashrc; echo $EDITOR")),
    Case("buildpack", ("4 words as 1001:1000\ndetect: words\nbuild: done by cnb\npipefail is on\n",),
         config={"Shell": ["/bin/bash", "-o", "pipefail", "-c"], "Labels": {
             "io.buildpacks.stack.id": "org.example.stacks.bookworm", "io.buildpacks.stack.maintainer": "examples",
             "io.buildpacks.stack.description": 'a stack with "quotes" and a $ sign',
             "io.buildpacks.stack.mixins": '["bash","perl-base"]'}}),
]
BY_FOLDER = {case.folder: case for case in reversed(CASES)}


@pytest.fixture(scope="module")
def root_file_system():
    """An archive of a small Debian, as anybody who makes a base image has it."""
    with tempfile.TemporaryDirectory(prefix="sheaf-base-", dir=os.environ.get("SHEAF_TEST_TMP")) as folder:
        archive = pathlib.Path(folder) / "rootfs.tar"
        made = subprocess.run([*BOOTSTRAP, archive], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        archive.chmod(0o644)
        yield archive


class Workshop:
    """One account's store, with the examples and the base in it."""

    def __init__(self, machine: Machine, archive: pathlib.Path):
        self.machine = machine
        self.contexts = machine.folder / "dockerfiles"
        shutil.copytree(FOLDER, self.contexts)
        shutil.copy(archive, self.contexts / BASE / "rootfs.tar")
        self.trust_what_the_host_trusts()
        machine.give(self.contexts)
        self.secrets = machine.directory("secrets")
        for name, text in {"npmrc": f"//registry.example.org/:_authToken={TOKEN}\n", "token": TOKEN}.items():
            (self.secrets / name).write_text(text)
        machine.give(self.secrets)
        self.built = set()
        self.build(Case(BASE, ()))

    def trust_what_the_host_trusts(self) -> None:
        """A base behind a company's proxy brings its certificate: npm, unlike apt here, talks TLS while building."""
        if HOST_CERTIFICATES.is_file():
            shutil.copy(HOST_CERTIFICATES, self.contexts / BASE / "host.crt")
            with (self.contexts / BASE / "Dockerfile").open("a") as file:
                file.write("COPY host.crt /etc/host.crt\nENV NODE_EXTRA_CA_CERTS=/etc/host.crt\n")

    def build(self, case: Case) -> dict:
        """What `--json` says of a successful build."""
        for folder in case.needs:
            if folder not in self.built:
                self.build(BY_FOLDER[folder])
        options = [option.format(secrets=self.secrets) for option in case.options]
        outcome = self.machine.ok("build", "--json", "-t", case.tag, *options, self.contexts / case.folder, timeout=LONG)
        self.built.add(case.folder)
        return outcome.json()

    def run(self, case: Case, *command: str) -> str:
        words = command or case.command
        return self.machine.ok("up", "--image", case.tag, *(["--", *words] if words else []), timeout=LONG).out

    def config(self, case: Case) -> dict:
        return self.machine.ok("image", "show", case.tag, "--json").json()["config"]


@pytest.fixture(scope="module")
def workshops(root_file_system):
    """Makes the workshop of an account when it is asked for."""
    with contextlib.ExitStack() as stack:
        made = {}

        def workshop(name):
            if name not in made:
                made[name] = Workshop(stack.enter_context(machine_for(accounts()[name])), root_file_system)
            return made[name]

        yield workshop


def pairs():
    """Every case as an ordinary user; those that differ most also as root, if we are."""
    chosen = [("user", case) for case in CASES]
    if IS_ROOT:
        chosen += [("root", case) for case in CASES if case.as_root]
    return [pytest.param(name, case, id=f"{name}-{case.name}") for name, case in chosen]


@pytest.mark.parametrize(("account_name", "case"), pairs())
def test_builds_and_runs(workshops, account_name, case):
    workshop = workshops(account_name)
    first = workshop.build(case)
    printed = workshop.run(case)
    for text in case.expected:
        assert text in printed, printed
    config = workshop.config(case)
    assert {key: config.get(key) for key in case.config} == case.config, json.dumps(config, indent=2)
    again = workshop.build(case)
    assert again["sheaf.steps.run"] == 0, again
    assert again["containerimage.config.digest"] == first["containerimage.config.digest"]


def test_a_change_of_the_source_repeats_only_what_reads_it(workshops):
    workshop = workshops("user")
    case = BY_FOLDER["static-site"]
    workshop.build(case)
    page = workshop.contexts / "static-site" / "pages" / "about.txt"
    page.write_text("About\nThree pages would be too many.\n")
    again = workshop.build(case)
    # Not again: WORKDIR and the templates before the page, and the installation in the stage that does not read it.
    assert (again["sheaf.steps.run"], again["sheaf.steps.reused"]) == (7, 3), again
    assert "too many" in workshop.run(case, "cat", "/www/about.html")


def test_the_secret_is_not_in_the_image(workshops):
    workshop = workshops("user")
    case = BY_FOLDER["secret"]
    workshop.build(case)
    # Files that only root may read are looked at by test_build_secrets.
    script = f"grep -rlsF {TOKEN[:20]} /app /root /run /home /tmp /etc /var /opt /usr/local; echo searched"
    assert workshop.run(case, *bash(script)) == "searched\n"
    assert TOKEN not in json.dumps(workshop.config(case))
