# SPDX-License-Identifier: Apache-2.0
"""`sheaf generate` with real packages: buildah builds the files on a small Debian, and what comes out is what sheaf joins,
but for what docs/commands/generate.md names."""

import contextlib
import fnmatch
import pathlib

import pytest
import sheaf
from dockerfiles import builders, tree
from sheaf import Project, machine_for
from test_debian_image_base import MINIMAL
from test_generate import LEVELS, NOT_COMPARED
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
# What is dropped from sheaf's layers (docs/layers.md), and what package managers write in another order or with times.
DROPPED = (
    "var/log/*", "var/cache/*", "var/backups/*", "var/lib/apt/lists*", "var/lib/dpkg/*-old", "var/lib/apt/extended_states",
    "etc/*-", "tmp/*", "var/tmp/*", "root/*", "home/dev/.*", "etc/machine-id", "var/lib/dbus/machine-id", "var/lib/dpkg/lock*",
    "var/lib/dpkg/triggers/*", "etc/.pwd.lock", "etc/ssl/certs/*", "var/lib/systemd/*", "etc/ld.so.cache",
    "var/lib/apt/*", "var/lib/dpkg/*-old", "var/lib/dpkg/status", "var/lib/dpkg/available", "*/__pycache__*", "boot", "media",
    "var/lib/ucf/*", "etc/.resolv.conf*")


def plain(entries, names):
    """What is compared: type, mode, owner by name, content."""
    lines = {}
    for path, entry in entries.items():
        name = path.decode(errors="replace")
        if any(path == other or path.startswith(other + b"/") for other in NOT_COMPARED):
            continue
        if any(fnmatch.fnmatch(name, pattern) for pattern in DROPPED):
            continue
        owner = names.get(str(entry.uid), str(entry.uid))
        lines[name] = (entry.kind, oct(entry.mode), owner, entry.target, entry.content, entry.digest)
    return lines


def accounts_of(folder):
    return {line.split(":")[2]: line.split(":")[0] for line in (folder / "etc/passwd").read_text().splitlines()}


@pytest.mark.root_only
def test_debian_packages_and_the_built_in_base(tmp_path):
    with contextlib.ExitStack() as stack:
        machine = stack.enter_context(machine_for(sheaf.Account.caller()))
        copy_downloads(cache_folder(), machine.store / "cache")
        maker = Project(machine, "maker")
        maker.layer("base", "RUN true\n", settings=MINIMAL)
        made = maker.ok("build", "--json", timeout=LONG).json()["image"]
        machine.ok("image", "tag", made, "localhost/debian:12")
        layout = machine.home / "layout"
        machine.ok("export", "localhost/debian:12", "--format", "oci-dir", "--compression", "gzip", "-o", layout)

        project = Project(machine)
        project.layer("own", "RUN apt-get install -y --no-install-recommends hello\n")
        project.write("sheaf.yml", "base: localhost/debian:12\nlayers: [own, python]\n"
                      "snippet: |\n  USER root\n  RUN apt-get install -y --no-install-recommends bc && echo '6 * 7' | bc > /answer\n  USER dev\n")
        image = project.ok("build", "--json", timeout=LONG).json()["image"]
        copy_downloads(machine.store / "cache", cache_folder())
        root = machine.home / "root"
        machine.ok("export", image, "--format", "dir", "-o", root)
        ours = tree.of_folder(root)

        project.ok("generate")
        peer = builders.Buildah(tmp_path, lambda case: {})
        stack.callback(peer.close)
        below = "localhost/small-debian"
        peer.checked("tag", peer.checked("pull", "--quiet", f"oci:{layout}"), below)
        for level in LEVELS:
            name = f"localhost/made-{level.lower()}"
            words = [*builders.BUD, "-t", name, "-f", str(project.path / f".sheaf/build/{level}.Dockerfile"), "--build-arg",
                     f"BASE_IMAGE={below}", str(project.path / ".sheaf/build")]
            built = peer.buildah(*words, timeout=LONG)
            assert built.returncode == 0, built.stdout + built.stderr
            below = name
        container = peer.checked("from", "--pull-never", below)
        mounted = peer.checked("mount", container)
        theirs = tree.of_folder(pathlib.Path(mounted))
        ours = plain(ours, accounts_of(root))
        theirs = plain(theirs, accounts_of(pathlib.Path(mounted)))
        peer.checked("rm", container)
        different = {name: (ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs})
                     if ours.get(name) != theirs.get(name)}
        assert ours["answer"] == theirs["answer"]
        assert len(ours) > 5000 and different == {}, "\n".join(f"{k}: {v}" for k, v in different.items())
