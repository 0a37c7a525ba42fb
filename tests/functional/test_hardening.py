# SPDX-License-Identifier: Apache-2.0
"""What a command, a layer or a project may not do; and that 32-bit programs run under the same rules."""

import errno
import os
import pathlib
import shutil
import struct
import tempfile

import pytest
import sheaf

TIOCSTI = 0x5412


def word(number):
    return struct.pack("<I", number & 0xFFFFFFFF)


def program_32(code):
    """A static i386 program: one segment, the code right behind the headers."""
    start = 0x10000 + 84
    size = 84 + len(code)
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, start, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    return header + struct.pack("<IIIIIIII", 1, 0, 0x10000, 0x10000, size, size, 5, 0x1000) + code


def program_64(code):
    start = 0x10000 + 120
    size = 120 + len(code)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, start, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x10000, 0x10000, size, size, 0x1000) + code


# Each ends with the error number of one system call as exit code: (number, first, second, third argument).
def call_32(number, first, second, third):
    set_up = b"\xb8" + word(number) + b"\xbb" + word(first) + b"\xb9" + word(second) + b"\xba" + word(third)
    return program_32(set_up + b"\xcd\x80" + b"\xf7\xd8\x89\xc3" + b"\xb8" + word(1) + b"\xcd\x80")


def call_64(number, first, second, third):
    set_up = b"\xb8" + word(number) + b"\xbf" + word(first) + b"\xbe" + word(second) + b"\xba" + word(third)
    return program_64(set_up + b"\x0f\x05" + b"\xf7\xd8\x89\xc7" + b"\xb8" + word(60) + b"\x0f\x05")


def run(project, program):
    (project.write("program", program)).chmod(0o755)
    return project.sheaf("up", "--", "/workspace/program")


def test_a_32_bit_program_runs(project):
    outcome = run(project, program_32(b"\xb8" + word(1) + b"\xbb" + word(42) + b"\xcd\x80"))
    assert outcome.code == 42, outcome


@pytest.mark.parametrize("program", [
    call_64(16, 0, TIOCSTI, 0x10000),  # ioctl; ENOTTY if the filter let it through, for standard input is no terminal
    call_32(54, 0, TIOCSTI, 0x10000),
    call_64(165, 0, 0, 0),  # mount; EFAULT if the filter let it through
    call_32(21, 0, 0, 0),
    call_64(272, 0x10000000, 0, 0),  # unshare(CLONE_NEWUSER)
    call_32(310, 0x10000000, 0, 0),
], ids=["tiocsti", "tiocsti-32", "mount", "mount-32", "unshare", "unshare-32"])
def test_system_calls_that_are_refused(project, program):
    outcome = run(project, program)
    assert outcome.code == errno.EPERM, outcome


def test_exit_codes_of_commands_that_do_not_start(project):
    project.write("text", "no program\n").chmod(0o644)
    missing = project.sheaf("up", "--", "no-such-command")
    assert missing.code == 127, missing
    assert "starting 'no-such-command'" in missing.err
    assert project.sheaf("up", "--", "/nowhere/program").code == 127
    denied = project.sheaf("up", "--", "/workspace/text")
    assert denied.code == 126, denied
    assert "starting '/workspace/text'" in denied.err


def test_device_nodes_cannot_be_made_or_used(project):
    """Real root's container has no CAP_MKNOD; a user namespace's kernel refuses it."""
    project.layer("device", "RUN mknod /opt-null c 1 3\n")
    outcome = project.sheaf("build", "--layers", "device")
    assert outcome.code == 3, outcome
    assert "mknod" in outcome.err, outcome


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["root"], indirect=True)
@pytest.mark.parametrize("place", ["/var/tmp", "/dev/shm"])
def test_a_device_node_in_the_project_does_not_open(machine, place):
    with tempfile.TemporaryDirectory(dir=place) as folder:
        project = sheaf.tiny_project(machine)
        project.path = shutil.copytree(project.path, pathlib.Path(folder) / "project")
        os.mknod(project.path / "node", 0o666 | 0o020000, os.makedev(1, 3))
        outcome = project.sheaf("up", "--", "/bin/sh", "-c", "echo x > /workspace/node")
    assert outcome.code != 0, outcome
    assert "ermission denied" in outcome.err, outcome


@pytest.mark.parametrize("name", ["link", "folder/link"])
def test_a_link_in_a_layers_folder_is_refused(project, name):
    project.layer("linked", "COPY . /opt/\n")
    link = project.path / ".sheaf/layers/linked" / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/etc/passwd")
    outcome = project.sheaf("build", "--layers", "linked")
    assert outcome.code == 2, outcome
    assert "link" in outcome.err, outcome


@pytest.mark.parametrize("source", ["/etc", "..", "out"])
def test_a_project_cannot_mount_what_is_outside_of_it(project, source):
    (project.path / "out").symlink_to("/etc")
    project.write("sheaf.yml", f"mounts: ['{source}:/mnt']\n")
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code == 6, outcome
    assert "outside of the project" in outcome.err, outcome


def test_a_project_mounts_what_it_has(project):
    project.write("inside/file", "text\n")
    project.write("sheaf.yml", "mounts: ['inside:/mnt:ro']\n")
    assert project.shell("cat /mnt/file") == "text\n"


ALTERNATIVES = r"mkdir -p /etc/alternatives /var/lib/dpkg/alternatives && printf 'auto\n{}\n\n{}\n50\n\n' >/var/lib/dpkg/alternatives/{}"


def test_a_link_that_alternatives_make_leads_no_other_one_to_the_host(project):
    outside = project.machine.directory("outside")
    hostile = " && ".join([ALTERNATIVES.format("/usr/x", outside, "x"),
                           ALTERNATIVES.format("/etc/alternatives/x/evil", "/bin/sh", "y")])
    project.layer("hostile", f"RUN {hostile}\n")
    project.layer("other", "RUN touch /other\n")
    outcome = project.sheaf("up", "--layers", "hostile,other", "--", "/bin/true")
    assert "'/etc/alternatives/x' is to be a folder, and something else as well" in outcome.err, outcome
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("file", ["etc/passwd", "etc/locale.gen", "var/lib/dpkg/status", "var/lib/dpkg/info/x.list"])
def test_nothing_waits_for_a_fifo_in_a_layer(project, file):
    project.layer("hostile", f"RUN mkdir -p $(dirname /{file}) && rm -f /{file} && mkfifo /{file}; echo one >/both\n")
    project.layer("other", "RUN echo two >/both\n")
    outcome = project.sheaf("up", "--layers", "hostile,other", "--", "/bin/true", timeout=60)
    assert outcome.code == 0 or f"'/{file}' is no regular file" in outcome.err or "etc/passwd" in file, outcome
