"""The store's windows, and its bounds."""

from __future__ import annotations

import pytest

from steinmetz.clock import FakeClock
from steinmetz.monitor.analysis.statistics import OTHER
from steinmetz.monitor.stores.base import SlowQuery
from steinmetz.monitor.stores.memory import NAMES, SHAPES, SLOW_KEPT, MemoryStore


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


def count(store: MemoryStore, window_s: float | None) -> int:
    return sum(statistics.count for statistics in store.table(window_s).names.values())


def test_a_window_holds_what_was_lately(store: MemoryStore, clock: FakeClock) -> None:
    for _ in range(180):
        store.add("a", 1, failed=False, slow=False)
        clock.advance(60)
    assert count(store, None) == 180
    assert count(store, 300) == 5
    assert count(store, 3600) == 60
    assert 120 <= count(store, 2 * 3600) <= 180
    clock.advance(2 * 86_400)
    assert count(store, 86_400) == 0
    assert count(store, None) == 180


def test_every_sample_of_the_last_day_is_in_its_window(store: MemoryStore, clock: FakeClock) -> None:
    for _ in range(23 * 60):
        store.add("a", 1, failed=False, slow=False)
        clock.advance(60)
    assert count(store, 86_400) == 23 * 60


def test_a_window_that_is_not_kept_is_refused(store: MemoryStore) -> None:
    for window_s in (0, -1, 86_401):
        with pytest.raises(ValueError, match="a window lasts"):
            store.table(window_s)


def test_names_shapes_and_slow_queries_are_bounded(store: MemoryStore, clock: FakeClock) -> None:
    for number in range(max(NAMES, SHAPES) + 50):
        store.add(f"n{number}", 1, failed=False, slow=False)
        store.ran(f"f{number}", "name", "text", 1)
        store.remember_slow(SlowQuery(f"n{number}", 101.0, 100.0, clock.now(), {}))
    table = store.table()
    assert len(table.names) == NAMES + 1
    assert table.names[OTHER].count == table.overflowed == max(NAMES, SHAPES) + 50 - NAMES
    assert store.patterns(1)[0].count == 50
    assert len(store.slow(10_000)) == SLOW_KEPT


def test_slow_queries_come_newest_first(store: MemoryStore, clock: FakeClock) -> None:
    for number in range(5):
        store.remember_slow(SlowQuery(str(number), 101.0, 100.0, clock.now(), {}))
    assert [query.name for query in store.slow(2)] == ["4", "3"]
    assert store.slow(1)[0].name == "4"


def test_the_most_frequent_statements_come_first(store: MemoryStore) -> None:
    for fingerprint, times in (("a", 1), ("b", 3), ("c", 2)):
        for _ in range(times):
            store.ran(fingerprint, fingerprint, fingerprint.upper(), 10)
    assert [(pattern.text, pattern.count) for pattern in store.patterns(2)] == [("B", 3), ("C", 2)]
