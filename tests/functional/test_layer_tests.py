# SPDX-License-Identifier: Apache-2.0
"""`sheaf test`: the tests of layers, alone, in the project's environment, and in every combination."""

import itertools
import os
import pty
import xml.etree.ElementTree

import pytest

import sheaf

FIVE = ("a", "b", "c", "d", "e")


def with_tests(name, *tests, kind="tool", more=""):
    """The settings of a layer with these (command, expectation)."""
    lines = "".join(f"  - command: {command!r}\n" + (f"    expect: {expect!r}\n" if expect else "")
                    for command, expect in tests)
    return f"kind: {kind}\n{more}tests:\n{lines}"


def simple(project, *names):
    """A layer per name that brings /opt/NAME, and tests that it is there."""
    for name in names:
        project.layer(name, f"RUN echo {name} > /opt-{name}\n", with_tests(name, (f"cat /opt-{name}", name)))


def ends(report):
    """{environment: {layer: [how its tests ended]}}"""
    found = {}
    for environment in report["environments"]:
        tests = found.setdefault(" ".join(environment["layers"]), {})
        for test in environment["tests"]:
            tests.setdefault(test["layer"], []).append(test["end"])
    return found


def one_of(report, command):
    (found,) = [test for environment in report["environments"] for test in environment["tests"]
                if test["command"] == command]
    return found


def built(outcome):
    return [subject for subject in outcome.subjects("begin") if subject.startswith("layer ")]


def test_the_project_is_tested_whole_and_what_passed_is_not_run_again(project):
    simple(project, "a", "b")
    project.write("sheaf.yml", """\
        layers: [a, b]
        env: {GREETING: hello}
        tests:
          - {command: cat /opt-a /opt-b; echo $GREETING, expect: "b\\nhello"}
        """)
    first = project.ok("test", "--json", "--progress", "json")
    assert ends(first.json()) == {"base a b": {"a": ["passed"], "b": ["passed"], "project": ["passed"]}}
    assert built(first) == ["layer a", "layer b", "layer base"]
    again = project.ok("test", "--json", "--progress", "json")
    assert ends(again.json()) == {"base a b": {"a": ["cached"], "b": ["cached"], "project": ["cached"]}}
    assert built(again) == []
    assert {"test a", "test b", "test project"} <= set(again.subjects("cached"))
    assert "3 passed" in project.ok("test", "--no-cache").out
    # 'has no effect yet' is said of what is not carried out; tests are.
    assert "tests" not in "".join(event["text"] for event in first.events if event["event"] == "warning")
    assert "tests" in os.listdir(project.machine.store)
    assert {part["name"]: part["entries"] for part in project.ok("df", "--json").json()["parts"]}["tests"] == 3


def test_a_change_of_the_environment_or_of_the_test_runs_it_again(project):
    simple(project, "a", "b")
    assert project.ok("test", "a", "--json").json()["passed"] == 1
    assert project.ok("test", "a", "b", "--json").json()["cached"] == 1  # 'b' is another environment
    project.layer("a", "RUN echo a > /opt-a; echo more > /more\n", with_tests("a", ("cat /opt-a", "a")))
    assert project.ok("test", "a", "--json").json()["passed"] == 1
    project.layer("a", "RUN echo a > /opt-a; echo more > /more\n", with_tests("a", ("cat /opt-a /more", "a")))
    assert project.ok("test", "a", "--json").json()["passed"] == 1
    project.layer("a", "RUN echo a > /opt-a; echo more > /more\nENV SEEN=1\n", with_tests("a", ("cat /opt-a /more", "a")))
    assert project.ok("test", "a", "--json").json()["passed"] == 1
    assert project.ok("test", "a", "--json").json()["cached"] == 1


def test_tests_run_as_dev_in_an_empty_folder_without_network_and_input(project):
    project.layer("a", "RUN echo a > /opt-a\n", with_tests(
        "a", ("id -un", "dev"), ("pwd", "/workspace"), ("ls -A /workspace | wc -l", "0"), ("touch /workspace/new", ""),
        ("cat", ""), ("ls /sys/class/net", "lo"), ("test $(ls /sys/class/net | wc -l) = 1", ""),
        ("echo told >&2", "told"), ("test -z \"$GREETING\"", ""), ("echo $HOME", "/home/dev")))
    project.write("sheaf.yml", "env: {GREETING: hello}\n")
    project.write("file", "of the project")
    report = project.ok("test", "a", "--json").json()
    assert report["passed"] == 10 and report["environments"][0]["selection"] == ["a"]
    assert sorted(os.listdir(project.path)) == [".sheaf", "file", "sheaf.yml"]
    assert project.machine.leftovers() == []


def test_failures_say_all_there_is_to_know_and_are_not_remembered(project):
    project.layer("a", "RUN echo a > /opt-a\n", with_tests(
        "a", ("cat /opt-a", "b"), ("echo first; echo last; exit 7", "last"), ("sleep 60", ""), ("true", "")))
    for _ in range(2):
        outcome = project.sheaf("test", "a", "--json", "--timeout", "1")
        assert outcome.code == 1, outcome
        report = outcome.json()
        assert report["failed"] == 3
        wrong = one_of(report, "cat /opt-a")
        assert (wrong["end"], wrong["why"], wrong["output"]) == (
            "failed", "the output does not contain what is expected", "a")
        status = one_of(report, "echo first; echo last; exit 7")
        assert (status["why"], status["output"]) == ("exit code 7", "first\nlast")
        assert one_of(report, "sleep 60")["why"] == "it did not end within 1 s"
    assert one_of(report, "true")["end"] == "cached"
    text = project.sheaf("test", "a", "--timeout", "1").out
    for words in ("FAILED  a  cat /opt-a", "expected: b", "| a\n", "exit code 7", "| last\n",
                  "to look at it: sheaf test --enter a", "4 tests in 1 environment: 0 passed, 1 cached, 3 failed"):
        assert words in text, text
    assert sheaf.processes_with("sleep 60") == []


def test_the_environment_of_a_failure_can_be_entered(project):
    simple(project, "a", "b")
    with project.start("test", "--enter", "a,b", "--quiet") as process:
        assert sheaf.finish(process).code == 0  # its input ends at once
    main, other = pty.openpty()
    os.write(main, b"cat /opt-a /opt-b; ls -A | wc -l; exit 3\n\n")
    machine = project.machine
    sheaf_words = [machine.program, "test", "--enter", "a,b", "--quiet"]
    with sheaf.subprocess.Popen(sheaf_words, cwd=project.path, env=machine.environment(), stdin=other,
                                stdout=sheaf.subprocess.PIPE, text=True, **machine.account.identity()) as process:
        outcome = sheaf.finish(process)
    os.close(main)
    os.close(other)
    assert outcome.code == 3 and outcome.out.split()[-3:] == ["a", "b", "0"], outcome


def test_every_selection_of_five_layers_costs_five_builds(project):
    simple(project, *FIVE)
    outcome = project.ok("test", "--combinations", "all", *FIVE, "--json", "--progress", "json")
    report = outcome.json()
    wanted = {" ".join(("base",) + chosen): {name: ["passed"] for name in chosen}
              for size in range(6) for chosen in itertools.combinations(FIVE, size)}
    assert ends(report) == wanted and len(wanted) == 32
    assert built(outcome) == ["layer a", "layer b", "layer base", "layer c", "layer d", "layer e"]
    again = project.ok("test", "--combinations", "all", *FIVE, "--json", "--progress", "json")
    assert (again.json()["cached"], again.json()["passed"], built(again)) == (80, 0, [])
    # Law 3 of each: what a selection holds is what its layers bring, however it was put together.
    assert project.shell("cat /opt-*", "--layers", "e,b,d").split() == ["b", "d", "e"]


def test_combinations_follow_needs_and_leave_out_what_cannot_be(project):
    simple(project, "a", "b")
    project.layer("c", "RUN echo c > /opt-c\n", with_tests("c", ("cat /opt-a /opt-c", "c"), more="needs: [a]\n"))
    project.layer("d", "RUN echo d > /opt-d\n", with_tests("d", ("cat /opt-d", "d"), more="conflicts: [b]\n"))
    project.write("sheaf.yml", "layers: [a, c]\n")
    report = project.ok("test", "--combinations", "pairs", "a", "b", "c", "d", "--json").json()
    # 'c' and 'a, c' are one stack, and 'b, d' exclude each other.
    assert sorted(ends(report)) == sorted(
        ["base", "base a", "base b", "base a c", "base d", "base a b", "base a d", "base a b c", "base a c d"])
    (impossible,) = report["impossible"]
    assert impossible.startswith("b, d: ") and "conflicts" in impossible
    assert sorted(ends(project.ok("test", "--combinations", "1", "--json").json())) == ["base", "base a", "base a c"]


def test_junit_is_valid_whatever_tests_print(project):
    project.layer("a", "RUN echo a > /opt-a\n", with_tests(
        "a", ("printf 'a\\033[1m<b>\\000\\377&\\n]]>'", "missing <&\">"), ("echo good", "")))
    outcome = project.sheaf("test", "a", "--junit", "report.xml")
    assert outcome.code == 1, outcome
    root = xml.etree.ElementTree.parse(project.path / "report.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    (suite,) = root
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("base a", "2", "1")
    bad, good = suite
    assert (bad.get("classname"), good.get("name")) == ("a", "echo good")
    assert bad[0].tag == "failure" and bad[0].text == "expected: missing <&\">\na\\x1b[1m<b>\\x00\\xff&\n]]>"
    project.sheaf("test", "a", "--junit", "report.xml")
    (_, cached), = xml.etree.ElementTree.parse(project.path / "report.xml").getroot()
    assert "passed before" in cached[0].text


@pytest.mark.parametrize(("words", "told"), [
    (("--combinations", "0"), "neither a number"), (("--combinations", "some"), "'pairs' or 'all'"),
    (("--timeout", "never"), "number of seconds"), (("a", "--layers", "b"), "exclude each other"),
    (("--enter", "a", "b"), "one environment"), (("--enter", "--combinations", "all"), "one environment"),
    ((",",), "names no layer")])
def test_mistakes_of_the_command_line(project, words, told):
    outcome = project.sheaf("test", *words)
    assert outcome.code == 2 and told in outcome.err, outcome


def test_unknown_layers_and_builds_that_fail_are_no_failed_tests(project):
    simple(project, "alpha")
    outcome = project.sheaf("test", "alhpa")
    assert outcome.code == 5 and "did you mean 'alpha'" in outcome.err, outcome
    project.layer("bad", "RUN false\n")
    outcome = project.sheaf("test", "alpha", "bad")
    assert outcome.code == 3 and "'bad'" in outcome.err, outcome


def test_a_broken_store_entry_and_no_tests_at_all(project):
    project.layer("a", "RUN echo a > /opt-a\n")
    assert project.ok("test", "a").out == "base a\n  no tests\n0 tests in 1 environment: 0 passed, 0 cached, 0 failed\n"
