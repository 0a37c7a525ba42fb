# SPDX-License-Identifier: Apache-2.0
"""usage: python3 -m textstats [--json] [--top N] [FILE]"""
import argparse
import dataclasses
import json
import locale
import os
import sys

from .stats import measure


def use_locale(name):
    """The order of words follows the locale `name`; an unknown one is said and not fatal."""
    try:
        locale.setlocale(locale.LC_COLLATE, name)
    except locale.Error:
        print(f"textstats: no locale '{name}' here, sorting by code point", file=sys.stderr)


def read(path):
    if path is None:
        return sys.stdin.read()
    with open(path, encoding="utf-8") as file:
        return file.read()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="textstats", description="Counts lines, words and characters of a text.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="list the N most frequent words (default 5)")
    parser.add_argument("file", nargs="?", help="what to read (default: standard input)")
    options = parser.parse_args(arguments)
    use_locale(os.environ.get("TEXTSTATS_LOCALE", ""))
    try:
        stats = dataclasses.asdict(measure(read(options.file), options.top))
    except OSError as error:
        print(f"textstats: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(stats, ensure_ascii=False))
    else:
        for name, value in stats.items():
            print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
