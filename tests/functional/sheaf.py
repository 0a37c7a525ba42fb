# SPDX-License-Identifier: Apache-2.0
"""What the functional tests share: accounts, machines (a home and a store), projects on a tiny base."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import struct
import subprocess
import tempfile
import textwrap
import time

IS_ROOT = os.geteuid() == 0
NEEDED_SUB_IDS = 65536
PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
FROM = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n"
FUNCTIONAL = pathlib.Path(__file__).resolve().parent
EXAMPLES = FUNCTIONAL.parent.parent / "examples"


# ---- accounts --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Account:
    """Who runs the program."""

    name: str
    uid: int
    gid: int

    @staticmethod
    def named(name: str) -> Account:
        entry = pwd.getpwnam(name)
        return Account(name, entry.pw_uid, entry.pw_gid)

    @staticmethod
    def caller() -> Account:
        return Account(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())

    def identity(self) -> dict:
        """Arguments of subprocess.Popen that make a child run as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def sub_id_count(file: str, account: Account) -> int:
    counts = [0]
    with contextlib.suppress(FileNotFoundError):
        for line in pathlib.Path(file).read_text().splitlines():
            owner, _, count = line.split(":")
            if owner in (account.name, str(account.uid)):
                counts.append(int(count))
    return max(counts)


def ordinary_user() -> Account:
    """The ordinary user that root's runs use; made with sub-ids if it does not exist."""
    name = os.environ.get("SHEAF_TEST_USER", "sheaf-test")
    try:
        account = Account.named(name)
    except KeyError:
        subprocess.run(["useradd", "-m", name], check=True, env={"PATH": PATH})
        account = Account.named(name)
    for kind in ("uid", "gid"):
        file = f"/etc/sub{kind}"
        if sub_id_count(file, account) < NEEDED_SUB_IDS:
            start = first_free_sub_id(file)
            span = f"{start}-{start + NEEDED_SUB_IDS - 1}"
            subprocess.run(["usermod", f"--add-sub{kind}s", span, name], check=True, env={"PATH": PATH})
    return account


def first_free_sub_id(file: str) -> int:
    ends = [100000]
    with contextlib.suppress(FileNotFoundError):
        for line in pathlib.Path(file).read_text().splitlines():
            _, start, count = line.split(":")
            ends.append(int(start) + int(count))
    return max(ends)


def accounts() -> dict[str, Account]:
    if IS_ROOT:
        return {"root": Account.caller(), "user": ordinary_user()}
    return {"user": Account.caller()}


# ---- running the program ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict]:
        """What `--progress json` printed."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith('{"')]

    def subjects(self, kind: str) -> list[str]:
        """Sorted subjects of all events of one kind, for example of all layers that began to build."""
        return sorted(event["subject"] for event in self.events if event["event"] == kind)

    def json(self) -> dict:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def binary() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("SHEAF_BINARY", "sheaf"))
    assert path.is_file(), "SHEAF_BINARY must name the program under test"
    return path


class Machine:
    """A home, a store and a copy of the program that `account` can run."""

    def __init__(self, account: Account, folder: pathlib.Path):
        self.account = account
        self.folder = folder
        self.home = self.directory("home")
        self.store = self.directory("store")
        self.program = folder / "sheaf"
        shutil.copy(binary(), self.program)
        self.program.chmod(0o755)

    def directory(self, name: str) -> pathlib.Path:
        path = self.folder / name
        path.mkdir()
        self.give(path)
        return path

    def give(self, path: pathlib.Path) -> None:
        """Makes the account the owner of a tree."""
        if self.account.uid != os.geteuid():
            subprocess.run(["chown", "-R", f"{self.account.uid}:{self.account.gid}", path], check=True)

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SHEAF_", "XDG_"))}
        own = {"HOME": str(self.home), "USER": self.account.name, "PATH": PATH, "SHEAF_ROOT": str(self.store)}
        return {**kept, **own, **changes}

    def start(self, *words: object, cwd: pathlib.Path | None = None, prefix: list[str] | None = None,
              **changes: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*(prefix or []), self.program, *map(str, words)], cwd=cwd or self.home, env=self.environment(**changes),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            **self.account.identity())

    def run(self, *words: object, timeout: float = 120, **options) -> Outcome:
        with self.start(*words, **options) as process:
            return finish(process, timeout)

    def ok(self, *words: object, **options) -> Outcome:
        outcome = self.run(*words, **options)
        assert outcome.code == 0, outcome
        return outcome

    def leftovers(self) -> list[str]:
        return sorted(entry.name for entry in (self.store / "tmp").iterdir() if entry.name != "gate.lock")


def finish(process: subprocess.Popen, timeout: float = 120) -> Outcome:
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        raise
    return Outcome(process.returncode, out, err)


@contextlib.contextmanager
def machine_for(account: Account):
    parent = os.environ.get("SHEAF_TEST_TMP") or tempfile.gettempdir()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-test-", dir=parent))
    folder.chmod(0o755)
    try:
        yield Machine(account, folder)
    finally:
        remove(folder)


def remove(folder: pathlib.Path) -> None:
    """An ordinary user's store has files of its sub-ids: only the root of a user namespace can remove them."""
    able = [] if IS_ROOT else ["unshare", "--map-root-user", "--map-auto", "--"]
    subprocess.run([*able, "rm", "-rf", folder], check=True)


def processes_with(marker: str) -> list[int]:
    """Processes, in any namespace, with `marker` in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def wait_until(condition, seconds: float = 20, what: str = "condition") -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not true after {seconds} s: {what}"
        time.sleep(0.02)


# ---- projects --------------------------------------------------------------------------------------------------------


class Project:
    """A project's folder, owned by the account of its machine."""

    def __init__(self, machine: Machine, name: str = "project"):
        self.machine = machine
        self.path = machine.directory(name)

    def write(self, name: str, content: str | bytes) -> pathlib.Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = textwrap.dedent(content).encode()
        path.write_bytes(content)
        self.machine.give(self.path)
        return path

    def layer(self, name: str, commands: str, settings: str = "kind: tool\n", **files: str) -> None:
        """A layer of this project. `commands` follow FROM and, unless they are of a base, USER root."""
        folder = f".sheaf/layers/{name}"
        user = "" if "kind: base" in settings else "USER root\n"
        self.write(f"{folder}/layer.yml", f"summary: the layer {name}\n" + textwrap.dedent(settings))
        self.write(f"{folder}/Containerfile", FROM + user + textwrap.dedent(commands))
        for file, content in files.items():
            self.write(f"{folder}/{file}", content)

    def sheaf(self, *words: object, **options) -> Outcome:
        return self.machine.run(*words, cwd=self.path, **options)

    def ok(self, *words: object, **options) -> Outcome:
        return self.machine.ok(*words, cwd=self.path, **options)

    def start(self, *words: object, **options) -> subprocess.Popen:
        return self.machine.start(*words, cwd=self.path, **options)

    def build(self, *words: object) -> Outcome:
        """Builds, successfully, and returns the events."""
        return self.ok("build", "--progress", "json", *words)

    def shell(self, script: str, *words: object) -> str:
        """What `script` prints inside the environment."""
        return self.ok("up", *words, "--", "/bin/sh", "-c", script).out


def busybox() -> bytes:
    path = pathlib.Path("/bin/busybox")
    assert path.is_file(), "/bin/busybox is missing: install Debian's package busybox-static"
    content = path.read_bytes()
    assert not needs_loader(content), "/bin/busybox is not static: install Debian's package busybox-static"
    return content


def needs_loader(program: bytes) -> bool:
    """True if a 64-bit ELF program has a segment of type PT_INTERP."""
    (table,) = struct.unpack_from("<Q", program, 0x20)
    size, count = struct.unpack_from("<HH", program, 0x36)
    return any(struct.unpack_from("<I", program, table + i * size) == (3,) for i in range(count))


def tiny_project(machine: Machine, name: str = "project") -> Project:
    """A project whose base is one static program: built in milliseconds, without the network."""
    project = Project(machine, name)
    project.write(".sheaf/layers/base/busybox", busybox())
    project.layer(
        "base",
        """\
        COPY --chmod=755 busybox /bin/busybox
        RUN ["/bin/busybox", "--install", "-s", "/bin"]
        COPY passwd group issue /etc/
        RUN mkdir -p /home/dev /tmp /workspace && chown 1000:1000 /home/dev /workspace && chmod 1777 /tmp
        WORKDIR /workspace
        USER dev
        CMD ["/bin/sh"]
        """,
        settings="kind: base\n",
        passwd="root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n",
        group="root:x:0:\ndev:x:1000:\n",
        issue="a tiny base\n")
    return project
