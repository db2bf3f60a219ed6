"""Which unit of work a statement belongs to."""

from __future__ import annotations

import asyncio
import threading

import anyio
import anyio.to_thread
import pytest

from steinmetz.sql import Relation, ScopeKind, StatementFacts, Verb, current_scope, open_scope
from steinmetz.sql.scope import note

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
