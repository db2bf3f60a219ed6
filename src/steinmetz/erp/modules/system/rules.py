"""The words of the logs, and how cells of a CSV stay text; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a sign-in went, or ended."""

    SIGNED_IN = "signed_in"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    REUSED = "reused"
    """A refresh token was used twice: somebody has a copy, and the sign-in was ended."""


_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(cell: str) -> str:
    """``cell`` so that no spreadsheet takes it for a formula: an apostrophe before what begins like one.

    "Prepend each cell field with a single quote" (OWASP, CSV Injection).
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


Fields = dict[str, Any]


def differences(before: Fields, after: Fields) -> tuple[Fields, Fields]:
    """What differs between two states of a record, as it was and as it is."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )
