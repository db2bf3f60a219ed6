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
            known = self._routes.get(route)
            if known is None:
                if len(self._routes) >= ROUTES:
                    self.dropped += sum(one.count for one in statements)
                    return
                known = self._routes[route] = _Route()
            known.requests += 1
            for one in statements:
                fingerprint = one.facts.fingerprint
                figures = known.statements.get(fingerprint)
                if figures is None:
                    if len(known.statements) >= STATEMENTS_A_ROUTE:
                        self.dropped += one.count
                        continue
                    figures = known.statements[fingerprint] = [0, 0]
                    self._texts.setdefault(fingerprint, one.facts.text)
                figures[0] += one.count
                figures[1] += one.total_ns

    def add_firsts(self, route: str, firsts: Sequence[list[Any]]) -> bool:
        """`add` for statements that ran once each (`Scope.firsts`), if all of them are known; else False."""
        with self._lock:
            known = self._routes.get(route)
            if known is None:
                return False
            statements = known.statements
            figures = [statements.get(facts.fingerprint) for facts, _, _ in firsts]
            if None in figures:
                return False
            known.requests += 1
            for each, (_, duration_ns, _) in zip(figures, firsts, strict=True):
                each[0] += 1  # type: ignore[index]
                each[1] += duration_ns  # type: ignore[index]
            return True

    def figures(self) -> list[StatementFigures]:
        with self._lock:
            return [
                StatementFigures(fingerprint, self._texts[fingerprint], count, ns, name, route.requests)
                for name, route in self._routes.items()
                for fingerprint, (count, ns) in route.statements.items()
            ]
