# SPDX-License-Identifier: Apache-2.0
"""The rows, in the order of the table. Each file is one group; a row is a function of (house, result)."""

from harness.house import Row

ROWS = []


def row(name, title, **more):
    """Makes the function below it the row `name`."""

    def add(function):
        ROWS.append(Row(name, title, function, **more))
        return function

    return add


def load():
    """Imports the groups in the order they are printed in."""
    from rows import start, build, layers, registry, disk, large, scale, real  # noqa: F401 pylint: disable=all

    return ROWS
