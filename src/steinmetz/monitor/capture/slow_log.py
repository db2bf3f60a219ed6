"""The slow log: a warning line for each slow query, and the newest ones with their details."""

from __future__ import annotations

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.analysis.slow import SlowThresholds
from steinmetz.monitor.capture.parameters import bound_parameters
from steinmetz.monitor.capture.track import Span
from steinmetz.monitor.stores.base import SlowQuery, StatisticsStore
from steinmetz.sql.engine import Execution

log = structlog.get_logger("steinmetz.monitor")


class SlowLog:
    """Says and keeps what was slow; called only for that, so it may take its time."""

    def __init__(
        self, clock: Clock, store: StatisticsStore, thresholds: SlowThresholds, redaction: Redaction
    ) -> None:
        self._clock = clock
        self._store = store
        self._thresholds = thresholds
        self._redaction = redaction

    def executed(self, name: str, duration_ns: int, execution: Execution) -> None:
        """A statement outside of any track was slow."""
        self._report(name, duration_ns, self._details_of(execution))

    def tracked(self, span: Span, duration_ns: int, error: BaseException | None) -> None:
        """A tracked run was slow."""
        self._report(
            span.name,
            duration_ns,
            {
                "parameters": {},
                "statementCount": span.count,
                "statements": [{"statement": text, "executionTime": _ms(ns)} for text, ns in span.statements],
                "error": type(error).__name__ if error is not None else None,
            },
        )

    def _report(self, name: str, duration_ns: int, details: dict[str, object]) -> None:
        threshold_ms = self._thresholds.of_ms(name)
        duration_ms = _ms(duration_ns)
        self._store.remember_slow(SlowQuery(name, duration_ms, threshold_ms, self._clock.now(), details))
        log.warning("Slow query detected", queryName=name, executionTime=duration_ms, threshold=threshold_ms)

    def _details_of(self, execution: Execution) -> dict[str, object]:
        facts, scope = execution.facts, execution.scope
        return {
            "parameters": self._redaction.shown(facts.text, bound_parameters(execution)),
            "statement": facts.text,
            "fingerprint": facts.fingerprint,
            "database": execution.database,
            "rows": execution.rows,
            "sets": len(execution.parameters) if execution.many else 1,
            "scope": f"{scope.kind} {scope.name}" if scope is not None else None,
            "error": type(execution.error).__name__ if execution.error is not None else None,
        }


def _ms(duration_ns: float) -> float:
    return round(duration_ns / 1e6, 3)
