# SPDX-License-Identifier: Apache-2.0
"""The corpus dockerfiles/cases, built by sheaf and by an independent builder, Debian's buildah: the same trees and the
same configurations. dockerfiles/case.py explains the format of a case; differences that are known stand in the case,
each with its reason and with what BuildKit makes."""

import pytest

import sheaf
from dockerfiles import verdict
from dockerfiles.case import all_cases
from dockerfiles.session import session

CORPUS = all_cases()
MAIN = "root" if sheaf.IS_ROOT else "user"


@pytest.fixture(scope="module")
def built(request):
    chosen = [(item.function, item.callspec.params["case"].name) for item in request.session.items
              if "case" in getattr(getattr(item, "callspec", None), "params", {})]
    names = {name for _, name in chosen}
    compared = {name for test, name in chosen if test is test_makes_what_the_other_builder_makes}
    with session([case for case in CORPUS if case.name in names], compared) as made:
        yield made


def report(case, problems, image):
    text = "\n".join(f"  {problem}" for problem in problems)
    return f"{case.name}.case:\n{text}\n--- what the build printed:\n{image.log}"


def each_case(name="case"):
    return pytest.mark.parametrize(name, CORPUS, ids=lambda case: case.name)


@each_case()
def test_makes_what_the_other_builder_makes(built, case):
    ours = built.sheaf(case, MAIN)
    problems = verdict.against_expectations(case, ours, built.builder(MAIN).base)
    if sheaf.IS_ROOT and not case.without_peer and (ours.code == 0) == (case.fails is None):
        problems += verdict.against_peer(case, ours, built.peer(case))
    assert not problems, report(case, problems, ours)


@pytest.mark.root_only
@each_case()
def test_an_ordinary_user_makes_what_root_makes(built, case):
    user = built.sheaf(case, "user")
    problems = verdict.between_accounts(user, built.sheaf(case, "root"))
    assert not problems, report(case, problems, user)


@pytest.mark.root_only
def test_the_bases_are_the_same(built):
    mine, other = built.builder("root").base, built.buildah.base
    assert not verdict.tree.differences(other.tree, mine.tree)
    assert not verdict.config.differences(other.config, mine.config)


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 130
