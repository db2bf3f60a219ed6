from __future__ import annotations

import pytest

from steinmetz.cache.policy.limits import Limits


@pytest.mark.parametrize(
    ("limits", "entries", "weight", "hold"),
    [
        (Limits("/a"), 10_000, 10_000, True),
        (Limits("/a", max_entries=2), 2, 10_000, True),
        (Limits("/a", max_entries=2), 3, 0, False),
        (Limits("/a", budget_bytes=100), 10_000, 100, True),
        (Limits("/a", budget_bytes=100), 1, 101, False),
        (Limits("/a", max_entries=2, budget_bytes=100), 3, 50, False),
    ],
)
def test_both_limits_hold_or_it_is_too_much(limits: Limits, entries: int, weight: int, hold: bool) -> None:
    assert limits.hold(entries, weight) is hold
