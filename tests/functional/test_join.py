# SPDX-License-Identifier: Apache-2.0
"""Layers that touch the same things: merged, told apart, or built on top of each other."""

import pytest

import sheaf


def layers(project, **commands):
    """One layer per name; all of them selected."""
    for name, text in commands.items():
        project.layer(name, text)
    project.write("sheaf.yml", f"layers: [{', '.join(commands)}]\n")


def explained(project, *words):
    return project.ok("join", "--explain", "--json", *words).json()


def classes(project):
    return {overlap["path"]: overlap["class"] for overlap in explained(project)["overlaps"]}


def test_a_conflict_is_mended_by_building_on_top_and_told(project):
    layers(project, a="RUN echo a > /opt-file\n", b="RUN echo b > /opt-file; echo more > /b\n")
    outcome = project.ok("up", "--", "/bin/cat", "/opt-file", "/b")
    assert outcome.out == "b\nmore\n"
    for words in ("'/opt-file'", "'a'", "'b'", "building 'b' again on top of 'a'"):
        assert words in outcome.err, outcome.err
    # The next run remembers, and one that has to plan anew finds both builds of 'b' in the store.
    assert "nothing to do" in project.ok("up", "--", "/bin/true").err
    assert project.build().subjects("begin") == []
    assert project.shell("cat /opt-file", "--layers", "b") == "b\n"


def test_strict_refuses_and_names_all_that_is_known(project):
    layers(project, a="RUN echo a > /opt-file\n", b="RUN echo b > /opt-file\n")
    outcome = project.sheaf("up", "--strict", "--", "/bin/true")
    assert outcome.code == 4, outcome
    for words in ("1 conflict", "'/opt-file': layers 'a' and 'b' differ (contents)", "remedy: build layer 'b' on top of 'a'",
                  "remedy: let 'b' replace what 'a' brings"):
        assert words in outcome.err, outcome.err
    # A remembered lenient environment does not make strict pass.
    project.ok("up", "--", "/bin/true")
    assert project.sheaf("up", "--strict", "--", "/bin/true").code == 4


def test_order_of_the_selection_does_not_matter(project):
    layers(project, a="RUN echo a > /one\n", b="RUN echo b > /one\n", c="RUN echo c > /one\n")
    first = project.ok("join", "a", "b", "c").out
    assert project.ok("join", "c", "b", "a").out == first
    assert project.ok("join", "b", "c", "a").out == first
    assert project.shell("cat /one") == "c\n"


def test_a_replacement_that_is_declared_is_no_conflict(project):
    layers(project, a="RUN echo a > /one; echo a > /two\n", b="RUN echo b > /one\n")
    project.layer("b", "RUN echo b > /one\n", "kind: tool\nreplaces: [a]\n")
    assert project.shell("cat /one /two", "--strict") == "b\na\n"
    assert classes(project)["/one"] == "declared replacement"


def test_settings_edited_by_several_layers_are_merged(project):
    layers(project, a="RUN echo from a >> /etc/issue\n", b="RUN echo from b >> /etc/issue\n",
           c="RUN sed -i '1i first' /etc/issue\n")
    assert project.shell("cat /etc/issue", "--strict") == "first\na tiny base\nfrom a\nfrom b\n"
    assert classes(project)["/etc/issue"] == "merged state"


def test_settings_changed_in_one_place_are_a_conflict(project):
    layers(project, a="RUN echo one > /etc/issue\n", b="RUN echo two > /etc/issue\n")
    assert project.sheaf("up", "--strict", "--", "/bin/true").code == 4
    assert project.shell("cat /etc/issue") == "two\n"


def test_a_layer_may_delete_only_what_it_made(project):
    layers(project, a="RUN touch /etc/mine && rm /etc/mine\n", b="RUN rm /etc/issue\n")
    outcome = project.sheaf("build")
    assert outcome.code == 2, outcome
    for words in ("layer 'b' deletes what belongs to other layers", "'/etc/issue' of layer 'base'",
                  "'replaces: [base]'"):
        assert words in outcome.err, outcome.err
    project.layer("b", "RUN rm /etc/issue\n", "kind: tool\nreplaces: [base]\n")
    assert project.shell("ls /etc/issue || echo gone").strip() == "gone"


def test_a_deletion_does_not_reach_what_a_sibling_added(project):
    project.layer("deletes", "RUN rm -rf /srv && mkdir /srv && touch /srv/own\n", "kind: tool\nneeds: [brings]\nreplaces: [brings]\n")
    layers(project, adds="RUN mkdir -p /srv && touch /srv/added\n", brings="RUN mkdir -p /srv && touch /srv/brought\n")
    project.write("sheaf.yml", "layers: [adds, brings, deletes]\n")
    assert project.shell("ls /srv", "--strict").split() == ["added", "own"]


def test_a_deletion_of_what_a_sibling_changed_is_a_conflict_and_ends_as_in_sequence(project):
    layers(project, a="RUN echo changed > /etc/issue\n")
    project.layer("b", "RUN rm /etc/issue\n", "kind: tool\nreplaces: [base]\n")
    project.write("sheaf.yml", "layers: [a, b]\n")
    outcome = project.sheaf("up", "--strict", "--", "/bin/true")
    assert outcome.code == 4 and "deleted by one" in outcome.err, outcome
    # Built on top of 'a' it deletes the file of 'a', which it does not declare: nothing happens behind one's back.
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code == 2 and "of layer 'a'" in outcome.err, outcome
    project.layer("b", "RUN rm /etc/issue\n", "kind: tool\nreplaces: [base, a]\n")
    assert project.shell("ls /etc/issue || echo gone").strip() == "gone"


def test_layers_needed_together_that_conflict_are_mended_too(project):
    layers(project, a="RUN echo a > /one\n", b="RUN echo b > /one\n")
    project.layer("c", "RUN cat /one > /copy\n", "kind: tool\nneeds: [a, b]\n")
    project.write("sheaf.yml", "layers: [c]\n")
    assert project.shell("cat /one /copy") == "b\nb\n"


def test_building_on_top_that_fails_names_the_step(project):
    layers(project, a="RUN echo a > /one\n", b="RUN test ! -e /one && echo b > /one\n")
    outcome = project.sheaf("up", "--", "/bin/true")
    assert outcome.code == 3, outcome
    assert "building 'b' again on top of 'a'" in outcome.err and "step 1 of 1" in outcome.err, outcome.err


def test_explain_lists_every_overlap_with_its_class(project):
    layers(project,
           a="RUN mkdir /d && echo same > /d/same && echo a > /d/differs && echo x:x:2000: >> /etc/group\n",
           b="RUN mkdir /d && echo same > /d/same && echo b > /d/differs && echo y:x:2001: >> /etc/group\n")
    explanation = explained(project)
    found = {overlap["path"]: (overlap["class"], overlap["layers"]) for overlap in explanation["overlaps"]}
    assert found["/d"] == ("directory metadata", ["a", "b"])
    assert found["/d/same"] == ("identical", ["a", "b"])
    assert found["/d/differs"] == ("conflict", ["a", "b"])
    (records,) = explanation["records"]
    assert records == {"file": "/etc/group", "driver": "accounts", "changes": {"a": 1, "b": 1}}
    (conflict,) = explanation["conflicts"]
    assert (conflict["first"], conflict["second"], len(conflict["remedies"])) == ("a", "b", 2)
    text = project.ok("join", "--explain").out
    assert "1 conflicts" in text and "1 identical" in text and "accounts" in text


def test_bytes_of_layers_are_left_alone(project):
    layers(project, a="RUN echo a > /a; echo x:x:2000: >> /etc/group\n", b="RUN echo b > /b; echo y:x:2001: >> /etc/group\n")
    before = project.ok("join", "a").out.split()[:2]
    listing = [(path, path.stat().st_mtime_ns) for lower in before for path in sorted(project_tree(lower))]
    after = project.ok("join", "a", "b").out.split()
    assert after[:2] == before
    assert listing == [(path, path.stat().st_mtime_ns) for lower in before for path in sorted(project_tree(lower))]


def project_tree(lower):
    import pathlib
    return [path for path in pathlib.Path(lower).rglob("*") if not path.is_symlink()]


@pytest.mark.parametrize("words, message", [(["nosuch"], "unknown layer 'nosuch'"), (["bse"], "unknown layer 'bse'")])
def test_unknown_layers(project, words, message):
    outcome = project.sheaf("join", *words)
    assert outcome.code != 0 and message in outcome.err, outcome


def test_a_folder_that_becomes_a_link_is_a_deletion(project):
    project.layer("a", "RUN rm -r /home && ln -s /elsewhere /home\n")
    outcome = project.sheaf("up", "--layers", "a", "--", "/bin/true")
    assert outcome.code == 2, outcome
    assert "'/home', a folder of layer 'base'" in outcome.err, outcome.err
    project.layer("a", "RUN rm -r /home && ln -s /elsewhere /home\n", "kind: tool\nreplaces: [base]\n")
    assert project.shell("readlink /home", "--layers", "a") == "/elsewhere\n"


def test_links_made_by_the_join_leave_linked_folders_alone(project):
    """A base with /bin as a link, and a slave link in it that the better of two choices does not have."""
    project.write(".sheaf/layers/base/busybox", sheaf.busybox())
    project.layer("base", """\
        COPY --chmod=755 busybox /usr/bin/busybox
        RUN ["/usr/bin/busybox", "ln", "-s", "usr/bin", "/bin"]
        RUN ["/usr/bin/busybox", "--install", "-s", "/usr/bin"]
        COPY passwd group /etc/
        RUN mkdir -p /etc/alternatives /var/lib/dpkg/alternatives /home/dev /tmp /workspace
        """, "kind: base\n")
    link = "ln -s /etc/alternatives/{0} /bin/{0} && ln -s /bin/{1} /etc/alternatives/{0} && echo {1} >/bin/{1}"
    group = "/var/lib/dpkg/alternatives/tool"
    layers(project,
           a=rf"RUN printf 'auto\n/bin/tool\nslave\n/bin/slave\n\n/bin/tool.a\n10\n/bin/slave.a\n\n' >{group} && "
             + f"{link.format('tool', 'tool.a')} && {link.format('slave', 'slave.a')}\n",
           b=rf"RUN printf 'auto\n/bin/tool\n\n/bin/tool.b\n50\n\n' >{group} && {link.format('tool', 'tool.b')}" + "\n")
    assert project.shell("readlink /bin; cat /bin/tool; [ -L /bin/slave ] || echo gone") == "usr/bin\ntool.b\ngone\n"


def test_a_join_that_was_damaged_is_made_again(project):
    layers(project, a="RUN echo 'x:x:2000:2000::/:/bin/sh' >>/etc/passwd\n", b="RUN echo b >/b\n")
    project.ok("up", "--", "/bin/true")
    joins = project.machine.store / "joins"
    for file in ("tree/etc/passwd", "seal"):
        for path in joins.glob(f"*/{file}"):
            path.unlink()
    assert "x:x:2000" in project.shell("cat /etc/passwd")


def test_a_replaced_file_does_not_come_back_by_a_merge(project):
    project.layer("a", "RUN echo one >>/etc/issue\n")
    project.layer("b", "RUN echo two >>/etc/issue\n", "kind: tool\nreplaces: [a]\n")
    project.layer("c", "RUN echo three >>/etc/issue\n")
    outcome = project.sheaf("up", "--strict", "--layers", "a,b,c", "--", "/bin/true")
    assert outcome.code == 4 and "'/etc/issue'" in outcome.err, outcome


def test_a_link_in_the_place_of_accounts_is_a_conflict(project):
    layers(project, a="RUN mv /etc/passwd /etc/pw && ln -s pw /etc/passwd\n",
           b="RUN echo 'x:x:2000:2000::/:/bin/sh' >>/etc/passwd\n")
    outcome = project.sheaf("up", "--strict", "--", "/bin/true")
    assert outcome.code == 4 and "'/etc/passwd': layers 'a' and 'b' differ (type)" in outcome.err, outcome


def test_names_of_files_write_no_lines_of_their_own(project):
    name = r"$(printf '/a\nerror: \033[31m')"
    layers(project, a=f'RUN echo a >"{name}"\n', b=f'RUN echo b >"{name}"\n')
    outcome = project.sheaf("up", "--strict", "--", "/bin/true")
    assert outcome.code == 4 and "\033" not in outcome.err and "\nerror: \\" not in outcome.err, outcome
