"""When a bound answer must be computed again, and what is said of it."""

from __future__ import annotations

from typing import Any

from steinmetz.live.bindings import Binding, Emission, Watch
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

INVOICES = Relation("main", "invoices")
NODES = Relation("main", "function_nodes")


def writes_of(*relations: Relation) -> WriteSet:
    return WriteSet(frozenset(relations))


def reads_of(*relations: Relation) -> ReadSet:
    return ReadSet(frozenset(relations))


def a_watch() -> Watch:
    def describe(previous: Any, body: Any) -> list[Emission]:
        return [Emission("dashboard:update", body, "dashboard-room")]

    return Watch(Binding("/api/dashboard/overview", "dashboard-room", None, describe))


def computed(watch: Watch, body: bytes, *relations: Relation, missed: tuple[WriteSet, ...] = ()) -> list[Emission]:
    watch.begin()
    watch.finish(reads_of(*relations), missed)
    return list(watch.take(body, body.decode()))


def test_a_first_answer_that_no_commit_asked_for_is_not_said() -> None:
    assert computed(a_watch(), b"1", INVOICES) == []


def test_a_first_answer_after_a_commit_is_said_because_nobody_knows_what_was_seen_before() -> None:
    watch = a_watch()
    watch.note(writes_of(INVOICES))
    assert [emission.payload for emission in computed(watch, b"1", INVOICES)] == ["1"]


def test_a_commit_that_does_not_concern_the_answer_moves_nothing() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    assert watch.note(writes_of(NODES)) is False
    assert watch.is_moved is False


def test_a_commit_that_concerns_the_answer_moves_it_once() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    assert watch.note(writes_of(INVOICES)) is True
    assert watch.note(writes_of(INVOICES)) is False


def test_an_unknown_write_concerns_every_answer_of_its_database() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    assert watch.note(WriteSet(unknown=frozenset({"main"}))) is True


def test_equal_bytes_are_not_said_again() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    watch.note(writes_of(INVOICES))
    assert computed(watch, b"1", INVOICES) == []


def test_t34_a_commit_during_the_computation_asks_for_one_trailing_computation() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    watch.note(writes_of(INVOICES))
    said = computed(watch, b"2", INVOICES, missed=(writes_of(NODES), writes_of(INVOICES)))
    assert [emission.payload for emission in said] == ["2"]
    assert watch.is_moved is True


def test_after_nobody_listened_the_next_commit_is_said_even_if_the_bytes_are_those_last_said() -> None:
    watch = a_watch()
    computed(watch, b"1", INVOICES)
    watch.forget()
    watch.note(writes_of(INVOICES))
    assert [emission.payload for emission in computed(watch, b"1", INVOICES)] == ["1"]


def test_a_first_answer_that_a_commit_overtook_is_said_for_it_may_show_the_commit_already() -> None:
    watch = a_watch()
    said = computed(watch, b"1", INVOICES, missed=(writes_of(INVOICES),))
    assert [emission.payload for emission in said] == ["1"]
    assert watch.is_moved
    assert computed(a_watch(), b"1", INVOICES, missed=(writes_of(NODES),)) == []
