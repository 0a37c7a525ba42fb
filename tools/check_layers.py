#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every #include in src/ follows the direction of the folders.

usage: check_layers.py SRC LAYERS
LAYERS has a line per folder, "name: allowed allowed ..."; it is written by cmake/Layers.cmake.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/[^"]+"')


def read_table(path):
    table = {}
    for line in path.read_text().splitlines():
        name, _, allowed = line.partition(":")
        if name.strip():
            table[name.strip()] = set(allowed.split())
    return table


def offences(src, table):
    for file in sorted(src.rglob("*.[ch]pp")):
        folder = file.relative_to(src).parts[0]
        if folder not in table:
            yield f"{file}: folder '{folder}' has no sheaf_layer() call"
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match[1] != folder and match[1] not in table[folder]:
                yield f"{file}:{number}: '{folder}' may not include '{match[1]}'"


def main():
    src, table = pathlib.Path(sys.argv[1]), read_table(pathlib.Path(sys.argv[2]))
    if not table:
        sys.exit(f"{sys.argv[2]}: no layers listed")
    found = list(offences(src, table))
    print("\n".join(found) or f"{len(table)} folders, every include points downward")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
