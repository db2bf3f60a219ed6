"""Loops over statements, with verdicts that were written down before the detector was.

Each case is a small function over the schema of `schema.py`. A guilty one asks, within one unit of work, the same
question again and again from the same place with other keys, where one statement could have answered all of them;
``# <- NAME`` marks the innermost application line from which it does. An innocent one repeats itself for a reason.
"""

from __future__ import annotations

from tests.contract.n_plus_one_corpus import (
    guilty_lazy_loads,
    guilty_look_ups,
    guilty_writes,
    innocent_reads,
    innocent_writes,
    second_thoughts,
)
from tests.contract.n_plus_one_corpus.case import CASES, Case, marked_lines

__all__ = [
    "CASES",
    "Case",
    "guilty_lazy_loads",
    "guilty_look_ups",
    "guilty_writes",
    "innocent_reads",
    "innocent_writes",
    "marked_lines",
    "second_thoughts",
]
