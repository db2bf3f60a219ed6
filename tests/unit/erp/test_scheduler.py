"""Time passes: what falls due becomes an ordinary write, once, in whichever process comes first."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from steinmetz.clock import FakeClock
from steinmetz.erp.chores import chores
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.chores import Daily, Every, When
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import CustomerInput, InvoiceInput, InvoiceItemInput
from steinmetz.erp.modules.system import service as system
from steinmetz.erp.modules.system.models import AuditEntry, ChoreRun
from steinmetz.erp.scheduler import Chore, Scheduler
from steinmetz.erp.settings import load_settings

pytestmark = pytest.mark.anyio

schema()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def company(sqlite_migrated: Path, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Database]:
    """An invoice that is due on Wednesday, 4 March 2026."""
    shutil.copy(sqlite_migrated, tmp_path / "company.sqlite3")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}", clock=clock)
    async with database.unit() as unit:
        customer = await finance.customers.create_customer(unit, CustomerInput(name="Muster", payment_days=2))
        item = InvoiceItemInput(description="Wartung", unit_price_cents=100)
        draft = await finance.drafts.draft_invoice(unit, InvoiceInput(customer_id=customer.id, items=[item]))
        await finance.invoices.send_invoice(unit, draft.id, draft.version)
    yield database
    await database.close()


async def status(company: Database) -> InvoiceStatus:
    async with company.unit(writes=False) as unit:
        return (await finance.invoices.invoice(unit, 1)).status


THURSDAY_IN_BERLIN = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)


def overdue(company: Database, clock: FakeClock) -> Scheduler:
    """With the chore for overdue invoices alone."""
    return Scheduler(
        company, clock, [chore for chore in chores(load_settings()) if chore.name == "overdue invoices"]
    )


async def test_an_invoice_is_overdue_when_the_day_after_begins_in_berlin(
    company: Database, clock: FakeClock
) -> None:
    scheduler = overdue(company, clock)
    assert await scheduler.run_due(THURSDAY_IN_BERLIN - timedelta(seconds=1)) == 0
    assert await status(company) is InvoiceStatus.SENT
    assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 1
    assert await status(company) is InvoiceStatus.OVERDUE
    async with company.unit(writes=False) as unit:
        entry = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()))).first()
    assert entry is not None
    assert (entry.action, entry.actor_id, entry.actor_name) == ("invoice.fall_due", None, "SteinmetZ")


async def test_start_catches_up_before_anybody_asks(company: Database, clock: FakeClock) -> None:
    clock.advance((THURSDAY_IN_BERLIN - clock.now()).total_seconds())
    scheduler = Scheduler(company, clock, chores(load_settings()))
    assert scheduler.health() == "not running"
    await scheduler.start()
    try:
        assert await status(company) is InvoiceStatus.OVERDUE
        assert scheduler.health() == "ok"
    finally:
        await scheduler.stop()
    assert scheduler.health() == "not running"


async def test_a_failure_is_tried_again(
    company: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> int:
        raise ConnectionError("the database went away")

    scheduler = overdue(company, clock)
    with monkeypatch.context() as patch:
        patch.setattr(finance.invoices, "mark_overdue", refuse)
        assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 0
    assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 1


async def test_a_database_that_is_down_does_not_stop_the_start(
    company: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(*_: object) -> dict[str, ChoreRun]:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(system.chores, "chore_runs", refuse)
    scheduler = overdue(company, clock)
    await scheduler.start()
    assert scheduler.health() == "ok"
    await scheduler.stop()
    assert "tried again" in capsys.readouterr().out


class Diary:
    """A chore that notes when it was run."""

    def __init__(self, when: When = Daily(), name: str = "diary") -> None:  # noqa: B008 - a value
        self.days: list[datetime] = []
        self.failing = False
        self.chore = Chore(name, when, self.run)

    async def run(self, unit: Unit, now: datetime) -> int:
        system.audit.record(unit, "diary", "diary", now.isoformat())
        await unit.session.flush()
        if self.failing:
            raise LookupError("no ink\nand no pen")
        self.days.append(now)
        return 1


@pytest.fixture(params=["sqlite", "postgresql"])
async def databases(
    request: pytest.FixtureRequest, sqlite_migrated: Path, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[list[Database]]:
    """The same database, opened by three processes."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}"
    shutil.copy(sqlite_migrated, tmp_path / "company.sqlite3")
    if request.param == "postgresql":
        url = request.getfixturevalue("clean_postgres_url")
    opened = [Database(url, clock=clock, pool_size=2) for _ in range(3)]
    yield opened
    for database in opened:
        await database.close()


async def entries(database: Database) -> int:
    async with database.unit(writes=False) as unit:
        return len((await unit.session.scalars(select(AuditEntry).where(AuditEntry.action == "diary"))).all())


async def last_run(database: Database) -> ChoreRun | None:
    async with database.unit(writes=False) as unit:
        return (await system.chores.chore_runs(unit)).get("diary")


async def test_of_several_processes_one_does_it_once(databases: list[Database], clock: FakeClock) -> None:
    diaries = [Diary() for _ in databases]
    schedulers = [Scheduler(each, clock, [diary.chore]) for each, diary in zip(databases, diaries, strict=True)]
    for day in range(3):
        now = clock.now() + timedelta(days=day)
        for _ in range(2):
            await asyncio.gather(*(scheduler.run_due(now) for scheduler in schedulers))
        assert await entries(databases[0]) == day + 1
    assert sum(len(diary.days) for diary in diaries) == 3


async def test_a_restart_repeats_no_day_and_forgets_none(databases: list[Database], clock: FakeClock) -> None:
    diary = Diary()
    for hours, done in ((0, 1), (1, 1), (14, 2), (15, 2), (24 * 4, 3), (24 * 4 + 1, 3)):
        scheduler = Scheduler(databases[0], clock, [diary.chore])
        await scheduler.run_due(clock.now() + timedelta(hours=hours))
        assert len(diary.days) == done, hours
    assert await entries(databases[0]) == 3


async def test_a_clock_that_is_set_back_repeats_nothing(databases: list[Database], clock: FakeClock) -> None:
    diary = Diary()
    scheduler = Scheduler(databases[0], clock, [diary.chore])
    midnight = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    for now in (midnight, midnight - timedelta(hours=2), midnight + timedelta(hours=2)):
        await scheduler.run_due(now)
    assert diary.days == [midnight]


async def test_a_failure_leaves_nothing_holds_nobody_back_and_is_told(
    databases: list[Database], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, other = Diary(), Diary(Every(5), "other")
    broken.failing = True
    scheduler = Scheduler(databases[0], clock, [broken.chore, other.chore])
    now = clock.now()
    for failures in (1, 2):
        await scheduler.run_due(now)
        run = await last_run(databases[0])
        assert run is not None
        assert (run.failures, run.error, run.done_at) == (failures, "LookupError: no ink", None)
        assert scheduler.outcomes["diary"].failures == failures
    assert (other.days, await entries(databases[0])) == ([now], 1)
    assert "Chore failed" in capsys.readouterr().out
    broken.failing = False
    await scheduler.run_due(now)
    run = await last_run(databases[0])
    assert run is not None
    assert (run.failures, run.error, run.done_at, run.changed) == (0, "", now, 1)
    assert scheduler.outcomes["diary"].failures == 0


async def test_slices_go_on_until_one_is_not_full(databases: list[Database], clock: FakeClock) -> None:
    left, slices = [25], list[int]()

    async def run(unit: Unit, now: datetime) -> int:
        done = min(10, left[0])
        left[0] -= done
        slices.append(done)
        system.audit.record(unit, "diary", "diary", now.isoformat())
        return done

    scheduler = Scheduler(databases[0], clock, [Chore("diary", Daily(), run, slice_size=10)])
    assert await scheduler.run_due(clock.now()) == 25
    assert slices == [10, 10, 5]
    assert await entries(databases[0]) == 3
    assert await scheduler.run_due(clock.now()) == 0
    run_ = await last_run(databases[0])
    assert run_ is not None
    assert run_.changed == 25


async def test_a_chore_that_hangs_is_given_up(
    databases: list[Database], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steinmetz.erp.scheduler.UNIT_WITHIN_S", 0.2)

    async def hang(unit: Unit, now: datetime) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            monkeypatch.undo()  # the other one has all the time that a busy machine takes
        return 0

    other = Diary()
    scheduler = Scheduler(databases[0], clock, [Chore("hanging", Daily(), hang), other.chore])
    await scheduler.run_due(clock.now())
    assert scheduler.outcomes["hanging"].failures == 1
    assert len(other.days) == 1
