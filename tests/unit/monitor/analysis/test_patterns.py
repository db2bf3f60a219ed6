"""When two findings are one habit."""

from __future__ import annotations

from dataclasses import replace

from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place

FOUND = Finding(PatternKind.N_PLUS_ONE, "1a2b", "SELECT 1", "Ask once.", Place("a.py", 1, "f"), scope="GET /a")


def test_the_same_statement_at_the_same_line_is_one_habit_on_all_routes() -> None:
    assert FOUND.key == replace(FOUND, scope="GET /b", count=9).key
    assert FOUND.key != replace(FOUND, place=Place("a.py", 2, "f")).key
    assert FOUND.key != replace(FOUND, fingerprint="ffff").key
    assert FOUND.key != replace(FOUND, kind=PatternKind.WRITE_LOOP).key


def test_a_chatty_route_is_a_habit_of_the_route() -> None:
    chatty = replace(FOUND, kind=PatternKind.CHATTY, place=None, fingerprint="")
    assert chatty.key != replace(chatty, scope="GET /b").key


def test_two_unused_relationships_of_one_query_are_two_habits() -> None:
    unused = replace(FOUND, kind=PatternKind.UNUSED_EAGER_LOAD, fingerprint="", subject="Invoice.items")
    assert unused.key != replace(unused, subject="Invoice.tags").key
