"""Durations in buckets: quantiles are near, bounds hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.server.histogram import BUCKETS, Histogram


def filled(*durations_s: float) -> Histogram:
    histogram = Histogram()
    for duration_s in durations_s:
        histogram.add(duration_s)
    return histogram


def test_of_nothing_nothing_is_said() -> None:
    assert Histogram().as_json() == {"count": 0, "p50Ms": None, "p99Ms": None, "worstMs": None}


def test_as_people_read_it() -> None:
    told = filled(*[0.01] * 99, 1.0).as_json()
    assert (told["count"], told["worstMs"]) == (100, 1000.0)
    assert told["p50Ms"] == pytest.approx(10, rel=0.19)
    assert told["p99Ms"] == pytest.approx(10, rel=0.19)


@settings(max_examples=60, derandomize=True)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_quantile_is_at_most_a_fifth_too_high(durations_s: list[float], share: float) -> None:
    exact = sorted(durations_s)[max(0, -int(-share * len(durations_s) // 1) - 1)]
    told = filled(*durations_s).quantile_s(share)
    assert told is not None
    assert exact * 0.999 <= told <= max(exact * 1.2, 0.00012)


def test_what_is_too_long_is_in_the_last_bucket_and_octaves_add_up() -> None:
    octaves = list(filled(0.0, 0.00015, 0.3, 10_000).octaves())
    assert len(octaves) == BUCKETS // 4
    assert [count for _, count in octaves][-1] == 4
    assert [bound for bound, _ in octaves] == sorted(bound for bound, _ in octaves)
    assert octaves[0] == (pytest.approx(0.0002), 2)
