"""Whose turn it is: the dearest first, everybody once a round, bounded for each and for all (trap T32)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.gcra import Rate
from steinmetz.live.turns import Turns

FAST = Rate(1_000, 0.001)


def turn(turns: Turns[str], now_s: float = 0.0) -> str:
    key, wait_s = turns.next(now_s)
    assert key is not None, f"in {wait_s} s"
    return key


def test_nobody_asks_nobody_waits() -> None:
    assert Turns[str]().next(5.0) == (None, None)


def test_the_dearest_goes_first() -> None:
    turns = Turns[str]()
    for key, weight in (("a", 1.0), ("b", 3.0), ("c", 2.0)):
        turns.ask(key, FAST, weight)
    assert [turn(turns) for _ in range(3)] == ["b", "c", "a"]
    assert turns.next(0.0) == (None, None)


def test_the_dearest_has_no_second_turn_before_everybody_had_one() -> None:
    turns = Turns[str]()
    for key, weight in (("dear", 9.0), ("b", 2.0), ("c", 1.0)):
        turns.ask(key, FAST, weight)
    order = []
    for _ in range(6):
        order.append(turn(turns))
        turns.ask(order[-1], FAST, 9.0 if order[-1] == "dear" else 1.0)
    assert sorted(order[:3]) == sorted(order[3:]) == ["b", "c", "dear"]


def test_who_asks_twice_has_one_turn() -> None:
    turns = Turns[str]()
    turns.ask("a", FAST)
    turns.ask("a", FAST)
    assert turn(turns) == "a"
    assert len(turns) == 0


def test_an_answer_has_so_many_turns_a_second_and_others_are_not_kept_waiting_by_it() -> None:
    turns = Turns[str]()
    for _ in range(2):
        turns.ask("a", Rate(2, 0.5), 9.0)
        assert turn(turns) == "a"
    turns.ask("a", Rate(2, 0.5), 9.0)
    assert turns.next(0.0) == (None, 0.5)
    turns.ask("b", FAST)
    assert turn(turns) == "b"
    assert turn(turns, 0.5) == "a"


def test_all_together_take_no_more_than_their_share() -> None:
    turns = Turns[str](share=0.25, saved_s=0.5)
    turns.ask("a", FAST)
    assert turn(turns) == "a"
    turns.spent(1.0, 0.0)
    turns.ask("a", FAST)
    assert turns.next(0.0) == (None, 2.0)
    assert turns.next(1.0) == (None, 1.0)
    assert turn(turns, 2.0) == "a"


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.001, 0.2)), min_size=1, max_size=60))
def test_t32_however_it_is_asked_a_quarter_of_the_time_and_a_rate_hold(asked: list[tuple[str, float]]) -> None:
    turns, now_s, spent_s = Turns[str](share=0.25, saved_s=0.5), 0.0, 0.0
    begun: dict[str, list[float]] = {}
    for key, cost_s in asked:
        turns.ask(key, Rate(3, 0.1), cost_s)
        while True:
            chosen, wait_s = turns.next(now_s)
            if chosen is None and wait_s is None:
                break
            if chosen is None:
                assert wait_s is not None
                now_s += wait_s + 1e-9
                continue
            begun.setdefault(chosen, []).append(now_s)
            spent_s += cost_s
            turns.spent(cost_s, now_s)
        assert spent_s <= 0.25 * now_s + 0.5 + 0.2 + 1e-6
    for starts in begun.values():
        assert all(later - earlier >= 0.1 - 1e-6 for earlier, later in zip(starts, starts[3:], strict=False))


@pytest.mark.parametrize("end", ["withdraw", "forget"])
def test_who_wants_no_turn_any_more_gets_none(end: str) -> None:
    turns = Turns[str]()
    turns.ask("a", FAST)
    getattr(turns, end)("a")
    assert (turns.next(0.0), len(turns)) == ((None, None), 0)
