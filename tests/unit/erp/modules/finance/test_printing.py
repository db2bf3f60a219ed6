"""Documents are printed alike on every machine, with text that is never markup, from what was sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from steinmetz.erp.db import Database
from steinmetz.erp.errors import NotFound
from steinmetz.erp.kit.language import Language
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.paper import invoice_paper
from steinmetz.erp.modules.finance.printing import TEMPLATE, print_credit_note, print_invoice, typeset
from steinmetz.erp.modules.finance.schemas import (
    CompanyPatch,
    CreditInput,
    CustomerInput,
    CustomerPatch,
    InvoiceInput,
    InvoiceItemInput,
    InvoiceView,
    PaymentInput,
)
from tests.unit.erp.modules.finance.test_paper import PAPER, line

pytestmark = pytest.mark.anyio

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def pages(content: bytes) -> int:
    return content.count(b"/Type/Page/")


def test_the_same_document_is_the_same_to_the_byte() -> None:
    document = invoice_paper(PAPER, Language.DE)
    first = typeset(document, NOW)
    assert first.startswith(b"%PDF-")
    assert typeset(document, NOW) == first
    assert typeset(invoice_paper(PAPER, Language.EN), NOW) != first


@pytest.mark.parametrize(
    "text",
    [
        "#panic()",
        "$x^2",
        "*fett_ `a` <b> @ref // --",
        "\\u{41} \\",
        "]]]) #let x = 1",
        "Щербакова · Zażółć · 例 · 🙂 · \u202e",
        "x" * 160,
        "#" * 100,
    ],
)
def test_what_people_wrote_is_never_markup(text: str) -> None:
    customer = {**PAPER.customer, "name": text, "street": text}
    lines = [replace(PAPER.lines[0], description=text, unit=text[:10])]
    document = invoice_paper(replace(PAPER, customer=customer, note=text, lines=lines), Language.DE)
    assert typeset(document, NOW).startswith(b"%PDF-")


def test_many_items_go_over_several_pages_and_nothing_is_too_long_to_print() -> None:
    lines = [replace(line(place, 19), description="Sehr langer Text " * 17) for place in range(1, 201)]
    content = typeset(invoice_paper(replace(PAPER, lines=lines), Language.DE), NOW)
    assert pages(content) > 5


async def a_sent_invoice(database: Database) -> InvoiceView:
    async with database.unit() as unit:
        billed = await service.customers.create_customer(unit, CustomerInput(name="Muster AG", city="Ulm"))
        item = InvoiceItemInput(description="Wartung", unit_price_cents=9_900)
        drafted = await service.drafts.draft_invoice(unit, InvoiceInput(customer_id=billed.id, items=[item]))
        return await service.invoices.send_invoice(unit, drafted.id, drafted.version)


async def test_a_sent_invoice_prints_the_same_whatever_happens_later(database: Database) -> None:
    invoice = await a_sent_invoice(database)

    async def printed(language: Language = Language.DE) -> bytes:
        async with database.unit(writes=False) as unit:
            done = await print_invoice(unit, invoice.id, language)
        assert done.filename == "RE-2026-00001.pdf"
        return done.content

    first, english = await printed(), await printed(Language.EN)
    async with database.unit() as unit:
        await service.customers.change_customer(
            unit, invoice.customer_id, CustomerPatch(version=1, name="Anders AG")
        )
        await service.company.change_company(unit, CompanyPatch(version=1, name="Auch anders GmbH"))
        paid = await service.payments.pay_invoice(
            unit, invoice.id, PaymentInput(version=invoice.version, amount_cents=100)
        )
        await service.credit_notes.credit_invoice(
            unit, invoice.id, CreditInput(version=paid.version, reason="Irrtum")
        )
    assert await printed() == first
    assert await printed(Language.EN) == english != first


async def test_drafts_and_credit_notes_have_names_of_their_own(database: Database) -> None:
    invoice = await a_sent_invoice(database)
    async with database.unit() as unit:
        note = await service.credit_notes.credit_invoice(
            unit, invoice.id, CreditInput(version=invoice.version, reason="Irrtum")
        )
        draft = await service.drafts.draft_invoice(
            unit,
            InvoiceInput(
                customer_id=invoice.customer_id,
                items=[InvoiceItemInput(description="x", unit_price_cents=1)],
            ),
        )
    async with database.unit(writes=False) as unit:
        assert (await print_credit_note(unit, note.id, Language.EN)).filename == "GS-2026-00001.pdf"
    async with database.unit(writes=False) as unit:
        assert (await print_invoice(unit, draft.id, Language.DE)).filename == f"Entwurf-{draft.id}.pdf"
    for ask in (print_invoice, print_credit_note):
        with pytest.raises(NotFound):
            async with database.unit(writes=False) as unit:
                await ask(unit, 999, Language.DE)


async def test_who_waits_for_a_printer_holds_no_connection(database: Database) -> None:
    invoice = await a_sent_invoice(database)
    async with database.unit(writes=False) as unit:
        await print_invoice(unit, invoice.id, Language.DE)
        assert not unit.session.in_transaction()


def test_the_template_lies_beside_the_code_and_goes_into_the_wheel_with_it() -> None:
    from hatchling.builders.wheel import WheelBuilder

    root = Path(__file__).resolve().parents[5]
    builder = WheelBuilder(str(root))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    assert TEMPLATE.is_file()
    assert "steinmetz/erp/modules/finance/invoice.typ" in packed
