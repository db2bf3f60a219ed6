from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.gcra import Allowed, Denied, Gcra, Rate, decide

RATE = Rate(burst=3, period_s=10)


def test_a_burst_is_allowed_at_once_and_then_one_a_period() -> None:
    limiter = Gcra(RATE)
    assert [type(limiter.take("k", 0)) for _ in range(4)] == [Allowed, Allowed, Allowed, Denied]
    assert limiter.take("k", 4) == Denied(retry_after_s=6)
    assert isinstance(limiter.take("k", 10), Allowed)
    assert isinstance(limiter.take("k", 10), Denied)


def test_a_denial_costs_nothing() -> None:
    limiter = Gcra(RATE)
    for _ in range(100):
        limiter.take("k", 0)
    assert isinstance(limiter.take("k", 10), Allowed)


def test_an_attempt_can_be_given_back() -> None:
    limiter = Gcra(Rate(burst=1, period_s=60))
    for _ in range(50):
        assert isinstance(limiter.take("k", 0), Allowed)
        limiter.give_back("k")
    limiter.give_back("unknown")
    assert len(limiter) == 1


def test_after_a_long_rest_there_is_one_burst_and_no_more() -> None:
    limiter = Gcra(RATE)
    limiter.take("k", 0)
    assert sum(isinstance(limiter.take("k", 10_000), Allowed) for _ in range(10)) == 3


def test_memory_is_bounded_and_drained_keys_go_first() -> None:
    limiter = Gcra(RATE, max_keys=3)
    limiter.take("drained", 0)
    for key in "abc":
        limiter.take(key, 20)
    assert (len(limiter), limiter.forgotten) == (3, 0)
    limiter.take("a", 20)
    limiter.take("d", 20)
    assert (len(limiter), limiter.forgotten) == (3, 1)
    assert limiter.peek("a", 20) == Allowed(50), "the one that would drain first is forgotten, not the busiest"


def test_what_costs_more_uses_up_more_and_what_costs_more_than_a_burst_is_never_allowed() -> None:
    limiter = Gcra(RATE)
    assert isinstance(limiter.take("k", 0, 2), Allowed)
    assert limiter.take("k", 0, 2) == Denied(retry_after_s=10)
    assert isinstance(limiter.take("k", 0), Allowed)
    limiter.give_back("k", 3)
    assert isinstance(limiter.take("k", 0, 3), Allowed)
    assert all(isinstance(limiter.take("new", at_s, 4), Denied) for at_s in (0, 1_000))


@given(
    burst=st.integers(1, 20),
    period_s=st.floats(0.01, 100),
    steps=st.lists(st.tuples(st.floats(0, 50), st.integers(1, 5), st.sampled_from("ab")), max_size=50),
)
def test_charging_is_taking_in_one_number(
    burst: int, period_s: float, steps: list[tuple[float, int, str]]
) -> None:
    taken, charged, now_s = Gcra(Rate(burst, period_s)), Gcra(Rate(burst, period_s)), 1_000.0
    for gap_s, cost, key in steps:
        now_s += gap_s
        decision = taken.take(key, now_s, cost)
        wait_s = decision.retry_after_s if isinstance(decision, Denied) else 0.0
        assert charged.charge(key, now_s, cost) == pytest.approx(wait_s, abs=1e-6)


@pytest.mark.parametrize("max_keys", [1, 2, 7, 1_000])
def test_a_flood_of_new_keys_is_bounded_and_the_latest_are_remembered(max_keys: int) -> None:
    limiter = Gcra(RATE, max_keys=max_keys)
    for number in range(5_000):
        limiter.charge(number, 0)
        assert len(limiter) <= max_keys
    assert limiter.forgotten == 5_000 - len(limiter)


@given(
    burst=st.integers(1, 20),
    period_s=st.floats(0.01, 100),
    gaps_s=st.lists(st.floats(0, 50), min_size=1, max_size=200),
)
def test_no_window_ever_holds_more_than_the_rate_allows(burst: int, period_s: float, gaps_s: list[float]) -> None:
    limiter, now_s, allowed_s = Gcra(Rate(burst, period_s)), 1_000.0, []
    for gap_s in gaps_s:
        now_s += gap_s
        if isinstance(limiter.take("k", now_s), Allowed):
            allowed_s.append(now_s)
    for first, start_s in enumerate(allowed_s):
        for last in range(first, len(allowed_s)):
            window_s = allowed_s[last] - start_s
            assert last - first + 1 <= burst + window_s / period_s + 1e-6


@given(burst=st.integers(1, 20), period_s=st.floats(0.01, 100), early=st.integers(0, 30))
def test_who_waits_as_told_is_allowed(burst: int, period_s: float, early: int) -> None:
    rate, arrival_s = Rate(burst, period_s), 5.0 + early * period_s
    match decide(rate, arrival_s, 5.0):
        case Denied(retry_after_s):
            assert retry_after_s > 0
            assert isinstance(decide(rate, arrival_s, 5.0 + retry_after_s), Allowed)
        case Allowed(next_s):
            assert next_s == pytest.approx(arrival_s + period_s)


@pytest.mark.parametrize(("burst", "period_s"), [(0, 1), (1, 0), (1, -1)])
def test_a_rate_that_means_nothing_is_refused(burst: int, period_s: float) -> None:
    with pytest.raises(ValueError, match="burst"):
        Rate(burst, period_s)
