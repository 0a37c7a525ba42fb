# SPDX-License-Identifier: Apache-2.0
"""`sheaf build` of a Dockerfile: what the command line asks for, and how a build fails."""

import concurrent.futures
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tarfile
import termios
import time

import pytest

import sheaf
from sheaf import finish, processes_with, wait_until

BASE = """\
FROM scratch AS base
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
"""


@pytest.fixture
def context(machine):
    """A build context with a static shell in it."""
    made = sheaf.Project(machine, "context")
    made.write("busybox", sheaf.busybox())
    return made


def dockerfile(context, commands, name="Dockerfile"):
    context.write(name, BASE + commands)


def build(context, *words, **options):
    return context.sheaf("build", "--progress", "json", *words, ".", **options)


def built(context, *words):
    outcome = build(context, *words)
    assert outcome.code == 0, outcome
    return outcome


def steps(outcome):
    """Displays of the steps that were carried out."""
    return [event["text"] for event in outcome.events if event["event"] == "step"]


def file_of(context, path, *words):
    """Text of a file of the image."""
    built(context, "--output", "out", *words)
    return (context.path / "out" / path).read_text()


def test_a_failing_step_says_all(context):
    dockerfile(context, "FROM base AS app\nRUN true\nRUN echo the last words; exit 9\n")
    outcome = context.sheaf("build", ".")
    assert outcome.code == 3, outcome
    error = outcome.err[outcome.err.index("error: "):]
    for words in ("stage 'app'", "step 2 of 2", "RUN echo the last words; exit 9", "exit code 9", "| the last words"):
        assert words in error, error
    log = pathlib.Path(re.search(r"the whole log: (\S+)", error)[1])
    assert "the last words" in log.read_text()
    assert context.machine.leftovers() == []


def test_what_is_written_for_programs(context):
    dockerfile(context, "LABEL purpose=test\n")
    outcome = context.ok("build", "-q", "--iidfile", "id", "--metadata-file", "meta", "-t", "one", "-t", "two:2",
                         "--label", "more=yes", "--annotation", "a=b", ".")
    image = outcome.out.strip()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image), outcome
    assert outcome.err == "", outcome
    assert (context.path / "id").read_text() == image
    metadata = json.loads((context.path / "meta").read_text())
    assert metadata["containerimage.config.digest"] == metadata["containerimage.digest"] == image
    assert metadata["image.name"] == "one:latest,two:2"
    record = json.loads((context.machine.store / "images" / (image[7:] + ".json")).read_text())
    assert record["annotations"] == {"a": "b"}
    assert json.loads(record["image"])["config"]["Labels"] == {"more": "yes", "purpose": "test"}
    assert image.removeprefix("sha256:")[:12] in context.ok("image", "list").out


def test_options_about_a_daemon_have_no_effect(context):
    dockerfile(context, "RUN true\n")
    words = ["--rm", "--force-rm=true", "--compress", "--builder", "default", "-m", "2g", "--memory-swap=-1", "-c", "5",
             "--cpu-period", "9", "--cpu-quota=9", "--cpuset-cpus", "0-1", "--cpuset-mems=0", "--isolation", "default",
             "--cgroup-parent", "x", "--load=true", "--pull=false", "--sbom=true", "--attest", "type=provenance"]
    outcome = context.ok("build", "--progress", "rawjson", *words, ".")
    notes = [event["text"] for event in outcome.events if event["subject"] == "options"]
    assert len(notes) == 2 and "--memory, " in notes[1] and "--load" not in notes[1], outcome
    assert "add --push" in notes[0]
    assert context.sheaf("build", "--rm=perhaps", ".").code == 2
    assert context.sheaf("build", "--attest", "type=seal", ".").code == 2
    assert context.ok("build", "-q", "--rm", ".").err == ""


def test_metadata_names_what_was_written(context):
    dockerfile(context, "RUN echo x > /x\n")
    made = context.ok("build", "--metadata-file", "meta", "-t", "one", "-o", "type=oci,tar=false,dest=layout", ".")
    metadata = json.loads((context.path / "meta").read_text())
    entry = json.loads((context.path / "layout/index.json").read_text())["manifests"][0]
    assert metadata["containerimage.digest"] == entry["digest"], made
    descriptor = metadata["containerimage.descriptor"]
    assert (descriptor["mediaType"], descriptor["digest"], descriptor["size"]) == \
        (entry["mediaType"], entry["digest"], entry["size"])
    assert descriptor["platform"]["os"] == "linux"
    manifest = json.loads((context.path / "layout/blobs/sha256" / entry["digest"][7:]).read_text())
    assert metadata["containerimage.config.digest"] == manifest["config"]["digest"]


def test_check_reads_and_judges_but_builds_nothing(context):
    dockerfile(context, "FROM base AS App\nCMD echo hello\n")
    outcome = context.sheaf("build", "--check", ".")
    assert outcome.code == 1, outcome
    assert "StageNameCasing" in outcome.err and "JSONArgsRecommended" in outcome.err, outcome
    assert list((context.machine.store / "steps").iterdir()) == []
    dockerfile(context, "CMD [\"echo\"]\n")
    assert context.sheaf("build", "--check", ".").code == 0


def test_print_is_the_plan_as_json(context):
    dockerfile(context, "FROM base AS app\nRUN true\n")
    plan = context.ok("build", "--print", ".").json()
    assert isinstance(plan, dict) and "app" in json.dumps(plan)


def test_outputs(context):
    dockerfile(context, "RUN mkdir -p /opt && echo text > /opt/file && ln -s file /opt/link\n")
    built(context, "--output", "type=local,dest=folder")
    assert (context.path / "folder/opt/link").read_text() == "text\n"
    assert (context.path / "folder/opt/file").stat().st_uid == context.machine.account.uid
    built(context, "--output", "type=tar,dest=all.tar")
    with tarfile.open(context.path / "all.tar") as tar:
        assert tar.getmember("opt/link").linkname == "file"
    with context.start("build", "-q", "--output", "-", ".") as process:
        content, _ = process.stdout.buffer.read(), process.wait()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert tar.extractfile("opt/file").read() == b"text\n"


def test_only_what_the_target_needs_is_built(context):
    dockerfile(context, "FROM base AS one\nRUN echo one > /one\nFROM base AS two\nRUN echo two > /two\n")
    outcome = built(context, "--target", "one")
    assert "RUN echo one > /one" in steps(outcome) and "RUN echo two > /two" not in steps(outcome)
    assert file_of(context, "one", "--target", "one") == "one\n"


def test_a_second_build_does_nothing_unless_it_is_told_to(context):
    dockerfile(context, "FROM base AS one\nRUN cat /proc/sys/kernel/random/uuid > /one\n"
                        "FROM base AS two\nRUN cat /proc/sys/kernel/random/uuid > /two\n"
                        "COPY --from=one /one /one\n")
    first = file_of(context, "one"), file_of(context, "two")
    assert steps(built(context)) == []
    assert "RUN cat /proc/sys/kernel/random/uuid > /one" in steps(built(context, "--no-cache-filter", "one"))
    filtered = file_of(context, "one"), file_of(context, "two")
    assert filtered[0] != first[0] and filtered[1] == first[1]
    again = steps(built(context, "--no-cache"))
    assert "RUN cat /proc/sys/kernel/random/uuid > /one" in again and "RUN cat /proc/sys/kernel/random/uuid > /two" in again


def test_what_the_host_lends_to_commands(context):
    dockerfile(context, "RUN cat /etc/hosts > /hosts; ulimit -n > /limit; df -k /dev/shm | tail -n 1 > /shm\n")
    words = ("--add-host", "db:10.1.2.3", "--ulimit", "nofile=77:88", "--shm-size", "3m")
    assert re.search(r"^10\.1\.2\.3\s+db$", file_of(context, "hosts", *words), re.MULTILINE)
    assert (context.path / "out/limit").read_text() == "77\n"
    assert (context.path / "out/shm").read_text().split()[1] == "3072"


def test_network_none_has_no_way_out(context):
    dockerfile(context, "RUN ls /proc/sys/net/ipv4/conf > /links\n")
    assert set(file_of(context, "links", "--network", "none").split()) == {"all", "default", "lo"}


def with_input(context, content, *words):
    machine = context.machine
    done = subprocess.run([machine.program, "build", *words], input=content, cwd=context.path, timeout=60,
                          env=machine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          **machine.account.identity())
    return sheaf.Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_context_from_standard_input(context):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (("Dockerfile", BASE.encode()), ("busybox", sheaf.busybox())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    outcome = with_input(context, packed.getvalue(), "-q", "-")
    assert outcome.code == 0 and outcome.out.startswith("sha256:"), outcome


def test_a_dockerfile_from_standard_input(context):
    outcome = with_input(context, b"FROM scratch\nLABEL a=b\n", "-q", "-")
    assert outcome.code == 0 and outcome.out.startswith("sha256:"), outcome
    outcome = with_input(context, b"FROM scratch\nCOPY busybox /\n", "-q", "-f", "-", ".")
    assert outcome.code == 0, outcome
    outcome = with_input(context, b"FROM scratch\nCOPY busybox /\n", "-q", "-")
    assert outcome.code != 0 and "hint:" in outcome.err, outcome


def test_squash_leaves_one_tree(context):
    dockerfile(context, "RUN echo a > /a && touch /gone && ln /a /b\nRUN rm /gone && chown 5:6 /a && chmod 4755 /a\n"
                        "ENV NAME=value\n")
    outcome = context.ok("build", "-q", "--squash", ".")
    record = json.loads((context.machine.store / "images" / (outcome.out.strip()[7:] + ".json")).read_text())
    assert len(record["trees"]) == 1
    image = json.loads(record["image"])
    assert "NAME=value" in image["config"]["Env"]
    assert [line.get("empty_layer", False) for line in image["history"]] == [True] * (len(image["history"]) - 1) + [False]
    with context.start("build", "-q", "--squash", "--output", "-", ".") as process:
        content, _ = process.stdout.buffer.read(), process.wait()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        names = tar.getnames()
        assert "gone" not in names
        info = tar.getmember("a")
        assert (info.uid, info.gid, info.mode & 0o7777) == (5, 6, 0o4755)


def test_a_mount_of_the_context_obeys_the_ignore_file(context):
    dockerfile(context, """\
        RUN --mount=type=bind,target=/c test -f /c/in/kept && ! ls /c/secret && ! ls /c/in/x.log && ls -ln /c/in > /owners
        RUN --mount=type=bind,target=/c,rw echo new > /c/in/kept && echo new > /c/secret
        """.replace("        ", ""))
    context.write("secret", "s")
    context.write("in/kept", "k")
    context.write("in/x.log", "l")
    context.write(".dockerignore", "secret\n**/*.log\nout\n")
    owners = file_of(context, "owners").split("\n")[1].split()
    assert owners[2] == ("0" if context.machine.account.uid == 0 else "1000")
    assert (context.path / "in/kept").read_text() == "k"
    assert (context.path / "secret").read_text() == "s"
    context.write("secret", "another")
    assert steps(built(context)) == []


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["root"], indirect=True)
@pytest.mark.parametrize("ignored", ["", "none\n"])
def test_for_root_somebody_elses_context_is_roots(context, ignored):
    dockerfile(context, "RUN --mount=type=bind,target=/c ls -ln /c/file > /owners\n")
    context.write("file", "")
    context.write(".dockerignore", ignored)
    owner = sheaf.ordinary_user()
    for path in (context.path, context.path / "file"):
        os.chown(path, owner.uid, owner.gid)
    assert file_of(context, "owners").split()[2:4] == ["0", "0"]


def test_an_interrupted_build_leaves_nothing(context):
    marker = f"4242.{os.getpid()}"
    dockerfile(context, f"RUN sleep {marker}\n")
    process = context.start("build", ".")
    wait_until(lambda: any(pathlib.Path(f"/proc/{pid}/exe").exists() for pid in processes_with(f"sleep\0{marker}")),
               what="the step runs")
    process.send_signal(signal.SIGINT)
    outcome = finish(process, 30)
    assert outcome.code == 130, outcome
    wait_until(lambda: processes_with(f"sleep\0{marker}") == [], what="the step's processes are gone")
    assert context.machine.leftovers() == []
    assert str(context.machine.store) not in pathlib.Path("/proc/self/mounts").read_text()


def test_two_builds_at_once_run_each_step_once(context):
    dockerfile(context, "RUN sleep 0.3; echo a > /a\nRUN sleep 0.3; echo b > /b\n")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(lambda _: built(context), range(2)))
    ran = [step for outcome in outcomes for step in steps(outcome)]
    assert sorted(ran) == sorted(set(ran)), ran
    assert len(ran) == 4


def converse(context, script, *words):
    """Runs a build in a terminal, types `script` when a prompt comes, and returns all it showed and its exit code."""
    machine = context.machine
    ours, theirs = pty.openpty()
    with subprocess.Popen([machine.program, "build", *words, "."], cwd=context.path, env=machine.environment(TERM="dumb"),
                          stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                          preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                          **machine.account.identity()) as process:
        os.close(theirs)
        shown, typed = "", False
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65536).decode(errors="replace")
                except OSError:  # the other side is closed
                    break
            if not typed and re.search(r"[#$] (\x1b\[6n)?$", shown):
                os.write(ours, script.encode())
                typed = True
        os.close(ours)
        return shown, process.wait(10)


def test_a_shell_in_the_place_of_the_failed_step(context):
    dockerfile(context, "ENV COLOUR=green\nWORKDIR /work\n"
                        "RUN --mount=type=tmpfs,target=/scratch echo partial > /work/partial && exit 5\n")
    script = "echo \"<$COLOUR $(pwd) $(cat /work/partial) $(grep -c ' /scratch ' /proc/mounts)>\"; exit\n"
    shown, code = converse(context, script, "--shell-on-error")
    assert "<green /work partial 1>" in shown, shown
    assert code == 3 and "exit code 5" in shown, shown
    assert context.machine.leftovers() == []


def test_without_a_terminal_no_shell_is_opened(context):
    dockerfile(context, "RUN exit 5\n")
    outcome = context.sheaf("build", "--shell-on-error", ".")
    assert outcome.code == 3 and "no terminal" in outcome.err, outcome


@pytest.mark.parametrize("words, expected", [
    (["--targte", "x"], ["--targte", "--target"]),
    (["--target", "bsae"], ["bsae", "base"]),
    (["--network", "lan"], ["--network lan", "none"]),
    (["--ulimit", "files=3"], ["files"]),
    (["--shm-size", "big"], ["--shm-size big", "64m"]),
    (["--build-context", "x"], ["NAME=FROM"]),
    (["--layers", "x", "-t", "y"], ["--layers", "for a project's layers"]),
    (["-f", "missing"], ["missing"]),
])
def test_mistakes_of_the_command_line(context, words, expected):
    dockerfile(context, "RUN true\n")
    outcome = context.sheaf("build", *words, ".")
    assert outcome.code != 0, outcome
    for text in expected:
        assert text in outcome.err, outcome


@pytest.mark.parametrize("text, expected", [
    ("FROM base\nRNU true\n", ["Dockerfile:2:1", "RNU", "RUN"]),
    ("FROM scratch\nCOPY missing /\n", ["missing"]),
    ("FROM scratch\nCOPY busybx /\n", ["busybx", "busybox"]),
    ("FROM 127.0.0.1:1/no-such-image\nRUN true\n", ["no-such-image", "hint:", "no image of the store"]),
    ("FROM scratch\nCOPY --from=127.0.0.1:1/nowhere /a /\n", ["nowhere", "hint:", "no stage above"]),
    ("", ["Dockerfile", "hint:"]),
])
def test_mistakes_of_a_dockerfile(context, text, expected):
    context.write("Dockerfile", text)
    outcome = context.sheaf("build", ".")
    assert outcome.code != 0, outcome
    for words in expected:
        assert words in outcome.err, outcome


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["user"], indirect=True)
def test_a_file_that_cannot_be_read(context):
    context.write("Dockerfile", "FROM scratch\nCOPY closed /\n")
    closed = context.write("closed", "x")
    closed.chmod(0)
    os.chown(closed, 0, 0)  # one's own files can be read as root of the user namespace
    outcome = context.sheaf("build", ".")
    assert outcome.code != 0, outcome
    for words in ("/closed", "Permission denied", "hint: make it readable"):
        assert words in outcome.err, outcome


def test_a_folder_without_a_dockerfile(context):
    outcome = context.sheaf("build", ".")
    assert outcome.code != 0, outcome
    for words in ("Dockerfile", "Containerfile", "hint:", "-f"):
        assert words in outcome.err, outcome


def test_a_context_that_is_not_there(context):
    outcome = context.sheaf("build", "nowhere")
    assert outcome.code != 0 and "nowhere" in outcome.err and "hint:" in outcome.err, outcome


@pytest.mark.parametrize("commands", [
    "COPY file /seen\nFROM base\nRUN --mount=from=first,target=/f sleep 2; true\nCOPY file /got\n",
    "FROM base\nRUN --mount=source=file,target=/file sleep 2; cp /file /got\n",
])
def test_what_was_edited_during_a_build_is_not_taken_for_what_it_was(context, commands):
    context.write("file", "before")
    dockerfile(context, "FROM base AS first\n" + commands)
    with context.start("build", "--progress", "json", ".") as process:
        wait_until(lambda: processes_with("sleep 2;"), what="the step")
        (context.path / "file").write_text("during")
        outcome = finish(process)
    assert outcome.code == 0, outcome
    warnings = [event["text"] for event in outcome.events if event["event"] == "warning"]
    assert any("changed while step" in text for text in warnings), outcome
    context.write("file", "before")
    assert file_of(context, "got") == "before"
    assert steps(built(context)) == []


def test_one_folder_as_two_contexts_with_different_ignore_files(context):
    context.write("ci/Dockerfile.dockerignore", "hidden\n*\n!busybox\n!shown\n")
    context.write("shown", "s")
    context.write("hidden", "one")
    dockerfile(context, "FROM base\nCOPY . /some\nCOPY --from=all . /all\n", name="ci/Dockerfile")
    words = ["-f", "ci/Dockerfile", "--build-context", f"all={context.path}"]
    assert file_of(context, "all/hidden", *words) == "one"
    assert not (context.path / "out/some/hidden").exists()
    context.write("hidden", "two")
    assert file_of(context, "all/hidden", *words) == "two"


def test_caches_do_not_wait_for_each_other(context):
    """Twice in one command, and by two stages in another order."""
    mounts = [f"--mount=type=cache,sharing=locked,id={name},target=/{name}" for name in "ab"]
    dockerfile(context, f"RUN {mounts[0]} {mounts[0]}2 touch /a/x && test -f /a2/x\n"
                        f"FROM base AS one\nRUN {mounts[0]} {mounts[1]} sleep 0.2; touch /one\n"
                        f"FROM base AS two\nRUN {mounts[1]} {mounts[0]} sleep 0.2; touch /two\n"
                        "FROM base\nCOPY --from=one /one /\nCOPY --from=two /two /\n")
    built(context)
    dockerfile(context, f"RUN {mounts[0]} {mounts[0]}2 touch /a/x && test -f /a2/x\n")
    built(context)


def test_a_trigger_may_need_a_stage_that_nothing_else_needs(context):
    dockerfile(context, "RUN echo tool > /tool\n")
    built(context, "-t", "tools")
    dockerfile(context, "ONBUILD COPY --from=tools-stage /tool /tool\n")
    built(context, "-t", "on")
    context.write("Dockerfile", "FROM tools AS tools-stage\nFROM on\n")
    assert file_of(context, "tool") == "tool\n"


def test_no_network_shows_no_interfaces_of_the_host(context):
    dockerfile(context, "RUN --network=none ls /sys/class/net > /interfaces\n")
    assert file_of(context, "interfaces") in ("", "lo\n")


def test_a_cache_starts_as_what_it_is_made_from(context):
    dockerfile(context, "RUN mkdir -m 750 /s && echo x > /s/file && ln /s/file /s/hard && ln -s file /s/link && "
                        "mkfifo /s/fifo && chown 5:6 /s /s/file && chmod 4777 /s/file && touch -d @1000000000 /s/file\n"
                        "FROM base\nRUN --mount=type=cache,target=/c,from=0,source=/s cd /c && "
                        "stat -c '%u:%g %a %h %Y' file > /got && stat -c '%u:%g %a' . >> /got && readlink link >> /got "
                        "&& test -p fifo\n")
    assert file_of(context, "got") == "5:6 4777 2 1000000000\n5:6 750\nfile\n"


def test_a_stage_that_fails_ends_the_others(context):
    dockerfile(context, "FROM base AS slow\nRUN sleep 97; true\nFROM base AS bad\n"
                        "RUN sleep 0.3; exit 7\nFROM base\nCOPY --from=slow / /s\nCOPY --from=bad / /b\n")
    start = time.monotonic()
    outcome = build(context)
    assert outcome.code == 3 and "stage 'bad'" in outcome.err and "exit code 7" in outcome.err, outcome
    assert time.monotonic() - start < 60
    assert sorted(outcome.subjects("fail")) == ["stage bad", "stage slow"]
    assert processes_with("sleep 97;") == [] and context.machine.leftovers() == []


def test_a_quiet_build_as_docker_calls_it(context):
    dockerfile(context, "RUN echo said\n")
    outcome = context.ok("build", "--progress=quiet", ".")
    assert outcome.err == "" and outcome.out == "", outcome
