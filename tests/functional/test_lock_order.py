# SPDX-License-Identifier: Apache-2.0
"""Whoever holds a lock takes only locks that come after it in the table of docs/concepts/store.md: read from the system
calls of the commands that the faults are injected into, and of a build with caches."""

from __future__ import annotations

import collections
import pathlib
import re
import subprocess

import pytest
import sheaf
from fault_world import OPERATIONS, World

TABLE = pathlib.Path(__file__).parents[2] / "docs/concepts/store.md"
CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(clone3?|flock|close)(?: resumed>)?\(?(.*)= (\d+)$")
LOCK = re.compile(r"^(\d+)<(.*?)>")
CACHES = """\
FROM localhost/base
RUN --mount=type=cache,target=/y --mount=type=cache,target=/x echo made > /file
RUN --mount=type=cache,target=/x --mount=type=cache,target=/y echo made > /other
"""
CACHE_ROW, OWNER_ROW = 3, 10  # the second are locks that nobody waits for


def rows() -> list[re.Pattern]:
    """The locks of each row of the table, by their paths in a store."""
    lines = re.findall(r"^\| \d+ \| (.*?) \|", TABLE.read_text(), re.M)
    return [re.compile("|".join(map(pattern_of, re.findall(r"`(.*?)`", line)))) for line in lines]


def pattern_of(name: str) -> str:
    if name in ("lock", "making"):
        return f"cache/mounts/.*/{name}"
    if name == "owner.lock":
        return "tmp/.*/owner.lock"
    return re.sub(r"<[a-z]+ key>", "[0-9a-f]{64}", re.escape(name).replace("\\ ", " ")).replace("<base>", ".*").replace(
        "…", ".*")


def trace(world: World, words: list) -> list[str]:
    log = world.folder / "calls"
    command = ["strace", "-f", "-q", "-y", "-z", "--seccomp-bpf", "-e", "trace=flock,close,clone,clone3", "-o", log,
               world.machine.program, *words]
    environment = world.machine.environment() | {"ASAN_OPTIONS": "detect_leaks=0"}  # which cannot be done beside strace
    subprocess.run(command, cwd=world.machine.home, env=environment, stdin=subprocess.DEVNULL,
                   capture_output=True, check=True, timeout=120)
    return log.read_text(errors="replace").splitlines()


def process_of(thread: str, made: dict[str, str]) -> str:
    while thread in made:
        thread = made[thread]
    return thread


def taken(calls: list[str], store: pathlib.Path) -> set[tuple[str, str]]:
    """Which lock a thread took while it had which other one; '' for none."""
    matches = [match.groups() for match in map(CALL.match, calls) if match]
    # A thread may do something before the call returns that made it.
    made = {result: thread for thread, name, rest, result in matches if name.startswith("clone") and "_THREAD" in rest}
    held: dict[tuple[str, str], tuple[str, str]] = {}  # by process and descriptor: thread and lock
    found = set()
    for thread, name, rest, _ in matches:
        if name.startswith("clone"):
            continue
        descriptor, path = LOCK.match(rest).groups()
        where = (process_of(thread, made), descriptor)
        if name == "close":
            held.pop(where, None)
        elif path.startswith(f"{store}/") and "LOCK_UN" not in rest:
            lock = path.removeprefix(f"{store}/")
            before = [other for holder, other in held.values() if holder == thread]
            found |= {(other, lock) for other in before or [""]}
            held[where] = (thread, lock)
    return found


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["root"], indirect=True)
def test_locks_are_taken_in_the_order_of_the_table(account, server, tmp_path):
    tmp_path.chmod(0o755)
    world = World(tmp_path / "world", account, server.address)
    order = rows()
    row_of = lambda lock: next((i for i, row in enumerate(order) if row.fullmatch(lock)), None)  # noqa: E731
    seen, unknown, caches, wrong = collections.Counter(), set(), set(), []

    def look(name: str, words: list) -> None:
        for before, lock in taken(trace(world, words), world.store):
            first, then = row_of(before) if before else -1, row_of(lock)
            unknown.update(each for each, row in ((before, first), (lock, then)) if row is None)
            if None in (first, then):
                continue
            seen[then] += 1
            is_sorted = first == then == CACHE_ROW and (lock, before) not in caches
            caches.update({(before, lock)} if is_sorted else ())
            is_removed = name == "gc" and before == "locks/gc" and lock.startswith("locks/")  # and not waited for
            if then <= first < OWNER_ROW and not is_removed and not is_sorted:
                wrong.append(f"{name}: {lock} after {before}")

    for operation in OPERATIONS:
        world.prepare(operation)
        look(operation.name, world.words(operation))
    (world.context / "Dockerfile").write_text(CACHES)
    look("caches", ["build", "-t", "localhost/caches", world.context])
    assert not wrong, "\n".join(wrong)
    assert caches, "no step had two caches"
    assert not unknown, "locks that are not in the table"
    # Else this says nothing: recipes, caches, their making, blobs, gc, index, gate, owner.
    assert {1, CACHE_ROW, 4, 5, 7, 8, 9, OWNER_ROW} <= set(seen), seen
