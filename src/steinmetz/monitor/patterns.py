"""What is noteworthy about the way an application asks: found when a unit of work ends, kept once each, told once
an hour.

The ledgers of the scopes only count (`steinmetz.monitor.capture.ledger`); the judgement is made in
`steinmetz.monitor.analysis`, after the work is done.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.bounds import ROWS_FROM, may_be_unbounded, unbounded
from steinmetz.monitor.analysis.cartesian import cartesian, unconnected
from steinmetz.monitor.analysis.chatty import CHATTY_FROM, Asked, chatty, over_budget
from steinmetz.monitor.analysis.n_plus_one import DISTINCT, loops
from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.analysis.rankings import StatementFigures
from steinmetz.monitor.analysis.slots import Slots, slots_of
from steinmetz.monitor.capture.call_site import CallSites, Trail
from steinmetz.monitor.capture.eager_loads import EagerLoads
from steinmetz.monitor.capture.ledger import ScopeLedger
from steinmetz.monitor.stores.patterns import Habit, PatternStore
from steinmetz.monitor.stores.routes import Routes
from steinmetz.sql.facts import StatementFacts, Verb
from steinmetz.sql.scope import Scope, ScopeKind, current_scope

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

log = structlog.get_logger("steinmetz.monitor")

REPETITIONS = 5
"""Runs of a statement at one line, with different keys, from which it is called an N+1 or a write loop."""
REMEMBERED = 5_000
"""Statements that are looked at once; further ones are not looked at for cartesian joins."""
_JOINS = re.compile(r"\bjoin\b|\bfrom\b[^()]*,", re.IGNORECASE)
TEXTS_WAITING = 100
TEXTS_A_SCOPE = 2
"""Texts are parsed when a scope has ended, a few at a time: a millisecond each."""


class Patterns:
    """Finds and keeps the query patterns of one monitor.

    ``repetitions``, ``chatty_from`` (statements) and ``rows_from`` (rows) are where N+1, chatty requests and
    unbounded selects begin; ``budgets`` are statements allowed by name of scope, as in ``{"GET /api/invoices":
    5}``; ``skip`` names modules that are never the line to blame, as ``myapp.db``. With ``warn``, each habit is
    logged once an hour. ``strict`` makes budgets raise where they can (`steinmetz.monitor.budget`,
    `steinmetz.monitor.testing`).
    """

    def __init__(
        self,
        clock: Clock,
        *,
        repetitions: int = REPETITIONS,
        chatty_from: int = CHATTY_FROM,
        rows_from: int = ROWS_FROM,
        budgets: Mapping[str, int] | None = None,
        skip: Iterable[str] = (),
        warn: bool = False,
        strict: bool = False,
    ) -> None:
        if repetitions < 2:
            raise ValueError(f"repetitions is at least 2, not {repetitions}: one run is no loop")
        self.strict = strict
        self.rows_from = rows_from
        self.exceedings: deque[str] = deque(maxlen=100)
        """Routes that went over their configured budget, told to tests if strict."""
        self._distinct = min(DISTINCT, repetitions)
        self._look_from = max(1, repetitions - self._distinct + 1)
        self._chatty_from = chatty_from
        self._budgets = dict(budgets or {})
        self._warn = warn
        self._sites = CallSites(skip)
        self._store = PatternStore(clock)
        self._routes = Routes()
        self._eager_loads: EagerLoads | None = None
        self._slots: dict[str, Slots] = {}
        self.seen: set[str] = set()
        self._unbounded: dict[str, bool] = {}
        self._texts: deque[tuple[StatementFacts, str, str, Place | None, str]] = deque(maxlen=TEXTS_WAITING)

    # -- while a scope lasts ------------------------------------------------------------------------------------

    def ledger(self, kind: ScopeKind = ScopeKind.REQUEST) -> ScopeLedger:
        """A new ledger, to be made `Scope.ledger` at the first statement of a scope."""
        return ScopeLedger(self.closed, self, kind, self._look_from)

    def trail(self) -> Trail:
        return self._sites.trail()

    def slots(self, statement: str) -> Slots:
        found = self._slots.get(statement)
        if found is None:
            if len(self._slots) >= REMEMBERED:
                self._slots.clear()  # texts with values in them are as many as their values
            found = self._slots[statement] = slots_of(statement)
        return found

    def first(self, facts: StatementFacts, context: ExecutionContext | None) -> None:
        """Look once at each statement for relations that nothing connects."""
        if facts.fingerprint in self.seen or len(self.seen) >= REMEMBERED:
            return
        self.seen.add(facts.fingerprint)
        if facts.verb is not Verb.SELECT or context is None:
            return
        linter = getattr(context.compiled, "from_linter", None)
        if linter is not None:
            alone, _ = linter.lint()
            if alone:
                names = tuple(sorted(str(linter.froms[one]) for one in alone))
                self.found(cartesian(facts, names, self.call_site(), _name(current_scope())))
        elif _JOINS.search(facts.text) and context.statement is not None:
            text, dialect = str(context.statement), context.dialect.name
            self._texts.append((facts, text, dialect, self.call_site(), _name(current_scope())))

    def fetched(self, facts: StatementFacts, rows: int, duration_ns: int) -> None:
        """A SELECT has returned ``rows``, more than `rows_from`; called where the rows are first known."""
        if rows <= self.rows_from:
            return
        known = self._unbounded.get(facts.fingerprint)
        if known is None:
            if len(self._unbounded) >= REMEMBERED:
                return
            known = self._unbounded[facts.fingerprint] = may_be_unbounded(facts)
        if known:
            self.found(unbounded(facts, rows, self.call_site(), _name(current_scope()), duration_ns))

    def call_site(self) -> Place | None:
        """The application's line that is asking now, past the modules of ``skip``; 2 to 8 µs."""
        return self._sites.call_site()

    # -- when it has ended --------------------------------------------------------------------------------------

    def closed(self, scope: Scope, ledger: ScopeLedger) -> None:
        """Judge what a scope has asked; an error of ours is logged and reaches nobody."""
        try:
            name, firsts = scope.name, ledger.firsts
            if firsts and self._is_plain(name, ledger, len(firsts)):
                self._routes.add_firsts(name, list(firsts.values()))
            else:
                ledger.settle()
                self.judge(name, ledger)
            if self._eager_loads is not None:
                for finding in self._eager_loads.unused(scope):
                    self.found(finding)
            ledger.runs.clear()  # whoever holds the scope for longer does not hold its connections
        except Exception as error:
            log.error("The query patterns of a scope could not be judged", error=type(error).__name__)

    def _is_plain(self, name: str, ledger: ScopeLedger, firsts: int) -> bool:
        """Whether a scope ran a few statements once each, as most do: there is nothing to judge."""
        return not ledger.runs and not self._texts and firsts < self._chatty_from and name not in self._budgets

    def judge(self, name: str, ledger: ScopeLedger) -> None:
        """The findings of one parent: a scope, or outside of any a tracked span."""
        statements = list(ledger.runs.values())
        if not statements:
            return
        self._routes.add(name, statements)
        count = 0
        is_repeated = False
        for runs in statements:
            count += runs.count
            if runs.trails:
                is_repeated = True
        if is_repeated:
            for finding in loops(ledger.repeated(), name, self._distinct):
                self.found(finding)
        allowed = self._budgets.get(name)
        if count >= self._chatty_from or (allowed is not None and count > allowed):
            asked = [Asked(one.facts.fingerprint, one.facts.text, one.count, one.total_ns) for one in statements]
            if (talk := chatty(name, asked, self._chatty_from)) is not None:
                self.found(talk)
            if allowed is not None:
                self.exceeded(name, asked, allowed)
        for _ in range(min(TEXTS_A_SCOPE, len(self._texts))):
            facts, text, dialect, place, where = self._texts.popleft()
            if alone := unconnected(text, dialect):
                self.found(cartesian(facts, alone, place, where))

    def exceeded(self, name: str, asked: Sequence[Asked], allowed: int) -> None:
        """Keep it if ``name`` asked more than it may."""
        finding = over_budget(name, asked, allowed)
        if finding is not None:
            self.exceedings.append(f"{name}: {finding.remedy}")
            self.found(finding)

    def found(self, finding: Finding) -> None:
        """Keep a finding, and tell it if it was not told within the hour."""
        if self._store.add(finding) and self._warn:
            log.warning(
                "Query pattern found",
                pattern=finding.kind.value,
                line=str(finding.place) if finding.place is not None else None,
                subject=finding.subject or None,
                scope=finding.scope or None,
                count=finding.count,
                remedy=finding.remedy,
                statement=finding.statement or None,
            )

    # -- for developers -----------------------------------------------------------------------------------------

    def watch_eager_loads(self, base: type) -> None:
        """Find relationships that are loaded for nothing on the models of a declarative ``base``.

        For development and tests: it holds what a scope loads until its end. See `EagerLoads` for the cost.
        """
        if self._eager_loads is None:
            self._eager_loads = EagerLoads(self._sites.trail)
        self._eager_loads.watch(base)

    def unwatch_eager_loads(self) -> None:
        if self._eager_loads is not None:
            self._eager_loads.unwatch()
            self._eager_loads = None

    # -- what was found -----------------------------------------------------------------------------------------

    def habits(self, kinds: Collection[PatternKind] = ()) -> list[Habit]:
        """What was found, of ``kinds`` only if given, the one that could save the most time first."""
        return self._store.habits(kinds)

    def routes(self) -> list[StatementFigures]:
        """The statements of each kind of unit of work, with how many units there were."""
        return self._routes.figures()

    @property
    def dropped(self) -> int:
        """Habits that had to make room for newer ones."""
        return self._store.dropped

    def clear(self) -> None:
        self._store.clear()
        self._routes = Routes()
        self.seen.clear()
        self.exceedings.clear()


def _name(scope: Any) -> str:
    return scope.name if scope is not None else ""
