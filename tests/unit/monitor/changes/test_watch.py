"""Changes are noticed, judged while figures come in, and settled."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
import structlog

from steinmetz.clock import FakeClock
from steinmetz.monitor.analysis.regression import Verdict
from steinmetz.monitor.analysis.statistics import Statistics
from steinmetz.monitor.changes.change import Cause, Change, Entry
from steinmetz.monitor.changes.judge import History, Stretch
from steinmetz.monitor.changes.log import KEPT, MemoryChangeLog
from steinmetz.monitor.changes.watch import Changes

pytestmark = pytest.mark.anyio

READ = "SELECT a FROM invoices WHERE status = ?"


class Figures:
    """Minutes of one statement; like the real ones, the last 60 of them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.stretches: list[Stretch] = []

    def minute(self, middle_ms: float, count: int = 1_000) -> None:
        """Let a minute pass in which the statement took about ``middle_ms``."""
        start = self.clock.now()
        generator = random.Random(str(start))
        statistics = Statistics()
        for _ in range(count):
            statistics.add(int(middle_ms * 1e6 * generator.lognormvariate(0, 0.3)))
        self.stretches = [*self.stretches[-59:], Stretch(start, 60, statistics)]
        self.clock.advance(60)

    def __call__(self, since: datetime, wanted: Callable[[str], bool]) -> Sequence[History]:
        kept = [each for each in self.stretches if each.start >= since]
        return [History("f1", "invoices.list", READ, kept)] if kept and wanted(READ) else []


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def figures(clock: FakeClock) -> Figures:
    return Figures(clock)


@pytest.fixture
def changes(clock: FakeClock, figures: Figures) -> Changes:
    return Changes(clock, figures)


async def test_a_mark_is_judged_settled_and_told_once(
    changes: Changes, figures: Figures, clock: FakeClock
) -> None:
    figures.minute(10)
    mark = await changes.mark(" an index on status ", "erika")
    assert (mark.note, mark.author, mark.cause) == ("an index on status", "erika", Cause.MARK)
    assert await changes.review() == []
    clock.advance(60)
    figures.minute(2)
    with structlog.testing.capture_logs() as logs:
        (told,) = await changes.review()
        assert await changes.review() == []
    assert told.outcome.verdict is Verdict.IMPROVED
    assert not told.outcome.settled
    assert [(line["event"], line["verdict"]) for line in logs] == [("A change was judged", "improved")]
    for _ in range(70):  # the minutes before the change are forgotten by now
        figures.minute(2, count=10)
    await changes.review()
    (entry,) = await changes.entries()
    assert (entry.outcome.settled, entry.outcome.verdict) == (True, Verdict.IMPROVED)
    assert entry.outcome.statements[0].before.count == 1_000


async def test_a_change_of_the_schema_concerns_its_tables(changes: Changes, figures: Figures) -> None:
    figures.minute(10)
    changes.ddl("CREATE INDEX i ON invoices(status)", ["invoices"])
    changes.ddl("CREATE INDEX i ON customers(name)", ["customers"])
    figures.minute(40)
    await changes.review()
    found = {entry.change.tables: entry.outcome for entry in await changes.entries()}
    assert found["invoices",].verdict is Verdict.REGRESSED
    assert found["customers",].statements == ()


async def test_a_log_that_cannot_be_written_loses_no_change(
    changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(entry: Entry) -> None:
        raise OSError("no")

    changes.ddl("CREATE INDEX i ON invoices(status)", ["invoices"])
    with monkeypatch.context() as patch:
        patch.setattr(changes.log, "put", refuse)
        with pytest.raises(OSError, match="no"):
            await changes.review()
    await changes.review()
    await changes.review()
    assert [entry.change.tables for entry in await changes.entries()] == [("invoices",)]


async def test_what_was_noticed_last_is_written_down_at_the_end(changes: Changes) -> None:
    changes.start()
    changes.ddl("CREATE INDEX i ON invoices(status)", ["invoices"])
    await changes.stop()
    assert [entry.change.tables for entry in await changes.entries()] == [("invoices",)]


async def test_another_release_is_a_change_and_the_same_is_none(changes: Changes, clock: FakeClock) -> None:
    first = await changes.deployed("1.0")
    assert first is not None
    clock.advance(1)
    assert await changes.deployed("1.0") is None
    assert await changes.deployed("1.1") is not None
    assert [entry.change.note for entry in await changes.entries()] == ["1.1", "1.0"]


async def test_a_mark_of_another_process_is_judged_too(
    changes: Changes, figures: Figures, clock: FakeClock
) -> None:
    figures.minute(10)
    await changes.log.put(Entry(Change("from elsewhere", clock.now(), Cause.MARK, "n")))
    figures.minute(2)
    (told,) = await changes.review()
    assert (told.change.id, told.outcome.verdict) == ("from elsewhere", Verdict.IMPROVED)


@pytest.mark.parametrize("note", ["", "  ", "x" * 501])
async def test_a_mark_needs_a_note(changes: Changes, note: str) -> None:
    with pytest.raises(ValueError, match="a mark has a note"):
        await changes.mark(note)


async def test_a_plan_that_changed_for_the_worse_is_told(clock: FakeClock, figures: Figures) -> None:
    told: list[tuple[str, float, float]] = []
    changes = Changes(clock, figures, on_plan_regressed=lambda *found: told.append(found))
    figures.minute(10)
    changes.plan_changed("f1", "invoices.list")
    changes.plan_changed("unknown", "nothing")
    await changes.review()
    assert told == []
    figures.minute(30)
    await changes.review()
    ((name, before_ms, after_ms),) = told
    assert name == "invoices.list"
    assert after_ms / before_ms == pytest.approx(3, rel=0.1)
    await changes.review()
    assert len(told) == 1


async def test_a_plan_that_changed_without_harm_is_not_told(clock: FakeClock, figures: Figures) -> None:
    told: list[tuple[str, float, float]] = []
    changes = Changes(clock, figures, on_plan_regressed=lambda *found: told.append(found))
    figures.minute(10)
    changes.plan_changed("f1", "invoices.list")
    figures.minute(10)
    await changes.review()
    figures.minute(30)
    await changes.review()
    assert told == []  # it was found harmless, and is watched no more


async def test_the_memory_of_changes_is_bounded(clock: FakeClock) -> None:
    kept = MemoryChangeLog()
    for number in range(KEPT + 5):
        await kept.put(Entry(Change(str(number), clock.now() + timedelta(seconds=number), Cause.MARK, "n")))
    entries = await kept.entries(KEPT + 5)
    assert (len(entries), entries[0].change.id, entries[-1].change.id) == (KEPT, str(KEPT + 4), "5")
