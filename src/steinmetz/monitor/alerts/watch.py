"""Watches the figures in the background and says what became an alert, or ceased to be one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from steinmetz.clock import Clock, perf_ns
from steinmetz.monitor.alerts.readings import of_loop, of_pools, of_queries
from steinmetz.monitor.analysis.alerting import DEFAULT_RULES, Alert, AlertBook, Budget, Measure, Rule, Severity
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.stores.base import StatisticsStore
from steinmetz.tasks import Tasks

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = structlog.get_logger("steinmetz.monitor")

INTERVAL_S = 5.0
WINDOW_S = 60.0
"""The queries of about the last minute are judged."""


class Alerts:
    """The alerts of one monitor; costs nothing per query.

    ``budgets`` names what may take how long, by query name; other names have none. Listeners are called with each
    `Alert` when it is raised and when it has resolved, on the thread that found out; what they raise is logged.
    """

    def __init__(
        self,
        clock: Clock,
        store: Callable[[], StatisticsStore],
        loop_lag: LoopLag,
        engines: Callable[[], Iterable[tuple[str, Engine]]],
        *,
        rules: tuple[Rule, ...] = DEFAULT_RULES,
        budgets: Mapping[str, Budget] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self.budgets = dict(budgets or {})
        self.interval_s = interval_s
        self.clock = clock
        self._store = store
        self._loop_lag = loop_lag
        self._engines = engines
        self._book = AlertBook(rules)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Alert], None]] = []
        self._tasks: Tasks | None = None
        self._looked_ns = perf_ns()

    # -- who is told -----------------------------------------------------------------------------------------

    def on_alert(self, listener: Callable[[Alert], None]) -> Callable[[], None]:
        """Call ``listener`` with every alert from now on; returns the way to stop that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def active(self) -> list[Alert]:
        """Those that have not resolved themselves, newest first."""
        with self._lock:
            return self._book.active()

    def recent(self, limit: int = 50) -> list[Alert]:
        """What was told lately, newest first."""
        with self._lock:
            return self._book.recent(limit)

    # -- what is found ---------------------------------------------------------------------------------------

    def look(self) -> list[Alert]:
        """Judge the figures once; returns what was raised or resolved. `start` does so every ``interval_s``."""
        now_ns = perf_ns()
        period_s = (now_ns - self._looked_ns) / 1e9
        readings = [
            *of_queries(self._store().table(WINDOW_S).names, self.budgets),
            *of_pools(self._engines()),
            *of_loop(self._loop_lag.within(self._looked_ns, now_ns), period_s),
        ]
        self._looked_ns = now_ns
        with self._lock:
            told = self._book.step(readings, self.clock.now())
        for alert in told:
            self._tell(alert)
        return told

    def plan_regressed(self, name: str, before_ms: float, after_ms: float) -> None:
        """The plan of ``name`` has changed, and its p95 rose from ``before_ms`` to ``after_ms``."""
        message = f"the plan of {name} has changed, and its p95 rose from {before_ms:,.1f} to {after_ms:,.1f} ms"
        self._report(Measure.PLAN, name, message, after_ms / before_ms if before_ms else 0.0, 1.0)

    def unpredicted_write(self, statement: str, tables: Iterable[str]) -> None:
        """The database wrote ``tables`` by a statement of which nobody had said so."""
        written = sorted(tables)
        message = f"{statement} wrote {', '.join(written)}, which was not predicted"
        self._report(Measure.UNPREDICTED_WRITE, statement, message, float(len(written)), 0.0)

    def _report(self, measure: Measure, subject: str, message: str, value: float, threshold: float) -> None:
        with self._lock:
            alert = self._book.report(
                measure, subject, message, self.clock.now(),
                value=value, threshold=threshold, severity=Severity.CRITICAL,
            )  # fmt: skip
        if alert is not None:
            self._tell(alert)

    def _tell(self, alert: Alert) -> None:
        say = log.warning if alert.is_active else log.info
        say(
            "Alert" if alert.is_active else "Alert resolved",
            kind=alert.measure.value,
            subject=alert.subject,
            severity=alert.severity.value,
            value=round(alert.value, 4),
            threshold=alert.threshold,
            reason=alert.message,
        )
        for listener in list(self._listeners):
            try:
                listener(alert)
            except Exception as error:
                log.error("A listener for alerts failed", error=type(error).__name__)

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look every ``interval_s`` on the running loop, until `stop`."""
        if self._tasks is None:
            self._tasks = Tasks("alerts")
            self._looked_ns = perf_ns()
            self._tasks.spawn("watch", self._watch())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.interval_s)
            try:
                self.look()
            except Exception as error:
                log.error("The alert rules could not be applied", error=type(error).__name__)
