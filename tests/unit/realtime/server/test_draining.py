"""Many clients are closed a slice a turn; a hurry closes the rest at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steinmetz.realtime.server.draining import SLICE, Draining


class Guest:
    def __init__(self, gone: list[Guest]) -> None:
        self._gone = gone

    def send_away(self, *_why: Any) -> None:
        self._gone.append(self)


def test_a_crowd_leaves_in_slices() -> None:
    turns: list[Callable[[], None]] = []
    gone: list[Guest] = []
    draining = Draining(turns.append)
    draining.add([Guest(gone) for _ in range(SLICE + 1)])  # type: ignore[misc]
    draining.add([Guest(gone)])  # type: ignore[list-item]
    assert (len(turns), len(gone)) == (1, 0)
    turns.pop()()
    assert (len(turns), len(gone)) == (1, SLICE)
    turns.pop()()
    assert (len(turns), len(gone)) == (0, SLICE + 2)


def test_finishing_waits_for_no_turn() -> None:
    gone: list[Guest] = []
    draining = Draining(lambda _turn: None)
    draining.add([Guest(gone) for _ in range(2 * SLICE)])  # type: ignore[misc]
    draining.finish()
    assert len(gone) == 2 * SLICE
