"""What waits for a slow client."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.server.backlog import Backlog


def test_first_in_first_out() -> None:
    backlog: Backlog[str] = Backlog()
    for name in "abc":
        backlog.put(name, 10)
    assert (len(backlog), backlog.bytes) == (3, 30)
    assert [backlog.take(), backlog.take()] == ["a", "b"]
    assert backlog.bytes == 10
    assert backlog.take_all() == ["c"]
    assert (len(backlog), backlog.bytes) == (0, 0)


def test_under_a_key_only_the_newest_waits_and_where_it_was_said() -> None:
    backlog: Backlog[str] = Backlog()
    assert not backlog.put("10 %", 4, "job:1")
    backlog.put("item failed", 11)
    assert backlog.put("20 %", 400, "job:1")
    assert not backlog.put("30 %", 4, "job:2")
    assert backlog.bytes == 415
    assert backlog.take_all() == ["item failed", "20 %", "30 %"]


def test_a_flood_under_one_key_takes_the_room_of_one() -> None:
    backlog: Backlog[int] = Backlog()
    for number in range(10_000):
        backlog.put(number, 100, "progress")
    assert (len(backlog), backlog.bytes, backlog.take_all()) == (1, 100, [9_999])


def test_nothing_waits() -> None:
    with pytest.raises(KeyError):
        Backlog[str]().take()


step = st.one_of(
    st.tuples(st.just("put"), st.none() | st.sampled_from(["a", "b"]), st.integers(0, 9)),
    st.just(("take", None, 0)),
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(step, max_size=50))
def test_what_leaves_is_a_part_of_what_came_in_its_order(story: list[tuple[str, str | None, int]]) -> None:
    backlog: Backlog[int] = Backlog()
    model: deque[tuple[int, str | None, int]] = deque()
    for number, (what, key, size) in enumerate(story):
        if what == "put":
            if key is not None:
                model = deque(entry for entry in model if entry[1] != key)
            model.append((number, key, size))
            backlog.put(number, size, key)
        elif model:
            assert backlog.take() == model.popleft()[0]
        assert backlog.bytes == sum(entry[2] for entry in model)
    assert backlog.take_all() == [entry[0] for entry in model]
