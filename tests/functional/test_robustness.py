# SPDX-License-Identifier: Apache-2.0
"""Killed, interrupted, crowded, out of space, damaged: nothing half-made is left or used."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

import sheaf
from sheaf import Account, finish, machine_for, processes_with, tiny_project, wait_until

only_root = pytest.mark.parametrize("account", ["root"], indirect=True)


@contextlib.contextmanager
def sleeping_build(project):
    """A build whose layer `slow` sleeps; yields it and a marker in the command lines of its step."""
    marker = f"3{os.getpid()}{id(project) % 1000000}"
    project.layer("slow", f"RUN echo begun; sleep {marker}; exit 1\n")
    with project.start("build", "--layers", "slow") as process:
        try:
            wait_until(lambda: processes_with(f"sleep\0{marker}") or process.poll() is not None, what="the step runs")
            assert process.poll() is None, finish(process)
            yield process, marker
        finally:
            process.kill()


def test_killed(project):
    with sleeping_build(project) as (process, marker):
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_with(marker), 5, "no process of the step is left")
    assert len(project.machine.leftovers()) == 1
    project.layer("slow", "RUN true\n")
    outcome = project.ok("build", "--layers", "slow")
    assert "removed 1 unfinished build" in outcome.err
    assert project.machine.leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(project, number):
    with sleeping_build(project) as (process, marker):
        process.send_signal(number)
        outcome = finish(process, 10)
        assert outcome.code == 130, outcome
        wait_until(lambda: not processes_with(marker), 5, "no process of the step is left")
    assert project.machine.leftovers() == []
    assert project.build().subjects("cached") == ["layer base"]


def test_few_descriptors_are_enough(project):
    project.layer("some", "RUN echo some > /some\n")
    few = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"]
    outcome = project.sheaf("up", "--layers", "some", "--", "/bin/cat", "/some", prefix=few)
    assert (outcome.code, outcome.out) == (0, "some\n"), outcome


def test_a_signal_that_is_ignored_stays_so(project):
    project.layer("slow", "RUN echo begun; sleep 1\n")
    with project.start("build", "--layers", "slow", prefix=["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]) as process:
        wait_until(lambda: processes_with("sleep\0" + "1\0"), what="the step runs")
        process.send_signal(signal.SIGHUP)
        outcome = finish(process)
    assert outcome.code == 0, outcome


def test_one_request_that_comes_twice_is_one(project):
    """As timeout(1) and npm send it: to the process, and to its group. (Two numbers here, because of two that are equal
    and wait the kernel makes one.)"""
    with sleeping_build(project) as (process, marker):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        outcome = finish(process, 10)
        assert outcome.code == 130, outcome
        wait_until(lambda: not processes_with(marker), 5, "no process of the step is left")
    assert project.machine.leftovers() == []


@only_root
def test_what_replaced_damage_is_not_taken_away(project):
    """Two find a join that a power failure tore; the slower one must not replace what the other one runs on."""
    for name in ("a", "b"):
        project.layer(name, f"RUN echo {name} > /etc/{name}\n")
    words = ["up", "--layers", "a,b", "--", "/bin/sh", "-c"]
    project.ok(*words, "true")
    (join,) = project.machine.store.glob("joins/*")
    (join / "seal").write_text("00000000-0000-0000-0000-000000000000\n" + "0" * 64 + "\n")
    shutil.rmtree(project.machine.store / "plans")
    slow = project.start(*words, "true", prefix=[
        "strace", "-f", "-o", "/dev/null", "-P", str(join), "-e", "trace=rename,renameat2",
        "-e", "inject=rename,renameat2:delay_enter=2500000:when=1"])
    time.sleep(1.5)
    with project.start(*words, "sleep 3; cat /etc/a /etc/b; ls /") as running:
        outcome = finish(running)
    assert finish(slow).code == 0
    assert outcome.code == 0 and outcome.out.startswith("a\nb\n") and "workspace" in outcome.out, outcome


def test_two_at_once_build_each_layer_once(project):
    project.layer("a", "RUN sleep 1; echo a > /etc/a\n")
    project.layer("b", "RUN sleep 1; echo b > /etc/b\n")
    words = ["up", "--layers", "a,b", "--progress", "json", "--", "cat", "/etc/a", "/etc/b"]
    with project.start(*words) as first, project.start(*words) as second:
        outcomes = [finish(first), finish(second)]
    assert [(outcome.code, outcome.out) for outcome in outcomes] == [(0, "a\nb\n")] * 2, "\n".join(map(str, outcomes))
    begun = sorted(outcomes[0].subjects("begin") + outcomes[1].subjects("begin"))
    assert begun == ["layer a", "layer b", "layer base"]
    assert project.machine.leftovers() == []


@contextlib.contextmanager
def small_disk(folder, size):
    """Mounts a file system of `size` on `folder` where only commands behind the yielded words see it."""
    script = f"mount -t tmpfs -o size={size} tmpfs '{folder}' && echo ready && exec sleep 1000"
    with subprocess.Popen(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "ready\n"
            yield ["nsenter", "-t", str(holder.pid), "-m", "--"]
        finally:
            holder.kill()


@pytest.mark.root_only
@only_root
def test_full_disk(project):
    machine = project.machine
    with small_disk(machine.store, "24m") as prefix:
        words = ["build", "-C", project.path, "--layers", "big", "--progress", "json"]
        project.layer("big", "RUN dd if=/dev/zero of=/etc/big bs=1M count=40\n")
        outcome = machine.run(*words, prefix=prefix)
        assert outcome.code in (3, 9), outcome
        assert "no space left" in outcome.err.lower()
        project.layer("big", "RUN dd if=/dev/zero of=/etc/big bs=1M count=4\n")
        outcome = machine.ok(*words, prefix=prefix)
        assert outcome.subjects("begin") == ["layer big"]


@pytest.fixture
def lonely_user():
    """An ordinary user without sub-ids: a system account gets none."""
    name = f"sheaf-lonely-{os.getpid()}"
    subprocess.run(["useradd", "--system", "--no-create-home", name], check=True, env={"PATH": sheaf.PATH})
    yield Account.named(name)
    subprocess.run(["userdel", name], check=True, env={"PATH": sheaf.PATH})


@pytest.mark.root_only
def test_user_without_sub_ids(lonely_user):
    with machine_for(lonely_user) as machine:
        outcome = tiny_project(machine).sheaf("up", "--", "/bin/true")
        assert outcome.code == 7, outcome
        assert "usermod --add-subuids" in outcome.err
        assert lonely_user.name in outcome.err
        outcome = machine.run("doctor")
        assert outcome.code == 1, outcome
        assert "usermod --add-subuids" in outcome.out


def test_missing_mmdebstrap(machine):
    tools = machine.directory("tools")
    for name in ("newuidmap", "newgidmap"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    outcome = machine.run("up", "--", "/bin/true", PATH=str(tools))
    assert outcome.code in (5, 7), outcome
    assert "mmdebstrap" in outcome.err
    assert "apt-get install mmdebstrap" in outcome.err
    assert machine.leftovers() == []


def test_damaged_index_is_made_anew(project):
    project.layer("a", "RUN true\n")
    project.build("--layers", "a")
    index = project.machine.store / "index.db"
    index.write_bytes(b"garbage" * 1000)
    events = project.build("--layers", "a")
    assert events.subjects("begin") == []
    assert events.subjects("cached") == ["layer a", "layer base"]
    assert index.read_bytes().startswith(b"SQLite format 3")


def test_store_of_another_format_is_left_alone(project):
    project.build()
    file = project.machine.store / "format"
    file.write_text("sheaf-store 99\n")
    outcome = project.sheaf("build")
    assert outcome.code == 7, outcome
    assert "format 99" in outcome.err
    assert file.read_text() == "sheaf-store 99\n"
