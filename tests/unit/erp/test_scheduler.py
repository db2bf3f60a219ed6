"""Time passes: what falls due at midnight of the company becomes an ordinary write, once a day."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from steinmetz.clock import FakeClock
from steinmetz.erp import migrations
from steinmetz.erp.db import Database
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import CustomerInput, InvoiceInput, InvoiceItemInput
from steinmetz.erp.modules.system.models import AuditEntry
from steinmetz.erp.scheduler import Scheduler

pytestmark = pytest.mark.anyio

schema()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "company.sqlite3"
    migrations.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def company(template: Path, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Database]:
    """An invoice that is due on Wednesday, 4 March 2026."""
    shutil.copy(template, tmp_path / "company.sqlite3")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'company.sqlite3'}", clock=clock)
    async with database.unit() as unit:
        customer = await finance.create_customer(unit, CustomerInput(name="Muster", payment_days=2))
        item = InvoiceItemInput(description="Wartung", unit_price_cents=100)
        draft = await finance.draft_invoice(unit, InvoiceInput(customer_id=customer.id, items=[item]))
        await finance.send_invoice(unit, draft.id, draft.version)
    yield database
    await database.close()


async def status(company: Database) -> InvoiceStatus:
    async with company.unit(writes=False) as unit:
        return (await finance.invoice(unit, 1)).status


THURSDAY_IN_BERLIN = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)


async def test_an_invoice_is_overdue_when_the_day_after_begins_in_berlin(
    company: Database, clock: FakeClock
) -> None:
    scheduler = Scheduler(company, clock)
    assert await scheduler.run_due(THURSDAY_IN_BERLIN - timedelta(seconds=1)) == 0
    assert await status(company) is InvoiceStatus.SENT
    assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 1
    assert await status(company) is InvoiceStatus.OVERDUE
    async with company.unit(writes=False) as unit:
        entry = (await unit.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()))).first()
    assert entry is not None
    assert (entry.action, entry.actor_id, entry.actor_name) == ("invoice.fall_due", None, "SteinmetZ")


async def test_a_day_is_done_once(company: Database, clock: FakeClock) -> None:
    scheduler = Scheduler(company, clock)
    assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 1
    async with company.unit() as unit:
        await unit.session.execute(AuditEntry.__table__.delete())
    assert await scheduler.run_due(THURSDAY_IN_BERLIN + timedelta(hours=23)) == 0
    async with company.unit(writes=False) as unit:
        assert (await unit.session.scalars(select(AuditEntry))).all() == []


async def test_a_failure_is_tried_again(
    company: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(company, clock)

    async def refuse(*_: object) -> int:
        raise ConnectionError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(finance, "mark_overdue", refuse)
        with pytest.raises(ConnectionError):
            await scheduler.run_due(THURSDAY_IN_BERLIN)
    assert await scheduler.run_due(THURSDAY_IN_BERLIN) == 1


async def test_start_catches_up_before_anybody_asks(company: Database, clock: FakeClock) -> None:
    clock.advance((THURSDAY_IN_BERLIN - clock.now()).total_seconds())
    scheduler = Scheduler(company, clock)
    await scheduler.start()
    try:
        assert await status(company) is InvoiceStatus.OVERDUE
    finally:
        await scheduler.stop()


async def test_a_database_that_is_down_does_not_stop_the_start(
    company: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(*_: object) -> int:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(finance, "mark_overdue", refuse)
    scheduler = Scheduler(company, clock)
    await scheduler.start()
    await scheduler.stop()
    assert "tried again" in capsys.readouterr().out
