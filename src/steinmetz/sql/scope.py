"""Which request, job, event or command a statement belongs to.

The current scope is a context variable: tasks, task groups, greenlets and ``asyncio.to_thread`` inherit it,
``run_in_executor`` does not (trap T2). A statement outside any scope may have fed data to whoever is recording at
that moment, so it makes every open recording uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import structlog

from steinmetz.clock import perf_ns
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.rows import MAX_KEYS, Rows, folded_rows
from steinmetz.sql.templates import NO_LISTS

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

    from steinmetz.sql.templates import ReadTemplate, Run

T = TypeVar("T")

log = structlog.get_logger("steinmetz.sql")

MAX_RUNS = 256
"""Runs of one statement whose values a scope remembers; with more, its tables count (trap T12)."""
MAX_STATEMENTS = 256
"""Statements whose values a scope remembers, and read sets that it replays apart from each other."""
MAX_PARAMETERS = 2 * MAX_KEYS
"""Of one run with an IN list; with more, its tables count."""


class ScopeKind(StrEnum):
    REQUEST = "request"
    JOB = "job"
    EVENT = "event"
    COMMAND = "command"
    ADMISSION = "admission"
    MONITOR = "monitor"
    """The monitor's own statements: it explains, but it does not count them."""


class Ledger(Protocol):
    """What an observer of executions writes down for one scope, from its first statement to its end.

    If it has ``firsts``, a new dict, the first run of a statement that was noted in another scope before, and that
    only reads, is not noted but put in there (see `Scope.firsts`).
    """

    firsts: dict[str, list[Any]] | None

    def note(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        """A statement has been executed well, in so long. Where rows are stepped while they are fetched
        (SQLite, server-side cursors), the time of the fetches follows by `fetched`."""

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        """The result of a statement noted before has been read to its end or given up, which took so long."""

    def closed(self, scope: Scope) -> None:
        """The scope has ended. An exception is the observer's own fault and reaches nobody."""


class NoLedger:
    """Nobody writes anything down."""

    __slots__ = ("firsts",)

    def __init__(self) -> None:
        self.firsts: dict[str, list[Any]] | None = {}

    def note(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        pass

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        pass

    def closed(self, scope: Scope) -> None:
        pass


class Scope:
    """The statements of one unit of work: what they read, whether they wrote, how many there were.

    One scope may be fed from several threads at once; its parts are only ever added to. ``started_ns`` is of
    ``perf_counter_ns``; ``db_ns``
    is the time of its statements, fetches included; ``failed`` says that an exception ended it. ``ledger`` stays
    None until the first statement that is measured. ``doubts`` are reasons why what was read may not be what is
    committed now, though it is known what it was (`Commits.read_in_doubt`); ``doubted_ns``
    is the beginning of the transaction that the last of them is about.

    ``firsts`` are first runs, by the fingerprints of their statements: a list of the statement's facts, its time
    in ns (0 while it runs) and its sets of parameters. `steinmetz.sql.quick` writes them; the dict is that of the
    ledger, and None until there is one.
    """

    __slots__ = (
        "__weakref__", "_noted", "_reads", "_replayed", "_runs", "_whole", "doubted_ns", "doubts", "failed",
        "firsts", "kind", "ledger", "name", "spent_ns", "started_ns", "unknown", "wrote",
    )  # fmt: skip

    def __init__(self, kind: ScopeKind, name: str) -> None:
        self.kind = kind
        self.name = name
        self._reads: set[Relation] = set()
        self._whole: set[Relation] = set()
        self._runs: dict[ReadTemplate, list[Run]] = {}
        self._replayed: list[ReadSet] = []
        self.unknown: set[str] = set()
        self.doubts: set[str] = set()
        self.doubted_ns: int | None = None
        self.wrote = False
        self.failed = False
        self.firsts: dict[str, list[Any]] | None = None
        self.spent_ns = 0  # by statements that are not among the firsts
        self._noted = 0
        self.started_ns = perf_ns()
        self.ledger: Ledger | None = None

    def __repr__(self) -> str:
        return f"<Scope {self.kind} {self.name!r} {self.statements} statements>"

    @property
    def statements(self) -> int:
        return self._noted + len(self.firsts or ())

    @property
    def db_ns(self) -> int:
        spent_ns = self.spent_ns
        for _, duration_ns, _ in list((self.firsts or {}).values()):
            spent_ns += duration_ns
        return spent_ns

    def took(self, part: Part) -> None:
        """Count the statements of ``part``; what they read comes by `replay`."""
        self._noted += part.statements
        self.spent_ns += part.db_ns

    @property
    def reads(self) -> set[Relation]:
        return self._reads.union(*(facts.reads for facts, _, _ in list((self.firsts or {}).values())))

    def note(self, facts: StatementFacts, context: ExecutionContext | None = None, many: bool = False) -> None:
        """Record one statement that is to be executed; its bound values are in ``context``."""
        self._noted += 1
        template = facts.looks_at
        if template is None or context is None:
            if facts.reads:
                self._reads.update(facts.reads)
                self._whole.update(facts.reads)
        else:
            runs = self._runs.get(template)
            if runs is None:
                runs = self._first_run(template, facts.reads)
            if len(runs) <= MAX_RUNS:
                sets: Sequence[Any] = context.compiled_parameters  # type: ignore[attr-defined]
                lists = getattr(context, "_expanded_parameters", NO_LISTS) if template.has_lists else NO_LISTS
                if lists and sets and len(sets[0]) > MAX_PARAMETERS:
                    sets = ()  # too long a list to bind anything, or to be kept
                runs.append((sets, lists))
        if facts.reads_unknown:
            self.unknown.add(f"unknown reads of {facts.fingerprint}")
        if facts.is_write:
            self.wrote = True

    def withdraw(self, facts: StatementFacts, context: ExecutionContext) -> None:
        """A first run has failed: it is no run, but what it may have read stays."""
        self.note(facts, context)
        if self.firsts is not None:
            self.firsts.pop(facts.fingerprint, None)

    def _first_run(self, template: ReadTemplate, reads: frozenset[Relation]) -> list[Run]:
        self._reads.update(reads)
        if len(self._runs) < MAX_STATEMENTS:
            return self._runs.setdefault(template, [])
        self._whole.update(reads)
        return []  # it is kept nowhere

    def replay(self, read_set: ReadSet) -> None:
        """What was computed before, from ``read_set``, is used here: this scope has read the same (trap T2).

        Whether that is still true is for the caller to know.
        """
        self._reads.update(read_set.relations)
        self.unknown.update(read_set.unknown)
        if len(self._replayed) < MAX_STATEMENTS:
            self._replayed.append(read_set)
        else:
            self._whole.update(read_set.relations)

    def read_set(self) -> ReadSet:
        """What was read up to now."""
        whole = set(self._whole)
        rows: dict[Relation, list[Rows]] = {}
        every: dict[ReadTemplate, list[Run]] = {}
        for facts, _, sets in list((self.firsts or {}).values()):
            every[facts.looks_at] = [(sets, NO_LISTS)]
        for template, runs in list(self._runs.items()):
            every[template] = runs + every.get(template, [])
        for template, runs in every.items():
            whole |= template.whole
            if len(runs) > MAX_RUNS:
                whole |= template.relations
                continue
            try:
                for run in list(runs):
                    for relation, looked_at in template.rows(run):
                        rows.setdefault(relation, []).append(looked_at)
            except (LookupError, ValueError):  # several sets of values, too long a list, another SQLAlchemy
                whole |= template.relations
        for replayed in list(self._replayed):
            whole |= replayed.relations - replayed.rows.keys()
            for relation, several in replayed.rows.items():
                rows.setdefault(relation, []).extend(several)
        folded = {relation: folded_rows(rows[relation]) for relation in rows.keys() - whole}
        return ReadSet(
            frozenset(self.reads),
            frozenset(self.unknown | self.doubts),
            {relation: several for relation, several in folded.items() if several is not None},
        )


_situation: ContextVar[tuple[Scope | None, Any] | None] = ContextVar("steinmetz_situation", default=None)
"""The current scope and the current watch: one look-up for each statement. None if there is neither."""


class Current(Generic[T]):
    """One of both by itself, as a context variable of its own would be."""

    __slots__ = ("_place",)

    def __init__(self, place: int) -> None:
        self._place = place

    def get(self) -> T | None:
        situation = _situation.get()
        return None if situation is None else cast("T | None", situation[self._place])

    def set(self, value: T | None) -> tuple[T | None]:
        """Returns the token for `reset`."""
        scope, watch = situation = _situation.get() or (None, None)
        changed = (scope, value) if self._place else (value, watch)
        _situation.set(None if changed == (None, None) else changed)  # type: ignore[arg-type]
        return (cast("T | None", situation[self._place]),)

    def reset(self, token: tuple[T | None]) -> None:
        self.set(token[0])


_current: Current[Scope] = Current(0)
_recording: set[Scope] = set()


def current_scope() -> Scope | None:
    return _current.get()


class Part(Scope):
    """What is computed for ``outer`` and recorded apart: it is no unit of its own, and its statements are the
    outer's, too. As old as that one, for it may use what that one has open."""

    __slots__ = ("outer",)

    def __init__(self, outer: Scope) -> None:
        super().__init__(outer.kind, outer.name)
        self.outer = outer
        self.started_ns = outer.started_ns


def open_scope(kind: ScopeKind, name: str) -> entered:
    """Make a new scope the current one; the outer scope learns nothing of what happens inside."""
    return entered(Scope(kind, name))


class entered:  # noqa: N801  used as a function, and cheaper than a generator
    """`open_scope` for a scope that has been made already."""

    __slots__ = ("_before", "_scope")

    _before: Scope | None

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        scope = self._scope
        self._before, watch = _situation.get() or (None, None)
        _situation.set((scope, watch))
        _recording.add(scope)
        return scope

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        scope = self._scope
        if error is not None:
            scope.failed = True
        _recording.discard(scope)
        before, situation = self._before, _situation.get()
        watch = None if situation is None else situation[1]
        _situation.set(None if before is None and watch is None else (before, watch))
        if scope.ledger is not None:
            _tell(scope.ledger.closed, scope)
        if isinstance(scope, Part):
            scope.outer.took(scope)
            return
        for ended in _ended:
            _tell(ended, scope)


_ended: tuple[Callable[[Scope], None], ...] = ()


def observe_scopes(ended: Callable[[Scope], None]) -> None:
    """Call ``ended`` with each scope that ends from now on, in this process; what it raises is logged."""
    global _ended
    _ended = (*_ended, ended)


def unobserve_scopes(ended: Callable[[Scope], None]) -> None:
    global _ended
    _ended = tuple(known for known in _ended if known != ended)


def _tell(ended: Callable[[Scope], None], scope: Scope) -> None:
    try:
        ended(scope)
    except Exception as error:
        log.error("An observer of scopes failed", observer=repr(ended), error=type(error).__name__)


def note(facts: StatementFacts, context: ExecutionContext | None = None, many: bool = False) -> None:
    """Record a statement where it belongs; without a scope, doubt falls on all that record now."""
    scope = _current.get()
    if scope is not None:
        scope.note(facts, context, many)
        return
    if facts.reads or facts.reads_unknown:
        # Copied in one step, for other threads open and close scopes meanwhile.
        for recording in list(_recording):
            recording.unknown.add(f"a read outside any scope: {facts.fingerprint}")
