# SPDX-License-Identifier: Apache-2.0
"""Counts lines, words and characters of a text."""
from .stats import Stats, measure

__all__ = ["Stats", "measure"]
