# SPDX-License-Identifier: Apache-2.0
"""Root file systems as comparable values: read from a folder, from a tar or from the lines of a case.

One line describes one entry:

    TYPE MODE UID:GID PATH [REST] [xattr NAME=VALUE]...

TYPE is d, f, l, h (hard link), p (fifo), c or b. REST is "text" or sha256:HEX for f, `-> target` for l, `= path` for h,
MAJOR:MINOR for c and b. Paths and texts with unusual bytes are written "in quotes" with the escapes of Python's bytes.
`- PATH` says that an entry is not there. Paths are bytes, relative to the root, without a leading slash.
"""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import os
import pathlib
import re
import stat
import tarfile

INLINE = 300  # bytes; longer contents are shown as their digest
KINDS = {"d": stat.S_IFDIR, "f": stat.S_IFREG, "l": stat.S_IFLNK, "p": stat.S_IFIFO, "c": stat.S_IFCHR,
         "b": stat.S_IFBLK}


class LineError(ValueError):
    """A line that does not describe an entry."""


@dataclasses.dataclass(frozen=True)
class Entry:
    kind: str  # d f l p c b
    mode: int  # permissions with setuid, setgid and sticky
    uid: int
    gid: int
    target: bytes = b""  # of a symbolic link
    device: tuple[int, int] | None = None
    content: bytes | None = None  # of a file that is short
    digest: str = ""  # of a file that is long
    xattrs: tuple[tuple[str, bytes], ...] = ()
    twins: tuple[bytes, ...] = ()  # all names of a file with several

    def line(self, path: bytes) -> str:
        words = [self.kind, f"{self.mode:o}", f"{self.uid}:{self.gid}", quoted(path)]
        if self.kind == "l":
            words += ["->", quoted(self.target)]
        if self.device:
            words.append("{}:{}".format(*self.device))
        if self.kind == "f":
            words.append(in_quotes(self.content) if self.content is not None else self.digest)
        words += [f"xattr {name}={quoted(value)}" for name, value in self.xattrs]
        if self.twins:
            words.append("also " + " ".join(quoted(other) for other in self.twins if other != path))
        return " ".join(words)


Tree = dict[bytes, Entry]


def in_quotes(value: bytes) -> str:
    escaped = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in value)
    return '"' + escaped.replace("\\x0a", "\\n") + '"'


def quoted(value: bytes) -> str:
    """As it is if it is plain, else in quotes."""
    return value.decode() if re.fullmatch(rb"[\w./+@%:,-]+", value) else in_quotes(value)


def unquoted(word: str) -> bytes:
    if not word.startswith('"'):
        return word.encode()
    if len(word) < 2 or not word.endswith('"'):
        raise LineError(f"{word}: the quote does not end")
    return codecs.escape_decode(word[1:-1].encode())[0]


def split(line: str) -> list[str]:
    """Words at blanks; a part in quotes keeps its blanks."""
    return re.findall(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+', line)


def of_content(content: bytes) -> dict:
    if len(content) <= INLINE:
        return {"content": content}
    return {"digest": "sha256:" + hashlib.sha256(content).hexdigest()}


# ---- lines -----------------------------------------------------------------------------------------------------------


def parse_line(line: str) -> tuple[bytes, Entry | None, bytes]:
    """Path, entry (None for `- PATH`), and the name a hard link shares its file with, or b""."""
    words = split(line)
    try:
        if words[0] == "-":
            return unquoted(words[1]), None, b""
        kind, mode, owner, path, *rest = words
        uid, gid = map(int, owner.split(":"))
        fields, same = parse_rest(kind, rest)
        if kind not in KINDS and kind != "h":
            raise LineError(f"unknown type '{kind}'")
        return unquoted(path), Entry("f" if kind == "h" else kind, int(mode, 8), uid, gid, **fields), same
    except (IndexError, ValueError) as error:
        raise LineError(f"'{line}' is not 'TYPE MODE UID:GID PATH ...': {error}") from error


def parse_rest(kind: str, words: list[str]) -> tuple[dict, bytes]:
    fields: dict = {"content": b""} if kind == "f" else {}
    same, xattrs = b"", []
    while words:
        word = words.pop(0)
        if word == "xattr":
            name, value = words.pop(0).split("=", 1)
            xattrs.append((name, unquoted(value)))
        elif word == "->":
            fields["target"] = unquoted(words.pop(0))
        elif word == "=":
            same = unquoted(words.pop(0))
        elif kind in "cb":
            fields["device"] = tuple(map(int, word.split(":")))
        elif word.startswith("sha256:"):
            fields = {"digest": word}
        elif word.startswith('"'):
            fields.update(of_content(unquoted(word)))
        else:
            raise LineError(f"'{word}' is out of place")
    return {**fields, "xattrs": tuple(sorted(xattrs))}, same


def parse_lines(lines: list[str]) -> dict[bytes, Entry | None]:
    """Entries by path; hard links have their twins."""
    entries: dict[bytes, Entry | None] = {}
    groups: dict[bytes, list[bytes]] = {}
    for line in lines:
        path, entry, same = parse_line(line)
        if same:
            if entries.get(same) is None:
                raise LineError(f"'{line}': '{quoted(same)}' is not above it")
            entry = entries[same]
            groups.setdefault(same, [same]).append(path)
        entries[path] = entry
    for names in groups.values():
        for name in names:
            entries[name] = dataclasses.replace(entries[name], twins=tuple(sorted(names)))
    return entries


# ---- folders and tars ------------------------------------------------------------------------------------------------


def of_folder(root: pathlib.Path) -> Tree:
    """Everything below a folder; root only, because modes may forbid others to read."""
    tree: Tree = {}
    names: dict[int, list[bytes]] = {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            full = os.path.join(folder, name)
            status, path = os.lstat(full), os.path.relpath(full, top)
            tree[path] = of_status(full, status)
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                names.setdefault(status.st_ino, []).append(path)
    return with_twins(tree, list(names.values()))


def of_status(full: bytes, status: os.stat_result) -> Entry:
    kind = next((k for k, bits in KINDS.items() if stat.S_IFMT(status.st_mode) == bits), "?")
    fields: dict = {}
    if kind == "l":
        fields["target"] = os.readlink(full)
    elif kind == "f":
        fields = of_content(pathlib.Path(os.fsdecode(full)).read_bytes())
    elif kind in "cb":
        fields["device"] = (os.major(status.st_rdev), os.minor(status.st_rdev))
    xattrs = tuple(sorted((n, os.getxattr(full, n, follow_symlinks=False)) for n in
                          os.listxattr(full, follow_symlinks=False) if n != "security.selinux"))
    return Entry(kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, xattrs=xattrs, **fields)


def with_twins(tree: Tree, groups: list[list[bytes]]) -> Tree:
    for names in groups:
        for name in names if len(names) > 1 else []:
            tree[name] = dataclasses.replace(tree[name], twins=tuple(sorted(names)))
    return tree


def of_tar(path: pathlib.Path) -> Tree:
    """The root file system in a tar; a name that stands in it twice is an error."""
    tree: Tree = {}
    groups: dict[bytes, list[bytes]] = {}
    with tarfile.open(path, "r:*", errors="surrogateescape") as archive:
        for member in archive:
            name = relative(member.name)
            if not name:
                continue
            assert name not in tree, f"{path}: two entries named {name!r}"
            if member.islnk():
                first = relative(member.linkname)
                groups.setdefault(first, [first]).append(name)
                tree[name] = tree[first]
            else:
                tree[name] = of_member(archive, member)
    return with_twins(tree, list(groups.values()))


def relative(name: str) -> bytes:
    path = os.fsencode(name).strip(b"/")
    path = path.removeprefix(b"./")
    assert b".." not in path.split(b"/"), f"a path with '..' in an image: {name!r}"
    return b"" if path == b"." else path


def of_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    kind = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.FIFOTYPE: "p", tarfile.CHRTYPE: "c",
            tarfile.BLKTYPE: "b"}.get(member.type, "f")
    fields: dict = {}
    if kind == "l":
        fields["target"] = os.fsencode(member.linkname)
    elif kind == "f":
        fields = of_content(archive.extractfile(member).read())
    elif kind in "cb":
        fields["device"] = (member.devmajor, member.devminor)
    start = "SCHILY.xattr."
    xattrs = tuple(sorted((key[len(start):], value.encode("utf-8", "surrogateescape"))
                          for key, value in member.pax_headers.items() if key.startswith(start)))
    mode = 0o777 if kind == "l" else member.mode & 0o7777
    return Entry(kind, mode, member.uid, member.gid, xattrs=xattrs, **fields)


# ---- comparing -------------------------------------------------------------------------------------------------------


def differences(left: Tree, right: Tree) -> dict[bytes, tuple[str, str]]:
    """Path -> the entry's line in both trees; "absent" if it is not there."""
    found = {}
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            found[path] = tuple(tree[path].line(path) if path in tree else "absent" for tree in (left, right))
    return found


def changed(base: Tree, entries: dict[bytes, Entry | None]) -> Tree:
    """`base` with the entries of a case's lines."""
    tree = {**base, **{path: entry for path, entry in entries.items() if entry is not None}}
    return {path: entry for path, entry in tree.items() if entries.get(path, entry) is not None}
