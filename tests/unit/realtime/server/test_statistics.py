"""Emissions are counted by name, and names are bounded."""

from __future__ import annotations

from steinmetz.realtime.server.statistics import MAX_COUNTED_EVENTS, OTHER_EVENTS, Statistics


def test_names_beyond_the_bound_are_one() -> None:
    statistics = Statistics()
    for number in range(MAX_COUNTED_EVENTS + 2):
        statistics.emitted(f"event {number}")
        statistics.emitted("event 0")
    assert statistics.emits["event 0"] == MAX_COUNTED_EVENTS + 3
    assert statistics.emits[OTHER_EVENTS] == 2
    assert len(statistics.emits) == MAX_COUNTED_EVENTS + 1
