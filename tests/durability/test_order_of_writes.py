# SPDX-License-Identifier: Apache-2.0
"""Nothing gets its final name before it is on the disk, and what was reported is there with its name."""

import json
import pathlib
import tempfile

import stores
from disk import Disk, walk
from recording import reported_layers

# docs/formats/store.md: the places that are flushed. All others hold what is made again, or found damaged, if it is lost.
DURABLE = ("layers/", "recipes/", "images/", "tags/", "pins.json", "format")


def is_durable(path: str) -> bool:
    return path.startswith(DURABLE) and not path.endswith("/") and not is_temporary(path)


def is_temporary(path: str) -> bool:
    """A name of write_file() before the rename."""
    ending = path.rpartition(".")[2]
    return "." in path and len(ending) == 6 and ending != "json"


def test_the_record_is_complete(scenario):
    """What the record says to be there is what is there: no change was missed."""
    disk = scenario.recording.disk(len(scenario.recording.events))
    with tempfile.TemporaryDirectory() as folder:
        real = Disk.of_folder(scenario.recording.store, pathlib.Path(folder))
    modelled, found = ({path: (node.mode, node.uid, node.gid, node.target, node.attributes, node.content())
                        for path, node in walk(tree.root) if not path.startswith(b"tmp/")} for tree in (disk, real))
    assert not stores.differences(modelled, found)
    assert len(modelled) > 20


def test_nothing_is_named_before_it_is_flushed(scenario):
    recording = scenario.recording
    disk = recording.before()
    named = 0
    for event in recording.events:
        disk.play(event)
        if event["call"] == "move" and is_durable(event["to"]):
            named += 1
            assert disk.pending_data(event["to"]) == [], f"{event['to']} got its name before its content was flushed"
        if event["call"] in ("write", "content", "open"):
            assert not is_durable(event["path"]), f"{event['path']} is changed in place"
    assert named > 0 or scenario.name == "gc"


def test_what_was_reported_is_on_the_disk(scenario):
    recording = scenario.recording
    disk = recording.disk(len(recording.events))
    pending = [path.decode() for path, change in disk.pending_names() if change.sets[-1][2] is not None]
    assert [path for path in pending if is_durable(path) or is_durable(path + "/x")] == []


def test_a_layer_is_reported_when_it_is_on_the_disk(scenario):
    recording = scenario.recording
    recipes = {record["name"]: record for record in
               (json.loads(path.read_text()) for path in (recording.store / "recipes").iterdir())}
    disk = recording.before()
    for end, event in enumerate(recording.events, 1):
        disk.play(event)
        if event["call"] != "said":
            continue
        pending = {path.decode() for path, _ in disk.pending_names()}
        for subject in reported_layers(recording, end):
            record = recipes[subject.removeprefix("layer ")]
            content, recipe = (record[key].removeprefix("sha256:") for key in ("content_key", "recipe_key"))
            own = {"layers", f"layers/{content}", "recipes", f"recipes/{recipe}"}
            assert not pending & own, f"'{subject}' is reported before its name is flushed"
