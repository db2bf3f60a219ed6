"""The store's windows, its bounds, and that nothing is lost."""

from __future__ import annotations

import itertools
import threading
import tracemalloc
from datetime import timedelta

import pytest

from steinmetz.clock import FakeClock, SystemClock
from steinmetz.monitor.analysis.statistics import OTHER
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.stores import memory
from steinmetz.monitor.stores.base import SlowQuery
from steinmetz.monitor.stores.memory import CAPACITIES, SLOW_KEPT, MemoryStore

MS = 1_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


def count(store: MemoryStore, window_s: float | None) -> int:
    return sum(statistics.count for statistics in store.table(window_s).names.values())


class TestWindows:
    def test_hold_what_was_lately(self, store: MemoryStore, clock: FakeClock) -> None:
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

    def test_of_a_day_hold_every_sample(self, store: MemoryStore, clock: FakeClock) -> None:
        for _ in range(23 * 60):
            store.add("a", 1, failed=False, slow=False)
            clock.advance(60)
        assert count(store, 86_400) == 23 * 60

    def test_that_are_not_kept_are_refused(self, store: MemoryStore) -> None:
        for window_s in (0, -1, 86_401):
            with pytest.raises(ValueError, match="a window lasts"):
                store.table(window_s)

    def test_a_meter_taken_before_a_turn_counts_into_the_minute_that_is_open(
        self, store: MemoryStore, clock: FakeClock
    ) -> None:
        meter = store.meter("f", "select a f", "SELECT a")
        for minute in range(3):
            assert store.turn_at_ns == 0  # a clock of its own is asked each time
            store.turn()
            for _ in range(minute + 1):
                meter.add(MS)
            clock.advance(60)
        history = store.history(Kind.STATEMENT, "f", clock.now() - timedelta(hours=1))
        assert [moment.statistics.count for moment in history] == [1, 2, 3]
        by_name = store.history(Kind.NAME, "select a f", history[0].start)
        assert [(moment.start, moment.statistics.count) for moment in by_name] == [
            (moment.start, moment.statistics.count) for moment in history
        ]

    def test_of_the_machines_clock_say_when_they_turn(self) -> None:
        store = MemoryStore(SystemClock())
        store.turn()
        assert store.turn_at_ns > 0

    def test_the_history_of_a_day_is_told_by_the_minute(self, store: MemoryStore, clock: FakeClock) -> None:
        meter = store.meter("f", "name", "text")
        for _ in range(26 * 60):
            store.turn()
            meter.add(MS)
            clock.advance(60)
        history = store.history(Kind.STATEMENT, "f", clock.now() - timedelta(days=3))
        assert len(history) == 24 * 60
        assert {moment.length_s for moment in history} == {60}
        assert [
            m.statistics.count for m in store.history(Kind.STATEMENT, "f", clock.now() - timedelta(hours=2))
        ] == [1] * 120

    def test_minutes_that_do_not_fit_are_told_by_the_hour(
        self, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "MINUTES_BYTES", 60 * 230)
        store.clear()
        meter = store.meter("f", "name", "text")
        for _ in range(5 * 60):
            store.turn()
            meter.add(MS)
            clock.advance(60)
        history = store.history(Kind.STATEMENT, "f", clock.now() - timedelta(days=1))
        assert [moment.length_s for moment in history[:3]] == [3_600] * 3
        assert history[-1].length_s == 60
        assert all(before.start < after.start for before, after in itertools.pairwise(history))


class TestStatements:
    def test_inside_a_track_are_seen_but_are_no_samples(self, store: MemoryStore) -> None:
        meter = store.meter("f", "select a f", "SELECT a")
        meter.add(3 * MS)
        meter.inside(5 * MS)
        meter.failed_inside(7 * MS)
        store.add("getUserById", 20 * MS, failed=False, slow=False)
        assert {name: found.count for name, found in store.table().names.items()} == {
            "getUserById": 1, "select a f": 1,
        }  # fmt: skip
        (statement,) = store.figures(Kind.STATEMENT).values()
        assert (statement.key, statement.text) == ("f", "SELECT a")
        assert (statement.statistics.count, statement.statistics.errors) == (3, 1)
        assert statement.statistics.total_ns == 15 * MS

    def test_failed_and_slow_ones_are_counted(self, store: MemoryStore) -> None:
        meter = store.meter("f", "a", "text")
        meter.add(1)
        meter.failed(200 * MS)
        meter.slow()
        found = store.table().names["a"]
        assert (found.count, found.errors, found.slow, found.max_ns) == (2, 1, 1, 200 * MS)
        assert store.table().slowest()[0].duration_ns == 200 * MS

    def test_have_one_meter_for_as_long_as_somebody_keeps_it(self, store: MemoryStore) -> None:
        meter = store.meter("f", "a", "text")
        assert store.meter("f", "a", "text") is meter
        store.clear()
        assert store.meter("f", "a", "text") is meter

    def test_the_most_frequent_come_first(self, store: MemoryStore) -> None:
        for fingerprint, times in (("a", 1), ("b", 3), ("c", 2)):
            meter = store.meter(fingerprint, fingerprint, fingerprint.upper())
            for _ in range(times):
                meter.add(10)
        assert [(pattern.text, pattern.count) for pattern in store.patterns(2)] == [("B", 3), ("C", 2)]


def test_routes_tell_what_their_runs_asked_of_the_database(store: MemoryStore) -> None:
    store.route("GET /invoices", 30 * MS, 3, 12 * MS)
    store.route("GET /invoices", 10 * MS, 8, 4 * MS, failed=True)
    (route,) = store.figures(Kind.ROUTE).values()
    found = route.statistics
    assert (found.count, found.errors, found.total_ns) == (2, 1, 40 * MS)
    assert (found.statements, found.most_statements, found.db_ns) == (11, 8, 16 * MS)
    assert store.table().names == {}


def test_timings_are_no_samples(store: MemoryStore) -> None:
    store.timing("pool wait").add(5 * MS)
    assert store.figures(Kind.TIMING)["pool wait"].statistics.total_ns == 5 * MS
    assert store.table().names == {}


def test_slow_queries_come_newest_first_and_are_bounded(store: MemoryStore, clock: FakeClock) -> None:
    for number in range(SLOW_KEPT + 5):
        store.remember_slow(SlowQuery(str(number), 101.0, 100.0, clock.now(), {}))
    assert [query.name for query in store.slow(2)] == [str(SLOW_KEPT + 4), str(SLOW_KEPT + 3)]
    assert len(store.slow(10_000)) == SLOW_KEPT


def test_clearing_forgets_and_goes_on(store: MemoryStore, clock: FakeClock) -> None:
    meter = store.meter("f", "a", "text")
    meter.add(1)
    meter.inside(1)
    store.route("GET /", 1, 1, 1)
    clock.advance(60)
    store.turn()
    meter.add(1)
    store.clear()
    assert count(store, None) == count(store, 3600) == 0
    assert store.figures(Kind.ROUTE) == {} == store.figures(Kind.STATEMENT)
    meter.add(1)
    meter.inside(1)
    assert count(store, None) == count(store, 3600) == 1
    assert store.figures(Kind.STATEMENT)["f"].statistics.count == 2


class TestBounds:
    def test_hold_the_heavy_statements_and_count_the_rest_together(self, store: MemoryStore) -> None:
        """Every statement above 2 / capacity of the total time stays, in whatever order they come."""
        capacity = CAPACITIES[Kind.STATEMENT]
        heavy = [store.meter(f"heavy{number}", f"heavy{number}", "text") for number in range(100)]
        seen = 0
        for number in range(20_000):
            store.meter(f"light{number}", f"light{number}", "text").add(1_000)
            heavy[number % 100].add(20_000)
            seen += 2
        figures = store.figures(Kind.STATEMENT)
        assert all(f"heavy{number}" in figures for number in range(100))
        assert sum(figures[f"heavy{number}"].statistics.count for number in range(100)) > 0.99 * 20_000
        assert len(figures) <= capacity + 1
        assert sum(found.statistics.count for found in figures.values()) == seen
        assert figures[OTHER].statistics.count == store.dropped()["statement"] > 20_000 - capacity
        assert count(store, None) == seen

    def test_let_a_statement_that_had_to_leave_come_back_when_it_grows_heavy(self, store: MemoryStore) -> None:
        late = store.meter("late", "late", "text")
        late.add(1)
        for number in range(2 * CAPACITIES[Kind.STATEMENT]):
            store.meter(f"light{number}", "light", "text").add(1_000)
        assert "late" not in store.figures(Kind.STATEMENT)
        for _ in range(1_000):
            late.add(100_000)
        assert store.figures(Kind.STATEMENT)["late"].statistics.count == 1_000

    def test_take_little_memory_for_many_statements(self, store: MemoryStore, clock: FakeClock) -> None:
        """20,000 here; benchmarks/statistics.py shows a million."""
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for number in range(20_000):
                store.meter(f"{number:016x}", f"select {number}", "text").add(number * 7)
                if number % 2_000 == 0:
                    clock.advance(60)
                    store.turn()
            taken = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert taken < 16_000_000
        assert count(store, None) == 20_000

    def test_keep_names_and_routes_few(self, store: MemoryStore) -> None:
        for number in range(1_200):
            store.add(f"n{number}", 1, failed=False, slow=False)
            store.route(f"GET /{number}", 1, 0, 0)
        assert len(store.table().names) <= CAPACITIES[Kind.NAME] + 1
        assert len(store.figures(Kind.ROUTE)) <= CAPACITIES[Kind.ROUTE] + 1
        assert count(store, None) == 1_200
        assert store.table().overflowed == store.table().names[OTHER].count

    def test_hold_for_a_minute_of_many_wide_histograms(
        self, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "MINUTE_BYTES", 20_000)
        for number in range(200):
            meter = store.meter(f"f{number}", f"f{number}", "text")
            for octave in range(40):
                meter.add((number + 1) << octave)
        clock.advance(60)
        assert count(store, 300) == 200 * 40
        (period,) = store._minutes
        assert period.size_bytes <= 20_000
        assert "f199" in store.figures(Kind.STATEMENT, 300)
        assert "f0" not in store.figures(Kind.STATEMENT, 300)


def test_no_thread_loses_a_count(store: MemoryStore, clock: FakeClock) -> None:
    """Six threads count through four meters and through ones that must make room, while others turn and read."""
    shared = [store.meter(f"f{number}", f"f{number}", "text") for number in range(4)]
    each, threads = 5_000, 6
    stop = threading.Event()

    def work(seed: int) -> None:
        for number in range(each):
            shared[number % 4].add(number)
            shared[number % 4].inside(number)
            if number % 10 == 0:
                store.meter(f"{seed}-{number}", "light", "text").add(1)

    def turn() -> None:
        while not stop.is_set():
            clock.advance(1)
            store.turn()
            store.table(300)

    turner = threading.Thread(target=turn)
    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(threads)]
    turner.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    stop.set()
    turner.join()
    figures = store.figures(Kind.STATEMENT)
    assert sum(figures[f"f{number}"].statistics.count for number in range(4)) == 2 * each * threads
    assert sum(found.statistics.count for found in figures.values()) == 2 * each * threads + each * threads // 10
    assert sum(figures[f"f{n}"].statistics.total_ns for n in range(4)) == 2 * threads * sum(range(each))
