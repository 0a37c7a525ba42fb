# SPDX-License-Identifier: Apache-2.0
"""A small store with every kind of file that docs/formats/store.md names, ways to damage one file of it, and the
commands whose results are compared before and after."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import re
import subprocess
import tarfile

import sheaf

APPLETS = ("sh", "cat", "echo", "mkdir", "cp", "chown", "chmod", "ls", "true")
NOW = 1700000000

DOCKERFILE = """\
FROM localhost/base AS first
COPY one two /from-context/
RUN --mount=type=cache,target=/kept,id=damage echo kept >/kept/file && echo first >/first
ADD {url} /added
FROM localhost/base
COPY --from=first /first /from-context/one /added /copied/
RUN echo last >/last
"""


# ---- what the store is made of ---------------------------------------------------------------------------------------


def layer_of_base() -> bytes:
    """A tar with a shell, a device node and a few files."""
    packed = io.BytesIO()

    def entry(name: str, kind=tarfile.REGTYPE, content: bytes = b"", mode=0o644, link="", device=(0, 0)) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, len(content), link, NOW
        info.devmajor, info.devminor = device
        made.addfile(info, io.BytesIO(content))

    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for folder in ("bin", "etc", "srv"):
            entry(folder, tarfile.DIRTYPE, mode=0o755)
        entry("bin/busybox", content=sheaf.busybox(), mode=0o755)
        for applet in APPLETS:
            entry(f"bin/{applet}", tarfile.SYMTYPE, link="busybox")
        entry("etc/passwd", content=b"root:x:0:0:root:/:/bin/sh\n")
        entry("srv/null", tarfile.CHRTYPE, mode=0o666, device=(1, 3))
    return packed.getvalue()


def write_layout(folder: pathlib.Path) -> None:
    """An OCI image layout of one layer, named localhost/base."""

    def put(content: bytes, kind: str) -> dict:
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    (folder / "blobs/sha256").mkdir(parents=True)
    tar = layer_of_base()
    layer = put(gzip.compress(tar, 1, mtime=0), "layer.v1.tar+gzip")
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": put(json.dumps(config).encode(), "config.v1+json"), "layers": [layer]}
    named = {**put(json.dumps(manifest).encode(), "manifest.v1+json"),
             "annotations": {"org.opencontainers.image.ref.name": "localhost/base:latest"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


class Web(http.server.BaseHTTPRequestHandler):
    """What ADD downloads."""

    def do_GET(self):  # noqa: N802, the name is http.server's
        content = b"from the web\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"one"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


def damage_project(machine: sheaf.Machine) -> sheaf.Project:
    """A project whose layers are joined, generate files, have tests and follow an upstream."""
    project = sheaf.tiny_project(machine)
    base = (project.path / ".sheaf/layers/base/Containerfile").read_text()
    desktop = "COPY --chmod=755 update-desktop-database /usr/bin/\nRUN mkdir -p /usr/share/applications\nUSER dev\n"
    project.write(".sheaf/layers/base/Containerfile", base.replace("USER dev\n", desktop))
    project.write(".sheaf/layers/base/update-desktop-database",
                  "#!/bin/sh\ncd /usr/share/applications && cat *.desktop >mimeinfo.cache\n")
    for name in ("a", "b"):
        project.layer(name, f"""\
            RUN echo {name} >/etc/{name} && echo {name}:x:300{int(name, 16)}:0::/:/bin/sh >>/etc/passwd
            COPY {name}.desktop /usr/share/applications/
            """, settings=f"kind: tool\ntests:\n  - {{command: cat /etc/{name}, expect: {name}}}\n",
            **{f"{name}.desktop": f"[Desktop Entry]\nName={name}\n"})
    project.layer("low", "COPY newest /newest\n", newest="1.0.0\n")
    project.layer("agent", "ARG VERSION\nRUN echo $VERSION >/agent\n", """\
        kind: agent
        volatile: yes
        needs: [low]
        newest: cat /newest
        args: {version: {type: version, default: latest}}
        command: [agent]
        """)
    project.write("sheaf.yml", "layers: [a, b]\nagents: [agent]\n")
    return project


# ---- damage ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file or folder of the store."""

    #: Where one is, as a pattern; {word} is a word of Bench.places().
    pattern: str
    #: What belongs to it: commands that are run with it damaged.
    about: str
    #: Commands that may fail, if the file cannot be made again by them; all others have to give what they gave before.
    lost: str = ""
    #: Damage of its content is not looked for by what uses it: results may differ.
    unseen: bool = False


LAYERS = "plan, layer list, why, layer show, layer diff, df, up, test, refresh"
IMAGES = "image list, image show, df, export base, export, build, export again"
FOLDER = "plan, image list, up, export, build"
REGISTRY = "image list, pull, push, build"

#: What is committed, or cannot be made again without its source.
KEPT = "layers recipes steps unpacked images tags blobs/sha256 pins.json"

KINDS = {
    "layer record": Kind("layers/{a}/layer.json", LAYERS, "layer diff"),
    "layer inventory": Kind("layers/{a}/inventory", LAYERS),
    "layer facts": Kind("layers/{a}/facts", LAYERS, "layer diff"),
    "layer tree": Kind("layers/{a}/tree", LAYERS, "layer diff"),
    "file of a layer": Kind("layers/{a}/tree/etc/a", LAYERS, "up", unseen=True),
    "layer": Kind("layers/{a}", LAYERS, "layer diff"),
    "base record": Kind("layers/{base}/layer.json", LAYERS, "refresh"),
    "base tree": Kind("layers/{base}/tree", LAYERS, "refresh"),
    "layers": Kind("layers", LAYERS, "layer diff, refresh"),
    "recipe": Kind("recipes/{recipe_a}", LAYERS, "layer diff"),
    "recipes": Kind("recipes", LAYERS, "layer diff"),
    "join": Kind("joins/{join}", LAYERS),
    "join record": Kind("joins/{join}/join.json", LAYERS),
    "join seal": Kind("joins/{join}/seal", LAYERS),
    "join tree": Kind("joins/{join}/tree", LAYERS),
    "file of a join": Kind("joins/{join}/tree/etc/passwd", LAYERS, "up, test", unseen=True),
    "joins": Kind("joins", LAYERS),
    "generated": Kind("generated/*", LAYERS),
    "generated inventory": Kind("generated/*/inventory", LAYERS),
    "generated seal": Kind("generated/*/seal", LAYERS),
    "generated tree": Kind("generated/*/tree", LAYERS),
    "step key": Kind("step-keys/*", IMAGES),
    "step keys": Kind("step-keys", IMAGES),
    "step": Kind("{step}", IMAGES, "export"),
    "step seal": Kind("{step}/seal", IMAGES),
    "step tree": Kind("{step}/tree", IMAGES, "export"),
    "file of a step": Kind("{step}/tree/last", IMAGES, unseen=True),
    "steps": Kind("steps", IMAGES, "export"),
    "unpacked": Kind("unpacked/*", IMAGES, "export base, export, build, export again"),
    "unpacked seal": Kind("unpacked/*/seal", IMAGES),
    "unpacked content": Kind("unpacked/*/content", IMAGES, "export base, export, build, export again"),
    "unpacked devices": Kind("unpacked/*/devices", IMAGES, "export base, export, build, export again"),
    "unpacked tree": Kind("unpacked/*/tree", IMAGES, "export base, export, build, export again"),
    "file of unpacked": Kind("unpacked/*/tree/etc/passwd", IMAGES, unseen=True),
    "blob of a layer": Kind("blobs/sha256/{blob}", IMAGES, "export base", unseen=True),
    "blob of a manifest": Kind("blobs/sha256/{manifest}", IMAGES, unseen=True),
    "blob of a configuration": Kind("blobs/sha256/{config}", IMAGES, unseen=True),
    "blobs": Kind("blobs/sha256", IMAGES, "export base", unseen=True),
    "blob mark": Kind("blobs/checked/{blob}", IMAGES),
    "blob marks": Kind("blobs/checked", IMAGES),
    "blob record": Kind("blobs/records/*", IMAGES, unseen=True),
    "blob records": Kind("blobs/records", IMAGES, unseen=True),
    "image": Kind("images/{app}.json", IMAGES, "image show, export", unseen=True),
    "image of elsewhere": Kind("images/{imported}.json", IMAGES, "export base, build", unseen=True),
    "images": Kind("images", IMAGES, IMAGES),
    "tag": Kind("tags/{tag_app}", IMAGES, "image show, export"),
    "tags": Kind("tags", IMAGES, IMAGES),
    "pulled": Kind("pulled/*[0-9a-f]", REGISTRY),
    "pulled for a platform": Kind("pulled/*.linux-*", REGISTRY),
    "what was pulled": Kind("pulled", REGISTRY),
    "place of a blob": Kind("blob-places/*", REGISTRY),
    "places of blobs": Kind("blob-places", REGISTRY),
    "package lists": Kind("generations/*/lists", LAYERS),
    "generations": Kind("generations", LAYERS),
    "package": Kind("cache/apt/a.deb", LAYERS),
    "packages": Kind("cache/apt", LAYERS),
    "cache of npm": Kind("cache/npm", LAYERS),
    "memory of a context": Kind("cache/contexts/*[0-9a-f]", IMAGES),
    "memory of a walk": Kind("cache/contexts/*.walks/*", IMAGES),
    "memory of walks": Kind("cache/contexts/*.walks", IMAGES),
    "memories of contexts": Kind("cache/contexts", IMAGES),
    "selection": Kind("cache/selections/*", IMAGES),
    "selections": Kind("cache/selections", IMAGES),
    "download": Kind("cache/http/*", IMAGES, unseen=True),
    "downloads": Kind("cache/http", IMAGES),
    "cache mount": Kind("cache/mounts/*", IMAGES),
    "lock of a cache mount": Kind("cache/mounts/*/lock", IMAGES),
    "cache mounts": Kind("cache/mounts", IMAGES),
    "caches": Kind("cache", FOLDER),
    "pins": Kind("pins.json", LAYERS, LAYERS, unseen=True),
    "plan": Kind("plans/*", LAYERS),
    "plans": Kind("plans", LAYERS),
    "test": Kind("tests/*", LAYERS),
    "tests": Kind("tests", LAYERS),
    "log": Kind("logs/a-*", LAYERS),
    "logs": Kind("logs", FOLDER),
    "lock": Kind("locks/{recipe_a}", LAYERS),
    "lock of the index": Kind("locks/index", LAYERS),
    "locks": Kind("locks", FOLDER),
    "gate": Kind("tmp/gate.lock", FOLDER),
    "staging": Kind("tmp", FOLDER),
    "index": Kind("index.db", LAYERS),
    "format": Kind("format", FOLDER, FOLDER),
}

FLIP = "import sys; f=open(sys.argv[1],'r+b'); b=f.read(); f.seek(len(b)//2); f.write(bytes([b[len(b)//2]^4]))"
#: Scripts with the path in $1.
OF_FILES = {
    "emptied": 'truncate -s 0 "$1"',
    "cut": 'truncate -s $(($(stat -c %s "$1")/2)) "$1"',
    "flipped": f'[ ! -s "$1" ] || python3 -c "{FLIP}" "$1"',
    "a directory": 'rm "$1"; mkdir "$1"',
}
OF_ALL = {
    "removed": 'rm -rf "$1"',
    "a dangling link": 'rm -rf "$1"; ln -s nowhere "$1"',
}
OF_FOLDERS = {"a file": 'rm -rf "$1"; echo file >"$1"'}
#: These keep nobody but an ordinary user from reading; only root can do the second.
FOR_USERS = {"unreadable": 'chmod 0 "$1"', "of another user": 'chown -h 54321:54321 "$1"; chmod go= "$1"'}
#: After these a folder cannot be used, and sheaf does not guess: it says so, whatever it was asked for.
IN_THE_WAY = ("a directory", "a dangling link", "a file", "unreadable", "of another user")


def damages_of(bench: Bench, name: str, path: pathlib.PurePath) -> dict[str, str]:
    """All for root; for an ordinary user one of them, which depends on the kind."""
    damages = {**(OF_FOLDERS if bench.is_folder(path) else OF_FILES), **OF_ALL}
    if bench.machine.account.uid == 0:
        return damages
    damages |= {harm: FOR_USERS[harm] for harm in FOR_USERS if sheaf.IS_ROOT or harm != "of another user"}
    chosen = sorted(damages)[list(KINDS).index(name) % len(damages)]
    return {chosen: damages[chosen]}


# ---- the store, again and again --------------------------------------------------------------------------------------


class Bench:
    """The prepared store, kept beside the machine's own, which every case makes anew from it."""

    def __init__(self, machine: sheaf.Machine, url: str, registry: str):
        self.machine = machine
        self.store = machine.store
        self.pristine = machine.folder / "pristine"
        self.pulled = f"{registry}/damage-{machine.account.name}/base"
        self.layout = machine.folder / "layout"
        write_layout(self.layout)
        machine.give(self.layout)
        self.context = sheaf.Project(machine, "context")
        self.context.write("one", "one\n")
        self.context.write("two", "two\n")
        self.context.write("Dockerfile", DOCKERFILE.format(url=url))
        self.project = damage_project(machine)
        self.prepare()
        self.words = self.places()

    def prepare(self) -> None:
        at = ("-C", self.project.path)
        for words in (("import", self.layout), ("push", "localhost/base", self.pulled), ("pull", self.pulled),
                      ("image", "rm", self.pulled), ("build", "-t", "localhost/app", self.context.path),
                      ("export", "localhost/app", "-o", self.machine.home / "app.tar"), ("refresh", *at),
                      ("up", *at, "--", "true"), ("test", *at)):
            self.machine.ok(*words, SOURCE_DATE_EPOCH=str(NOW))
        # What only a Debian base and npm leave; and root, which can make device nodes, lists none.
        self.inside(f"""\
            cp -a '{self.store}' '{self.pristine}' && cd '{self.pristine}'
            mkdir -p cache/apt cache/npm generations/{'0' * 64}
            echo lists >generations/{'0' * 64}/lists; echo deb >cache/apt/a.deb; echo npm >cache/npm/index
            cd unpacked/* && [ -e devices ] || echo '{{"devices":[],"version":1}}' >devices
            """)

    def inside(self, script: str) -> subprocess.CompletedProcess:
        """Runs a script that may touch every file of the store, whatever sub-id it belongs to."""
        able = [] if sheaf.IS_ROOT else ["unshare", "--map-root-user", "--map-auto", "--"]
        return subprocess.run([*able, "sh", "-ec", script], check=True, capture_output=True, text=True)

    def reset(self) -> None:
        self.inside(f"rm -rf '{self.store}'/* && cp -a '{self.pristine}'/. '{self.store}' && "
                    f"rm -rf '{self.machine.home}'/*")

    def commands(self) -> dict[str, tuple]:
        """Those that only look come first."""
        at = ("-C", self.project.path)
        out = self.machine.home
        return {
            "plan": ("plan", *at),
            "image list": ("image", "list"),
            "image show": ("image", "show", "localhost/app"),
            "layer list": ("layer", "list", *at),
            "layer show": ("layer", "show", *at, "a"),
            "layer diff": ("layer", "diff", "a", "b"),
            "why": ("why", *at, "a"),
            "df": ("df",),
            "export base": ("export", "localhost/base", "-o", out / "export base"),
            "export": ("export", "localhost/app", "--format", "tar", "-o", out / "export"),
            "up": ("up", *at, "--", "cat", "/etc/a", "/etc/b", "/usr/share/applications/mimeinfo.cache"),
            "build": ("build", "-q", "-t", "localhost/app", self.context.path),
            "export again": ("export", "localhost/app", "-o", out / "export again"),
            "test": ("test", *at),
            "refresh": ("refresh", *at),
            "import": ("import", self.layout),
            "pull": ("pull", self.pulled),
            "push": ("push", "localhost/base", self.pulled),
        }

    def run(self, name: str, **options) -> sheaf.Outcome:
        """Fails if the command takes a minute."""
        return self.machine.run(*self.commands()[name], timeout=60, SOURCE_DATE_EPOCH=str(NOW), **options)

    def result(self, name: str, **options) -> tuple[sheaf.Outcome, str]:
        """An outcome, and the part of it that must not depend on damage: what was printed, a digest of a file."""
        written = self.machine.home / name
        written.unlink(missing_ok=True)
        outcome = self.run(name, **options)
        if name.startswith("export") and written.exists():
            return outcome, hashlib.sha256(written.read_bytes()).hexdigest()
        if name == "test":  # whether they were run again or known does not matter
            return outcome, " ".join(re.findall(r"\d+ tests in|\d+ failed", outcome.out))
        return outcome, outcome.out

    def places(self) -> dict[str, str]:
        """Names of files of the store by what they are about."""
        words = {}
        for folder in (self.pristine / "layers").iterdir():
            record = json.loads((folder / "layer.json").read_text())
            words[record["name"]], words["recipe_" + record["name"]] = folder.name, record["recipe_key"][7:]
        for folder in (self.pristine / "joins").iterdir():
            if "agent" in (folder / "join.json").read_text():
                words["join"] = folder.name
        for file in (self.pristine / "tags").iterdir():
            name, image = file.read_text().split()
            short = "app" if name == "localhost/app:latest" else "imported"
            words["tag_" + short], words[short] = file.name, image[7:]
        app, imported = (json.loads((self.pristine / "images" / f"{words[name]}.json").read_text())
                         for name in ("app", "imported"))
        words["step"] = app["trees"][-1]["folder"]
        words["manifest"], words["config"] = imported["manifest"][7:], imported["config"][7:]
        (words["blob"],) = (folder.name for folder in (self.pristine / "unpacked").iterdir())
        return words

    def place(self, kind: Kind) -> pathlib.PurePath:
        """One file of the kind, relative to the store."""
        pattern = kind.pattern.format(**self.words)
        found = sorted(self.inside(f"cd '{self.pristine}' && ls -d {pattern}").stdout.splitlines())
        assert found, f"the store has no {pattern}"
        return pathlib.PurePath(found[0])

    def is_folder(self, path: pathlib.PurePath) -> bool:
        return self.inside(f"test -d '{self.pristine / path}' && echo yes || true").stdout != ""

    def kept(self, damaged: pathlib.PurePath) -> set[str]:
        """What nobody may take away but the damaged thing: names, and sizes of what is never written anew."""
        find = f"find {KEPT} ! -type d -printf '%s %p\\n' 2>/dev/null || true"
        listed = self.inside(f"cd '{self.store}' && {find}").stdout
        whole = "/".join(damaged.parts[:3 if damaged.parts[0] == "blobs" else 2])
        kept = set()
        for size, path in (line.split(" ", 1) for line in listed.splitlines()):
            if not path.startswith(whole):
                kept.add(f"{path} {size}" if "/tree/" in path or "/sha256/" in path else path)
        return kept

    def rebooted(self) -> list[str]:
        """Words to put before a command of root, which then sees another boot."""
        other = self.machine.home / "boot_id"
        other.write_text("00000000-0000-4000-8000-000000000000\n")
        other.chmod(0o644)
        script = f"mount --bind '{other}' /proc/sys/kernel/random/boot_id && exec \"$@\""
        return ["unshare", "--mount", "sh", "-ec", script, "sh"]
