"""The query monitor: samples in, figures and warnings out."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

import structlog

from steinmetz.clock import Clock, SystemClock, perf_ns
from steinmetz.monitor import reports
from steinmetz.monitor.advisor.advisor import IndexAdvisor
from steinmetz.monitor.advisor.workload import Workload
from steinmetz.monitor.alerts.watch import Alerts
from steinmetz.monitor.analysis.naming import name_of
from steinmetz.monitor.analysis.redaction import Redaction
from steinmetz.monitor.analysis.regression import Verdict
from steinmetz.monitor.analysis.slow import DEFAULT_THRESHOLD_MS, SlowThresholds
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.budget import attached
from steinmetz.monitor.capture.loop_lag import LoopLag
from steinmetz.monitor.capture.plans import Plans
from steinmetz.monitor.capture.slow_log import SlowLog, Told
from steinmetz.monitor.capture.track import Span, Track
from steinmetz.monitor.capture.workload import WorkloadRecorder
from steinmetz.monitor.changes.change import Entry, index_made_by, is_temporary, tables_changed_by
from steinmetz.monitor.changes.watch import Changes, histories_of
from steinmetz.monitor.patterns import Patterns
from steinmetz.monitor.stores.base import Figures, Meter, StatisticsStore
from steinmetz.monitor.stores.memory import MemoryStore
from steinmetz.sql.engine import SqlHook
from steinmetz.sql.execution import NEVER_NS, Execution, ExecutionObserver, Watch
from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.scope import Ledger, Scope, ScopeKind, observe_scopes, unobserve_scopes

if TYPE_CHECKING:
    from sqlalchemy import Engine

R = TypeVar("R")

SlowListener = Callable[[str, int, "Execution | None"], None]

log = structlog.get_logger("steinmetz.monitor")

NAMES_REMEMBERED = 2_000
FIRST_RUNS_TOLD = 3
SAMPLE_EVERY_S = 60.0
FASTEST_ROW_NS = 500
"""A select that returns too many rows takes at least so long for each; faster ones are not looked at."""
POOL_WAIT = "pool wait"
LOOP_LAG = "loop lag"
"""The names of the timings that are no queries."""
_ROUTES = frozenset({ScopeKind.REQUEST, ScopeKind.JOB, ScopeKind.EVENT, ScopeKind.COMMAND})


_NEVER_ASKED = frozenset({Verb.TRANSACTION, Verb.DDL})
"""Statements that are not run again, nor explained."""


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
        explain: str = "off",
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.enabled = enabled
        self.loop_lag = LoopLag(late=self._late)
        self._thresholds = SlowThresholds(slow_threshold_ms, thresholds)
        self._redaction = Redaction(sensitive)
        self._store: StatisticsStore = store or MemoryStore(self.clock)
        self._names: dict[str, str] = {}
        self._told: dict[str, int] = {}
        self._sample_again_ns = 0
        self._hooks: weakref.WeakSet[SqlHook] = weakref.WeakSet()
        self._site: Told | None = None
        self._request_id: Told | None = None
        self.plans = Plans(self.clock, explain)
        self.slow_log = self._slow_log()
        self.alerts = Alerts(self.clock, lambda: self._store, self.loop_lag, self.engines)
        self.changes = Changes(
            self.clock,
            histories_of(lambda: self._store),
            on_plan_regressed=self.alerts.plan_regressed,
            on_judged=self._observe_gain,
        )
        self.plans.on_changed(lambda fingerprint, name, *_: self.changes.plan_changed(fingerprint, name))
        self._slow_listeners: list[SlowListener] = []
        self._pattern_settings: dict[str, Any] = {}
        self.patterns = Patterns(self.clock)
        self.workload = WorkloadRecorder(self._redaction)
        self.advisor = IndexAdvisor(self.recorded_workload, lambda: self.clock)

    def _slow_log(self) -> SlowLog:
        return SlowLog(
            self.clock, self._store, self._thresholds, self._redaction,
            plans=self.plans, site=self._site or self._line, request_id=self._request_id,
        )  # fmt: skip

    def _line(self) -> str | None:
        place = self.patterns.call_site()
        return str(place) if place is not None else None

    def configure(
        self,
        *,
        clock: Clock | None = None,
        slow_threshold_ms: float | None = None,
        enabled: bool | None = None,
        thresholds: Mapping[str, float] | None = None,
        sensitive: Iterable[str] | None = None,
        store: StatisticsStore | None = None,
        explain: str | None = None,
        site: Told | None = None,
        request_id: Told | None = None,
        **patterns: Any,
    ) -> None:
        """Set what is given; a new clock or store begins new figures. To be called before `attach`.

        ``site`` tells the line of the application that runs the statement at hand (by itself it is found on the
        stack), ``request_id`` the request that it is for; both are asked for slow queries only.

        ``patterns`` are the settings of `Patterns`: ``repetitions``, ``chatty_from``, ``rows_from``, ``budgets``,
        ``skip``, ``warn``, ``strict``.
        """
        self.plans.configure(clock, explain)
        self._site = site or self._site
        self._request_id = request_id or self._request_id
        if clock is not None:
            self.clock = self.alerts.clock = self.changes.clock = clock
        if clock is not None or store is not None:
            self._store = store or MemoryStore(self.clock)
            self.workload.clear()
            self._told.clear()
            self.advisor.advice, self.advisor.error = None, ""  # it was given on other figures
        if enabled is not None:
            self.enabled = enabled
        if slow_threshold_ms is not None or thresholds is not None:
            self._thresholds = self._thresholds.changed(slow_threshold_ms, thresholds)
        if sensitive is not None:
            self._redaction = Redaction(sensitive)
            self.workload = WorkloadRecorder(self._redaction)
        self.slow_log = self._slow_log()
        if patterns or clock is not None:
            self._pattern_settings |= patterns
            self.patterns = Patterns(self.clock, **self._pattern_settings)

    # -- samples in ---------------------------------------------------------------------------------------------

    def attach(self, hook: SqlHook) -> None:
        """Take the executions of the hooked engine; nothing at all if the monitor is not enabled."""
        if self.enabled:
            self.detach(hook)
            hook.observe_runs(self)
            hook.observe_pool(self)
            hook.observe_schema(self)
            hook.loop_lag = self.loop_lag
            observe_scopes(self._scope_ended)
            self.plans.watch(hook, self._thresholds.of_ms(""))
            if hook.oracle is not None:
                hook.oracle.on_surprise = self._surprised
            self._hooks.add(hook)
            attached[hook] = self

    def detach(self, hook: SqlHook) -> None:
        hook.unobserve(self)
        self.plans.unwatch(hook)
        if hook.loop_lag is self.loop_lag:
            hook.loop_lag = None
        self._hooks.discard(hook)
        if not self._hooks:
            unobserve_scopes(self._scope_ended)
        attached.pop(hook, None)

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
        """How long a run may take that nobody looks at.

        Of each statement the first runs are looked at, and one more every `SAMPLE_EVERY_S`: for its text, and for
        parameters that it may be explained and run again with.
        """
        if self.enabled and facts.verb not in _NEVER_ASKED:
            told = self._told.get(facts.fingerprint, 0)
            if told < FIRST_RUNS_TOLD and (told or len(self._told) < NAMES_REMEMBERED):
                return -1
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
        told = self._told.get(facts.fingerprint, 0)
        if facts.verb is not Verb.DDL and told < FIRST_RUNS_TOLD and (told or len(self._told) < NAMES_REMEMBERED):
            self._told[facts.fingerprint] = told + 1
            if not told:
                self.plans.seen(name, execution)
            if execution.duration_ns <= self.workload.floor_ns:
                self.workload.skip = 0  # an even chance, whatever it took
        if execution.watch is not None and execution.watch.is_sample:
            (meter.failed_inside if failed else meter.inside)(duration_ns)
            if not failed:
                self._look_anyway(execution)
            self._slow_within(execution.watch, duration_ns, execution)
            return
        (meter.failed if failed else meter.add)(duration_ns)
        if not failed:
            self._look_anyway(execution)
        if duration_ns > self._thresholds.of_ns(name):
            meter.slow()
            self.slow_log.executed(name, duration_ns, execution)
            self._tell_slow(name, duration_ns, execution)

    def _look_anyway(self, execution: Execution) -> None:
        self.looks(execution.facts, execution.duration_ns, execution.rows)
        self.looked(execution)

    def _slow_within(self, watch: Watch, duration_ns: int, execution: Execution) -> None:
        """Keep the details of a statement that makes its tracked span slow."""
        if isinstance(watch, Span) and duration_ns > self._thresholds.of_ns(watch.name):
            self.slow_log.within(watch, duration_ns, execution)

    @property
    def look_ns(self) -> int:
        """Shorter runs cannot have returned so many rows that it would be worth a look."""
        return self.patterns.rows_from * FASTEST_ROW_NS if self.enabled else NEVER_NS

    def looks(self, facts: StatementFacts, duration_ns: int, rows: int | None) -> bool:
        """Whether a run above `look_ns` is one for the workload, or has returned many rows."""
        self.workload.skip -= 1
        if perf_ns() >= self._sample_again_ns:
            self._sample_again()
        many = rows is not None and rows > self.patterns.rows_from
        return many or duration_ns > self.workload.floor_ns or self.workload.skip <= 0

    def looked(self, execution: Execution) -> None:
        """A run that took long enough to be looked at, slow or not, or whose turn it was."""
        if execution.duration_ns > self.workload.floor_ns or self.workload.skip <= 0:
            self.workload.offer(execution.facts, execution)
        if execution.facts.verb is Verb.SELECT and execution.rows is not None:
            self.patterns.fetched(execution.facts, execution.rows, execution.duration_ns)

    def _sample_again(self) -> None:
        first, self._sample_again_ns = not self._sample_again_ns, perf_ns() + int(SAMPLE_EVERY_S * 1e9)
        if first:
            return
        for fingerprint in list(self._told):
            self._told[fingerprint] = FIRST_RUNS_TOLD - 1
        for hook in list(self._hooks):
            hook.renew()

    def recorded_workload(self) -> Workload:
        """What was asked of the databases: exact counts and times, and parameters to run it with again."""
        self.settle()
        workload = self.workload.recorded()
        figures = self._store.figures(Kind.STATEMENT)
        for query in workload.queries:
            found = figures.get(query.fingerprint)
            if found is not None and found.statistics.count:
                query.rows = round(query.rows * found.statistics.count / max(query.calls, 1))
                query.calls = found.statistics.count
                query.total_ns = found.statistics.total_ns
        return workload

    def _observe_gain(self, entry: Entry) -> None:
        """An index that was advised has been made: what statements have gained by it belongs to the advice."""
        name, advice = index_made_by(entry.change.ddl), self.advisor.advice
        if name is None or advice is None:
            return
        for statement in entry.outcome.statements:
            if statement.comparison.verdict is not Verdict.TOO_FEW:
                advice.observe(name, statement.fingerprint, 1 / statement.comparison.ratio)

    def _surprised(self, facts: StatementFacts, relations: frozenset[Relation]) -> None:
        self.alerts.unpredicted_write(self.name_of(facts), (relation.name for relation in relations))

    def ledger(self, scope: Scope) -> Ledger | None:
        """What is written down for a scope."""
        return self.patterns.ledger(scope.kind) if self.enabled and scope.kind is not ScopeKind.MONITOR else None

    def span_ledger(self) -> Ledger | None:
        """What is written down for a tracked span outside of any scope."""
        return self.patterns.ledger() if self.enabled else None

    def defined(self, facts: StatementFacts) -> None:
        """DDL was committed (`steinmetz.sql.definitions.SchemaObserver`)."""
        if self.enabled and not is_temporary(facts.text):
            self.changes.ddl(facts.text, tables_changed_by(facts.text))

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
        if span.ledger is not None:
            self.patterns.judge(span.name, span.ledger)
            span.ledger = None
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
        return [reports.slow_query(query) for query in self._store.slow(limit)]

    def slow_query(self, id_: str) -> dict[str, Any] | None:
        """One slow query in the shape of /slow-queries, with its statement's plans; None if it is not kept."""
        query = next((each for each in self._store.slow(500) if each.id == id_), None)
        if query is None:
            return None
        slowest = query.details.get("slowest")
        details = slowest if isinstance(slowest, dict) else query.details
        return {**reports.slow_query(query), "plans": self.plans.told(str(details.get("fingerprint", "")))}

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
        self.patterns.clear()
        self.plans.forget()
        self.workload.clear()
        self._told.clear()
        for sql in list(self._hooks):
            sql.renew()  # so that the patterns see all statements again


query_monitor = QueryMonitor()
"""The monitor of an application that needs only one."""
