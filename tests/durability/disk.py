# SPDX-License-Identifier: Apache-2.0
"""What a store is while a record is played, what of it has reached the disk, and what a power failure may leave.

A file's changes and a folder's names are pending until they are flushed: data and owner of a file by a flush of the file,
a name by a flush of the folder it was made in, everything by a flush of the file system. A rename counts as one change
that is durable once the folder of the new name is flushed; nothing else is taken for granted. `Choice` says what becomes
of what is pending."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import stat

DATA = ("all", "none", "short", "zeros", "some")


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a power failure does to what is pending.

    names: "journal" (a beginning of all changes, in their order), "any" (each change by itself), "all", "none".
    data: all of it is there; none; cut in the middle; as long as it should be, but zeros; some of the writes."""

    names: str
    data: str
    seed: int

    @staticmethod
    def drawn(seed: int) -> Choice:
        draw = random.Random(seed)
        return Choice(draw.choice(("journal", "journal", "any", "any", "all", "none")), draw.choice(DATA), seed)


@dataclasses.dataclass(eq=False)
class Inode:
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int | None = None
    target: bytes = b""
    device: int = 0
    attributes: dict = dataclasses.field(default_factory=dict)
    entries: dict = dataclasses.field(default_factory=dict)
    #: of a folder: its entries when it was seen first
    start: dict = dataclasses.field(default_factory=dict)
    #: of a file: (offset, bytes), or (None, bytes) for all there is
    changes: list = dataclasses.field(default_factory=list)
    #: how many of the changes are on the disk; None: not even that the file exists in this form
    flushed: int | None = None
    #: mode on the disk; None: never flushed
    flushed_mode: int | None = None

    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    def flush(self) -> None:
        self.flushed, self.flushed_mode = len(self.changes), self.mode

    def content(self) -> bytes:
        return content_of(self.changes)


def content_of(changes) -> bytes:
    content = bytearray()
    for offset, data in changes:
        if offset is None:
            content = bytearray(data)
            continue
        content.extend(bytes(max(0, offset - len(content))))
        content[offset:offset + len(data)] = data
    return bytes(content)


@dataclasses.dataclass(eq=False)
class Naming:
    """One change of names: (folder, name, inode or None)."""

    sets: list
    durable: bool = False


class Disk:
    """The store without its staging folders: what they hold is seen when it leaves them."""

    def __init__(self, objects: pathlib.Path):
        self.objects = objects
        self.root = Inode(stat.S_IFDIR | 0o755)
        self.inodes: dict[int, Inode] = {}
        self.namings: list[Naming] = []
        #: states of staged files that are on the disk: inode number to time of its last change
        self.staged: dict[int, int] = {}

    @staticmethod
    def of_folder(folder: pathlib.Path, objects: pathlib.Path) -> Disk:
        """All that is there is on the disk."""
        disk = Disk(objects)
        disk.root = disk.read(os.fsencode(folder))
        if b"tmp" in disk.root.entries:
            disk.root.entries[b"tmp"].entries.clear()
        for _, node in [(b"", disk.root), *walk(disk.root)]:
            node.flush()
            node.start = dict(node.entries)
        return disk

    def read(self, path: bytes) -> Inode:
        info = os.lstat(path)
        node = self.inodes.get(info.st_ino)
        if node is not None:
            return node
        node = Inode(info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, device=info.st_rdev)
        node.attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                           for name in os.listxattr(path, follow_symlinks=False)}
        self.inodes[info.st_ino] = node
        if stat.S_ISLNK(info.st_mode):
            node.target = os.readlink(path)
        elif stat.S_ISREG(info.st_mode):
            node.changes.append((None, pathlib.Path(os.fsdecode(path)).read_bytes()))
        elif node.is_folder():
            for entry in os.listdir(path):
                node.entries[entry] = self.read(os.path.join(path, entry))
        return node

    # ---- playing

    def play(self, event: dict) -> None:
        if "ino" in event and "path" in event and event["path"] == "":
            self.inodes[event["ino"]] = self.root
        getattr(self, "play_" + event["call"].replace(" ", "_"))(event)

    def data(self, name: str) -> bytes:
        return (self.objects / name).read_bytes()

    def place(self, path: str) -> tuple[Inode, bytes]:
        """The folder of a name that is not below tmp/, and the name."""
        *parents, name = os.fsencode(path).split(b"/")
        folder = self.root
        for parent in parents:
            folder = folder.entries[parent]
        return folder, name

    def name(self, *sets) -> None:
        for folder, name, inode in sets:
            if inode is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = inode
        self.namings.append(Naming(list(sets)))

    def forget_unnamed(self, number: int) -> None:
        """The number of a file without a name may come back as that of another one."""
        node = self.inodes.get(number)
        if node is not None and not any(other is node for _, other in walk(self.root)):
            del self.inodes[number]

    def play_said(self, event: dict) -> None:
        pass

    play_end = play_said

    def play_open(self, event: dict) -> None:
        if is_staged(event["path"]):
            return
        if event["made"]:
            node = Inode(event["mode"], event["uid"], event["gid"])
            self.inodes[event["ino"]] = node
            self.name((*self.place(event["path"]), node))
        elif event["size"] == 0 and self.inodes[event["ino"]].content():
            self.inodes[event["ino"]].changes.append((None, b""))

    def play_make(self, event: dict) -> None:
        if not is_staged(event["path"]):
            node = Inode(event["mode"], event["uid"], event["gid"])
            assert node.is_folder(), f"only folders are made outside of tmp/: {event}"
            self.inodes[event["ino"]] = node
            self.name((*self.place(event["path"]), node))

    def play_write(self, event: dict) -> None:
        if "data" in event:
            self.inodes[event["ino"]].changes.append((event["offset"], self.data(event["data"])))

    def play_content(self, event: dict) -> None:
        if "data" in event:
            self.inodes[event["ino"]].changes.append((None, self.data(event["data"])))

    def play_meta(self, event: dict) -> None:
        if not is_staged(event["path"]):
            node = self.inodes[event["ino"]]
            node.mode, node.uid, node.gid = event["mode"], event["uid"], event["gid"]

    def play_remove(self, event: dict) -> None:
        if not is_staged(event["path"]):
            self.name((*self.place(event["path"]), None))
            self.forget_unnamed(event["ino"])

    def play_link(self, event: dict) -> None:
        assert is_staged(event["to"]), f"a link outside of tmp/ is not expected: {event}"

    def play_move(self, event: dict) -> None:
        old, new = event["path"], event["to"]
        if is_staged(old) and is_staged(new):
            return
        assert event["flags"] == 0, f"only plain renames are expected outside of tmp/: {event}"
        if is_staged(new):
            folder, name = self.place(old)
            self.name((folder, name, None))
            return
        folder, name = self.place(new)
        replaced = folder.entries.get(name)
        if is_staged(old):
            self.name((folder, name, self.adopt(event["tree"])))
        else:
            source, source_name = self.place(old)
            node = source.entries[source_name]
            self.name((source, source_name, None), (folder, name, node))
        for number in [number for number, node in self.inodes.items() if node is replaced]:
            self.forget_unnamed(number)

    def adopt(self, tree: list) -> Inode:
        """What comes out of a staging folder."""
        made: dict[bytes, Inode] = {}
        for entry in tree:
            known = self.inodes.get(entry["ino"])
            node = known if known is not None else self.adopted(entry)
            self.inodes[entry["ino"]] = node
            path = entry["path"].encode("latin-1")
            if path:
                parent, _, name = path.rpartition(b"/")
                made[parent].entries[name] = made[parent].start[name] = node
            made[path] = node
        return made[b""]

    def adopted(self, entry: dict) -> Inode:
        node = Inode(entry["mode"], entry["uid"], entry["gid"], entry["mtime"], device=entry.get("device", 0),
                     target=entry.get("target", "").encode("latin-1"))
        node.attributes = {name: bytes.fromhex(value) for name, value in entry.get("attributes", {}).items()}
        if "data" in entry:
            node.changes.append((None, self.data(entry["data"])))
        if self.staged.get(entry["ino"]) == entry["ctime"]:
            node.flush()
        return node

    def play_flush(self, event: dict) -> None:
        if is_staged(event["path"]):
            self.staged[event["ino"]] = event["ctime"]
            return
        node = self.inodes[event["ino"]]
        node.flush()
        for naming in self.namings:
            if naming.sets[-1][0] is node:
                naming.durable = True

    def play_flush_all(self, event: dict) -> None:
        self.staged = {number: time for number, time in event["states"]}
        for naming in self.namings:
            naming.durable = True
        for _, node in walk(self.root):
            node.flush()

    # ---- what is pending, and what a power failure leaves

    def pending_names(self) -> list[tuple[bytes, Naming]]:
        """Where names are that a power failure may undo: (path, change)."""
        paths = {id(self.root): b"", **{id(node): path for path, node in walk(self.root)}}
        found = []
        for naming in self.namings:
            folder, name, inode = naming.sets[-1]
            if not naming.durable and id(folder) in paths and folder.entries.get(name) is inode:
                found.append((b"/".join(filter(None, (paths[id(folder)], name))), naming))
        return found

    def pending_data(self, path: str) -> list[bytes]:
        """What at or below `path` is not wholly on the disk."""
        folder, name = self.place(path)
        top = folder.entries[name]
        return [below for below, node in [(b"", top), *walk(top)]
                if node.flushed != len(node.changes) or node.flushed_mode != node.mode]

    def survivors(self, choice: Choice) -> list[Naming]:
        draw = random.Random(choice.seed)
        pending = [index for index, naming in enumerate(self.namings) if not naming.durable]
        kept = {"all": set(pending), "none": set(), "any": {i for i in pending if draw.random() < 0.5}}.get(choice.names)
        if kept is None:  # a journal writes changes in their order: a later one that is durable brings the earlier ones
            last = max((i for i, naming in enumerate(self.namings) if naming.durable), default=-1)
            cut = draw.choice([last, *[i for i in pending if i > last]])
            kept = {i for i in pending if i <= cut}
        return [naming for i, naming in enumerate(self.namings) if naming.durable or i in kept]

    def after_power_loss(self, choice: Choice) -> Inode:
        """What the disk holds."""
        draw = random.Random(choice.seed + 1)
        names: dict[int, dict] = {}
        for naming in self.survivors(choice):
            for folder, name, inode in naming.sets:
                entries = names.setdefault(id(folder), dict(folder.start))
                if inode is None:
                    entries.pop(name, None)
                else:
                    entries[name] = inode
        done: dict[int, Inode] = {}

        def left(node: Inode) -> Inode:
            if id(node) in done:
                return done[id(node)]
            copy = dataclasses.replace(node, entries={}, changes=remains(node, choice, draw))
            done[id(node)] = copy
            if node.flushed_mode is not None and choice.data != "all":
                copy.mode = node.flushed_mode
            for name, inner in names.get(id(node), node.start).items():
                # What was staged with its folder and never flushed: an order of its names is not known.
                is_loose = choice.names == "any" and node.start.get(name) is inner and inner.flushed is None
                if not (is_loose and draw.random() < 0.3):
                    copy.entries[name] = left(inner)
            return copy

        return left(self.root)


def remains(node: Inode, choice: Choice, draw: random.Random) -> list:
    """The changes of a file that the power failure left."""
    flushed = node.flushed or 0
    durable, pending = node.changes[:flushed], node.changes[flushed:]
    if not pending or choice.data == "all":
        return list(node.changes)
    whole = content_of(node.changes)
    if choice.data == "none":
        return durable
    if choice.data == "short":
        return [(None, whole[:draw.randrange(len(whole) + 1)])]
    if choice.data == "zeros":
        return [*durable, *((0 if o is None else o, bytes(len(data))) for o, data in pending)]
    return [*durable, *(change for change in pending if draw.random() < 0.5)]


def is_staged(path: str) -> bool:
    return path.startswith("tmp/") or path.startswith("../")


def walk(folder: Inode, path: bytes = b""):
    """(path, inode) of all that is in a folder; an inode with two names twice."""
    for name, inner in folder.entries.items():
        inner_path = path + b"/" + name if path else name
        yield inner_path, inner
        yield from walk(inner, inner_path)


def write(node: Inode, path: bytes, links: dict[int, bytes] | None = None) -> None:
    """Makes a real file or folder of it; needs root."""
    links = {} if links is None else links
    if id(node) in links:
        os.link(links[id(node)], path, follow_symlinks=False)
        return
    if node.is_folder():
        os.mkdir(path)
        for name, inner in node.entries.items():
            write(inner, path + b"/" + name, links)
    elif stat.S_ISLNK(node.mode):
        os.symlink(node.target, path)
    elif stat.S_ISREG(node.mode):
        pathlib.Path(os.fsdecode(path)).write_bytes(node.content())
    else:
        os.mknod(path, node.mode, node.device)
    if not node.is_folder():
        links[id(node)] = path
    os.chown(path, node.uid, node.gid, follow_symlinks=False)
    if not stat.S_ISLNK(node.mode):
        os.chmod(path, stat.S_IMODE(node.mode))
    for name, value in node.attributes.items():
        os.setxattr(path, name, value, follow_symlinks=False)
    if node.mtime is not None:
        os.utime(path, ns=(node.mtime, node.mtime), follow_symlinks=False)
