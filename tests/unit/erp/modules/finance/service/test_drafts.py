"""A draft may be written anew, what was sent may not, on both engines."""

from __future__ import annotations

import datetime as dt

import pytest

from steinmetz.erp.db import Database
from steinmetz.erp.errors import Conflict, Unprocessable
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import CustomerInput, CustomerPatch, InvoiceInput, InvoicePatch
from tests.unit.erp.modules.finance.invoicing import GROSS_CENTS, ITEMS, balances, draft, sent

pytestmark = pytest.mark.anyio


async def test_a_draft_adds_up_and_has_no_number_yet(database: Database) -> None:
    drafted = await draft(database, payment_days=30)
    assert (drafted.status, drafted.number, drafted.version) == (InvoiceStatus.DRAFT, None, 1)
    assert (drafted.net_cents, drafted.vat_cents, drafted.gross_cents) == (21_500, 3_905, GROSS_CENTS)
    assert [item.position for item in drafted.items] == [1, 2]
    assert drafted.due_date == dt.date(2026, 4, 1)
    async with database.unit(writes=False) as unit:
        assert await service.invoices.invoice(unit, drafted.id) == drafted
        assert await balances(unit) == {}


async def test_changing_only_the_items_is_a_new_version(database: Database) -> None:
    drafted = await draft(database)
    items = [ITEMS[0].model_copy(update={"description": "Frästeil"}), ITEMS[1]]
    async with database.unit() as unit:
        changed = await service.drafts.change_draft(
            unit, drafted.id, InvoicePatch(version=drafted.version, items=items)
        )
    assert (changed.version, changed.gross_cents) == (2, GROSS_CENTS)
    assert [item.description for item in changed.items] == ["Frästeil", "Handbuch"]


async def test_a_sent_invoice_is_immutable(database: Database) -> None:
    invoice = await sent(database)
    with pytest.raises(Conflict, match="To edit is not possible: the invoice is sent"):
        async with database.unit() as unit:
            await service.drafts.change_draft(
                unit, invoice.id, InvoicePatch(version=invoice.version, note="doch nicht")
            )


async def test_who_is_not_active_is_not_billed(database: Database) -> None:
    async with database.unit() as unit:
        made = await service.customers.create_customer(unit, CustomerInput(name="Muster"))
        await service.customers.change_customer(unit, made.id, CustomerPatch(version=1, is_active=False))
        with pytest.raises(Unprocessable, match="not active"):
            await service.drafts.draft_invoice(unit, InvoiceInput(customer_id=made.id, items=ITEMS))
        with pytest.raises(Unprocessable, match="no customer 999"):
            await service.drafts.draft_invoice(unit, InvoiceInput(customer_id=999, items=ITEMS))
