# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared, each with a storage of its own. All of them can `build`; what else one of them cannot
do raises Unable. A program that cannot work on this machine has the reason in `absent`."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from harness.clock import BenchError, Command, quietly


class Unable(Exception):
    """The program has no such command."""


class Program:
    name = ""

    def __init__(self, work):
        self.folder = work / self.name
        self.folder.mkdir()
        self.absent = None
        self.daemons = []

    def start(self, base):
        """Makes the image 'bench-base' of the context `base`, starting a daemon first where there is one."""
        try:
            self._open()
            quietly(self.build(base, "bench-base"))
        except (BenchError, OSError) as error:
            self.absent = str(error)

    def _open(self):
        pass

    def stop(self):
        """Ends what was started and gives mounts back, so that the folder can be removed."""

    def version(self):
        raise NotImplementedError

    def build(self, context, tag, file="Dockerfile"):
        raise NotImplementedError

    def run(self, tag):
        """`true` in a fresh container of the image."""
        raise Unable(f"{self.name} runs no containers")

    def push(self, tag, reference):
        raise Unable(f"{self.name} pushes nothing")

    def pull(self, reference):
        """Into a storage that does not know the image, see forget_pulled."""
        raise Unable(f"{self.name} pulls nothing")

    def forget_pulled(self, reference):
        pass

    def forget_packed(self):
        """Forgets the blobs that were made for a registry."""

    def prune(self):
        """Gives back what images without a name take, as far as the program can."""
        for command in self._prunings():
            try:
                quietly(command)
            except BenchError:
                pass  # it costs room only

    def _prunings(self):
        return []


def remove_tree(folder):
    """Also what only the owner of sub-ids or root may remove."""
    done = subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], capture_output=True, check=False)
    if done.returncode != 0 and os.path.exists(folder):
        subprocess.run(["unshare", "--map-auto", "--map-root-user", "rm", "-rf", str(folder)], capture_output=True,
                       check=False)


def unmount_below(folder):
    """In reverse order of mounting; what is busy is detached."""
    prefix = str(folder) + "/"
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        places = [line.split()[1] for line in mounts]
    for place in reversed([place for place in places if place.startswith(prefix)]):
        subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def container_groups():
    """The control groups that docker and podman make for their containers, and leave."""
    places = pathlib.Path("/sys/fs/cgroup")
    return {path for name in ("docker", "libpod_parent") for path in [*places.glob(name), *places.glob(f"*/{name}")]}


def remove_groups(groups):
    """Only what is empty goes: a group with processes in it stays."""
    for group in groups:
        for folder in sorted([group, *group.rglob("*/")], key=lambda path: len(path.parts), reverse=True):
            try:
                folder.rmdir()
            except OSError:
                pass


class Sheaf(Program):
    name = "sheaf"

    def __init__(self, work, binary):
        super().__init__(work)
        # A copy, because an ordinary user may not be able to read this clone.
        self.binary = shutil.copy(binary, work / "sheaf-binary")
        self.store = self.folder / "store"
        self._pulled = self.folder / "pulled"
        self.nowhere = self.folder / "empty-project"
        self.nowhere.mkdir()

    def version(self):
        return quietly(Command([self.binary, "version"])).splitlines()[0].removeprefix("sheaf ")

    def command(self, *words, store=None):
        return Command([self.binary, *words], {"SHEAF_ROOT": str(store or self.store), "HOME": str(self.folder)})

    def build(self, context, tag, file="Dockerfile"):
        return self.command("build", "--progress", "plain", "-f", context / file, "-t", tag, context)

    def _prunings(self):
        return [self.command("gc", "--older-than", "0d")]

    def run(self, tag):
        return self.command("up", "-C", self.nowhere, "--image", tag, "--", "true")

    def push(self, tag, reference, *options):
        return self.command("push", "-q", *options, tag, reference)

    def pull(self, reference):
        return self.command("pull", "-q", reference, store=self._pulled)

    def forget_pulled(self, reference):
        remove_tree(self._pulled)

    def forget_packed(self):
        for folder in [*self.store.glob("blobs/*"), self.store / "blob-places"]:
            remove_tree(folder)


class Buildah(Program):
    name = "buildah"

    def version(self):
        return quietly(Command(["buildah", "--version"])).split()[2]

    def _tool(self, *words, storage="storage"):
        return Command(["buildah", f"--root={self.folder}/{storage}", f"--runroot={self.folder}/{storage}-run",
                        "--storage-driver=overlay", *words])

    def build(self, context, tag, file="Dockerfile"):
        return self._tool("bud", "--layers", "--isolation", "chroot", "--network", "host", "-f", context / file, "-t",
                          tag, context)

    def run(self, tag):
        """Its container is made before: 'from' and 'run' are two commands, and the second one starts a program."""
        container = f"run-{tag}"
        try:
            quietly(self._tool("from", "--name", container, f"localhost/{tag}"))
        except BenchError as error:
            if "already in use" not in str(error):
                raise
        return self._tool("run", "--isolation", "chroot", container, "--", "true")

    def push(self, tag, reference):
        return self._tool("push", "--tls-verify=false", tag, f"docker://{reference}")

    def pull(self, reference):
        return self._tool("pull", "--tls-verify=false", f"docker://{reference}", storage="pulled")

    def forget_pulled(self, reference):
        unmount_below(self.folder / "pulled")
        remove_tree(self.folder / "pulled")

    def forget_packed(self):
        remove_tree(self.folder / "storage" / "cache")

    def _prunings(self):
        return [self._tool("rmi", "--prune", "--force")]

    def stop(self):
        unmount_below(self.folder)


# Raised limits need CAP_SYS_RESOURCE, which many containers and virtual machines do not give.
PODMAN_SETTINGS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=32768:32768"]
pids_limit = 0
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""


class Podman(Buildah):
    name = "podman"

    def version(self):
        return quietly(Command(["podman", "--version"])).split()[2]

    def _tool(self, *words, storage="storage"):
        return Command(["podman", f"--root={self.folder}/{storage}", f"--runroot={self.folder}/{storage}-run",
                        "--storage-driver=overlay", *words], {"CONTAINERS_CONF": str(self.folder / "containers.conf")})

    def _open(self):
        (self.folder / "containers.conf").write_text(PODMAN_SETTINGS)

    def build(self, context, tag, file="Dockerfile"):
        return self._tool("build", "--layers", "--isolation", "chroot", "--network", "host", "-f", context / file, "-t",
                          tag, context)

    def run(self, tag):
        return self._tool("run", "--rm", "--network", "host", tag, "true")

    def pull(self, reference):
        return self._tool("pull", "--tls-verify=false", reference, storage="pulled")

    def _prunings(self):
        return [self._tool("image", "prune", "--force")]


class Docker(Program):
    name = "docker"

    def __init__(self, work):
        super().__init__(work)
        self._daemon = None
        # A newer client in /usr/local would look for plugins of its own: client and daemon are of one package.
        beside = pathlib.Path("/usr/bin/docker")
        self._client = str(beside) if beside.exists() else "docker"
        self._socket = f"unix://{self.folder}/socket"

    def version(self):
        return self._tool_output("version", "--format", "{{.Server.Version}}")

    def _tool_output(self, *words):
        return quietly(self._tool(*words)).strip()

    def _open(self):
        if not shutil.which("dockerd"):
            raise BenchError("no dockerd: apt-get install docker.io")
        if os.geteuid() != 0:
            raise BenchError("dockerd needs root")
        (self.folder / "daemon.json").write_text("{}")
        words = ["dockerd", "--config-file", "daemon.json", "--data-root", f"{self.folder}/data", "--exec-root",
                 f"{self.folder}/exec", "--pidfile", f"{self.folder}/pid", "-H", self._socket, "--bridge=none",
                 "--iptables=false", "--ip6tables=false"]
        log = self.folder / "log"
        self._daemon = start_daemon(words, log, self.folder)
        wait_until(lambda: self._tool_output("version", "--format", "{{.Server.Version}}"), self._daemon, log)
        self.daemons = [self._daemon.pid, *children_of(self._daemon.pid)]

    def stop(self):
        stop_daemon(self._daemon)
        unmount_below(self.folder)

    def _tool(self, *words):
        return Command([self._client, f"--host={self._socket}", *words], {"DOCKER_BUILDKIT": "1", "HOME": str(self.folder)})

    def build(self, context, tag, file="Dockerfile"):
        return self._tool("build", "--progress", "plain", "--network", "host", "-f", context / file, "-t", tag, context)

    def run(self, tag):
        return self._tool("run", "--rm", "--network", "host", tag, "true")

    def push(self, tag, reference):
        quietly(self._tool("tag", tag, reference))
        return self._tool("push", reference)

    def pull(self, reference):
        return self._tool("pull", reference)

    def _prunings(self):
        return [self._tool("image", "prune", "--force"), self._tool("builder", "prune", "--all", "--force")]

    def forget_pulled(self, reference):
        try:
            quietly(self._tool("rmi", "-f", reference))
        except BenchError:
            pass  # it was not there


class BuildKit(Program):
    """buildkitd on its own, newer than the one in Debian's dockerd. Images stay in its cache; it has no names for them,
    so that bases come from the registry."""

    name = "buildkit"

    def __init__(self, work, registry):
        super().__init__(work)
        self._daemon = None
        self._registry = registry
        self._address = f"unix://{self.folder}/socket"

    def version(self):
        return quietly(Command(["buildkitd", "--version"])).split()[2]

    def _open(self):
        missing = [tool for tool in ("buildkitd", "buildctl") if not shutil.which(tool)]
        if missing:
            raise BenchError(f"no {' and no '.join(missing)} on PATH")
        (self.folder / "buildkitd.toml").write_text(f'[registry."{self._registry}"]\n  http = true\n')
        log = self.folder / "log"
        self._daemon = start_daemon(["buildkitd", "--config", f"{self.folder}/buildkitd.toml", "--root",
                                     f"{self.folder}/data", "--addr", self._address], log, self.folder)
        wait_until(lambda: quietly(Command(["buildctl", "--addr", self._address, "debug", "workers"])), self._daemon, log)
        self.daemons = [self._daemon.pid]

    def start(self, base):
        super().start(base)
        if not self.absent:
            quietly(self.push("bench-base", f"{self._registry}/bench-base", base))

    def stop(self):
        stop_daemon(self._daemon)
        unmount_below(self.folder)

    def build(self, context, tag, file="Dockerfile", push="false"):
        return Command(["buildctl", "--addr", self._address, "build", "--frontend", "dockerfile.v0", "--progress", "plain",
                        "--local", f"context={context}", "--local", f"dockerfile={context}", "--opt", f"filename={file}",
                        "--opt", f"build-arg:BASE_IMAGE={self._registry}/bench-base",
                        "--output", f"type=image,name={tag},push={push}"])

    def push(self, tag, reference, context=None):
        if context is None:
            raise Unable("buildkit pushes only what it has just built")
        return self.build(context, reference, push="true")


def start_daemon(words, log, folder):
    """In a process group of its own: Ctrl-C is ours to pass on. Not in a new session, which the kernel would schedule as
    an equal of ours, however nice that is (sched(7), autogroup)."""
    with open(log, "wb") as output:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                                process_group=0)


def wait_until(asked, daemon, log):
    """Until `asked` succeeds, for 20 seconds at most."""
    for _ in range(100):
        if daemon.poll() is not None:
            break
        try:
            return asked()
        except BenchError:
            time.sleep(0.2)
    lines = pathlib.Path(log).read_text(errors="replace").splitlines()
    raise BenchError(f"the daemon does not answer: {lines[-1] if lines else 'it said nothing'}")


def stop_daemon(daemon):
    """Politely, then for good, with the group of processes it leads."""
    if daemon is None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        if daemon.poll() is None:
            daemon.send_signal(how)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                continue
    try:
        os.killpg(daemon.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children_of(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    found = [int(child) for child in text.split()]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split() if int(child) not in found]
    return found
