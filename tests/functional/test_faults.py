# SPDX-License-Identifier: Apache-2.0
"""A system call that fails, or at which the program dies: nothing is lost, nothing is half-made, and the same command
then succeeds. SHEAF_FAULT_POINTS says how many calls are broken, SHEAF_FAULT_SEED which ones."""

import json
import os
import subprocess
import time

import fault_world
import faults
import pytest

# Threads make a few calls less now and then, and some calls cannot fail so: of these, 5,000 are broken at least.
POINTS = int(os.environ.get("SHEAF_FAULT_POINTS", "5700"))
SEED = int(os.environ.get("SHEAF_FAULT_SEED", "9"))
# Most as root: the calls are the same, and only some of them may do less for an ordinary user.
SHARE = {"root": 0.8, "user": 0.2}


def broken(tmp_path, *words):
    report = tmp_path / "report"
    command = [fault_world.fault_run(), "--report", report, *words]
    made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return json.loads(report.read_text()), made


@pytest.mark.root_only
def test_a_call_is_counted_broken_and_told(tmp_path):
    file = tmp_path / "file"
    file.write_text("content\n")
    counted, made = broken(tmp_path, "--", "/bin/busybox", "cat", file)
    assert made.stdout == "content\n"
    assert (counted["code"], counted["hit"]) == (0, None)
    opens = counted["counts"]["EMFILE"]
    failed, made = broken(tmp_path, "--fault", "EMFILE", "--nth", str(opens), "--", "/bin/busybox", "cat", file)
    assert (failed["code"], made.stdout) == (1, "")
    assert "Too many open files" in made.stderr
    assert (failed["hit"]["call"], failed["hit"]["target"]) == ("openat" if "at" in failed["hit"]["call"] else "open",
                                                               str(file))
    killed, made = broken(tmp_path, "--fault", "kill", "--nth", "1", "--", "/bin/busybox", "cat", file)
    assert (killed["signal"], made.stdout) == (9, "")


@pytest.mark.root_only
def test_a_command_that_hangs_or_leaves_processes_is_ended(tmp_path):
    hung, _ = broken(tmp_path, "--limit", "1", "--", "/bin/busybox", "sleep", "1000")
    assert hung["hung"] and hung["signal"] == 9
    left, _ = broken(tmp_path, "--", "/bin/busybox", "sh", "-c", "sleep 1000 & true")
    assert [line.strip() for line in left["left"]] == ["sleep 1000"]


@pytest.mark.parametrize("account", ["user"], indirect=True, scope="session")
def test_without_root_it_says_why(account):
    made = subprocess.run([fault_world.fault_run(), "--", "/bin/true"], capture_output=True, text=True, check=False,
                          timeout=60, **account.identity())
    assert made.returncode == 2
    assert "this takes root" in made.stderr


@pytest.mark.root_only
def test_no_fault_does_harm(account, server, capsys):
    summary, kind = faults.Summary(), "root" if account.uid == 0 else "user"
    begin = time.monotonic()
    faults.walk_all(account, int(POINTS * SHARE[kind]), SEED, summary, server.address)
    with capsys.disabled():
        print(f"\nseed {SEED}\n{summary}\n{time.monotonic() - begin:.0f} s")
    assert not summary.findings, "\n".join(map(str, summary.findings))
    assert summary.total() >= 0.88 * POINTS * SHARE[kind]
