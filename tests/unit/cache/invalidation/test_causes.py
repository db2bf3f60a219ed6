from __future__ import annotations

from datetime import UTC, datetime

from steinmetz.cache.invalidation.causes import LISTED_CHARS, LISTED_RELATIONS, Invalidation
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.scope import ScopeKind, open_scope

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_it_names_scope_relations_and_statements() -> None:
    written = Relation("main", "invoices")
    facts = StatementFacts(
        "0" * 16, "UPDATE invoices SET status = ?", Verb.UPDATE, frozenset(), frozenset({written})
    )
    with open_scope(ScopeKind.REQUEST, "POST /api/invoices/{id}/pay"):
        told = Invalidation.of(WriteSet(frozenset({written}), statements=(facts,)), AT).as_json()
    assert told == {
        "at": "2026-03-02T09:00:00Z",
        "cause": "POST /api/invoices/{id}/pay",
        "user": None,
        "statements": ["UPDATE invoices SET status = ?"],
        "relations": ["main:invoices"],
        "dropped": 0,
        "needless": 0,
        "routes": {},
    }


def test_lists_and_texts_are_bounded() -> None:
    relations = frozenset(Relation("main", f"t{number}") for number in range(LISTED_RELATIONS + 9))
    facts = StatementFacts("0" * 16, "x" * 5_000, Verb.UPDATE, frozenset(), relations)
    told = Invalidation.of(WriteSet(relations, frozenset({"main"}), statements=(facts,)), AT).as_json()
    assert len(told["relations"]) == LISTED_RELATIONS + 1
    assert len(told["statements"][0]) == LISTED_CHARS
