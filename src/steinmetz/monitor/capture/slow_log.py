"""The slow log: a warning line for each slow query, and the newest ones with their details.

In a storm it keeps its head: at most `LINES` lines at once and that many again every `LINES_REFILL_S`, the others
are counted and the number is said in the next line; beyond `DETAILED` a second a query is kept without parameters.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.analysis.slow import SlowThresholds
from steinmetz.monitor.capture.parameters import bound_parameters, mentioned_names
from steinmetz.monitor.stores.base import SlowQuery, StatisticsStore
from steinmetz.sql.engine import Execution

if TYPE_CHECKING:
    from steinmetz.monitor.capture.plans import Plans
    from steinmetz.monitor.capture.track import Span

log = structlog.get_logger("steinmetz.monitor")

LINES = 20
LINES_REFILL_S = 2.0
DETAILED = 100
LONGEST_STATEMENT = 4_000
LONGEST_OF_MANY = 400
STATEMENTS_SHOWN = 20
LONGEST_NAME = 200
_CODE = re.compile(r"[0-9A-Z]{5}|SQLITE_[A-Z_]+")

Told = Callable[[], str | None]
"""Tells something of the code that runs at the moment; None where there is nothing to tell."""


class Allowance:
    """So many at once, and as many again in ``refill_s`` seconds; whatever is refused is counted."""

    __slots__ = ("_at_s", "_clock", "_left", "_lock", "_refill_s", "_size", "refused")

    def __init__(self, clock: Clock, size: int, refill_s: float) -> None:
        self._clock = clock
        self._size = size
        self._refill_s = refill_s
        self._left = float(size)
        self._at_s = clock.monotonic_s()
        self._lock = threading.Lock()
        self.refused = 0

    def take(self) -> int | None:
        """How many were refused since the last one that was allowed; None if this one is refused, too."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            self._left = min(self._size, self._left + (now_s - self._at_s) * self._size / self._refill_s)
            self._at_s = now_s
            if self._left < 1:
                self.refused += 1
                return None
            self._left -= 1
            refused, self.refused = self.refused, 0
            return refused


class SlowLog:
    """Says and keeps what was slow; called only for that, so it may take its time.

    ``site`` tells the line of the application that runs the statement, ``request_id`` the request that it is for.
    ``plans`` keeps the parameters of slow statements, to explain them.
    """

    def __init__(
        self,
        clock: Clock,
        store: StatisticsStore,
        thresholds: SlowThresholds,
        redaction: Redaction,
        *,
        plans: Plans | None = None,
        site: Told | None = None,
        request_id: Told | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._thresholds = thresholds
        self._redaction = redaction
        self._plans = plans
        self._site = site
        self._request_id = request_id or _bound_request_id
        self._lines = Allowance(clock, LINES, LINES_REFILL_S)
        self._details = Allowance(clock, DETAILED, 1.0)

    @property
    def left_out(self) -> int:
        """Slow queries without a line of their own since the last line."""
        return self._lines.refused

    def executed(self, name: str, duration_ns: int, execution: Execution) -> None:
        """A statement outside of any track was slow."""
        if self._details.take() is None:
            self._report(name, duration_ns, {"parameters": {}, **_outline(execution)})
            return
        self._report(name, duration_ns, self._details_of(execution))
        if self._plans is not None:
            self._plans.slow(name, duration_ns, execution)

    def within(self, span: Span, duration_ns: int, execution: Execution) -> None:
        """A statement inside of a track was slow by itself; the slowest one is shown with the track."""
        if self._plans is not None:
            self._plans.slow(span.name, duration_ns, execution)
        if span.slowest is None or duration_ns > span.slowest[0]:
            span.slowest = (duration_ns, self._details_of(execution))

    def tracked(self, span: Span, duration_ns: int, error: BaseException | None) -> None:
        """A tracked run was slow."""
        self._report(
            span.name,
            duration_ns,
            {
                "parameters": {},
                "statementCount": span.count,
                "statements": [
                    {"statement": cut(text, LONGEST_OF_MANY), "executionTime": _ms(ns)}
                    for text, ns in span.statements[:STATEMENTS_SHOWN]
                ],
                "slowest": span.slowest[1] if span.slowest is not None else None,
                "requestId": self._told(self._request_id),
                "site": self._told(self._site),
                "error": error_kind(error),
            },
        )

    def _report(self, name: str, duration_ns: int, details: dict[str, object]) -> None:
        threshold_ms = self._thresholds.of_ms(name)
        duration_ms = _ms(duration_ns)
        self._store.remember_slow(
            SlowQuery(name, duration_ms, threshold_ms, self._clock.now(), details, secrets.token_hex(6))
        )
        left_out = self._lines.take()
        if left_out is None:
            return
        if left_out:
            log.warning("Slow queries left out of the log", count=left_out)
        log.warning("Slow query detected", queryName=name, executionTime=duration_ms, threshold=threshold_ms)

    def _details_of(self, execution: Execution) -> dict[str, object]:
        try:
            parameters: dict[str, object] = self._redaction.shown(
                execution.statement, bound_parameters(execution), *mentioned_names(execution)
            )
        except Exception as error:  # another SQLAlchemy: what cannot be read is not shown
            log.info("Parameters of a slow query cannot be read", error=type(error).__name__)
            parameters = {}
        return {
            "parameters": parameters,
            **_outline(execution),
            "requestId": self._told(self._request_id),
            "site": self._told(self._site),
            "time": _split(execution),
        }

    @staticmethod
    def _told(tell: Told | None) -> str | None:
        told = tell() if tell is not None else None
        return cut(told, LONGEST_NAME) if told else None


def _outline(execution: Execution) -> dict[str, object]:
    facts, scope = execution.facts, execution.scope
    return {
        "statement": cut(facts.text, LONGEST_STATEMENT),
        "fingerprint": facts.fingerprint,
        "database": execution.database,
        "rows": execution.rows,
        "sets": len(execution.parameters) if execution.many else 1,
        "scope": cut(f"{scope.kind} {scope.name}", LONGEST_NAME) if scope is not None else None,
        "error": error_kind(execution.error),
    }


def _split(execution: Execution) -> dict[str, float]:
    """Where the time went (ms), as far as the driver tells."""
    return {
        shown: _ms(spent)
        for shown, name in (
            ("execute", "execute_ns"), ("fetch", "fetch_ns"), ("driver", "driver_ns"),
            ("loopLag", "lag_ns"), ("poolWait", "pool_wait_ns"),
        )
        if isinstance(spent := getattr(execution, name, None), int)
    }  # fmt: skip


def error_kind(error: BaseException | None) -> str | None:
    """An error's kind and the engine's code for it; never its message, which quotes values."""
    if error is None:
        return None
    code: Any = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    known = isinstance(code, str) and _CODE.fullmatch(code)
    return f"{type(error).__name__} {code}" if known else type(error).__name__


def _bound_request_id() -> str | None:
    """The ``request_id`` that the application has bound to structlog's context."""
    bound = structlog.contextvars.get_contextvars().get("request_id")
    return bound if isinstance(bound, str) else None


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _ms(duration_ns: float) -> float:
    return round(duration_ns / 1e6, 3)
