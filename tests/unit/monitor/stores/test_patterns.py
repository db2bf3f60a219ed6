"""Each habit once, bounded, and told once an hour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steinmetz.clock import FakeClock
from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.stores import patterns as module
from steinmetz.monitor.stores.patterns import PatternStore

FOUND = Finding(
    PatternKind.N_PLUS_ONE, "1a2b", "SELECT 1", "Ask once.", Place("a.py", 1, "f"), scope="GET /a", count=8,
    total_ns=80, saved_ns=70,
)  # fmt: skip


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> PatternStore:
    return PatternStore(clock)


def test_the_same_habit_is_counted(store: PatternStore, clock: FakeClock) -> None:
    store.add(FOUND)
    began = clock.now()
    clock.advance(60)
    store.add(replace(FOUND, scope="GET /b", count=20))
    (habit,) = store.habits()
    assert (habit.times, habit.runs, habit.total_ns, habit.saved_ns) == (2, 28, 160, 140)
    assert (habit.first_seen, habit.last_seen) == (began, clock.now())
    assert habit.routes == ["GET /a", "GET /b"]
    assert habit.worst.count == 20


def test_it_is_to_be_told_once_an_hour(store: PatternStore, clock: FakeClock) -> None:
    told = []
    for _ in range(5):
        told.append(store.add(FOUND))
        clock.advance(1_200)
    assert told == [True, False, False, True, False]


def test_the_costliest_comes_first_and_kinds_can_be_chosen(store: PatternStore) -> None:
    store.add(FOUND)
    store.add(replace(FOUND, kind=PatternKind.WRITE_LOOP, saved_ns=500))
    assert [habit.worst.kind for habit in store.habits()] == [PatternKind.WRITE_LOOP, PatternKind.N_PLUS_ONE]
    assert len(store.habits({PatternKind.N_PLUS_ONE})) == 1
    assert store.habits({PatternKind.CHATTY}) == []


def test_the_longest_unseen_makes_room_and_is_counted(
    store: PatternStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    for name in ("a", "b"):
        store.add(replace(FOUND, fingerprint=name))
    store.add(replace(FOUND, fingerprint="a"))
    store.add(replace(FOUND, fingerprint="c"))
    assert {habit.worst.fingerprint for habit in store.habits()} == {"a", "c"}
    assert store.dropped == 1


def test_ten_routes_are_named(store: PatternStore) -> None:
    for number in range(30):
        store.add(replace(FOUND, scope=f"GET /{number}"))
    (habit,) = store.habits()
    assert len(habit.routes) == module.ROUTES
