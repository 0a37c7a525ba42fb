#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times sheaf beside other builders and prints one table. What the rows mean: docs/performance.md; the form of --json:
bench/README.md."""

import argparse
import json
import signal
import sys

sys.dont_write_bytecode = True

import rows  # noqa: E402 pylint: disable=wrong-import-position
from harness import machine, report  # noqa: E402 pylint: disable=wrong-import-position
from harness.clock import BenchError  # noqa: E402 pylint: disable=wrong-import-position
from harness.house import Cell, House, Result, say  # noqa: E402 pylint: disable=wrong-import-position
from harness.programs import Unable  # noqa: E402 pylint: disable=wrong-import-position


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description="Times sheaf beside other builders.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows, or the beginning of their names; default: all")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output, the table on the other")
    parser.add_argument("--quick", action="store_true", help="two runs of small sizes: shows that it works, nothing else")
    parser.add_argument("--runs", type=int, default=None, metavar="N", help="runs of each row (default 5)")
    parser.add_argument("--peers", type=lambda text: [name for name in text.split(",") if name], default=None, metavar="LIST",
                        help="of buildah,podman,docker,buildkit; '' for none (default: all)")
    parser.add_argument("--image-mb", type=int, default=None, metavar="MB", help="size of the registry rows' image "
                        "(default 300)")
    parser.add_argument("--large-mb", type=int, default=None, metavar="MB", help="size of the large file (default 1000)")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (2 if options.quick else 5)
    options.image_mb = options.image_mb or (20 if options.quick else 300)
    options.large_bytes = (options.large_mb or (32 if options.quick else 1000)) * 1_000_000
    return options


def chosen(everything, names):
    """All rows if there are no names; a name that is no row's is the beginning of some."""
    found = set()
    for name in names:
        meant = [row.name for row in everything if row.name == name] or \
            [row.name for row in everything if row.name.startswith(name)]
        if not meant:
            raise SystemExit(f"bench: no row '{name}': ./dev bench --list")
        found.update(meant)
    return [row for row in everything if (row.name in found if names else not row.only_named)]


def run(house, row):
    """Its result; a row of which ours fails has the reason instead of values."""
    result = Result(row)
    say(row.name)
    try:
        row.run(house, result)
    except (BenchError, Unable) as error:
        say(f"{row.name}: {error}")
        result.cells["sheaf"] = Cell(reason=str(error) if isinstance(error, Unable) else f"failed: {error}")
    return result


def show(options, described, results):
    if options.json:
        print(json.dumps(report.as_json(described, results, options.runs), indent=1), flush=True)
    print(report.as_table(described, results, options.runs), file=sys.stderr if options.json else sys.stdout, flush=True)


def main():
    options = parse(sys.argv[1:])
    everything = rows.load()
    if options.list:
        for row in everything:
            print(f"{row.name:16} {row.title}{' (only when asked for)' if row.only_named else ''}")
        return 0
    wanted = chosen(everything, options.rows)
    # A second signal would leave daemons behind: from the first on, cleaning up is not interrupted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    house = House(options)
    results, status = [], 0
    try:
        house.open()
        described = machine.describe(house)
        for row in wanted:
            results.append(run(house, row))
    except KeyboardInterrupt:
        say(f"stopped after {len(results)} of {len(wanted)} rows")
        status = 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            if results:
                show(options, described, results)
        finally:
            house.close()
    failed = any((result.cells["sheaf"].reason or "").startswith("failed") for result in results)
    return status or int(failed)


if __name__ == "__main__":
    sys.exit(main())
