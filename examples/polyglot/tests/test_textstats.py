# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import sys
import unittest

from textstats import measure


def run(*arguments, text=""):
    return subprocess.run([sys.executable, "-m", "textstats", *arguments], input=text, capture_output=True, text=True)


class MeasureTest(unittest.TestCase):
    def test_empty_text_has_nothing(self):
        stats = measure("")
        self.assertEqual((stats.lines, stats.words, stats.characters, stats.frequent), (0, 0, 0, []))

    def test_counts_lines_words_and_characters(self):
        stats = measure("one two\nthree\n")
        self.assertEqual((stats.lines, stats.words, stats.characters), (2, 3, 14))

    def test_words_ignore_case_digits_and_punctuation(self):
        stats = measure("Layer, layer; LAYER 42!")
        self.assertEqual(stats.frequent, [("layer", 3)])
        self.assertEqual(stats.unique_words, 1)

    def test_apostrophes_and_hyphens_join_a_word(self):
        self.assertEqual(measure("don't re-read").words, 2)

    def test_equally_frequent_words_are_sorted(self):
        self.assertEqual([word for word, _ in measure("b c a").frequent], ["a", "b", "c"])

    def test_top_limits_the_list(self):
        self.assertEqual(len(measure("a b c d", top=2).frequent), 2)

    def test_reading_time_is_that_of_220_words_a_minute(self):
        self.assertEqual(measure("word " * 440).reading_seconds, 120)


class CommandTest(unittest.TestCase):
    def test_json_is_one_object(self):
        stats = json.loads(run("--json", text="häuser häuser").stdout)
        self.assertEqual(stats["frequent"], [["häuser", 2]])

    def test_a_missing_file_is_an_error(self):
        result = run("--json", "no-such-file")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no-such-file", result.stderr)


if __name__ == "__main__":
    unittest.main()
