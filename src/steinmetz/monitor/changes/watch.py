"""Notices changes, and judges them while figures come in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.analysis.regression import Verdict, compare
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import DDL_LENGTH, NOTE_LENGTH, Cause, Change, Entry
from steinmetz.monitor.changes.judge import AFTER_S, BEFORE_S, History, Stretch, concerned, judge
from steinmetz.monitor.changes.log import ChangeLog, MemoryChangeLog
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.monitor")

REVIEW_EVERY_S = 60.0
PLANS_WATCHED = 500

Histories = Callable[[datetime, Callable[[str], bool]], Sequence[History]]
"""The figures of the statements whose text is wanted, from an instant on."""
PlanRegressed = Callable[[str, float, float], None]
"""Called with a statement's name and its p95 in ms before and after its plan has changed for the worse."""


class Changes:
    """The changes of one database and their outcomes; costs nothing per query.

    What ran before a change is remembered when the change is noticed, for minutes are not kept for long.
    """

    def __init__(
        self,
        clock: Clock,
        histories: Histories,
        *,
        change_log: ChangeLog | None = None,
        on_plan_regressed: PlanRegressed = lambda name, before_ms, after_ms: None,
    ) -> None:
        self.clock = clock
        self.log: ChangeLog = change_log or MemoryChangeLog()
        self._histories = histories
        self._on_plan_regressed = on_plan_regressed
        self._before: dict[str, Sequence[History]] = {}
        self._plans: dict[str, tuple[datetime, str, Statistics]] = {}
        self._noticed: list[Change] = []
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
        change = Change(uuid.uuid4().hex, self.clock.now(), Cause.DDL, ddl=text[:DDL_LENGTH], tables=tuple(tables))
        self._remember(change)
        self._noticed.append(change)

    def plan_changed(self, fingerprint: str, name: str) -> None:
        """A statement is carried out in another way than before: watch whether it is a worse one."""
        now = self.clock.now()
        since = now - timedelta(seconds=BEFORE_S)
        for history in self._histories(since, lambda text: True):
            if history.fingerprint == fingerprint and len(self._plans) < PLANS_WATCHED:
                self._plans[fingerprint] = (now, name, _sum(history.stretches))

    # -- what came of it -------------------------------------------------------------------------------------

    async def review(self) -> list[Entry]:
        """Judge all changes that are not settled; returns those whose verdict is another one now."""
        while self._noticed:
            await self.log.put(Entry(self._noticed.pop(0)))
        self._review_plans()
        now = self.clock.now()
        told = []
        for entry in await self.log.entries():
            if entry.outcome.settled or now - entry.change.at > timedelta(days=1):
                continue
            change = entry.change
            if change.id not in self._before:
                self._remember(change)  # marked by another process
            outcome = judge(change, self._both_sides(change), now)
            if outcome.settled:
                self._before.pop(change.id, None)
            if outcome != entry.outcome:
                judged = Entry(change, outcome)
                await self.log.put(judged)
                if outcome.verdict is not entry.outcome.verdict:
                    told.append(judged)
                    _say(judged)
        return told

    async def entries(self, limit: int = 50) -> list[Entry]:
        """Newest first."""
        return await self.log.entries(limit)

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Review every minute on the running loop, until `stop`."""
        if self._tasks is None:
            self._tasks = Tasks("changes")
            self._tasks.spawn("review", self._reviewing())

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.aclose()

    async def _reviewing(self) -> None:
        while True:
            await asyncio.sleep(REVIEW_EVERY_S)
            try:
                await self.review()
            except Exception as error:
                log.error("Changes could not be reviewed", error=type(error).__name__)

    # -- figures ---------------------------------------------------------------------------------------------

    async def _begin(self, cause: Cause, *, note: str, author: str = "", tables: tuple[str, ...] = ()) -> Change:
        change = Change(uuid.uuid4().hex, self.clock.now(), cause, note=note, author=author, tables=tables)
        self._remember(change)
        await self.log.put(Entry(change))
        return change

    def _remember(self, change: Change) -> None:
        since = change.at - timedelta(seconds=BEFORE_S)
        before = self._histories(since, lambda text: concerned(change, text))
        self._before[change.id] = [_until(history, change.at) for history in before]

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
        for fingerprint, (at, name, before) in list(self._plans.items()):
            after = Statistics()
            for history in self._histories(at, lambda text: True):
                if history.fingerprint == fingerprint:
                    after.merge(_sum(history.stretches))
            verdict = compare(before.histogram, after.histogram).verdict
            if verdict is Verdict.REGRESSED:
                self._on_plan_regressed(name, before.quantile(0.95) / 1e6, after.quantile(0.95) / 1e6)
            if verdict in (Verdict.REGRESSED, Verdict.IMPROVED, Verdict.NEUTRAL) or now - at > timedelta(
                seconds=AFTER_S
            ):
                del self._plans[fingerprint]


def _until(history: History, end: datetime) -> History:
    kept = [each for each in history.stretches if each.start + timedelta(seconds=each.length_s) <= end]
    return History(history.fingerprint, history.name, history.text, kept)


def _sum(stretches: Sequence[Stretch]) -> Statistics:
    result = Statistics()
    for stretch in stretches:
        result.merge(stretch.statistics)
    return result


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
