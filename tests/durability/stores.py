# SPDX-License-Identifier: Apache-2.0
"""Comparing stores: what is visible in one is the same in another."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import stat


def is_note_of_overlayfs(attribute: str) -> bool:
    """Where a file was copied up from, and the like: that says something about other files, and differs by store."""
    return ".overlay." in attribute and not attribute.endswith(".opaque")


def entry(path: str, times: bool) -> tuple:
    info = os.lstat(path)
    content: object = None
    if stat.S_ISREG(info.st_mode):
        content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    elif stat.S_ISLNK(info.st_mode):
        content = os.readlink(path)
    elif not stat.S_ISDIR(info.st_mode):
        content = info.st_rdev
    attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                  for name in os.listxattr(path, follow_symlinks=False) if not is_note_of_overlayfs(name)}
    # No key knows the times of folders and of deletions (devices 0:0).
    time = info.st_mtime_ns if times and (stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode)) else None
    return info.st_mode, info.st_uid, info.st_gid, content, attributes, time


def tree(folder: pathlib.Path, times: bool = True) -> dict[str, tuple]:
    """Path to what is there; links between files are told by pairs of paths."""
    found: dict[str, tuple] = {}
    first: dict[int, str] = {}
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(parent, name)
            relative = os.path.relpath(path, folder)
            inode = os.lstat(path).st_ino
            is_linked = name in files and not stat.S_ISCHR(os.lstat(path).st_mode)  # deletions share an inode or not
            found[relative] = (*entry(path, times), first.setdefault(inode, relative) if is_linked else None)
    return found


def differences(one: dict, other: dict) -> list[str]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def names(store: pathlib.Path, place: str) -> set[str]:
    """What a place holds, without the files that were being written and have no final name."""
    folder = store / place
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return {name for name in found if len(name.partition(".")[0]) == 64 and name.partition(".")[2] in ("", "json")}


def check_layers(store: pathlib.Path, *references: pathlib.Path) -> None:
    """Every layer that is visible is whole: as the one of this content in a reference."""
    for name in names(store, "layers"):
        known = [reference / "layers" / name for reference in references if (reference / "layers" / name).is_dir()]
        assert known, f"a layer {name} that the command did not make"
        found = differences(tree(store / "layers" / name), tree(known[0]))
        assert not found, f"layer {name} is not whole: {found[:5]}"


def without_times(path: pathlib.Path) -> dict:
    record = json.loads(path.read_text())
    return {key: value for key, value in record.items() if key not in ("created", "build_ms")}


def check_same(store: pathlib.Path, reference: pathlib.Path, boot: str) -> None:
    """Both hold the same layers, images and names, and what was sealed in this `boot` is whole. (What an older boot
    sealed and nobody has used since may be anything.)"""
    for place in ("layers", "recipes", "images", "tags"):
        assert names(store, place) == names(reference, place), place
    for name in names(store, "layers"):
        one, other = store / "layers" / name, reference / "layers" / name
        assert without_times(one / "layer.json") == without_times(other / "layer.json")
        same_trees(one, other, f"layer {name}")
        for file in ("inventory", "facts"):
            assert (one / file).read_bytes() == (other / file).read_bytes(), f"layer {name}: {file}"
    for name in names(store, "tags"):
        assert (store / "tags" / name).read_bytes() == (reference / "tags" / name).read_bytes()
    for place in ("joins", "steps", "unpacked"):
        for name in names(store, place) & names(reference, place):
            if not seal_of(store / place / name).startswith(boot):
                continue
            same_trees(store / place / name, reference / place / name, f"{place}/{name}", times=False)


def same_trees(one: pathlib.Path, other: pathlib.Path, what: str, times: bool = True) -> None:
    mine, theirs = tree(one / "tree", times), tree(other / "tree", times)
    found = [(path, mine.get(path), theirs.get(path)) for path in differences(mine, theirs)]
    assert not found, f"{what} differs: {found[:3]}"


def seal_of(folder: pathlib.Path) -> str:
    """Nothing if the power failure took it."""
    seal = folder / "seal"
    return seal.read_text(errors="replace") if seal.is_file() else ""
