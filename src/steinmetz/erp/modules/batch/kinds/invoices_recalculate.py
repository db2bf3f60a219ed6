"""``invoices.recalculate``: are sums what the items add up to? Drafts are put right, sent invoices reported."""

from __future__ import annotations

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.modules.batch import rules
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.service.extracts import Extract, WrongSum

ITEM_IDS = 50
"""Invoices an item: few enough that nobody waits long for their locks."""


class RecalculateParameters(Input):
    """Nothing to choose: all invoices are checked."""

    model_config = example()


async def plan(unit: Unit, wanted: RecalculateParameters) -> Plan:
    last = await finance.extracts.last_id(unit, Extract.INVOICES)
    ranges = [
        {"firstId": first, "lastId": min(first + ITEM_IDS - 1, last)} for first in range(1, last + 1, ITEM_IDS)
    ]
    if len(ranges) > rules.MAX_ITEMS:
        raise Unprocessable(f"These are more than {rules.MAX_ITEMS * ITEM_IDS} invoices.")
    return Plan(ranges, {})


async def run(unit: Unit, parameters: Payload, payload: Payload) -> str:
    """A line for each invoice that is wrong. Raises `Conflict` if a draft is being changed just now."""
    lines = []
    for wrong in await finance.extracts.wrong_sums(unit, payload["firstId"], payload["lastId"]):
        outcome = "corrected" if await _correct(unit, wrong) else "reported"
        lines.append(
            csv_line(
                [
                    wrong.invoice_id,
                    wrong.number,
                    wrong.status.value,
                    wrong.stored.net_cents,
                    wrong.stored.vat_cents,
                    wrong.right.net_cents,
                    wrong.right.vat_cents,
                    outcome,
                ]
            )
        )
    return "".join(lines)


async def _correct(unit: Unit, wrong: WrongSum) -> bool:
    """Give a draft its own items anew, which makes its sums. A sent invoice is immutable."""
    if wrong.status != "draft" or not wrong.items:
        return False
    draft = await finance.invoices.invoice(unit, wrong.invoice_id)
    items = [
        finance.drafts.InvoiceItemInput(
            description=item.description,
            quantity_milli=item.quantity_milli,
            unit=item.unit,
            unit_price_cents=item.unit_price_cents,
            vat_percent=item.vat_percent,  # type: ignore[arg-type]  # it was one of the rates when it came in
        )
        for item in draft.items
    ]
    await finance.drafts.change_draft(
        unit, draft.id, finance.drafts.InvoicePatch(version=wrong.version, items=items)
    )
    return True


def document(parameters: Payload) -> Document:
    head = ["id", "number", "status", "netCents", "vatCents", "rightNetCents", "rightVatCents", "outcome"]
    return Document("invoices-recalculated.csv", "text/csv; charset=utf-8", csv_line(head))


INVOICES_RECALCULATE = Kind(
    "invoices.recalculate", RecalculateParameters, lambda wanted: Role.MANAGER, plan, run, document
)
