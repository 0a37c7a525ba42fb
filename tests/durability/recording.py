# SPDX-License-Identifier: Apache-2.0
"""Running the program with its writes recorded, and reading the record."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
from collections.abc import Callable

import sheaf
from disk import Disk, walk


def recorder() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("SHEAF_WRITE_RECORDER", "build/tests/write_recorder"))
    assert path.is_file(), "SHEAF_WRITE_RECORDER must name the program write_recorder"
    return path


@dataclasses.dataclass
class Recording:
    """What one command did to the store, and the store before and after it."""

    words: list[str]
    events: list[dict]
    outcome: sheaf.Outcome
    before: Callable[[], Disk]
    store: pathlib.Path
    #: the store before the command
    copy: pathlib.Path

    def disk(self, end: int) -> Disk:
        """The disk when the first `end` events have happened."""
        disk = self.before()
        for event in self.events[:end]:
            disk.play(event)
        return disk

    def said(self, end: int) -> list[dict]:
        """The events that the program had reported by then."""
        text = "".join(event["text"] for event in self.events[:end] if event["call"] == "said" and event["fd"] == 2)
        return [json.loads(line) for line in text.splitlines() if line.startswith('{"') and line.endswith("}")]


def record(project: sheaf.Project, words: list[str]) -> Recording:
    """Runs `sheaf words` in the project; the store may have content already, which counts as safely on the disk."""
    machine = project.machine
    folder = machine.folder / f"record-{len(list(machine.folder.iterdir()))}"
    objects = folder / "objects"
    objects.mkdir(parents=True)
    copy = folder / "before"
    subprocess.run(["cp", "-a", machine.store, copy], check=True)
    numbers = Disk.of_folder(machine.store, objects)
    lines = folder / "record"
    made = subprocess.run([recorder(), machine.store, lines, objects, machine.program, *words], cwd=project.path,
                          env=machine.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=300, check=False)
    outcome = sheaf.Outcome(made.returncode, made.stdout, made.stderr)
    assert outcome.code == 0, outcome
    events = [json.loads(line) for line in lines.read_text().splitlines()]
    by_path = {path: number_of(numbers, node) for path, node in walk(numbers.root)}

    def before() -> Disk:
        disk = Disk.of_folder(copy, objects)
        disk.inodes = {by_path[path]: node for path, node in walk(disk.root)}
        return disk

    return Recording(words, events, outcome, before, machine.store, copy)


def number_of(disk: Disk, node) -> int:
    return next(number for number, other in disk.inodes.items() if other is node)


def reported_layers(recording: Recording, end: int) -> set[str]:
    """Layers that were said to be built in the first `end` events."""
    return {event["subject"] for event in recording.said(end)
            if event["event"] == "end" and event["subject"].startswith("layer ")}
