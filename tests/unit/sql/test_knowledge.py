"""What is remembered of statements, and what is said where nothing is known."""

from __future__ import annotations

import pytest

from steinmetz.sql import StatementFacts, Verb
from steinmetz.sql.knowledge import REMEMBERED_LENGTH, REMEMBERED_TEXTS, Memo, NoKnowledge, unknown_facts
from steinmetz.sql.shape import shape_of


def facts() -> StatementFacts:
    return unknown_facts(shape_of("SELECT 1"))


def test_a_memo_is_bounded() -> None:
    memo = Memo()
    for number in range(REMEMBERED_TEXTS + 10):
        memo.keep(f"SELECT {number}", facts())
    assert len(memo.texts) == REMEMBERED_TEXTS
    assert "SELECT 0" not in memo.texts
    memo.keep("S" * (REMEMBERED_LENGTH + 1), facts())
    assert len(memo.texts) == REMEMBERED_TEXTS


def test_clearing_makes_older_records_void() -> None:
    memo = Memo()
    token = memo.token
    memo.keep("SELECT 1", facts())
    memo.clear()
    assert memo.token is not token
    assert not memo.texts


@pytest.mark.parametrize(
    "statement", ["SELECT f(1)", "DELETE FROM t", "CALL pay()", "CREATE TABLE t (a int)", "?"]
)
def test_what_is_unknown_may_be_anything(statement: str) -> None:
    shape = shape_of(statement)
    known = NoKnowledge().facts(shape, statement, (), None, None)  # type: ignore[arg-type]
    assert known == unknown_facts(shape)
    assert known.reads_unknown
    assert known.writes_unknown


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "SAVEPOINT a", "SET a = 1", "SHOW a"])
def test_control_touches_nothing(statement: str) -> None:
    known = unknown_facts(shape_of(statement))
    assert not known.reads_unknown
    assert not known.is_write


@pytest.mark.parametrize(
    "statement", ["SET a = 1; DELETE FROM t", "BEGIN; DELETE FROM t; COMMIT", "SELECT 1; COMMIT"]
)
def test_several_statements_at_once_may_be_anything_and_may_commit(statement: str) -> None:
    known = unknown_facts(shape_of(statement))
    assert known.writes_unknown
    assert known.verb is Verb.OTHER
