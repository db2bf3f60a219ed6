"""Invoices and credit notes as PDF: loads the document, lets `paper` say what stands on it, has Typst print it.

Typst gets all text as data, so no name or description is ever read as markup, and uses the fonts that it brings
along, so that a document looks the same on every machine and is the same to the byte.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typst

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import NotFound
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.language import Language
from steinmetz.erp.modules.finance import repository, rules, service
from steinmetz.erp.modules.finance.paper import CreditPaper, InvoicePaper, Line, credit_paper, invoice_paper

TEMPLATE = Path(__file__).with_name("invoice.typ")
PRINTERS = 2
"""Documents printed at once; the others wait. A page takes about 10 ms of one core."""

_printers = ThreadPoolExecutor(PRINTERS, thread_name_prefix="steinmetz-printer")


@dataclass(frozen=True, slots=True)
class Printed:
    """A finished document."""

    filename: str
    content: bytes


async def print_invoice(unit: Unit, invoice_id: int, language: Language) -> Printed:
    """Raises `NotFound`."""
    found = await repository.invoices.printed_invoice(unit.session, invoice_id)
    if found is None:
        raise NotFound("invoice", invoice_id)
    parties = found.parties or {}
    document = invoice_paper(
        InvoicePaper(
            number=found.number,
            status=found.status,
            issue_date=found.issue_date,
            due_date=found.due_date,
            cancelled_on=company_date(found.cancelled_at) if found.cancelled_at else None,
            currency=found.currency,
            note=found.note,
            seller=await _seller(unit, parties),
            customer=await _customer(unit, parties, found.customer_id),
            lines=_lines(found.items),
        ),
        language,
    )
    name = found.number or f"{'Entwurf' if language is Language.DE else 'draft'}-{found.id}"
    return await _print(unit, document, name, found.sent_at or found.created_at)


async def print_credit_note(unit: Unit, credit_note_id: int, language: Language) -> Printed:
    """Raises `NotFound`."""
    found = await service.credit_notes.credit_note(unit, credit_note_id)
    corrected = await service.invoices.invoice(unit, found.invoice_id)
    parties = await repository.credit_notes.parties_of_credit_note(unit.session, credit_note_id) or {}
    document = credit_paper(
        CreditPaper(
            number=found.number,
            issue_date=found.issue_date,
            invoice_number=found.invoice_number,
            invoice_date=corrected.issue_date,
            currency=found.currency,
            reason=found.reason,
            seller=await _seller(unit, parties),
            customer=await _customer(unit, parties, found.customer_id),
            lines=_lines(found.items),
        ),
        language,
    )
    return await _print(unit, document, found.number, found.created_at)


async def _seller(unit: Unit, parties: dict[str, Any]) -> dict[str, str]:
    """As it was when the document was made; as it is now for a draft."""
    as_sent: dict[str, str] | None = parties.get("seller")
    return as_sent or (await service.company.company(unit)).model_dump(exclude={"version"})


async def _customer(unit: Unit, parties: dict[str, Any], customer_id: int) -> dict[str, str]:
    as_sent: dict[str, str] | None = parties.get("customer")
    return as_sent or rules.on_paper(await service.customers.customer(unit, customer_id))


def _lines(items: Sequence[Any]) -> list[Line]:
    return [Line(**{name: getattr(item, name) for name in Line.__dataclass_fields__}) for item in items]


async def _print(unit: Unit, document: dict[str, Any], name: str, made_at: dt.datetime) -> Printed:
    # All is read: whoever waits for a printer holds no connection.
    await unit.session.close()
    loop = asyncio.get_running_loop()
    content = await loop.run_in_executor(_printers, typeset, document, made_at)
    return Printed(f"{name}.pdf", content)


def typeset(document: dict[str, Any], made_at: dt.datetime) -> bytes:
    """The PDF of a document; the same bytes for the same document and instant. Blocks for some 10 ms a page."""
    return typst.compile(
        str(TEMPLATE),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(document, ensure_ascii=False)},
        timestamp=int(made_at.timestamp()),
    )
