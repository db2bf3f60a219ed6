"""A crowd leaves at its rate, and in time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.server.pace import TICK_S, Pace


def test_a_few_leave_at_once() -> None:
    assert Pace(40, per_s=1_000, within_s=20, began_s=5).due(5) == 40


def test_many_leave_by_the_second() -> None:
    pace = Pace(5_000, per_s=1_000, within_s=20, began_s=0)
    assert [pace.due(second - TICK_S) - 1 for second in (1, 2, 3, 4)] == [1_000, 2_000, 3_000, 4_000]
    assert pace.due(5) == 5_000


def test_too_many_for_the_rate_leave_faster() -> None:
    pace = Pace(40_000, per_s=1_000, within_s=20, began_s=0)
    assert pace.due(10 - TICK_S) == 20_001
    assert pace.due(20) == 40_000


@pytest.mark.parametrize(("chance", "pause_s"), [(0, 0.025), (0.5, 0.05), (1, 0.075)])
def test_no_two_pauses_need_be_the_same(chance: float, pause_s: float) -> None:
    assert Pace(1, per_s=1, within_s=1, began_s=0).pause_s(chance) == pytest.approx(pause_s)


@settings(max_examples=100, derandomize=True)
@given(
    clients=st.integers(0, 50_000),
    per_s=st.one_of(st.floats(0.01, 1e6), st.just(1e300)),
    within_s=st.floats(0.01, 600),
    moments=st.lists(st.floats(0, 600), max_size=20),
)
def test_nobody_is_forgotten_and_nobody_leaves_twice(
    clients: int, per_s: float, within_s: float, moments: list[float]
) -> None:
    pace = Pace(clients, per_s=per_s, within_s=within_s, began_s=0)
    due = [pace.due(now_s) for now_s in sorted(moments)]
    assert due == sorted(due)
    assert pace.due(within_s) == clients
