"""Which unit of work a statement belongs to."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import anyio
import anyio.to_thread
import pytest

from steinmetz.sql import ReadSet, Relation, ScopeKind, StatementFacts, Verb, current_scope, open_scope
from steinmetz.sql.rows import Column, Kind, Rows
from steinmetz.sql.scope import (
    MAX_RUNS,
    MAX_STATEMENTS,
    Part,
    Scope,
    entered,
    note,
    observe_scopes,
    unobserve_scopes,
)
from steinmetz.sql.templates import Bind, Occurrence, ReadTemplate

ORDERS = Relation("main", "orders")
READ = StatementFacts("a" * 16, "SELECT", Verb.SELECT, frozenset({ORDERS}), frozenset())
VAGUE = StatementFacts("b" * 16, "SELECT", Verb.SELECT, frozenset(), frozenset(), reads_unknown=True)
WRITE = StatementFacts("c" * 16, "DELETE", Verb.DELETE, frozenset(), frozenset({ORDERS}))


def test_a_scope_remembers_what_was_read_and_whether_it_wrote() -> None:
    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        note(READ)
        assert not scope.wrote
        note(WRITE)
    assert scope.wrote
    assert scope.statements == 2
    assert scope.read_set().relations == {ORDERS}
    assert scope.read_set().is_certain
    assert current_scope() is None


def test_an_unknown_read_makes_the_answer_uncertain() -> None:
    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        note(VAGUE)
    assert not scope.read_set().is_certain


def test_an_inner_scope_keeps_its_reads_to_itself() -> None:
    with open_scope(ScopeKind.REQUEST, "GET /") as outer, open_scope(ScopeKind.ADMISSION, "token"):
        note(READ)
    assert not outer.reads
    assert outer.read_set().is_certain


def test_a_part_is_recorded_apart_and_counted_with_the_whole() -> None:
    ended: list[Scope] = []
    observe_scopes(ended.append)
    try:
        with open_scope(ScopeKind.REQUEST, "GET /") as outer:
            note(READ)
            with entered(Part(outer)) as part:
                note(WRITE)
            assert current_scope() is outer
    finally:
        unobserve_scopes(ended.append)
    assert (part.name, part.kind, part.started_ns) == (outer.name, outer.kind, outer.started_ns)
    assert (outer.statements, part.statements) == (2, 1)
    assert (outer.wrote, part.wrote) == (False, True)
    assert ended == [outer]


def test_t2_a_read_without_scope_casts_doubt_on_every_open_recording() -> None:
    with open_scope(ScopeKind.REQUEST, "one") as one, open_scope(ScopeKind.REQUEST, "two") as two:
        thread = threading.Thread(target=note, args=(READ,))
        thread.start()
        thread.join()
    assert not one.read_set().is_certain
    assert not two.read_set().is_certain
    with open_scope(ScopeKind.REQUEST, "later") as later:
        pass
    assert later.read_set().is_certain


def test_a_write_without_scope_casts_no_doubt() -> None:
    with open_scope(ScopeKind.REQUEST, "one") as one:
        thread = threading.Thread(target=note, args=(WRITE,))
        thread.start()
        thread.join()
    assert one.read_set().is_certain


@pytest.mark.anyio
async def test_tasks_task_groups_and_threads_inherit_the_scope() -> None:
    async def read() -> None:
        note(READ)

    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        await asyncio.create_task(read())
        async with anyio.create_task_group() as group:
            group.start_soon(read)
        await asyncio.to_thread(note, READ)
        await anyio.to_thread.run_sync(note, READ)
    assert scope.statements == 4
    assert scope.read_set().is_certain


ID = Column("id", Kind.INTEGER)


class Run:
    """What is needed of SQLAlchemy's context: the sets of values of one run, and the names of lists' values."""

    def __init__(self, *sets: dict[str, Any], **lists: list[str]) -> None:
        self.compiled_parameters = list(sets)
        self._expanded_parameters = lists


def by_id(many: bool = False) -> StatementFacts:
    """A SELECT of orders by their id."""
    occurrence = Occurrence(ORDERS, ((ID, Bind("id", many)),), frozenset({"id"}))
    template = ReadTemplate([occurrence], frozenset({ORDERS}))
    return StatementFacts("0" * 16, "", Verb.SELECT, frozenset({ORDERS}), frozenset(), looks_at=template)


def looked_up(*runs: Run, many: bool = False) -> ReadSet:
    facts = by_id(many)
    with open_scope(ScopeKind.REQUEST, "r") as scope:
        for run in runs:
            note(facts, run)  # type: ignore[arg-type]
    return scope.read_set()


def test_rows_are_known_by_their_values() -> None:
    found = looked_up(Run({"id": 1}), Run({"id": 2}))
    assert found.rows == {ORDERS: (Rows({ID: frozenset({1, 2})}, frozenset({"id"})),)}
    assert found.relations == {ORDERS}


def test_the_values_of_a_list_are_found_by_their_own_names() -> None:
    found = looked_up(Run({"id_1": 1, "id_2": 2}, id=["id_1", "id_2"]), many=True)
    assert found.rows == {ORDERS: (Rows({ID: frozenset({1, 2})}, frozenset({"id"})),)}


@pytest.mark.parametrize(
    ("run", "many"),
    [
        (Run({"number": 1}), False),
        (Run({"id": 1}, {"id": 2}), False),
        (Run(), False),
        (Run({"id_1": 1}), True),
        (Run({}, id=["id_1"]), True),
        (Run({f"id_{number}": number for number in range(1_000)}, id=[f"id_{n}" for n in range(1_000)]), True),
    ],
    ids=["no value", "several sets", "no set", "no names", "no values of a list", "a long list"],
)
def test_a_run_whose_values_are_not_found_reads_the_table(run: Run, many: bool) -> None:
    found = looked_up(run, Run({"id": 1, "id_1": 1}, id=["id_1"]), many=many)
    assert found == ReadSet(frozenset({ORDERS}))


def test_without_a_context_the_table_counts() -> None:
    with open_scope(ScopeKind.REQUEST, "r") as scope:
        note(by_id())
    assert scope.read_set() == ReadSet(frozenset({ORDERS}))


def test_t12_a_scope_remembers_so_many_runs_and_statements_only() -> None:
    assert looked_up(*[Run({"id": 1}) for _ in range(MAX_RUNS)]).rows
    assert looked_up(*[Run({"id": 1}) for _ in range(MAX_RUNS + 2)]) == ReadSet(frozenset({ORDERS}))
    with open_scope(ScopeKind.REQUEST, "r") as scope:
        for _ in range(MAX_STATEMENTS + 1):
            note(by_id(), Run({"id": 1}))  # type: ignore[arg-type]
    assert len(scope._runs) == MAX_STATEMENTS
    assert scope.read_set() == ReadSet(frozenset({ORDERS}))


def test_t12_replayed_read_sets_are_bounded_too() -> None:
    one = ReadSet(frozenset({ORDERS}), frozenset(), {ORDERS: (Rows({ID: frozenset({1})}),)})
    with open_scope(ScopeKind.REQUEST, "r") as scope:
        for _ in range(MAX_STATEMENTS):
            scope.replay(one)
        assert scope.read_set() == one
        scope.replay(one)
    assert scope.read_set() == ReadSet(frozenset({ORDERS}))
