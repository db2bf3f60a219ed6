"""What one scope asked of the database: how often each statement, and what is noteworthy about that.

`ScopeLedger.note` is called for every statement but the ``firsts`` (reads that were noted in another scope before,
and run for the first time here) and does no more than count, until a statement has run `LOOK_FROM` times: from
then on its call site and a digest of its keys are taken, of the next `LOOKS` runs and then of every 64th. Nothing
of a parameter is kept but the digest.

Bounds for each scope: `STATEMENTS` statements, `TRAILS` trails for each, `KEYS` digests for each of those.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Protocol

from steinmetz.monitor.analysis.n_plus_one import DISTINCT, Repeated, Trodden
from steinmetz.monitor.analysis.remedies import Cause, Origin
from steinmetz.monitor.analysis.slots import Slots
from steinmetz.monitor.capture.call_site import Trail, current_flush, places
from steinmetz.monitor.capture.orm_origin import origin_of
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.scope import Scope, ScopeKind

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

LOOK_FROM = 3
LOOKS = 40
STATEMENTS = 500
TRAILS = 16
KEYS = 32
_UNITS_BY_TRANSACTION = frozenset({ScopeKind.JOB, ScopeKind.COMMAND})


class Eye(Protocol):
    """Who looks closer at a statement, on behalf of the ledger."""

    @property
    def seen(self) -> Container[str]:
        """The fingerprints of statements that it has looked at."""

    def first(self, facts: StatementFacts, context: ExecutionContext | None) -> None:
        """A statement ran for the first time in a scope."""

    def trail(self) -> Trail:
        """Where the application is now."""

    def slots(self, statement: str) -> Slots:
        """The values in a statement as the driver gets it."""


class Steps:
    """The runs of one statement along one trail."""

    __slots__ = ("columns", "flush", "is_limited", "keys", "looked", "origin", "transaction", "transactions")

    def __init__(self, slots: Slots, origin: Origin) -> None:
        self.columns = slots.columns
        self.is_limited = slots.is_limited
        self.origin = origin
        self.looked = 0
        self.keys: set[int] = set()
        self.transactions = 0
        self.transaction: Any = None
        self.flush: Any = None

    def is_of_the_same_flush(self) -> bool:
        """Whether the run before belonged to the flush that goes on now."""
        before, self.flush = self.flush, current_flush()
        return before is not None and self.flush is not None and before() is self.flush()


class Runs:
    """The runs of one statement in one scope."""

    __slots__ = ("count", "facts", "total_ns", "trails", "trails_dropped")

    def __init__(self, facts: StatementFacts, total_ns: int) -> None:
        self.facts = facts
        self.count = 1
        self.total_ns = total_ns
        self.trails: dict[Trail, Steps] | None = None  # until one is looked at
        self.trails_dropped = 0


class ScopeLedger:
    """The `steinmetz.sql.scope.Ledger` of the monitor; `note` is called for every statement that succeeded.

    The parent of a loop is the scope. In jobs and commands it is the transaction: a worker that takes one item,
    does it and commits is no loop, though it never ends.
    """

    __slots__ = ("_by_transaction", "_ended", "_look_from", "dropped", "eye", "failed", "firsts", "runs")

    def __init__(
        self,
        ended: Callable[[Scope, ScopeLedger], None],
        eye: Eye,
        kind: ScopeKind = ScopeKind.REQUEST,
        look_from: int = LOOK_FROM,
    ) -> None:
        self._ended = ended
        self.eye = eye
        self._by_transaction = kind in _UNITS_BY_TRANSACTION
        self._look_from = look_from
        self.runs: dict[str, Runs] = {}
        self.firsts: dict[str, list[Any]] | None = {} if look_from > 1 else None
        self.dropped = 0
        self.failed = 0

    def note(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        runs = self.runs.get(facts.fingerprint)
        if runs is None:
            self._first(facts, duration_ns, parameters, context)
            return
        count = runs.count = runs.count + 1
        runs.total_ns += duration_ns
        if count >= self._look_from and (count < LOOKS or not count & 63):
            try:
                self._look(runs, parameters, context)
            except Exception:
                self.failed += 1  # the statement has run, and its caller shall not hear of us

    def _first(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        if len(self.runs) >= STATEMENTS:
            self.dropped += 1
            return
        if facts.fingerprint not in self.eye.seen:
            try:
                self.eye.first(facts, context)
            except Exception:
                self.failed += 1
        runs = self.runs.setdefault(facts.fingerprint, Runs(facts, duration_ns))
        if self.firsts and facts.fingerprint in self.firsts:
            runs.count = 2
        if runs.count >= self._look_from:
            try:
                self._look(runs, parameters, context)
            except Exception:
                self.failed += 1

    def _look(self, runs: Runs, parameters: Any, context: ExecutionContext | None) -> None:
        if runs.facts.verb is Verb.DDL or context is None or _is_many(context):
            return
        statement = context.statement
        if statement is None:
            return
        slots = self.eye.slots(str(statement))
        if slots.is_batch:
            return
        trail = self.eye.trail()
        if runs.trails is None:
            runs.trails = {}
        steps = runs.trails.get(trail)
        if steps is None:
            if len(runs.trails) >= TRAILS:
                runs.trails_dropped += 1
                return
            steps = runs.trails.setdefault(trail, Steps(slots, origin_of(context)))
        transaction = context.root_connection.get_transaction()
        if transaction is not steps.transaction:
            steps.transaction = transaction
            steps.transactions += 1
            if self._by_transaction and len(steps.keys) < DISTINCT:
                steps.keys.clear()
        steps.looked += 1
        if steps.origin.cause is Cause.FLUSH and steps.is_of_the_same_flush():
            return  # what SQLAlchemy itself writes row by row
        if len(steps.keys) < KEYS:
            steps.keys.add(slots.keys(parameters))

    def repeated(self) -> list[Repeated]:
        """What was looked at, for `steinmetz.monitor.analysis.n_plus_one`."""
        return [
            Repeated(
                runs.facts,
                runs.count,
                runs.total_ns,
                [
                    Trodden(
                        places(trail), steps.looked, len(steps.keys), steps.columns, steps.origin,
                        steps.is_limited, steps.transactions,
                    )
                    for trail, steps in list(runs.trails.items())
                ],
            )
            for runs in list(self.runs.values())
            if runs.trails
        ]  # fmt: skip

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        runs = self.runs.get(facts.fingerprint)
        if runs is not None:
            runs.total_ns += fetch_ns

    def settle(self) -> None:
        """Add the first runs that were not noted."""
        for fingerprint, (facts, duration_ns, _) in list((self.firsts or {}).items()):
            runs = self.runs.get(fingerprint)
            if runs is not None:
                runs.total_ns += duration_ns
            elif len(self.runs) < STATEMENTS:
                self.runs[fingerprint] = Runs(facts, duration_ns)
            else:
                self.dropped += 1

    def closed(self, scope: Scope) -> None:
        self._ended(scope, self)


def _is_many(context: Any) -> bool:
    """Whether one call of the driver brings several sets of parameters, or a batch of rows."""
    return bool(getattr(context, "executemany", False))
