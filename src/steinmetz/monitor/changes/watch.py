"""Notices changes, and judges them while figures come in."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.regression import Verdict, compare
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.analysis.window import Kind
from steinmetz.monitor.changes.change import DDL_LENGTH, NOTE_LENGTH, Cause, Change, Entry, Outcome
from steinmetz.monitor.changes.judge import AFTER_S, BEFORE_S, History, Stretch, concerned, judge
from steinmetz.monitor.changes.log import ChangeLog, MemoryChangeLog
from steinmetz.monitor.stores.base import StatisticsStore
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.monitor")

REVIEW_EVERY_S = 60.0
PLANS_WATCHED = 500
STATEMENTS_LOOKED_AT = 500
NOTICED_KEPT = 200

Histories = Callable[[datetime, Callable[[str], bool]], Sequence[History]]
"""The figures of the statements whose text is wanted, from an instant on."""
PlanRegressed = Callable[[str, float, float], None]
"""Called with a statement's name and its p95 in ms before and after its plan has changed for the worse."""


class Changes:
    """The changes of one database and their outcomes; costs nothing per query.

    What ran before a change is looked up at the first review after it and remembered: minutes are not kept for
    long.
    """

    def __init__(
        self,
        clock: Clock,
        histories: Histories,
        *,
        change_log: ChangeLog | None = None,
        on_plan_regressed: PlanRegressed = lambda name, before_ms, after_ms: None,
        on_judged: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self.clock = clock
        self.log: ChangeLog = change_log or MemoryChangeLog()
        self._histories = histories
        self._on_plan_regressed = on_plan_regressed
        self._on_judged = on_judged
        self._before: dict[str, Sequence[History]] = {}
        self._plans: dict[str, _Plan] = {}
        self._noticed: deque[Change] = deque(maxlen=NOTICED_KEPT)
        self._tasks: Tasks | None = None

    # -- what happened ---------------------------------------------------------------------------------------

    async def mark(self, note: str, author: str = "", tables: Sequence[str] = ()) -> Change:
        """Somebody is about to change something, or has just done so.

        Raises `ValueError` without a note, or with one that is too long.
        """
        note = note.strip()
        if not note or len(note) > NOTE_LENGTH:
            raise ValueError(f"a mark has a note of 1 to {NOTE_LENGTH} characters that says what was changed")
        return await self._begin(Cause.MARK, note=note, author=author[:100], tables=tuple(tables))

    async def deployed(self, release: str) -> Change | None:
        """This release runs now; returns the change if the one before was another."""
        for entry in await self.log.entries():
            if entry.change.cause is Cause.DEPLOY:
                if entry.change.note == release:
                    return None
                break
        return await self._begin(Cause.DEPLOY, note=release)

    def ddl(self, text: str, tables: Sequence[str]) -> None:
        """A statement has changed the schema; ``text`` without literals. From any thread, waits for nothing."""
        now = self.clock.now()
        self._noticed.append(Change(uuid.uuid4().hex, now, Cause.DDL, ddl=text[:DDL_LENGTH], tables=tuple(tables)))

    def plan_changed(self, fingerprint: str, name: str) -> None:
        """A statement is carried out in another way than before: watch whether it is a worse one.

        From any thread, waits for nothing.
        """
        if fingerprint in self._plans or len(self._plans) < PLANS_WATCHED:
            self._plans[fingerprint] = _Plan(self.clock.now(), name)

    # -- what came of it -------------------------------------------------------------------------------------

    async def review(self) -> list[Entry]:
        """Judge all changes that are not settled; returns those whose verdict is another one now."""
        await self._write_noticed()
        await asyncio.to_thread(self._review_plans)
        now = self.clock.now()
        told = []
        for entry in await self.log.entries():
            if entry.outcome.settled or now - entry.change.at > timedelta(days=1):
                continue
            change = entry.change
            outcome = await asyncio.to_thread(self._judged, change, now)
            if outcome.settled:
                self._before.pop(change.id, None)
            if outcome != entry.outcome:
                judged = Entry(change, outcome)
                await self.log.put(judged)
                self._on_judged(judged)
                if outcome.verdict is not entry.outcome.verdict:
                    told.append(judged)
                    _say(judged)
        return told

    async def entries(self, limit: int = 50) -> list[Entry]:
        """Newest first."""
        return await self.log.entries(limit)

    # -- life ------------------------------------------------------------------------------------------------

    def start(self, release: str | None = None) -> None:
        """Review every minute on the running loop, until `stop`. Another ``release`` than before is a change."""
        if self._tasks is None:
            self._tasks = Tasks("changes")
            self._tasks.spawn("review", self._reviewing(release))

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()
            try:
                await self._write_noticed()
            except Exception as error:
                log.error(
                    "Changes could not be written down", error=type(error).__name__, changes=len(self._noticed)
                )

    async def _reviewing(self, release: str | None) -> None:
        while True:
            try:
                if release is not None:
                    await self.deployed(release)
                    release = None
                await self.review()
            except Exception as error:
                log.error("Changes could not be reviewed", error=type(error).__name__)
            await asyncio.sleep(REVIEW_EVERY_S)

    async def _write_noticed(self) -> None:
        while self._noticed:
            noticed = self._noticed[0]  # it stays until it is written down
            await self.log.put(Entry(noticed))
            if self._noticed and self._noticed[0] is noticed:  # else it has made room for newer ones
                self._noticed.popleft()

    # -- figures ---------------------------------------------------------------------------------------------

    async def _begin(self, cause: Cause, *, note: str, author: str = "", tables: tuple[str, ...] = ()) -> Change:
        change = Change(uuid.uuid4().hex, self.clock.now(), cause, note=note, author=author, tables=tables)
        await self.log.put(Entry(change))
        return change

    def _judged(self, change: Change, now: datetime) -> Outcome:
        if change.id not in self._before:
            since = change.at - timedelta(seconds=BEFORE_S)
            before = self._histories(since, lambda text: concerned(change, text))
            self._before[change.id] = [_until(history, change.at) for history in before]
        return judge(change, self._both_sides(change), now)

    def _both_sides(self, change: Change) -> list[History]:
        after = {
            history.fingerprint: history
            for history in self._histories(change.at, lambda text: concerned(change, text))
        }
        return [
            History(before.fingerprint, before.name, before.text, [*before.stretches, *now.stretches])
            for before in self._before[change.id]
            if (now := after.get(before.fingerprint)) is not None
        ]

    def _review_plans(self) -> None:
        now = self.clock.now()
        for fingerprint, plan in list(self._plans.items()):
            if plan.before is None:
                since = plan.at - timedelta(seconds=BEFORE_S)
                plan.before = _sum(_until(history, plan.at) for history in self._of(fingerprint, since))
            after = _sum(self._of(fingerprint, plan.at))
            verdict = compare(plan.before.histogram, after.histogram).verdict
            if verdict is Verdict.REGRESSED:
                self._on_plan_regressed(plan.name, plan.before.quantile(0.95) / 1e6, after.quantile(0.95) / 1e6)
            if verdict in _CERTAIN or now - plan.at > timedelta(seconds=AFTER_S):
                del self._plans[fingerprint]

    def _of(self, fingerprint: str, since: datetime) -> list[History]:
        found = self._histories(since, lambda text: True)
        return [history for history in found if history.fingerprint == fingerprint]


_CERTAIN = frozenset({Verdict.REGRESSED, Verdict.IMPROVED, Verdict.NEUTRAL})


@dataclass(slots=True)
class _Plan:
    """A statement whose plan has changed, and how it ran before that, once that was looked up."""

    at: datetime
    name: str
    before: Statistics | None = None


def _until(history: History, end: datetime) -> History:
    kept = [each for each in history.stretches if each.start + timedelta(seconds=each.length_s) <= end]
    return History(history.fingerprint, history.name, history.text, kept)


def _sum(histories: Iterable[History]) -> Statistics:
    result = Statistics()
    for history in histories:
        for stretch in history.stretches:
            result.merge(stretch.statistics)
    return result


def histories_of(store: Callable[[], StatisticsStore]) -> Histories:
    """The figures of a store, of the statements with the most time."""

    def histories(since: datetime, wanted: Callable[[str], bool]) -> list[History]:
        kept = store()
        statements = sorted(
            (each for each in kept.figures(Kind.STATEMENT).values() if each.text),
            key=lambda each: each.statistics.total_ns,
            reverse=True,
        )
        return [
            History(
                each.key,
                each.name,
                each.text,
                [
                    Stretch(moment.start, moment.length_s, moment.statistics)
                    for moment in kept.history(Kind.STATEMENT, each.key, since)
                ],
            )
            for each in statements[:STATEMENTS_LOOKED_AT]
            if wanted(each.text)
        ]

    return histories


def _say(entry: Entry) -> None:
    verdict = entry.outcome.verdict
    say = log.warning if verdict is Verdict.REGRESSED else log.info
    say(
        "A change was judged",
        cause=entry.change.cause.value,
        note=entry.change.note or entry.change.ddl,
        verdict=verdict.value,
        statements=len(entry.outcome.statements),
    )
