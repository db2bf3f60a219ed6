"""The words of the logs; pure."""

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


Fields = dict[str, Any]


def differences(before: Fields, after: Fields) -> tuple[Fields, Fields]:
    """What differs between two states of a record, as it was and as it is."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )
