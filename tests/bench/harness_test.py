# SPDX-License-Identifier: Apache-2.0
"""What `./dev bench` makes of measurements: verdicts, ratios, table, JSON; and how it measures, with a program in place
of the clock."""

import argparse
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import bench  # noqa: E402 pylint: disable=wrong-import-position
import rows  # noqa: E402 pylint: disable=wrong-import-position
from harness import report  # noqa: E402 pylint: disable=wrong-import-position
from harness.clock import BenchError, Clock, Command, Sample, Series, quietly  # noqa: E402 pylint: disable=wrong-import-position
from harness.house import Action, Cell, Floor, House, Result, Row  # noqa: E402 pylint: disable=wrong-import-position
from harness.programs import Unable  # noqa: E402 pylint: disable=wrong-import-position

MACHINE = {
    "processors": 2, "processor": "Some CPU", "memory_mb": 24000, "kernel": "6.1", "system": "Debian 12",
    "file_system": "ext4", "user": "root", "scheduling": "normal", "load_at_start": 0.25, "commit": None,
    "programs": {"sheaf": "1.0", "buildah": "1.28", "docker": "not here: no dockerd"},
}


def measured(**more):
    result = Result(Row("plan", "a plan", None, **more))
    result.cells = {"sheaf": Cell(Series([4.0, 2.0, 6.0]), Series([10.0, 12.0, 11.0])),
                    "buildah": Cell(Series([40.0]), Series([30.0])), "docker": Cell(reason="not here: no dockerd")}
    result.floors = [Floor("stat", Series([1.0])), Floor("write", Series([2.0, 2.0]))]
    return result


class Program:
    """Instead of a builder."""

    def __init__(self, name, absent=None):
        self.name, self.absent, self.daemons = name, absent, []


class FakeClock:
    def __init__(self, ms):
        self.ms = ms
        self.ran = []

    def run(self, command, daemons=()):
        del daemons
        self.ran.append(command)
        if command == "bad":
            raise BenchError("it broke")
        return Sample(self.ms, 1.0, 7.0)


def house(ms=1.0, peers=()):
    made = House(argparse.Namespace(runs=5, peers=None, quick=False))
    made.sheaf = Program("sheaf")
    made.peers = list(peers)
    made.clock = FakeClock(ms)
    return made


class Verdicts(unittest.TestCase):
    def test_of_a_time_is_by_the_median(self):
        self.assertEqual(report.verdict(measured(target=4.0)), "met")
        self.assertEqual(report.verdict(measured(target=3.9)), "missed")
        self.assertIsNone(report.verdict(measured()))

    def test_of_a_ratio_is_by_the_fastest_peer(self):
        self.assertEqual(report.verdict(measured(ratio=10)), "met")
        self.assertEqual(report.verdict(measured(ratio=10.1)), "missed")

    def test_of_memory_is_by_the_largest_peak(self):
        self.assertEqual(report.peak_verdict(measured(target_peak=12)), "met")
        self.assertEqual(report.peak_verdict(measured(target_peak=11.9)), "missed")

    def test_the_slowest_floor_counts(self):
        self.assertEqual(report.above_floor(measured()), 2.0)


class Output(unittest.TestCase):
    def test_the_table_says_why_somebody_is_missing(self):
        text = report.as_table(MACHINE, [measured(target=10)], 3)
        self.assertIn("plan, ms           10.0 met  4.00 (2.00-6.00)  2.00 2.0x  40.0 n=1 10.0x  not here", text)
        self.assertIn("  peak memory, MB  -         11.0                         30.0", text)
        self.assertIn("\ndocker: not here: no dockerd", text)
        self.assertIn("2 processors (Some CPU), 24,000 MB, Linux 6.1, Debian 12, ext4", text)

    def test_json_has_the_same(self):
        whole = json.loads(json.dumps(report.as_json(MACHINE, [measured(target=10)], 3)))
        row = whole["rows"][0]
        self.assertEqual(whole["version"], 1)
        self.assertEqual((row["verdict"], row["floor"], row["above_floor"]), ("met", "write", 2.0))
        self.assertEqual(row["programs"]["sheaf"]["values"], [4.0, 2.0, 6.0])
        self.assertEqual(row["programs"]["buildah"]["ratio"], 10.0)
        self.assertEqual(row["programs"]["docker"], {"absent": "not here: no dockerd"})


class Measuring(unittest.TestCase):
    def compare(self, made, action):
        result = Result(Row("row", "a row", None))
        made.compare(result, action)
        return result.cells

    def test_programs_take_turns(self):
        made = house(peers=[Program("buildah")])
        self.compare(made, lambda program: Action(lambda i: f"{program.name} {i}"))
        self.assertEqual(made.clock.ran[:4], ["sheaf 0", "buildah 0", "sheaf 1", "buildah 1"])

    def test_slow_programs_get_fewer_runs(self):
        for ms, runs in ((1, 5), (4_500, 3), (13_000, 2), (50_000, 1)):
            cells = self.compare(house(ms), lambda program: Action(lambda i: i))
            self.assertEqual(len(cells["sheaf"].values), runs, ms)

    def test_a_peer_that_fails_or_cannot_leaves_a_reason(self):
        def action(program):
            if program.name == "podman":
                raise Unable("podman pushes nothing")
            return Action(lambda i: "bad" if program.name == "buildah" else "good")

        cells = self.compare(house(peers=[Program("buildah"), Program("podman"), Program("docker", "no root")]), action)
        self.assertEqual([cells[name].reason for name in ("sheaf", "buildah", "podman", "docker")],
                         [None, "failed: it broke", "podman pushes nothing", "not here: no root"])

    def test_runs_before_a_failure_count(self):
        made = house(peers=[Program("docker")])
        result = Result(Row("row", "a row", None))
        made.compare(result, lambda program: Action(lambda i: "bad" if program.name == "docker" and i == 2 else "good"))
        self.assertEqual(len(result.cells["docker"].values), 2)
        self.assertEqual(result.cells["docker"].reason, "failed: it broke")
        self.assertIn("row: docker after 2 runs: failed: it broke", report.as_table(MACHINE, [result], 5))

    def test_our_own_failure_ends_the_row_with_its_reason(self):
        made = house()
        broken = Row("row", "a row", lambda home, result: home.compare(result, lambda program: Action(lambda i: "bad")))
        self.assertEqual(bench.run(made, broken).cells["sheaf"].reason, "failed: it broke")


class Choosing(unittest.TestCase):
    def test_names_of_rows_are_different(self):
        names = [row.name for row in rows.load()]
        self.assertEqual(len(names), len(set(names)))

    def test_a_name_or_the_beginning_of_several(self):
        def names(*wanted):
            return [row.name for row in bench.chosen(rows.load(), wanted)]

        self.assertEqual(names("compose-6"), ["compose-6"])
        self.assertEqual(names("switch-"), ["switch-planned", "switch-joined"])
        self.assertIn("real-join", names("real"))
        self.assertNotIn("real-join", names())
        with self.assertRaisesRegex(SystemExit, "no row 'nothing'"):
            names("nothing")


class Commands(unittest.TestCase):
    def test_a_failure_names_the_command_and_ends_its_output(self):
        with self.assertRaisesRegex(BenchError, "sh echo.*: exit status 3: why"):
            quietly(Command(["sh", "-c", "echo why >&2; exit 3"]))

    def test_a_clock_that_cannot_start_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            tools = pathlib.Path(folder)
            (tools / "bench_clock").write_text("#!/bin/sh\necho 'bench_clock: starting' >&2\nexit 1\n")
            (tools / "bench_clock").chmod(0o755)
            with self.assertRaisesRegex(BenchError, "bench_clock: starting"):
                Clock(tools, tools).run(Command(["nothing"]))


if __name__ == "__main__":
    unittest.main()
