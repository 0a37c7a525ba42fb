# SPDX-License-Identifier: Apache-2.0
"""Every kind of file of a store, damaged in every way: no command crashes, and each either gives what it gave before or
fails with an error that names what is damaged. What can be made again is made again; nothing else is touched."""

import http.server
import re
import threading

import damage
import pytest
import sheaf

only_root = pytest.mark.parametrize("account", ["root"], indirect=True, scope="session")
#: Results that must not change: what these print, or the files they write.
EXACT = ("up", "test", "build", "refresh", "export base", "export", "export again")


@pytest.fixture(scope="module")
def url():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), damage.Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/file"
        server.shutdown()


@pytest.fixture(scope="module")
def bench(account, url, server):
    with sheaf.machine_for(account) as machine:
        made = damage.Bench(machine, url, server.address)
        made.reset()
        made.expected = {name: made.result(name) for name in made.commands()}
        yield made


def crashed(outcome: sheaf.Outcome) -> bool:
    return outcome.code < 0 or outcome.code >= 128 or outcome.code == 70 or "bug in sheaf" in outcome.err


def explains(outcome: sheaf.Outcome, path: str) -> bool:
    """True if an error says what to try, and names the damaged thing: its path, its image or its layer."""
    error = outcome.err[outcome.err.find("error: "):]
    names = [part for part in path.split("/") if len(part) > 2] + ["localhost/app", "localhost/base", "layer 'a'"]
    names += [part[:12] for part in names if re.fullmatch("[0-9a-f]{64}", part)]
    return "\nhint: " in error and any(name in error for name in names)


def complaints(bench, kind: damage.Kind, harm: str, path: str) -> list[str]:
    """Runs what belongs to the kind; what is wrong with the outcomes."""
    wrong = []
    for name in (command for command in bench.commands() if command in kind.about.split(", ")):
        outcome, result = bench.result(name)
        may_fail = name in kind.lost.split(", ") or harm in damage.IN_THE_WAY
        # Who may not read a folder of a tree is told only that permission is denied; 'sheaf fsck' says more.
        is_dim = kind.unseen or harm == "of another user"
        if crashed(outcome):
            wrong.append(f"'{name}' crashed: {outcome}")
        elif outcome.code != 0 and not (may_fail or kind.unseen and name == "up"):
            wrong.append(f"'{name}' failed: {outcome}")
        elif outcome.code != 0 and not is_dim and not explains(outcome, path):
            wrong.append(f"'{name}' does not say what is damaged, or what to try: {outcome}")
        elif outcome.code == 0 and name in EXACT and not kind.unseen and result != bench.expected[name][1]:
            wrong.append(f"'{name}' gave {result}\ninstead of {bench.expected[name][1]}: {outcome}")
    return wrong


@pytest.mark.parametrize("name", damage.KINDS)
def test_damage(bench, name):
    kind = damage.KINDS[name]
    path = bench.place(kind)
    wrong = []
    for harm, script in damage.damages_of(bench, name, path).items():
        bench.reset()
        before = bench.kept(path)
        bench.inside(f"set -- '{bench.store / path}'; {script}")
        wrong += [f"--- {harm}: {text}" for text in complaints(bench, kind, harm, str(path))]
        lost = before - bench.kept(path)
        if lost:
            wrong.append(f"--- {harm}: good files are gone: {sorted(lost)[:5]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.root_only
@only_root
@pytest.mark.parametrize(("name", "command", "again"), [
    ("file of a step", "export", "build"), ("file of a join", "up", "up"), ("file of unpacked", "export", "import"),
    ("blob of a layer", "export base", "import")])
def test_a_flipped_bit_is_found_after_a_reboot(bench, name, command, again):
    """Trees of layers are looked after by 'sheaf fsck' alone; what can be made again is compared once per boot."""
    path = bench.place(damage.KINDS[name])
    bench.reset()
    bench.inside(f"set -- '{bench.store / path}'; {damage.OF_FILES['flipped']}")
    prefix = bench.rebooted()
    outcome, result = bench.result(command, prefix=prefix)
    if command != again:
        assert outcome.code == 10 and explains(outcome, str(path)), outcome
        assert bench.run(again, prefix=prefix).code == 0
        outcome, result = bench.result(command, prefix=prefix)
    assert (outcome.code, result) == (0, bench.expected[command][1]), outcome


@pytest.mark.parametrize("name", [name for name in damage.KINDS if name.split()[0] in (
    "layer", "base", "recipe", "file", "join", "generated", "step", "unpacked", "blob", "image", "tag", "index")])
def test_fsck_mends_what_is_damaged(bench, name):
    """It names what is damaged and takes it away; then the same commands give the same again."""
    path = bench.place(damage.KINDS[name])
    scripts = {**damage.OF_FILES, **damage.OF_ALL}
    harm = "removed" if bench.is_folder(path) else "flipped"
    bench.reset()
    bench.inside(f"set -- '{bench.store / path}'; {scripts[harm]}")
    found = bench.machine.run("fsck")
    assert found.code in (0, 1), found
    repaired = bench.machine.run("fsck", "--repair")
    assert repaired.code == 0, repaired
    assert bench.machine.run("fsck").code == 0, repaired
    for again in ("import", "build", "up", "test", "export base", "export again"):
        outcome, result = bench.result(again)
        assert (outcome.code, result) == (0, bench.expected[again][1]), f"{found}\n{repaired}\n{again}: {outcome}"
    assert bench.machine.run("fsck").code == 0
