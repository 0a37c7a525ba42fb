# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the image that our builder made of a case: lines for people, none if nothing is."""

from __future__ import annotations

from . import config, tree
from .builders import Image
from .case import Case


def against_expectations(case: Case, ours: Image, base: Image) -> list[str]:
    """Problems of exit code, messages and of what the case itself says; `base` is our builder's."""
    problems = [f"its output lacks '{fragment}'" for fragment in case.stderr if fragment not in ours.log]
    if case.fails is not None:
        if ours.code == 0:
            problems.append("it was built, though it must be refused")
        elif case.fails not in ours.log:
            problems.append(f"it was refused, but without saying '{case.fails}'")
        return problems
    if ours.code != 0:
        return [*problems, f"the build failed with {ours.code}"]
    return problems + expected_tree(case, ours, base) + expected_config(case, ours, base)


def expected_tree(case: Case, ours: Image, base: Image) -> list[str]:
    wanted = tree.changed(base.tree, case.expected)
    seen = ours.tree
    if not case.without_peer:  # only what the case speaks of
        wanted, seen = ({path: entries[path] for path in case.expected if path in entries} for entries in (wanted, seen))
    return [f"tree: expected {left}\n      but it is {right}" for left, right in tree.differences(wanted, seen).values()]


def expected_config(case: Case, ours: Image, base: Image) -> list[str]:
    wanted = config.normal({**base.config, **case.expected_config})
    fields = wanted if case.without_peer else case.expected_config
    return [f"config: {field} is expected to be {left!r}\n        but it is {right!r}"
            for field, (left, right) in config.differences(wanted, ours.config).items() if field in fields]


def against_peer(case: Case, ours: Image, peer: Image) -> list[str]:
    """Problems of the comparison with buildah, known differences aside."""
    if case.fails is not None:
        return [] if peer.code != 0 else ["buildah builds it, though the case says that both refuse"]
    if peer.code != 0:
        return [f"buildah fails with {peer.code}:\n{peer.log}"]
    trees = tree.differences(peer.tree, ours.tree)
    configs = config.differences(peer.config, ours.config)
    problems = [f"tree: buildah makes {left}\n      sheaf makes   {right}"
                for path, (left, right) in trees.items() if path not in case.known_paths]
    problems += [f"config: {field} is {left!r} with buildah\n        {right!r} with sheaf"
                 for field, (left, right) in configs.items() if field not in case.known_fields]
    gone = [tree.quoted(path) for path in case.known_paths if path not in trees]
    gone += [field for field in case.known_fields if field not in configs]
    return problems + [f"'{name}' is listed as a known difference, but no longer differs" for name in gone]


def between_accounts(user: Image, root: Image) -> list[str]:
    if (user.code == 0) != (root.code == 0):
        return [f"exit codes differ: {user.code} as the ordinary user, {root.code} as root"]
    problems = [f"tree: root makes {left}\n      the user   {right}"
                for left, right in tree.differences(root.tree, user.tree).values()]
    if user.config != root.config:
        problems.append(f"config: root makes {root.config}\n        the user   {user.config}")
    return problems
