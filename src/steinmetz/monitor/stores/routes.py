"""Which statements each kind of unit of work asks, and in how many units."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from steinmetz.monitor.analysis.rankings import StatementFigures
from steinmetz.sql.facts import StatementFacts

ROUTES = 300
STATEMENTS_A_ROUTE = 100


class Runs(Protocol):
    """How often one statement ran in a unit of work, as its ledger has it."""

    facts: StatementFacts
    count: int
    total_ns: int


class _Route:
    __slots__ = ("requests", "statements")

    def __init__(self) -> None:
        self.requests = 0
        self.statements: dict[str, list[int]] = {}  # fingerprint -> [runs, ns]


class Routes:
    """Bounds: `ROUTES` routes with `STATEMENTS_A_ROUTE` statements each; ``dropped`` counts runs without room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: dict[str, _Route] = {}
        self._texts: dict[str, str] = {}
        self.dropped = 0

    def add(self, route: str, statements: Sequence[Runs]) -> None:
        """Count one unit of work and its statements."""
        with self._lock:
            known = self._routes.get(route) or self._new(route)
            if known is None:
                self.dropped += sum(one.count for one in statements)
                return
            known.requests += 1
            for one in statements:
                figures = known.statements.get(one.facts.fingerprint) or self._first(known, one.facts)
                if figures is None:
                    self.dropped += one.count
                else:
                    figures[0] += one.count
                    figures[1] += one.total_ns

    def add_firsts(self, route: str, firsts: Sequence[list[Any]]) -> None:
        """`add` for statements that ran once each (`Scope.firsts`), as in nearly every request."""
        with self._lock:
            known = self._routes.get(route) or self._new(route)
            if known is None:
                self.dropped += len(firsts)
                return
            known.requests += 1
            statements = known.statements
            for facts, duration_ns, _ in firsts:
                figures = statements.get(facts.fingerprint) or self._first(known, facts)
                if figures is None:
                    self.dropped += 1
                else:
                    figures[0] += 1
                    figures[1] += duration_ns

    def _new(self, route: str) -> _Route | None:
        if len(self._routes) >= ROUTES:
            return None
        known = self._routes[route] = _Route()
        return known

    def _first(self, known: _Route, facts: StatementFacts) -> list[int] | None:
        if len(known.statements) >= STATEMENTS_A_ROUTE:
            return None
        figures = known.statements[facts.fingerprint] = [0, 0]
        self._texts.setdefault(facts.fingerprint, facts.text)
        return figures

    def figures(self) -> list[StatementFigures]:
        with self._lock:
            return [
                StatementFigures(fingerprint, self._texts[fingerprint], count, ns, name, route.requests)
                for name, route in self._routes.items()
                for fingerprint, (count, ns) in route.statements.items()
            ]
