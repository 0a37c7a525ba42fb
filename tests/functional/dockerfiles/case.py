# SPDX-License-Identifier: Apache-2.0
"""One case of the corpus: a text file with a header, a Dockerfile, its context, and what is to come out.

    # What the case shows, in a sentence.
    args: --build-arg X=1                  added to the builders' command lines
    env: NAME=value                        the builders' environment
    target: stage                          --target
    file: context/other.Dockerfile         -f, instead of Dockerfile
    peer: none REASON                      buildah cannot build it: what is expected stands below, completely
    known: tree PATH: REASON               buildah's differs; BuildKit's stands below
    known: config FIELD: REASON
    expect: fails FRAGMENT                 both builders refuse; ours says FRAGMENT
    stderr: FRAGMENT                       our builder says it

    -- Dockerfile --
    FROM localhost/base
    -- context/run.sh mode=755 --
    -- context/link -> target --
    -- context/empty dir --
    -- context/other = context/run.sh --   a hard link
    -- context/pipe fifo --
    -- context/a.tar.gz archive --         members in the lines of tree.py; the name chooses the compression
    -- context/data hex --
    -- expect tree --                      lines of tree.py: what differs from the base (with a peer: some of it)
    -- expect config --                    JSON, fields that differ from the base's

Sections `http/...` are served at @HTTP@; `git/...` is the first commit (tag v1), `git2/...` the second of the
repository at @GIT@, with the ids @COMMIT1@ and @COMMIT2@; `parent/Dockerfile` is built first, as the image @PARENT@.
@CASE@ is the folder that holds all sections. Names with unusual bytes stand in quotes. Options of a file: mode=OCTAL,
noeol (without the last newline), xattr=NAME:VALUE, mtime=SECONDS.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import io
import json
import lzma
import os
import pathlib
import re
import shlex
import subprocess
import tarfile

from . import tree

FOLDER = pathlib.Path(__file__).resolve().parent / "cases"
MARK = re.compile(r'-- (?P<words>\S.*?) --')
HEADERS = {"args", "env", "target", "file", "peer", "known", "expect", "stderr"}
CONFIG_FIELDS = {"Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Volumes", "ExposedPorts", "Labels", "Healthcheck",
                 "StopSignal", "Shell", "OnBuild"}


class CaseError(ValueError):
    """A case that breaks the rules above."""


@dataclasses.dataclass
class Section:
    path: bytes
    kind: str = "file"  # file dir link same fifo archive hex
    text: str = ""
    target: bytes = b""
    mode: int | None = None
    eol: bool = True
    mtime: int = 1_600_000_000
    xattrs: tuple[tuple[str, str], ...] = ()

    def content(self) -> bytes:
        if self.kind == "archive":
            return archive(self)
        if self.kind == "hex":
            return bytes.fromhex(self.text)
        return self.text.encode() if self.eol else self.text.removesuffix("\n").encode()


@dataclasses.dataclass
class Case:
    name: str
    args: list[str] = dataclasses.field(default_factory=list)
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    file: str = "Dockerfile"
    without_peer: str = ""
    known_paths: dict[bytes, str] = dataclasses.field(default_factory=dict)
    known_fields: dict[str, str] = dataclasses.field(default_factory=dict)
    fails: str | None = None
    stderr: list[str] = dataclasses.field(default_factory=list)
    sections: list[Section] = dataclasses.field(default_factory=list)
    expected: dict[bytes, tree.Entry | None] = dataclasses.field(default_factory=dict)
    expected_config: dict = dataclasses.field(default_factory=dict)

    def has(self, top: str) -> bool:
        return any(section.path.startswith(top.encode() + b"/") for section in self.sections)


def all_cases() -> list[Case]:
    return [load(path) for path in sorted(FOLDER.glob("*.case"))]


def load(path: pathlib.Path) -> Case:
    lines = path.read_text().splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines) if MARK.fullmatch(line.rstrip("\n"))]
    case = Case(path.stem)
    try:
        for line in lines[:starts[0] if starts else None]:
            read_header(case, line.strip())
        for start, end in zip(starts, starts[1:] + [len(lines)]):
            words = MARK.fullmatch(lines[start].rstrip("\n"))["words"]
            read_section(case, words, "".join(lines[start + 1:end]))
        check(case)
    except ValueError as error:
        raise CaseError(f"{path}: {error}") from error
    return case


def read_header(case: Case, line: str) -> None:
    if not line or line.startswith("#"):
        return
    key, colon, value = line.partition(":")
    value = value.strip()
    if not colon or key not in HEADERS or not value:
        raise CaseError(f"'{line}' is not 'KEY: VALUE' with one of the keys {', '.join(sorted(HEADERS))}")
    if key == "args":
        case.args += shlex.split(value)
    elif key == "env":
        case.env.update(word.split("=", 1) for word in shlex.split(value))
    elif key == "target":
        case.args += ["--target", value]
    elif key == "file":
        case.file = value
    elif key == "stderr":
        case.stderr.append(value)
    elif key == "known":
        read_known(case, value)
    else:
        read_verdict(case, key, value)


def read_known(case: Case, value: str) -> None:
    match = re.fullmatch(r'(tree|config) ("(?:\\.|[^"])*"|[^\s:]+): (.{10,})', value)
    if not match:
        raise CaseError(f"'known: {value}' is not 'known: tree PATH: REASON' or 'known: config FIELD: REASON'")
    if match[1] == "tree":
        case.known_paths[tree.unquoted(match[2])] = match[3]
    else:
        case.known_fields[match[2]] = match[3]


def read_verdict(case: Case, key: str, value: str) -> None:
    word, _, rest = value.partition(" ")
    if (key, word) not in (("peer", "none"), ("expect", "fails")) or not rest.strip():
        raise CaseError(f"'{key}: {value}' is not 'peer: none REASON' or 'expect: fails FRAGMENT'")
    if key == "peer":
        case.without_peer = rest.strip()
    else:
        case.fails = rest.strip()


def read_section(case: Case, words: str, text: str) -> None:
    if words == "expect tree":
        case.expected = tree.parse_lines([line for line in text.splitlines() if line.strip()])
    elif words == "expect config":
        case.expected_config = json.loads(text)
    else:
        case.sections.append(section_of(tree.split(words), text))


def section_of(words: list[str], text: str) -> Section:
    made = Section(tree.unquoted(words[0]), text=text)
    if made.path.startswith(b"/") or b".." in made.path.split(b"/"):
        raise CaseError(f"section '{words[0]}' leaves the case's folder")
    words = words[1:]
    while words:
        word = words.pop(0)
        key, _, value = word.partition("=")
        if word in ("->", "="):
            made.kind, made.target = ("link" if word == "->" else "same"), tree.unquoted(words.pop(0))
        elif word in ("dir", "fifo", "archive", "hex"):
            made.kind = word
        elif word == "noeol":
            made.eol = False
        elif key == "mode":
            made.mode = int(value, 8)
        elif key == "mtime":
            made.mtime = int(value)
        elif key == "xattr":
            made.xattrs += (tuple(value.split(":", 1)),)
        else:
            raise CaseError(f"section '{tree.quoted(made.path)}': unknown option '{word}'")
    return made


def check(case: Case) -> None:
    if not any(os.fsdecode(section.path) == case.file for section in case.sections):
        raise CaseError(f"there is no section '{case.file}'")
    unknown = (case.known_fields.keys() | case.expected_config.keys()) - CONFIG_FIELDS
    if unknown:
        raise CaseError(f"not fields of a configuration that are compared: {', '.join(sorted(unknown))}")
    unsaid = [tree.quoted(p) for p in case.known_paths if p not in case.expected]
    unsaid += [field for field in case.known_fields if field not in case.expected_config]
    if unsaid:
        raise CaseError(f"known differences without what is expected instead: {', '.join(unsaid)}")
    if case.fails is not None and (case.expected or case.expected_config):
        raise CaseError("it expects a failure and a result")
    if case.without_peer and case.fails is None and not (case.expected or case.expected_config):
        raise CaseError("without a peer, and nothing is expected")


# ---- making a case's folder ------------------------------------------------------------------------------------------


def write(case: Case, folder: pathlib.Path, values: dict[str, str], owner: tuple[int, int]) -> None:
    """Writes all sections but those of http/, git/ and git2/; `values` replaces @NAME@ in texts."""
    (folder / "context").mkdir(parents=True, exist_ok=True)
    (folder / "context").chmod(0o755)
    for section in case.sections:
        if section.path.split(b"/")[0] not in (b"http", b"git", b"git2"):
            write_section(section, folder, values)
    subprocess.run(["chown", "-hR", "{}:{}".format(*owner), folder], check=True)
    for section in reversed(case.sections):  # last: changing the owner clears setuid
        path = os.fsencode(folder) + b"/" + section.path
        if section.mode is not None and os.path.lexists(path):
            os.chmod(path, section.mode)


def write_section(section: Section, folder: pathlib.Path, values: dict[str, str]) -> None:
    path = os.path.join(os.fsencode(folder), section.path)
    make_folders(os.path.dirname(path))
    if section.kind == "dir":
        make_folders(path)
    elif section.kind == "link":
        os.symlink(section.target, path)
    elif section.kind == "same":
        os.link(os.path.join(os.fsencode(folder), section.target), path)
    elif section.kind == "fifo":
        os.mkfifo(path, 0o644)
    else:
        content = section.content()
        if section.kind == "file":
            content = replaced(content.decode(), values).encode()
        pathlib.Path(os.fsdecode(path)).write_bytes(content)
        os.chmod(path, 0o644)
        for name, value in section.xattrs:
            os.setxattr(path, name, value.encode())
        os.utime(path, (section.mtime, section.mtime))


def make_folders(path: bytes) -> None:
    """Whatever the umask is, folders are 755."""
    if not os.path.isdir(path):
        make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def replaced(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def archive(section: Section) -> bytes:
    """A tar of the members that the section's lines describe, compressed as its name says."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as made:
        for line in filter(str.strip, section.text.splitlines()):
            add_member(made, *tree.parse_line(line), section.mtime)
    name = os.fsdecode(section.path)
    if name.endswith((".zst", ".tzst")):
        return subprocess.run(["zstd", "-q", "-c"], input=packed.getvalue(), capture_output=True, check=True).stdout
    if name.endswith((".gz", ".tgz")):
        return gzip.compress(packed.getvalue(), mtime=0)
    if name.endswith((".bz2", ".tbz2")):
        return bz2.compress(packed.getvalue())
    return lzma.compress(packed.getvalue()) if name.endswith((".xz", ".txz")) else packed.getvalue()


def add_member(made: tarfile.TarFile, path: bytes, entry: tree.Entry | None, same: bytes, mtime: int) -> None:
    if entry is None:
        raise CaseError(f"an archive cannot lack '{tree.quoted(path)}'")
    member = tarfile.TarInfo(os.fsdecode(path))
    member.type = tarfile.LNKTYPE if same else {"d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "p": tarfile.FIFOTYPE,
                                                "c": tarfile.CHRTYPE, "b": tarfile.BLKTYPE}.get(
                                                    entry.kind, tarfile.REGTYPE)
    member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, mtime
    member.linkname = os.fsdecode(same or entry.target)
    member.devmajor, member.devminor = entry.device or (0, 0)
    member.pax_headers = {"SCHILY.xattr." + name: value.decode() for name, value in entry.xattrs}
    content = b"" if same else entry.content or b""
    member.size = len(content)
    made.addfile(member, io.BytesIO(content))
