# SPDX-License-Identifier: Apache-2.0
"""A locked stack of real Debian packages is built again with the network off, from what the store downloaded before."""

import shutil
import subprocess

import pytest
import sheaf
from test_polyglot import cache_folder, copy_downloads

LONG = 1500
BASE = """\
kind: base
bootstrap: {suite: bookworm, variant: minbase}
"""
ACCOUNTS = "RUN useradd --uid 1000 --create-home dev && mkdir /workspace && chown dev:dev /workspace\nUSER dev\n"


def without_network(machine, project, *words):
    """Only root may make a network namespace without entering another user namespace; the account runs in it."""
    account = machine.account
    become = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", "--"]
    done = subprocess.run(["unshare", "--net", "--", *become, machine.program, *words], cwd=project.path, check=False,
                          env=machine.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=LONG)
    return sheaf.Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.root_only
def test_a_locked_stack_is_built_again_without_a_network(machine):
    project = sheaf.Project(machine)
    project.layer("base", ACCOUNTS, BASE)
    project.layer("greeter", "RUN apt-get install -y --no-install-recommends hello\n")
    project.write("sheaf.yml", "layers: [greeter]\n")
    copy_downloads(cache_folder(), machine.store / "cache")
    machine.give(machine.store)
    project.ok("lock", timeout=LONG)
    copy_downloads(machine.store / "cache", cache_folder())
    text = (project.path / "sheaf.lock").read_text()
    assert '"deb hello ' in text and text.count(" sha256:") > 50, "packages with the digests of their files"
    for name in ("layers", "recipes", "joins", "generated", "plans"):
        subprocess.run(["rm", "-rf", machine.store / name], check=True)
    (machine.store / "index.db").unlink()
    outcome = without_network(machine, project, "up", "--locked", "--progress", "json", "--", "hello")
    assert outcome.code == 0 and outcome.out == "Hello, world!\n", outcome
    assert {"layer base", "layer greeter"} <= set(outcome.subjects("end")), outcome
    assert machine.ok("plan", "--locked", cwd=project.path).out.endswith("nothing to build\n")
    # What was never downloaded is missed, and nothing else is put in its place.
    shutil.rmtree(machine.store / "cache" / "apt")
    for name in ("layers", "recipes", "joins", "generated", "plans"):
        subprocess.run(["rm", "-rf", machine.store / name], check=True)
    (machine.store / "index.db").unlink()
    outcome = without_network(machine, project, "up", "--locked", "--", "hello")
    assert outcome.code == 3 and "bootstrapping bookworm" in outcome.err, outcome
