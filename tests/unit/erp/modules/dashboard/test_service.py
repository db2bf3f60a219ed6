"""The overview: few questions, everybody's figures, the same bytes for the same state; on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic_core import to_json
from sqlalchemy import event

from steinmetz.clock import FakeClock
from steinmetz.erp.db import Database, Unit
from steinmetz.erp.errors import Forbidden, NotFound
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.batch.models import BatchJob
from steinmetz.erp.modules.dashboard import service
from steinmetz.erp.modules.dashboard.schemas import CashWidget, RevenueWidget, WidgetId
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.schemas import CustomerInput, InvoiceInput, InvoiceItemInput, PaymentInput
from steinmetz.erp.modules.system.service import audit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(database: Database) -> Database:
    """Two invoices over 119 € of which one is half paid, a job, and an act that is not for everybody."""
    async with database.unit() as unit:
        customer = await finance.customers.create_customer(unit, CustomerInput(name="Muster GmbH"))
        item = InvoiceItemInput(description="Wartung", unit_price_cents=10_000)
        for _ in range(2):
            draft = await finance.drafts.draft_invoice(unit, InvoiceInput(customer_id=customer.id, items=[item]))
            sent = await finance.invoices.send_invoice(unit, draft.id, draft.version)
        await finance.payments.pay_invoice(unit, sent.id, PaymentInput(version=sent.version, amount_cents=5_950))
        unit.session.add(BatchJob(kind="import", created_at=unit.now))
        audit.record(unit, "user.disable", "user", 7, "secret@example.com")
    return database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that were sent meanwhile."""
    statements: list[str] = []
    engine = database.engine.sync_engine

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def as_role(role: Role) -> Actor:
    return Actor(None, role.value, role)


async def test_the_overview_is_seven_questions(company: Database) -> None:
    async with company.unit(writes=False) as unit:
        with counted(company) as statements:
            overview = await service.overview(unit)
        assert len(statements) == 7
    told = overview.model_dump(mode="json", by_alias=True)
    assert told["businessDate"] == "2026-03-02"
    assert told["openInvoices"] == {"count": 2, "sumCents": 23_800 - 5_950}
    assert told["overdueInvoices"] == {"count": 0, "sumCents": 0}
    assert told["cash"] == {"balanceCents": 5_950}
    assert told["revenue"]["months"][-1] == {"month": "2026-03", "netCents": 20_000}
    assert told["hoursThisWeek"] == {"weekStart": "2026-03-02", "minutes": 0}
    assert told["batch"]["queued"] == 1
    assert told["headcount"] == {"total": 0, "departments": []}


async def test_the_whole_dashboard_is_at_most_nine_questions(company: Database) -> None:
    async with company.unit(writes=False) as unit:
        with counted(company) as statements:
            await service.dashboard(unit)
        assert len(statements) <= 9


async def test_acts_that_are_not_for_everybody_are_the_auditors(company: Database) -> None:
    async with company.unit(writes=False) as unit:
        overview = await service.overview(unit)
    assert [entry.action for entry in overview.activity][:2] == ["invoice.pay", "invoice.send"]
    assert "secret@example.com" not in to_json(overview).decode()
    for role, sees in ((Role.CLERK, False), (Role.MANAGER, False), (Role.AUDITOR, True), (Role.ADMIN, True)):
        async with company.unit(actor=as_role(role), writes=False) as unit:
            activity = (await service.widget(unit, "activity")).data
        assert ("user.disable" in {entry.action for entry in activity}) is sees  # type: ignore[union-attr]


async def test_the_same_state_gives_the_same_bytes_all_day(company: Database, clock: FakeClock) -> None:
    async def read() -> bytes:
        async with company.unit(writes=False) as unit:
            return to_json(await service.overview(unit))

    first = await read()
    clock.advance(13 * 3_600)
    assert await read() == first
    clock.advance(3_600)
    assert await read() != first, "it is Tuesday in Berlin"


async def test_a_clerk_sees_no_widget_that_is_the_managers(company: Database) -> None:
    async with company.unit(actor=as_role(Role.CLERK), writes=False) as unit:
        seen = {widget.id for widget in (await service.dashboard(unit)).widgets}
        assert seen == set(WidgetId) - {WidgetId.REVENUE, WidgetId.CASH}
        with pytest.raises(Forbidden):
            await service.widget(unit, "cash")
        with pytest.raises(NotFound):
            await service.widget(unit, "weather")


async def test_a_manager_sees_what_stands_behind_the_sums(company: Database) -> None:
    async with company.unit(actor=as_role(Role.MANAGER), writes=False) as unit:
        cash = (await service.widget(unit, "cash")).data
        revenue = (await service.widget(unit, "revenue")).data
    assert isinstance(cash, CashWidget)
    assert isinstance(revenue, RevenueWidget)
    assert [(account.number, account.balance_cents) for account in cash.accounts] == [("1000", 0), ("1200", 5_950)]
    assert [(customer.name, customer.net_cents) for customer in revenue.top_customers] == [("Muster GmbH", 20_000)]


async def test_every_widget_says_what_the_overview_says(company: Database) -> None:
    async def told(unit: Unit) -> None:
        overview = (await service.overview(unit)).model_dump(mode="json", by_alias=True)
        for widget in (await service.dashboard(unit)).model_dump(mode="json", by_alias=True)["widgets"]:
            if widget["id"] != "activity":
                assert widget["data"] == widget["data"] | overview[widget["id"]]

    async with company.unit(writes=False) as unit:
        await told(unit)
