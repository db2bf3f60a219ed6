"""Which statements each kind of unit of work asks."""

from __future__ import annotations

import pytest

from steinmetz.monitor.capture.ledger import Runs
from steinmetz.monitor.stores import routes as module
from steinmetz.monitor.stores.routes import Routes
from steinmetz.sql.facts import StatementFacts, Verb


def runs(fingerprint: str, text: str, count: int, total_ns: int) -> Runs:
    made = Runs(StatementFacts(fingerprint, text, Verb.SELECT, frozenset(), frozenset()), total_ns)
    made.count = count
    return made


ONE, TWO = runs("a", "SELECT 1", 3, 30), runs("b", "SELECT 2", 1, 5)


def test_units_and_runs_are_added() -> None:
    routes = Routes()
    routes.add("GET /a", [ONE, TWO])
    routes.add("GET /a", [ONE])
    (first, second) = routes.figures()
    assert (first.text, first.count, first.total_ns, first.requests, first.per_request) == (
        "SELECT 1",
        6,
        60,
        2,
        3,
    )
    assert (second.count, second.requests, second.per_request) == (1, 2, 0.5)


def test_routes_and_statements_are_bounded_and_what_is_left_out_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ROUTES", 1)
    monkeypatch.setattr(module, "STATEMENTS_A_ROUTE", 1)
    routes = Routes()
    routes.add("GET /a", [ONE, TWO])
    routes.add("GET /b", [ONE])
    assert len(routes.figures()) == 1
    assert routes.dropped == 4
