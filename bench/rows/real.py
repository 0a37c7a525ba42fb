# SPDX-License-Identifier: Apache-2.0
"""A base and five layers of real Debian packages. Only when asked for by name: minutes, 3 GB, mmdebstrap and the network.
Packages are downloaded once, before anything is measured."""

from harness import contexts
from harness.clock import Command, quietly
from harness.house import Action, say
from harness.programs import remove_tree
from rows import row

LAYERS = ("cmake", "gdb", "git", "python3", "ruby")
BASE_PACKAGES = "ca-certificates curl procps"
INSTALL = "RUN apt-get install -y --no-install-recommends"


def install(name, mark="0"):
    return f"{INSTALL} {name} && echo {mark} >/etc/stamp-{name}"


class RealLayers:
    """Our project, the peer's file of the same commands, and one small Debian that both start from; made once."""

    def __init__(self, house):
        house.real_layers = self
        self._house = house
        self.project = house.work / "real-project"
        self.context = house.work / "real-context"
        self.archives = house.folder("archives/partial").parent
        self.store = house.work / "real-store"
        self._seed()
        contexts.write(contexts.layer(self.project, "base", [], "base"), "\n".join([
            "FROM localhost/bench-seed:1", f"{INSTALL} {BASE_PACKAGES}", "RUN mkdir -p /workspace && useradd -m -u 1000 dev",
            "USER dev", ""]), "Containerfile")
        for name in LAYERS:
            contexts.layer(self.project, name, ["USER root", install(name)])
        self.change("0")
        say("downloading packages")
        quietly(self.own())
        for peer in self.peers():
            quietly(self.sequential(peer, "--layers"))

    def _seed(self):
        seed = self._house.folder("seed")
        quietly(Command(["mmdebstrap", "--variant=apt", "--quiet", "bookworm", seed / "root.tar"]))
        contexts.write(seed, "FROM scratch\nADD root.tar /\nENV DEBIAN_FRONTEND=noninteractive\n")
        sheaf = self._house.sheaf
        quietly(sheaf.command("build", "-q", "-t", "localhost/bench-seed:1", seed, store=self.store))
        for peer in self.peers():
            quietly(peer.build(seed, "localhost/bench-seed:1"))

    def peers(self):
        """Those that can keep downloaded packages outside of the image."""
        return [peer for peer in self._house.present_peers() if peer.name in ("buildah", "podman")]

    def change(self, mark):
        """Another mark is another lowest layer."""
        contexts.layer(self.project, LAYERS[0], ["USER root", install(LAYERS[0], mark)])
        lines = [install(name, mark if name == LAYERS[0] else "0") for name in LAYERS]
        contexts.write(self.context, "\n".join(["FROM localhost/bench-seed:1", "RUN apt-get update",
                                                f"{INSTALL} {BASE_PACKAGES}", *lines, ""]))

    def own(self):
        return self._house.sheaf.command("build", "-C", self.project, "-j", "2", "--layers", ",".join(LAYERS),
                                         store=self.store)

    def sequential(self, peer, cache):
        command = peer.build(self.context, "localhost/bench-stack")
        command.argv[command.argv.index("--layers")] = cache
        command.argv[-1:-1] = ["-v", f"{self.archives}:/var/cache/apt/archives"]
        return command

    def forget(self, *parts):
        for part in parts:
            for path in self.store.glob(part):
                remove_tree(path)


def compare(house, result, before, cache):
    layers = getattr(house, "real_layers", None) or RealLayers(house)

    def action(program):
        def ready(_):
            before(layers, program)
            house.sync()

        if program is house.sheaf:
            return Action(lambda i: layers.own(), ready)
        return Action(lambda i: layers.sequential(program, cache), ready)

    house.compare(result, action, min(house.runs, 3), only=[peer.name for peer in layers.peers()])


@row("real-cold", "a base and five layers of real packages, each alone, two at once; peers: one file, one after the other",
     only_named=True)
def cold(house, result):
    built = ("layers", "recipes", "joins", "generated", "plans", "index.db*")
    compare(house, result, lambda layers, program: program is house.sheaf and layers.forget(*built), "--no-cache")


@row("real-change", "the lowest of the five changed", only_named=True)
def change(house, result):
    compare(house, result, lambda layers, program: layers.change(house.fresh()), "--layers")


@row("real-join", "a new join of the base and the five layers", target=50, only_named=True)
def join(house, result):
    layers = getattr(house, "real_layers", None) or RealLayers(house)
    house.own(result, Action(lambda i: layers.own(), lambda i: layers.forget("joins", "plans")))
