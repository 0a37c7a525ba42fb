# SPDX-License-Identifier: Apache-2.0
"""The measuring itself: a pure function from text to numbers."""
import collections
import dataclasses
import locale
import re

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
WORDS_PER_MINUTE = 220


@dataclasses.dataclass(frozen=True)
class Stats:
    lines: int
    words: int
    characters: int
    unique_words: int
    reading_seconds: int
    frequent: list  # of (word, count), the most frequent first


def measure(text, top=5):
    """The numbers of `text`; `top` words at most are listed. Equally frequent words stand in the order of the locale."""
    words = [word.casefold() for word in WORD.findall(text)]
    counts = collections.Counter(words)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], locale.strxfrm(item[0])))
    return Stats(
        lines=len(text.splitlines()),
        words=len(words),
        characters=len(text),
        unique_words=len(counts),
        reading_seconds=round(60 * len(words) / WORDS_PER_MINUTE),
        frequent=frequent[:top],
    )
