# SPDX-License-Identifier: Apache-2.0
"""What a build makes, what it reuses, and how it fails."""

import functools
import hashlib
import http.server
import os
import pathlib
import re
import threading

import pytest

from sheaf import ordinary_user, tiny_project


def begun(project, *words):
    return project.build(*words).subjects("begin")


@pytest.mark.parametrize("script, code", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_exit_code_of_the_command(project, script, code):
    outcome = project.sheaf("up", "--", "/bin/sh", "-c", script)
    assert outcome.code == code, outcome


def test_the_project_belongs_to_dev_inside_and_to_its_owner_outside(project):
    assert project.shell("id -un; pwd; stat -c %U . && echo text > made && stat -c %U made").split() == \
        ["dev", "/workspace", "dev", "dev"]
    made = project.path / "made"
    assert made.read_text() == "text\n"
    assert (made.stat().st_uid, made.stat().st_gid) == (project.machine.account.uid, project.machine.account.gid)


@pytest.mark.root_only
@pytest.mark.parametrize("account", ["root"], indirect=True)
def test_root_works_on_the_project_of_somebody_else(project):
    owner = ordinary_user()
    os.chown(project.path, owner.uid, owner.gid)
    project.shell("echo text > made")
    assert (project.path / "made").stat().st_uid == owner.uid


def test_what_is_written_outside_of_the_workspace_is_discarded(project):
    project.shell("touch /home/dev/mine")
    assert project.shell("ls /home/dev") == ""
    assert project.machine.leftovers() == []


def test_second_run_has_nothing_to_do(project):
    assert "nothing to do" not in project.ok("up", "--", "/bin/true").err
    assert "nothing to do" in project.ok("up", "--", "/bin/true").err
    assert project.ok("up", "--progress", "json", "--", "/bin/true").subjects("begin") == []
    assert {layer["state"] for layer in project.ok("plan", "--json").json()["layers"]} == {"reused"}
    assert "nothing to build" in project.ok("plan").out


def test_a_change_rebuilds_the_layer_and_what_needs_it(project):
    project.write("sheaf.yml", "layers: [a, above, b]\n")
    project.layer("a", "RUN echo 1 > /etc/a\n")
    project.layer("above", "RUN cat /etc/a > /etc/above\n", "kind: tool\nneeds: [a]\n")
    project.layer("b", "RUN echo b > /etc/b\n")
    assert begun(project) == ["layer a", "layer above", "layer b", "layer base"]
    project.layer("a", "RUN echo 2 > /etc/a\n")
    plan = {layer["name"]: layer for layer in project.ok("plan", "--json").json()["layers"]}
    assert [name for name in plan if plan[name]["action"] == "build"] == ["a", "above"]
    assert "instruction" in plan["a"]["why"]
    assert begun(project) == ["layer a", "layer above"]
    assert project.shell("cat /etc/a /etc/above /etc/b").split() == ["2", "2", "b"]


def test_the_same_result_leaves_what_is_above_valid(project):
    project.write("sheaf.yml", "layers: [above]\n")
    project.layer("a", "RUN echo 1 > /etc/a\n")
    project.layer("above", "RUN cat /etc/a > /etc/above\n", "kind: tool\nneeds: [a]\n")
    project.build()
    project.layer("a", "RUN echo 1 >/etc/a && true\n")
    assert begun(project) == ["layer a"]


def test_independent_layers_are_joined(project):
    project.layer("a", "RUN mkdir -p /opt/a && echo a > /opt/a/file\n")
    project.layer("b", "RUN mkdir -p /opt/b && echo b > /opt/b/file\n")
    assert project.shell("cat /opt/a/file /opt/b/file", "--layers", "a,b") == "a\nb\n"
    assert begun(project, "--layers", "b") == []
    assert project.shell("ls /opt", "--layers", "b") == "b\n"


def test_a_step_that_fails(project):
    project.write("sheaf.yml", "layers: [good, bad, above]\n")
    project.layer("good", "RUN echo good > /etc/good\n")
    project.layer("bad", "RUN true\nRUN echo the last words; exit 9\n")
    project.layer("above", "RUN true\n", "kind: tool\nneeds: [bad]\n")
    outcome = project.sheaf("build")
    assert outcome.code == 3, outcome
    error = outcome.err[outcome.err.index("error: "):]
    for words in ("layer 'bad'", "step 2 of 2", "RUN echo the last words; exit 9", "exit code 9"):
        assert words in error, error
    assert re.search(r"^ +the last words$|\| the last words$", error, re.MULTILINE), error
    log = pathlib.Path(re.search(r"the whole log: (\S+)", error)[1])
    assert "the last words" in log.read_text()
    assert project.machine.leftovers() == []

    project.layer("bad", "RUN true\n")
    events = project.build()
    assert events.subjects("begin") == ["layer above", "layer bad"]
    assert events.subjects("cached") == ["layer base", "layer good"]


def test_instructions(project):
    project.write("sheaf.yml", """\
        layers: [a]
        args: {a: {colour: green}}
        env: {FROM_PROJECT: project}
        """)
    project.layer("a", """\
        ARG COLOUR
        ARG SHAPE=round
        ENV FIRST=one SECOND="two words"
        ENV THIRD=${FIRST}-$COLOUR PATH=/opt/bin:$PATH
        LABEL purpose=test
        WORKDIR /opt
        WORKDIR bin
        RUN pwd > /etc/where; echo $COLOUR $SHAPE > /etc/args; env | grep -c ^COLOUR= >> /etc/args
        SHELL ["/bin/sh", "-e", "-c"]
        RUN echo $- > /etc/options
        COPY --chmod=755 tool /opt/bin/
        USER dev
        RUN id -un > /home/dev/who
        ENTRYPOINT ["tool"]
        CMD ["by", "default"]
        """, "kind: project\nargs: {colour: {default: red}}\n", tool="#!/bin/sh\necho tool $*\n")
    assert project.shell("cat /etc/where /etc/args /home/dev/who").split() == ["/opt/bin", "green", "round", "1", "dev"]
    assert "e" in project.shell("cat /etc/options")
    assert project.shell('echo "$FIRST,$SECOND,$THIRD,$FROM_PROJECT,$COLOUR"') == "one,two words,one-green,project,\n"
    assert project.shell("command -v tool") == "/opt/bin/tool\n"
    assert project.ok("up").out == "tool by default\n"
    project.write("sheaf.yml", "layers: [a]\nargs: {a: {colour: blue}}\n")
    assert begun(project) == ["layer a"]


def test_a_layer_can_delete_what_the_base_has(project):
    project.layer("a", "RUN rm /etc/issue\n", "kind: tool\nreplaces: [base]\n")
    assert project.shell("ls /etc/issue") == "/etc/issue\n"
    assert project.shell("test ! -e /etc/issue && echo gone", "--layers", "a") == "gone\n"


def conflict(project):
    outcome = project.sheaf("build", "--strict", "--layers", "a,b")
    assert outcome.code == 4, outcome
    assert project.machine.leftovers() == []
    assert re.search(r"\ba\b", outcome.err) and re.search(r"\bb\b", outcome.err), outcome
    return outcome.err


def test_two_layers_that_disagree_about_a_path(project):
    project.layer("a", "RUN echo a > /etc/both\n")
    project.layer("b", "RUN echo b > /etc/both\n")
    error = conflict(project)
    assert "/etc/both" in error
    assert project.shell("cat /etc/both", "--layers", "a") == "a\n"


def test_two_layers_that_agree_about_a_path(project):
    project.layer("a", "RUN echo same > /etc/both; echo a > /etc/a\n")
    project.layer("b", "RUN echo same > /etc/both; echo b > /etc/b\n")
    assert project.shell("cat /etc/both /etc/a /etc/b", "--layers", "a,b").split() == ["same", "a", "b"]


def test_two_layers_with_the_same_content(project):
    project.layer("a", "RUN echo same > /etc/both\n")
    project.layer("b", "RUN echo same >/etc/both\n")
    assert project.shell("cat /etc/both", "--layers", "a,b") == "same\n"


def add_user(name, number):
    return (f"RUN echo '{name}:x:{number}:{number}::/:/bin/false' >> /etc/passwd && "
            f"echo '{name}:x:{number}:' >> /etc/group\n")


def test_accounts_of_all_layers_are_present(project):
    project.layer("a", add_user("alpha", 201))
    project.layer("b", add_user("beta", 202))
    text = project.shell("cut -d: -f1,3 /etc/passwd; id -u alpha; id -g beta", "--layers", "a,b")
    assert {"root:0", "dev:1000", "alpha:201", "beta:202"} <= set(text.split())
    assert text.split()[-2:] == ["201", "202"]


def test_one_id_for_two_accounts_is_a_conflict(project):
    project.layer("a", add_user("alpha", 201))
    project.layer("b", add_user("beta", 201))
    error = conflict(project)
    assert "alpha" in error and "beta" in error and "201" in error


def test_two_projects_share_layers(project):
    project.build()
    assert begun(tiny_project(project.machine, "another")) == []


def extended(project, name):
    """Lets the layer's Containerfile use what is not Docker's."""
    path = f".sheaf/layers/{name}/Containerfile"
    project.write(path, "# sheaf: extensions\n" + (project.path / path).read_text())


def test_a_layer_uses_all_that_run_and_copy_can_do(project):
    project.write("sheaf.yml", "layers: [a]\n")
    project.layer("a", """\
        COPY conf/*.ini /etc/conf/
        RUN <<EOF
        #!/bin/sh -e
        echo "$0 ran in $(pwd)" > /etc/script
        ls /sys/class/net > /etc/interfaces
        EOF
        RUN <<EOF
        echo first > /etc/shell
        echo second >> /etc/shell
        EOF
        RUN --mount=type=cache,target=/cache,id=tools echo x >> /cache/count; cat /cache/count > /etc/count
        RUN --network=none ip -o link 2>/dev/null | grep -c . > /etc/lonely; ! ip route | grep -q default
        RUN --mount=type=bind,source=conf,target=/conf cp /conf/one.ini /etc/bound; ! touch /conf/new 2>/dev/null
        RUN --mount=type=bind,source=conf,target=/conf,rw touch /conf/new
        RUN --mount=type=tmpfs,target=/scratch touch /scratch/file
        RUN mkdir -p /var/log /tmp/kept && cd /var/log && echo log > install.log && echo lost > other.log
        RUN touch /tmp/kept/file
        SNAPSHOT /var/log/install.log
        SNAPSHOT /tmp/kept
        """, **{"conf/one.ini": "1\n", "conf/two.ini": "2\n", "conf/three.txt": "3\n"})
    extended(project, "a")
    text = project.shell(
        "ls /etc/conf; cat /etc/script /etc/shell /etc/count /etc/lonely /etc/bound; ls -d /cache /scratch || true")
    assert text.split("\n") == ["one.ini", "two.ini", "/dev/pipes/EOF ran in /workspace", "first", "second", "x",
                                "1", "1", ""]
    assert project.shell("cat /var/log/install.log; ls /var/log; ls /tmp/kept") == "log\ninstall.log\nfile\n"
    # The cache outlives the layer's builds.
    containerfile = project.path / ".sheaf/layers/a/Containerfile"
    project.write(".sheaf/layers/a/Containerfile", containerfile.read_text() + "RUN true\n")
    assert project.shell("cat /etc/count") == "x\nx\n"


@pytest.mark.parametrize("commands, words", [
    ("RUN --mount=type=secret,id=key true\n", ["a secret cannot be mounted", "build an image"]),
    ("RUN --mount=type=ssh true\n", ["an SSH agent cannot be mounted", "build an image"]),
    ("RUN touch /etc/there\nSNAPSHOT /etc/missing\n", ["there is no '/etc/missing' to keep", "step 2 of 2"]),
    ("SNAPSHOT /proc/self\n", ["is mounted by the sandbox"]),
    ("RUN <<EOF\n#!/bin/sh\necho from a script; exit 4\nEOF\n", ["exit code 4", "from a script"]),
])
def test_what_a_layer_cannot_do(project, commands, words):
    project.write("sheaf.yml", "layers: [a]\n")
    project.layer("a", commands)
    extended(project, "a")
    outcome = project.sheaf("build")
    assert outcome.code != 0, outcome
    for word in words:
        assert word in outcome.err, outcome
    assert project.machine.leftovers() == []


def test_a_layer_downloads_what_its_checksum_names(project):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    folder = project.machine.directory("served")
    (folder / "tool").write_text("#!/bin/sh\necho fetched\n")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        digest = hashlib.sha256((folder / "tool").read_bytes()).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}/tool"
        project.write("sheaf.yml", "layers: [a]\n")
        project.layer("a", f"ADD --checksum=sha256:{digest} --chmod=755 {url} /usr/bin/\n")
        assert project.shell("tool") == "fetched\n"
        project.layer("a", f"ADD --checksum=sha256:{digest[::-1]} {url} /usr/bin/\n")
        outcome = project.sheaf("build")
        assert outcome.code != 0 and digest[::-1] in outcome.err and "has changed" in outcome.err, outcome
    finally:
        server.shutdown()
