"""The query monitor: samples in, figures and warnings out."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

import structlog

from steinmetz.clock import Clock, SystemClock, perf_ns
from steinmetz.monitor import reports
from steinmetz.monitor.alerts.watch import Alerts
from steinmetz.monitor.analysis.naming import name_of
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.analysis.slow import DEFAULT_THRESHOLD_MS, SlowThresholds
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.capture.slow_log import SlowLog
from steinmetz.monitor.capture.track import Span, Track, current_span
from steinmetz.monitor.stores.base import Figures, Meter, StatisticsStore
from steinmetz.monitor.stores.memory import MemoryStore
from steinmetz.sql.engine import SqlHook
from steinmetz.sql.execution import Execution, ExecutionObserver
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.scope import Ledger, Scope, ScopeKind, observe_scopes, unobserve_scopes

if TYPE_CHECKING:
    from sqlalchemy import Engine

R = TypeVar("R")

SlowListener = Callable[[str, int, "Execution | None"], None]

log = structlog.get_logger("steinmetz.monitor")

NAMES_REMEMBERED = 2_000
POOL_WAIT = "pool wait"
LOOP_LAG = "loop lag"
"""The names of the timings that are no queries."""
_ROUTES = frozenset({ScopeKind.REQUEST, ScopeKind.JOB, ScopeKind.EVENT, ScopeKind.COMMAND})


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
        self.loop_lag = LoopLag(late=self._late)
        self._thresholds = SlowThresholds(slow_threshold_ms, thresholds)
        self._redaction = Redaction(sensitive)
        self._store: StatisticsStore = store or MemoryStore(self.clock)
        self._names: dict[str, str] = {}
        self._hooks: weakref.WeakSet[SqlHook] = weakref.WeakSet()
        self.slow_log = self._slow_log()
        self.alerts = Alerts(self.clock, lambda: self._store, self.loop_lag, self.engines)
        self._slow_listeners: list[SlowListener] = []

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
            self.clock = self.alerts.clock = clock
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
            hook.observe_runs(self)
            hook.observe_pool(self)
            hook.loop_lag = self.loop_lag
            observe_scopes(self._scope_ended)
            self._hooks.add(hook)
            _attached.add(hook)

    def detach(self, hook: SqlHook) -> None:
        hook.unobserve(self)
        if hook.loop_lag is self.loop_lag:
            hook.loop_lag = None
        self._hooks.discard(hook)
        if not self._hooks:
            unobserve_scopes(self._scope_ended)
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

    # -- of the hook (`steinmetz.sql.execution.RunObserver`, `PoolObserver`) ------------------------------------

    @property
    def turning(self) -> StatisticsStore:
        """Whose minutes turn."""
        return self._store

    def meter(self, facts: StatementFacts) -> Meter | None:
        """Where the runs of a statement are counted; None for transaction control, which is no query."""
        if not self.enabled or facts.verb is Verb.TRANSACTION:
            return None
        return self._store.meter(facts.fingerprint, self.name_of(facts), facts.text)

    def slow_ns(self, facts: StatementFacts) -> int:
        """How long a run may take that nobody looks at."""
        return self._thresholds.of_ns(self.name_of(facts))

    def ran(self, execution: Execution) -> None:
        """A run that failed or was slow."""
        facts = execution.facts
        if not self.enabled or facts.verb is Verb.TRANSACTION:
            return
        name = self.name_of(facts)
        duration_ns = execution.duration_ns
        if perf_ns() >= self._store.turn_at_ns:
            self._store.turn()
        meter = self._store.meter(facts.fingerprint, name, facts.text)
        failed = execution.error is not None
        if execution.watch is not None and execution.watch.is_sample:
            (meter.failed_inside if failed else meter.inside)(duration_ns)
            return
        (meter.failed if failed else meter.add)(duration_ns)
        if duration_ns > self._thresholds.of_ns(name):
            meter.slow()
            self.slow_log.executed(name, duration_ns, execution)
            self._tell_slow(name, duration_ns, execution)

    def ledger(self, scope: Scope) -> Ledger | None:
        """What is written down for a scope; nobody looks at it yet."""
        return None

    def waited(self, wait_ns: int) -> None:
        """A connection was taken from its pool."""
        self._store.timing(POOL_WAIT).add(wait_ns)

    def exhausted(self, wait_ns: int) -> None:
        """The pool had no connection to give within its timeout."""
        self._store.timing(POOL_WAIT).failed(wait_ns)

    def _late(self, late_ns: int) -> None:
        if self.enabled:
            if perf_ns() >= self._store.turn_at_ns:
                self._store.turn()
            self._store.timing(LOOP_LAG).add(late_ns)

    def _scope_ended(self, scope: Scope) -> None:
        if scope.kind in _ROUTES:
            name = scope.name if scope.kind is ScopeKind.REQUEST else f"{scope.kind} {scope.name}"
            duration_ns = perf_ns() - scope.started_ns
            self._store.route(name, duration_ns, scope.statements, scope.db_ns, failed=scope.failed)

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
            self._tell_slow(span.name, duration_ns, None)

    def name_of(self, facts: StatementFacts) -> str:
        """The name under which a statement outside of any track is counted."""
        name = self._names.get(facts.fingerprint)
        if name is not None:
            return name
        name = name_of(facts)
        if len(self._names) < NAMES_REMEMBERED:
            self._names[facts.fingerprint] = name
        return name

    # -- figures out --------------------------------------------------------------------------------------------

    def query_stats(self, window: float | None = None) -> dict[str, Any]:
        """The figures since the start, or of the last ``window`` seconds, as /query-stats shows them; times in ms.

        Raises `ValueError` for a window that is not kept (more than a day).
        """
        self.settle()
        return reports.query_stats(self._store, window)

    def slow_queries(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest slow queries, newest first, in the shape of /slow-queries.

        Raises `ValueError` unless ``limit`` is 1 to 500.
        """
        self.settle()
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

    def settle(self) -> None:
        """Count the statements whose results were dropped unread; to be called before figures are read."""
        for hook in list(self._hooks):
            hook.settle()

    def waits(self, window: float | None = None) -> dict[str, Figures]:
        """What statements waited for that is no time of theirs: `POOL_WAIT` of each checkout (errors: the pool had
        none to give), `LOOP_LAG` of each heartbeat; by name, those that occurred. ``window`` as of `query_stats`.
        """
        return self._store.figures(Kind.TIMING, window)

    @property
    def store(self) -> StatisticsStore:
        """Where the figures are kept."""
        return self._store

    def statistics(self, window_s: float | None = None) -> dict[str, Statistics]:
        """The statistics of each name, since the start or of about the last ``window_s`` seconds.

        Raises `ValueError` for a window that is not kept.
        """
        self.settle()
        return dict(self._store.table(window_s).names)

    def engines(self) -> list[tuple[str, Engine]]:
        """The watched engines, each with the name of its database."""
        return sorted(((hook.database, hook.engine) for hook in self._hooks), key=lambda each: each[0])

    # -- who else is told ---------------------------------------------------------------------------------------

    def on_slow(self, listener: SlowListener) -> Callable[[], None]:
        """Call ``listener(name, duration_ns, execution)`` for each slow query; returns the way to stop that.

        ``execution`` is None for a tracked run. What the listener raises is logged.
        """
        self._slow_listeners.append(listener)
        return lambda: self._slow_listeners.remove(listener)

    def on_execution(self, listener: ExecutionObserver) -> Callable[[], None]:
        """Call ``listener(execution)`` for each statement of the engines attached by now, which costs its time."""
        hooks = list(self._hooks)
        for hook in hooks:
            hook.observe_executions(listener)

        def stop() -> None:
            for hook in hooks:
                hook.unobserve(listener)

        return stop

    def _tell_slow(self, name: str, duration_ns: int, execution: Execution | None) -> None:
        for listener in list(self._slow_listeners):
            try:
                listener(name, duration_ns, execution)
            except Exception as error:
                log.error("A listener for slow queries failed", error=type(error).__name__)

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
