# SPDX-License-Identifier: Apache-2.0
"""Secrets and agents that a build step may use: there during the step, and nowhere afterwards."""

import os
import pathlib
import re
import subprocess
import threading

import pytest

from dockerfiles import builders

# Never as one piece in a command line, so that whoever finds it found the secret.
SECRET = "-".join(["QZ7", "the", "secret", "K2X"]) + "-%08d" % 90210
USES_IT = "RUN --mount=type=secret,id=token{options} {command}\n"


class Lender:
    """A machine with a base, a context, a secret in a file, and all that the builds printed."""

    def __init__(self, machine):
        self.machine = machine
        builders.Sheaf(machine, lambda case: {})
        self.context = machine.directory("context")
        self.kept = machine.directory("kept")  # outside of what is searched
        self.secret = self.kept / "token"
        self.secret.write_text(SECRET)
        self.secret.chmod(0o600)
        machine.give(self.kept)
        self.printed = ""
        self.command_lines: set[str] = set()

    def build(self, dockerfile: str, *words, **environment):
        (self.context / "Dockerfile").write_text("FROM localhost/base\n" + dockerfile)
        self.machine.give(self.context)
        stop = threading.Event()
        watcher = threading.Thread(target=self.watch, args=(stop,))
        watcher.start()
        try:
            outcome = self.machine.run("build", "-t", "localhost/made", "--verbose", "--metadata-file",
                                       self.machine.home / "metadata.json", "--output",
                                       f"type=tar,dest={self.machine.home}/root.tar", *words, self.context,
                                       **environment)
        finally:
            stop.set()
            watcher.join()
        self.printed += outcome.out + outcome.err
        return outcome

    def watch(self, stop: threading.Event) -> None:
        """Looks at all command lines until told to stop."""
        while not stop.wait(0.005):
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                if SECRET.encode() in line:
                    self.command_lines.add(line.decode(errors="replace"))

    def assert_nowhere(self) -> None:
        found = []
        for top in (self.machine.store, self.machine.home, self.context):
            made = subprocess.run(["grep", "-rlaF", "-f", self.secret, top], capture_output=True, text=True,
                                  check=False)
            assert made.returncode in (0, 1, 2), made.stderr
            found += made.stdout.splitlines()
        assert found == []
        assert SECRET not in self.printed
        assert self.command_lines == set()


@pytest.fixture
def lender(machine):
    return Lender(machine)


FORMS = {
    "default": ("", "sha256sum < /run/secrets/token"),
    "target": (",target=/etc/deep/token,mode=0444", "sha256sum < /etc/deep/token"),
    "env": (",env=TOKEN", "printf %s \"$TOKEN\" | sha256sum"),
    "required": (",required=true", "sha256sum < /run/secrets/token"),
}


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("source", ["file", "variable"])
def test_a_secret_is_used_and_found_nowhere(lender, form, source):
    options, command = FORMS[form]
    given = f"id=token,src={lender.secret}" if source == "file" else "id=token,env=OUTSIDE"
    outcome = lender.build(USES_IT.format(options=options, command=f"{command} > /sum") + "RUN cat /sum\n",
                           "--secret", given, **({} if source == "file" else {"OUTSIDE": SECRET}))
    assert outcome.code == 0, outcome
    digest = subprocess.run(["sha256sum"], input=SECRET, capture_output=True, text=True, check=True).stdout.split()[0]
    assert digest in lender.printed, "the step did not see the secret"
    lender.assert_nowhere()


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_failing_step_tells_nothing(lender, form):
    options, command = FORMS[form]
    outcome = lender.build(USES_IT.format(options=options, command=f"{command} && exit 5"), "--secret",
                           f"id=token,src={lender.secret}")
    assert outcome.code != 0
    lender.assert_nowhere()


def test_a_missing_secret(lender):
    outcome = lender.build(USES_IT.format(options=",required=true", command="true"))
    assert outcome.code != 0 and "token" in outcome.err, outcome
    outcome = lender.build(USES_IT.format(options="", command="test ! -e /run/secrets/token"))
    assert outcome.code == 0, outcome
    missing = lender.build("RUN true\n", "--secret", f"id=token,src={lender.kept}/not-there")
    assert missing.code != 0 and "not-there" in missing.err, missing


def test_another_secret_does_not_run_the_step_again(lender):
    text = USES_IT.format(options="", command="cat /proc/uptime > /ran")
    for value in (SECRET, SECRET + "2"):
        lender.secret.write_text(value)
        outcome = lender.build(text, "--secret", f"id=token,src={lender.secret}", "--progress", "json")
        assert outcome.code == 0, outcome
    assert outcome.subjects("begin") == [], outcome


def test_the_mount_does_not_stay(lender):
    outcome = lender.build(USES_IT.format(options=",target=/new/place/token", command="test -s /new/place/token")
                           + "RUN test ! -s /new/place/token && test ! -e /run/secrets/token\n",
                           "--secret", f"id=token,src={lender.secret}")
    assert outcome.code == 0, outcome


def test_a_step_that_prints_its_secret_is_the_only_one_who_can(lender):
    """What a step prints is its log: ours to show, so that nobody relies on masking. The image stays clean."""
    outcome = lender.build(USES_IT.format(options="", command="wc -c < /run/secrets/token"), "--secret",
                           f"id=token,src={lender.secret}")
    assert outcome.code == 0 and str(len(SECRET)) in lender.printed, outcome
    lender.assert_nowhere()


# ---- agents ----------------------------------------------------------------------------------------------------------

# Message 11 asks an agent for its keys; 12 is the answer, with their number. (draft-miller-ssh-agent, 3)
CLIENT = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const char* path = getenv("SSH_AUTH_SOCK");
  unsigned char answer[9];
  size_t have = 0;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (path == NULL || strlen(path) >= sizeof to.sun_path) return 2;
  strcpy(to.sun_path, path);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) != 0) return perror(path), 3;
  if (write(fd, "\0\0\0\1\13", 5) != 5) return 4;
  while (have < sizeof answer) {
    ssize_t got = read(fd, answer + have, sizeof answer - have);
    if (got <= 0) return 5;
    have += (size_t)got;
  }
  return printf("message %d, keys %d\n", answer[4], answer[8]), answer[4] == 12 ? 0 : 6;
}
"""
ASK = "/tmp/ask"


def agent_client(lender) -> str:
    """Puts the client into the context; returns the instruction that copies it."""
    subprocess.run(["cc", "-static", "-Os", "-x", "c", "-", "-o", lender.context / "ask"], input=CLIENT, text=True,
                   check=True)
    return "COPY --chmod=755 ask /tmp/ask\n"


@pytest.fixture
def agent(lender):
    """A real agent of the account with one key."""
    place = lender.kept / "agent"
    environment = lender.machine.environment(SSH_AUTH_SOCK=str(place))
    identity = lender.machine.account.identity()
    started = subprocess.run(["ssh-agent", "-s", "-a", place], check=True, capture_output=True, text=True,
                             env=environment, **identity)
    pid = int(re.search(r"SSH_AGENT_PID=(\d+)", started.stdout)[1])
    try:
        key = lender.kept / "key"
        for words in (["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], ["ssh-add", "-q", key]):
            subprocess.run(words, check=True, env=environment, stdin=subprocess.DEVNULL, **identity)
        yield place
    finally:
        os.kill(pid, 15)


def answered(lender) -> bool:
    """True if an agent answered with one key."""
    return "message 12, keys 1" in lender.printed


@pytest.mark.parametrize("options, socket_path", [
    ("", "$SSH_AUTH_SOCK"), (",target=/tmp/agent.sock", "/tmp/agent.sock"), (",id=mine", "$SSH_AUTH_SOCK")])
def test_an_agent_answers_inside(lender, agent, options, socket_path):
    given = f"mine={agent}" if "mine" in options else f"default={agent}"
    seen = f'test -S {socket_path} && test -S "$SSH_AUTH_SOCK"'
    outcome = lender.build(agent_client(lender) + f"RUN --mount=type=ssh{options} {seen} && {ASK}\n", "--ssh", given)
    assert outcome.code == 0, outcome
    assert answered(lender), outcome


def test_the_agent_of_the_environment(lender, agent):
    outcome = lender.build(agent_client(lender) + f"RUN --mount=type=ssh {ASK}\n", "--ssh", "default",
                           SSH_AUTH_SOCK=str(agent))
    assert outcome.code == 0 and answered(lender), outcome


def test_an_agent_for_another_user(lender, agent):
    outcome = lender.build(agent_client(lender) + f"USER app\nRUN --mount=type=ssh,uid=1000,gid=1000,mode=0600 {ASK}\n",
                           "--ssh", f"default={agent}")
    assert outcome.code == 0 and answered(lender), outcome


def test_no_agent(lender):
    outcome = lender.build("RUN --mount=type=ssh,required=true true\n")
    assert outcome.code != 0 and "ssh" in outcome.err, outcome
    outcome = lender.build("RUN --mount=type=ssh test -z \"$SSH_AUTH_SOCK\" || test ! -S \"$SSH_AUTH_SOCK\"\n")
    assert outcome.code == 0, outcome


def test_the_agent_is_gone_afterwards(lender, agent):
    outcome = lender.build("RUN --mount=type=ssh,target=/tmp/agent.sock true\n"
                           "RUN test ! -e /tmp/agent.sock && test -z \"$SSH_AUTH_SOCK\"\n", "--ssh", f"default={agent}")
    assert outcome.code == 0, outcome
