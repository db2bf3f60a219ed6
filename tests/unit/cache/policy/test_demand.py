from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steinmetz.cache.policy.demand import RENEWED_FROM, Demand


def test_a_life_counts_half_in_the_next() -> None:
    demand = Demand()
    assert [demand.dropped(b"a", hits) for hits in (4, 1, 1)] == [4.0, 3.0, 2.5]


def test_one_hit_in_each_life_is_never_enough() -> None:
    demand = Demand()
    assert max(demand.dropped(b"a", 1) for _ in range(1_000)) < RENEWED_FROM


def test_whoever_was_not_asked_for_in_this_life_is_not_in_demand() -> None:
    demand = Demand()
    demand.dropped(b"a", 100)
    assert demand.dropped(b"a", 0) == 0.0


def test_keys_are_counted_apart_and_the_oldest_forgotten() -> None:
    demand = Demand(remembered=2)
    for key in (b"a", b"b", b"a", b"c"):
        demand.dropped(key, 4)
    assert len(demand) == 2
    assert (demand.dropped(b"a", 4), demand.dropped(b"b", 4)) == (7.0, 4.0)


@given(st.lists(st.tuples(st.binary(max_size=2), st.integers(0, 50))), st.integers(1, 5))
def test_it_is_bounded_and_never_more_than_twice_the_most_hits(lives: list[tuple[bytes, int]], room: int) -> None:
    demand, most = Demand(remembered=room), 0
    for key, hits in lives:
        most = max(most, hits)
        assert 0 <= demand.dropped(key, hits) <= 2 * most
        assert len(demand) <= room
