"""The query monitor: samples in, figures and warnings out."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

from steinmetz.clock import Clock, SystemClock
from steinmetz.monitor import reports
from steinmetz.monitor.analysis.naming import name_of
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.analysis.slow import DEFAULT_THRESHOLD_MS, SlowThresholds
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.capture.slow_log import SlowLog
from steinmetz.monitor.capture.track import Span, Track, current_span
from steinmetz.monitor.changes.watch import Changes, histories_of
from steinmetz.monitor.stores.base import StatisticsStore
from steinmetz.monitor.stores.memory import MemoryStore
from steinmetz.sql.engine import Execution, SqlHook
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.scope import ScopeKind

R = TypeVar("R")

NAMES_REMEMBERED = 2_000


class QueryMonitor:
    """Counts and times every query of the engines it is attached to, by name, and remembers the slow ones.

    A sample is one `track` call, or one statement outside of any; ``enabled=False`` makes all of it a no-op.
    ``thresholds`` gives single names a threshold of their own (ms); ``sensitive`` names columns whose values are
    never shown, besides the usual ones.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        slow_threshold_ms: float = DEFAULT_THRESHOLD_MS,
        enabled: bool = True,
        *,
        thresholds: Mapping[str, float] | None = None,
        sensitive: Iterable[str] = (),
        store: StatisticsStore | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.enabled = enabled
        self.loop_lag = LoopLag()
        self._thresholds = SlowThresholds(slow_threshold_ms, thresholds)
        self._redaction = Redaction(sensitive)
        self._store: StatisticsStore = store or MemoryStore(self.clock)
        self._names: dict[str, str] = {}
        self.slow_log = self._slow_log()
        self.changes = Changes(self.clock, histories_of(lambda: self._store))

    def _slow_log(self) -> SlowLog:
        return SlowLog(self.clock, self._store, self._thresholds, self._redaction)

    def configure(
        self,
        *,
        clock: Clock | None = None,
        slow_threshold_ms: float | None = None,
        enabled: bool | None = None,
        thresholds: Mapping[str, float] | None = None,
        sensitive: Iterable[str] | None = None,
        store: StatisticsStore | None = None,
    ) -> None:
        """Set what is given; a new clock or store begins new figures. To be called before `attach`."""
        if clock is not None:
            self.clock = self.changes.clock = clock
        if clock is not None or store is not None:
            self._store = store or MemoryStore(self.clock)
        if enabled is not None:
            self.enabled = enabled
        if slow_threshold_ms is not None or thresholds is not None:
            self._thresholds = self._thresholds.changed(slow_threshold_ms, thresholds)
        if sensitive is not None:
            self._redaction = Redaction(sensitive)
        self.slow_log = self._slow_log()

    # -- samples in ---------------------------------------------------------------------------------------------

    def attach(self, hook: SqlHook) -> None:
        """Take the executions of the hooked engine; nothing at all if the monitor is not enabled."""
        if self.enabled:
            self.detach(hook)
            hook.observe_executions(self._executed)
            _attached.add(hook)

    def detach(self, hook: SqlHook) -> None:
        hook.unobserve(self._executed)
        _attached.discard(hook)

    @overload
    def track(self, name: str) -> Track: ...
    @overload
    def track(self, name: str, function: Callable[[], Awaitable[R]]) -> Awaitable[R]: ...
    @overload
    def track(self, name: str, function: Callable[[], R]) -> R: ...
    def track(self, name: str, function: Callable[[], Any] | None = None) -> Any:
        """Name what ``function`` does, run it and return its result (to be awaited if it is asynchronous).

        Without ``function``: a decorator and a (sync or async) context manager.
        """
        if function is None:
            return Track(name, self)
        return Track(name, self).run(function) if self.enabled else function()

    def _executed(self, execution: Execution) -> None:
        facts = execution.facts
        if not self.enabled or facts.verb is Verb.TRANSACTION:
            return
        if execution.scope is not None and execution.scope.kind is ScopeKind.MONITOR:
            return
        duration_ns = execution.execute_ns + execution.fetch_ns
        if self.loop_lag.watching and execution.context is not None and execution.context.dialect.is_async:
            end_ns = execution.started_ns + duration_ns
            duration_ns = max(0, duration_ns - self.loop_lag.within(execution.started_ns, end_ns))
        name = self._names.get(facts.fingerprint) or self._name(facts)
        if execution.started_ns + duration_ns >= self._store.turn_at_ns:
            self._store.turn()
        meter = self._store.meter(facts.fingerprint, name, facts.text)
        failed = execution.error is not None
        span = current_span.get()
        if span is not None:
            span.note(execution)
            if span.is_sample:
                (meter.failed_inside if failed else meter.inside)(duration_ns)
                return
        (meter.failed if failed else meter.add)(duration_ns)
        if duration_ns > self._thresholds.of_ns(name):
            meter.slow()
            self.slow_log.executed(name, duration_ns, execution)

    def ended(self, span: Span, ended_ns: int, error: BaseException | None, *, awaited: bool) -> None:
        """The end of a span (`steinmetz.monitor.capture.track.Sampler`)."""
        if not self.enabled:
            return
        duration_ns = ended_ns - span.started_ns
        if awaited:
            duration_ns = max(0, duration_ns - self.loop_lag.within(span.started_ns, ended_ns))
        slow = self._thresholds.is_slow(span.name, duration_ns)
        self._store.add(span.name, duration_ns, failed=error is not None, slow=slow)
        if slow:
            self.slow_log.tracked(span, duration_ns, error)

    def _name(self, facts: StatementFacts) -> str:
        name = name_of(facts)
        if len(self._names) < NAMES_REMEMBERED:
            self._names[facts.fingerprint] = name
        return name

    # -- figures out --------------------------------------------------------------------------------------------

    def query_stats(self, window: float | None = None) -> dict[str, Any]:
        """The figures since the start, or of the last ``window`` seconds, as /query-stats shows them; times in ms.

        Raises `ValueError` for a window that is not kept (more than a day).
        """
        return reports.query_stats(self._store, window)

    def slow_queries(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest slow queries, newest first, in the shape of /slow-queries.

        Raises `ValueError` unless ``limit`` is 1 to 500.
        """
        if not 1 <= limit <= 500:
            raise ValueError(f"limit is 1 to 500, not {limit}")
        return [
            {
                "name": query.name,
                "executionTime": query.duration_ms,
                "threshold": query.threshold_ms,
                "timestamp": reports.instant(query.at),
                "details": query.details,
            }
            for query in self._store.slow(limit)
        ]

    @property
    def store(self) -> StatisticsStore:
        """Where the figures are kept."""
        return self._store

    def reset(self) -> None:
        """Forget all figures."""
        self._store.clear()


query_monitor = QueryMonitor()
"""The monitor of an application that needs only one."""


_attached: weakref.WeakSet[SqlHook] = weakref.WeakSet()


@contextlib.contextmanager
def assert_queries(max: int) -> Iterator[Span]:  # noqa: A002  the word that reads best at the call
    """Raise `AssertionError` if more than ``max`` statements run inside, and say which.

    Tasks and threads started inside count, transaction control does not. Raises `RuntimeError` if no monitor is
    attached to any engine, as nothing would be counted.
    """
    if not _attached:
        raise RuntimeError("assert_queries counts what a QueryMonitor sees: attach one to the engine first")
    span = Span("assert_queries", current_span.get(), is_sample=False)
    token = current_span.set(span)
    try:
        yield span
    finally:
        current_span.reset(token)
    if span.count > max:
        listed = "\n".join(f"  {number}. {text}" for number, (text, _) in enumerate(span.statements, 1))
        raise AssertionError(f"{span.count} queries where at most {max} are allowed:\n{listed}")
