"""Which statements matter most."""

from __future__ import annotations

from steinmetz.monitor.analysis.rankings import (
    StatementFigures,
    everywhere,
    most_frequent,
    most_per_request,
    most_time,
)

OFTEN = StatementFigures("a", "SELECT a", count=100, total_ns=10, route="GET /a", requests=100)
SLOW = StatementFigures("b", "SELECT b", count=2, total_ns=900, route="GET /a", requests=100)
LOOPED = StatementFigures("a", "SELECT a", count=30, total_ns=20, route="GET /b", requests=3)


def names(figures: list[StatementFigures]) -> list[str]:
    return [f"{one.fingerprint} {one.route}".strip() for one in figures]


def test_each_ranking_has_its_own_first() -> None:
    figures = [SLOW, OFTEN, LOOPED]
    assert names(most_frequent(figures)) == ["a GET /a", "a GET /b", "b GET /a"]
    assert names(most_time(figures, 1)) == ["b GET /a"]


def test_once_a_request_is_no_news() -> None:
    assert names(most_per_request([SLOW, OFTEN, LOOPED])) == ["a GET /b"]
    assert LOOPED.per_request == 10
    assert StatementFigures("c", "", 3, 1).per_request == 0


def test_everywhere_adds_the_routes() -> None:
    (first, second) = everywhere([OFTEN, SLOW, LOOPED])
    assert (first.fingerprint, first.count, first.total_ns, first.route) == ("a", 130, 30, "")
    assert second.count == 2
