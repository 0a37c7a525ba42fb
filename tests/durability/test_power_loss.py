# SPDX-License-Identifier: Apache-2.0
"""The machine loses its power at any moment of a command: what was reported is there, the rest is made again."""

import os
import pathlib
import random
import re
import shutil

import sheaf
import stores
from disk import Choice, Inode, write
from recording import reported_layers

#: how many power failures per command, and where the drawing of them begins
POINTS = int(os.environ.get("SHEAF_POWER_LOSSES", "30"))
SEED = int(os.environ.get("SHEAF_POWER_LOSS_SEED", "1"))

BOOT_ID = "/proc/sys/kernel/random/boot_id"
OTHER_BOOT = "b0070000-0000-4000-8000-000000000000\n"
#: runs a program on a machine that was started anew, as far as it can see
REBOOTED = ["unshare", "-m", "sh", "-c", f'mount --bind "$0" {BOOT_ID} && exec "$@"']


def moments(recording) -> list[int]:
    """After how many events the power fails: beside every flush and every change of a place, anywhere,
    and when all is over."""
    draw = random.Random(SEED)
    telling = set()
    for index, event in enumerate(recording.events):
        is_place = event["call"] in ("move", "remove") and not event.get("to", event["path"]).startswith("tmp/")
        if event["call"].startswith("flush") or is_place:
            telling |= {index, index + 1}
    chosen = draw.sample(sorted(telling), min(len(telling), POINTS * 2 // 3))
    over = [len(recording.events)] * max(1, POINTS // 6)
    anywhere = [draw.randrange(len(recording.events)) for _ in range(POINTS - len(chosen) - len(over))]
    return sorted([*chosen, *anywhere, *over])


def litter(store: pathlib.Path, draw: random.Random) -> None:
    """What the processes of that moment had in their staging folders; the lock may be lost as anything else."""
    folder = store / "tmp" / "build-litter"
    if not folder.parent.is_dir() or draw.random() < 0.3:
        return
    (folder / "upper" / "deep").mkdir(parents=True)
    (folder / "upper" / "deep" / "torn").write_bytes(bytes(draw.randrange(100)))
    if draw.random() < 0.5:
        (folder / "owner.lock").touch()
    (folder / "upper" / "deep").chmod(0)


def written(tree: Inode, scenario, seed: int) -> pathlib.Path:
    machine = scenario.project.machine
    store = machine.folder / "after"
    shutil.rmtree(store, ignore_errors=True)
    write(tree, os.fsencode(store))
    litter(store, random.Random(seed))
    return store


def rebooted(scenario, store: pathlib.Path, *words: str) -> sheaf.Outcome:
    machine = scenario.project.machine
    boot = machine.folder / "boot_id"
    boot.write_text(OTHER_BOOT)
    return scenario.project.sheaf(*words, prefix=[*REBOOTED, str(boot)], SHEAF_ROOT=str(store))


def exported(scenario, store: pathlib.Path, run) -> dict | None:
    """The files of the image; None if the program says that they are lost or damaged."""
    folder = scenario.project.machine.folder / "exported"
    shutil.rmtree(folder, ignore_errors=True)
    outcome = run("export", scenario.image, "--format", "dir", "-o", str(folder))
    if outcome.code != 0:
        assert "lost or damaged" in outcome.err and "hint: " in outcome.err, outcome
        return None
    return stores.tree(folder, times=False)


def check(scenario, moment: int, choice: Choice) -> None:
    recording = scenario.recording
    store = written(recording.disk(moment).after_power_loss(choice), scenario, choice.seed)
    stores.check_layers(store, recording.store, recording.copy)
    is_over = moment == len(recording.events)

    def run(*words):
        return rebooted(scenario, store, *words)

    if is_over and scenario.image:  # what the command has named can be used, or it is said that it cannot
        files = exported(scenario, store, run)
        assert files is None or not stores.differences(files, scenario.reference)
    outcome = run(*recording.words)
    assert outcome.code == 0, outcome
    again = reported_layers(recording, moment) & set(outcome.subjects("begin"))
    assert not again, f"reported before the power failed, and built again: {again}\n{outcome}"
    if scenario.same_output:
        assert outcome.out == recording.outcome.out, outcome
    stores.check_same(store, recording.store, OTHER_BOOT)
    check_whole(run)
    assert [path.name for path in (store / "tmp").iterdir() if path.name != "gate.lock"] == []
    if scenario.image:
        files = exported(scenario, store, run)
        assert files is not None, "the image is damaged after it was built again"
        assert not (found := stores.differences(files, scenario.reference)), f"the image differs: {found[:5]}"


def check_whole(run) -> None:
    """Nothing that is in use is damaged; what was torn and is not used can be put aside."""
    found = run("fsck", "--json")
    assert found.code in (0, 1), found
    for problem in found.json()["problems"]:
        is_lasting = problem["part"].startswith(("layers", "recipes", "images", "tags", "index"))
        assert not problem["used_by"] and not is_lasting, problem
    if found.code == 1:
        repaired = run("fsck", "--repair")
        assert repaired.code == 0, repaired
        again = run("fsck")
        assert again.code == 0, again


def reference_of(scenario) -> dict | None:
    if not scenario.image:
        return None
    store = scenario.recording.store
    return exported(scenario, store, lambda *words: scenario.project.sheaf(*words, SHEAF_ROOT=str(store)))


def test_power_loss(scenario):
    scenario.reference = reference_of(scenario)
    failures = []
    for index, moment in enumerate(moments(scenario.recording)):
        choice = Choice.drawn(SEED * 1_000_000 + index)
        try:
            check(scenario, moment, choice)
        except AssertionError as error:
            text = re.sub(r"\n\s*\n", "\n", str(error))
            failures.append(f"after event {moment} of {len(scenario.recording.events)}, {choice}:\n{text}\n"
                            f"  last: {describe(scenario.recording.events[:moment])}")
    assert not failures, f"{len(failures)} power failures of {POINTS}\n" + "\n".join(failures[:5])


def describe(events: list[dict]) -> str:
    shown = [{key: event[key] for key in ("call", "path", "to", "text") if key in event} for event in events[-3:]]
    return "; ".join(map(str, shown))
