"""What § 14 UStG asks for stands on the paper, in both languages."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from steinmetz.erp.kit.language import Language
from steinmetz.erp.modules.finance.paper import CreditPaper, InvoicePaper, Line, credit_paper, invoice_paper
from steinmetz.erp.modules.finance.rules import InvoiceStatus, item_sum

SELLER = {
    "name": "Wir GmbH",
    "street": "Weg 1",
    "postal_code": "73430",
    "city": "Aalen",
    "country": "DE",
    "vat_id": "DE136695976",
    "iban": "DE02120300000000202051",
}
CUSTOMER = {
    "number": "K-10001",
    "name": "Muster AG",
    "contact": "",
    "street": "Straße 2",
    "postal_code": "70173",
    "city": "Stuttgart",
    "country": "DE",
    "vat_id": "DE123456788",
}


def line(position: int, rate: int, cents: int = 10_000, quantity_milli: int = 1_500) -> Line:
    own = item_sum(quantity_milli, cents, rate)
    return Line(position, "Wartung", quantity_milli, "h", cents, rate, own.net_cents, own.vat_cents)


PAPER = InvoicePaper(
    number="RE-2026-00017",
    status=InvoiceStatus.SENT,
    issue_date=dt.date(2026, 3, 2),
    due_date=dt.date(2026, 3, 16),
    cancelled_on=None,
    currency="EUR",
    note="Ihre Bestellung 7",
    seller=SELLER,
    customer=CUSTOMER,
    lines=[line(1, 19), line(2, 7), line(3, 19, -2_000)],
)


def all_text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def test_a_german_invoice_says_what_the_law_asks_for() -> None:
    document = invoice_paper(PAPER, Language.DE)
    assert document["title"] == "Rechnung"
    assert document["recipient"] == ["Muster AG", "Straße 2", "70173 Stuttgart"]
    assert ("Rechnungsnummer", "RE-2026-00017") in document["facts"]
    assert ("Datum", "02.03.2026") in document["facts"]
    assert ("Lieferdatum", "wie Rechnungsdatum") in document["facts"]
    assert ("Zahlbar bis", "16.03.2026") in document["facts"]
    assert document["items"][0] == ["1", "Wartung", "1,5 h", "100,00 €", "19 %", "150,00 €"]
    assert document["sums"] == [
        ("Summe netto", "270,00 €"),
        ("19 % USt. auf 120,00 €", "22,80 €"),
        ("7 % USt. auf 150,00 €", "10,50 €"),
    ]
    assert document["total"] == ("Gesamtbetrag", "303,30 €")
    assert document["notes"] == [
        "Bitte überweisen Sie 303,30 € bis zum 16.03.2026 unter Angabe der Rechnungsnummer RE-2026-00017."
    ]
    assert document["footer"][0] == ["Wir GmbH", "Weg 1", "73430 Aalen"]
    assert document["footer"][1] == ["USt-IdNr. DE136695976"]
    assert document["footer"][2] == ["IBAN DE02 1203 0000 0000 2020 51"]
    assert document["page"] == "Seite {page} von {pages}"
    assert document["mark"] == ""


def test_an_english_one_says_the_same_in_english() -> None:
    document = invoice_paper(PAPER, Language.EN)
    assert document["title"] == "Invoice"
    assert ("Date", "2 March 2026") in document["facts"]
    assert document["items"][0][2:4] == ["1.5 h", "€100.00"]
    assert document["total"] == ("Total amount", "€303.30")
    assert "USt" not in all_text({**document, "seller": ""})


def test_a_draft_says_that_it_is_none() -> None:
    document = invoice_paper(replace(PAPER, number=None, status=InvoiceStatus.DRAFT), Language.DE)
    assert (document["title"], document["mark"]) == ("Rechnung (Entwurf)", "ENTWURF")
    assert ("Rechnungsnummer", "wird beim Versand vergeben") in document["facts"]
    assert document["notes"] == ["Dies ist ein Entwurf und keine Rechnung."]


def test_a_cancelled_one_bears_its_mark_and_asks_for_no_money() -> None:
    paper = replace(PAPER, status=InvoiceStatus.CANCELLED, cancelled_on=dt.date(2026, 3, 5))
    document = invoice_paper(paper, Language.EN)
    assert document["mark"] == "CANCELLED"
    assert document["notes"] == ["This invoice was cancelled on 5 March 2026."]


@pytest.mark.parametrize("status", [InvoiceStatus.SENT, InvoiceStatus.OVERDUE, InvoiceStatus.PAID])
def test_what_happens_after_the_sending_changes_nothing_on_the_paper(status: InvoiceStatus) -> None:
    assert invoice_paper(replace(PAPER, status=status), Language.DE) == invoice_paper(PAPER, Language.DE)


@pytest.mark.parametrize(
    ("country", "reason", "abroad"),
    [
        ("DE", "(§ 4 UStG)", ""),
        ("PL", "innergemeinschaftliche", "POLEN"),
        ("CH", "Ausfuhr", "SCHWEIZ"),
        ("KZ", "Ausfuhr", "KZ"),
    ],
)
def test_items_free_of_vat_say_why(country: str, reason: str, abroad: str) -> None:
    paper = replace(PAPER, customer={**CUSTOMER, "country": country}, lines=[line(1, 0)])
    document = invoice_paper(paper, Language.DE)
    assert ("Steuerfrei: 150,00 €", "0,00 €") in document["sums"]
    assert reason in document["notes"][-1]
    assert document["recipient"][-1] == (abroad or "70173 Stuttgart")


def test_a_credit_note_names_the_invoice_that_it_corrects() -> None:
    paper = CreditPaper(
        number="GS-2026-00001",
        issue_date=dt.date(2026, 3, 9),
        invoice_number="RE-2026-00017",
        invoice_date=dt.date(2026, 3, 2),
        currency="EUR",
        reason="Rücksendung",
        seller=SELLER,
        customer=CUSTOMER,
        lines=[line(1, 19)],
    )
    document = credit_paper(paper, Language.DE)
    assert document["title"] == "Rechnungskorrektur"
    assert ("Zu Rechnung", "RE-2026-00017 vom 02.03.2026") in document["facts"]
    assert document["opening"] == "Grund: Rücksendung"
    assert document["total"] == ("Gutgeschriebener Betrag", "178,50 €")
    assert "RE-2026-00017 vom 02.03.2026" in document["notes"][0]


def test_braces_in_what_people_wrote_stay_as_they_are() -> None:
    document = invoice_paper(replace(PAPER, note="{number} {0}"), Language.DE)
    assert document["opening"] == "{number} {0}"
