from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.stores.s3fifo import PATIENCE, S3Fifo


def key(number: int) -> bytes:
    return b"key %d" % number


def test_one_pass_of_keys_that_nobody_asks_for_again_leaves_what_is_in_use() -> None:
    cache: S3Fifo[int] = S3Fifo(100)
    for number in range(10):
        cache.put(key(number), number, 1)
        cache.get(key(number))
        cache.get(key(number))
    for number in range(1_000, 3_000):
        cache.put(key(number), number, 1)
    assert all(key(number) in cache for number in range(10))


def test_a_ghost_that_comes_back_goes_to_main_at_once() -> None:
    cache: S3Fifo[int] = S3Fifo(20)
    for number in range(25):
        cache.put(key(number), number, 1)
    assert key(0) not in cache
    cache.put(key(0), 0, 1)
    for number in range(100, 115):
        cache.put(key(number), number, 1)
    assert key(0) in cache


def test_what_was_in_main_and_became_untrue_comes_back_to_main() -> None:
    cache: S3Fifo[int] = S3Fifo(20)
    for number in range(20):
        cache.put(key(number), number, 1)
        cache.get(key(number))
        cache.get(key(number))
    cache.put(key(20), 20, 1)
    used = max(number for number in cache if number < 20)
    assert cache.remove(key(used)) == used
    cache.put(key(used), used, 1)
    for number in range(100, 105):
        cache.put(key(number), number, 1)
    assert key(used) in cache
    assert key(20) not in cache


def test_too_heavy_is_refused_and_takes_its_predecessor_along() -> None:
    cache: S3Fifo[str] = S3Fifo(10)
    cache.put(b"a", "light", 1)
    assert cache.put(b"a", "heavy", 11) is None
    assert b"a" not in cache
    assert cache.weight == 0


def test_as_heavy_as_the_budget_fits_alone() -> None:
    cache: S3Fifo[str] = S3Fifo(10)
    cache.put(b"a", "light", 1)
    assert cache.put(b"b", "whole", 10) == ["light"]
    assert list(cache) == ["whole"]


def test_a_budget_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        S3Fifo(0)


operations = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "get", "remove"]),
        st.integers(min_value=0, max_value=30),
        st.integers(min_value=1, max_value=40),
    ),
    max_size=200,
)


@given(operations)
def test_it_never_weighs_more_than_its_budget_and_tells_of_all_that_went(
    steps: list[tuple[str, int, int]],
) -> None:
    cache: S3Fifo[tuple[int, int]] = S3Fifo(100)
    kept: dict[bytes, tuple[int, int]] = {}
    weights: dict[bytes, int] = {}
    for serial, (what, number, weight) in enumerate(steps):
        name = key(number)
        if what == "get":
            assert cache.get(name) == kept.get(name)
        elif what == "remove":
            assert cache.remove(name) == kept.pop(name, None)
        else:
            gone = cache.put(name, (number, serial), weight)
            assert gone is not None
            kept[name], weights[name] = (number, serial), weight
            for value in gone:
                assert kept.pop(key(value[0])) == value
        assert {key(value[0]): value for value in cache} == kept
        assert cache.weight == sum(weights[name] for name in kept) <= 100
        assert 0 <= cache.small_weight <= cache.weight
        assert cache.ghosts <= max(64, len(cache))


def test_what_is_dear_for_its_bytes_outlives_what_is_cheap() -> None:
    cache: S3Fifo[str] = S3Fifo(100)
    for number in range(10):
        cache.put(b"usual %d" % number, "usual", 1, 1_000_000)
    cache.put(b"dear", "dear", 1, 64_000_000)
    cache.put(b"heavy", "heavy", 20, 64_000_000)
    for number in range(1_000):
        cache.put(key(number), "cheap", 1, 1_000_000)
        if number == 300:
            assert b"dear" in cache
            assert b"heavy" not in cache, "it costs as much, but for twenty times the bytes"


def test_what_was_dear_and_is_never_asked_for_goes_in_the_end() -> None:
    cache: S3Fifo[str] = S3Fifo(20)
    cache.put(b"dear", "dear", 1, 1_000_000_000)
    for number in range(20_000):
        cache.put(key(number % 5_000), "cheap", 1, 1_000_000)
        cache.get(key(number % 5_000))
    assert b"dear" not in cache


def test_no_put_waits_for_a_whole_queue_to_turn() -> None:
    cache: S3Fifo[int] = S3Fifo(10_000)
    for number in range(10_000):
        cache.put(key(number), number, 1)
        for _ in range(3):
            cache.get(key(number))
    before = list(cache._main)
    cache.put(b"new", -1, 1)
    turned = 0 if not before else list(cache._main).index(before[-1]) + 1
    assert len(cache) == 10_000
    assert len(before) - turned <= PATIENCE + 1


def test_without_costs_and_with_equal_costs_the_same_ones_stay() -> None:
    plain: S3Fifo[int] = S3Fifo(50)
    costly: S3Fifo[int] = S3Fifo(50)
    for number in range(2_000):
        name = key(number * number % 97)
        for cache, cost_ns in ((plain, 0), (costly, 5_000_000)):
            if cache.get(name) is None:
                cache.put(name, number, 1, cost_ns)
    assert sorted(plain) == sorted(costly)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 60), st.integers(0, 10**9)),
        max_size=150,
    )
)
@settings(derandomize=True, max_examples=50, deadline=None)
def test_reweighing_keeps_the_budget_and_tells_of_all_that_went(steps: list[tuple[int, int, int]]) -> None:
    cache: S3Fifo[bytes] = S3Fifo(100)
    weights: dict[bytes, int] = {}
    for number, weight, cost_ns in steps:
        name = key(number)
        gone = cache.reweigh(name, weight * 2) if name in cache else cache.put(name, name, weight, cost_ns)
        assert gone is not None
        weights[name] = weight * 2 if name in weights else weight
        for value in gone:
            del weights[value]
        assert set(cache) == set(weights)
        assert cache.weight == sum(weights.values()) <= 100
        assert 0 <= cache.small_weight <= cache.weight
