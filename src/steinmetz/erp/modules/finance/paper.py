"""What stands on an invoice or a credit note, in words and figures, as § 14 UStG asks for it; pure.

The template (``invoice.typ``) lays out what is decided here and adds nothing. An invoice on paper is what was
sent: what is paid or credited later does not change it, only a cancellation is marked on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steinmetz.erp.kit.language import Language, Phrase, day, money, quantity
from steinmetz.erp.modules.finance import rules, texts
from steinmetz.erp.modules.finance.rules import InvoiceStatus, ItemSum

Party = Mapping[str, str]
"""A company or a customer as it stood on the day of the document."""

HOME = "DE"
EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - read at a glance
)


@dataclass(frozen=True, slots=True)
class Line:
    """An item as it is printed."""

    position: int
    description: str
    quantity_milli: int
    unit: str
    unit_price_cents: int
    vat_percent: int
    net_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class InvoicePaper:
    number: str | None
    status: InvoiceStatus
    issue_date: dt.date
    due_date: dt.date
    cancelled_on: dt.date | None
    currency: str
    note: str
    seller: Party
    customer: Party
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class CreditPaper:
    number: str
    issue_date: dt.date
    invoice_number: str
    invoice_date: dt.date
    currency: str
    reason: str
    seller: Party
    customer: Party
    lines: Sequence[Line]


def invoice_paper(paper: InvoicePaper, language: Language) -> dict[str, Any]:
    """The document for the template: nothing but text."""

    def say(phrase: Phrase, **values: Any) -> str:
        return phrase.into(language, **values)

    is_draft = paper.number is None
    total = money(_gross(paper.lines), language, paper.currency)
    due, notes = day(paper.due_date, language), _tax_notes(paper.lines, paper.customer, language)
    mark = ""
    if paper.status is InvoiceStatus.CANCELLED:
        mark = say(texts.CANCELLED)
        if paper.cancelled_on is not None:
            notes.insert(0, say(texts.IS_CANCELLED, day=day(paper.cancelled_on, language)))
    elif is_draft:
        mark = say(texts.DRAFT)
        notes.insert(0, say(texts.NOT_VALID))
    else:
        notes.insert(0, say(texts.PLEASE_PAY, amount=total, day=due, number=paper.number))
    return _document(
        language,
        title=say(texts.DRAFT_TITLE if is_draft else texts.INVOICE),
        mark=mark,
        seller=paper.seller,
        customer=paper.customer,
        facts=[
            (say(texts.NUMBER), paper.number or say(texts.NO_NUMBER)),
            (say(texts.ISSUE_DATE), day(paper.issue_date, language)),
            (say(texts.PERFORMED), say(texts.PERFORMED_AS_ISSUED)),
            (say(texts.DUE_DATE), due),
        ],
        opening=paper.note,
        lines=paper.lines,
        currency=paper.currency,
        total=say(texts.SUM_GROSS),
        notes=notes,
    )


def credit_paper(paper: CreditPaper, language: Language) -> dict[str, Any]:
    """The document for the template: nothing but text."""

    def say(phrase: Phrase, **values: Any) -> str:
        return phrase.into(language, **values)

    of_invoice = {"number": paper.invoice_number, "day": day(paper.invoice_date, language)}
    return _document(
        language,
        title=say(texts.CREDIT_NOTE),
        mark="",
        seller=paper.seller,
        customer=paper.customer,
        facts=[
            (say(texts.CREDIT_NUMBER), paper.number),
            (say(texts.ISSUE_DATE), day(paper.issue_date, language)),
            (say(texts.OF_INVOICE), say(texts.OF_INVOICE_DATED, **of_invoice)),
        ],
        opening=say(texts.REASON, reason=paper.reason) if paper.reason else "",
        lines=paper.lines,
        currency=paper.currency,
        total=say(texts.SUM_CREDIT),
        notes=[say(texts.CORRECTS, **of_invoice), *_tax_notes(paper.lines, paper.customer, language)],
    )


def _document(
    language: Language,
    *,
    title: str,
    mark: str,
    seller: Party,
    customer: Party,
    facts: list[tuple[str, str]],
    opening: str,
    lines: Sequence[Line],
    currency: str,
    total: str,
    notes: list[str],
) -> dict[str, Any]:
    def say(phrase: Phrase, **values: Any) -> str:
        return phrase.into(language, **values)

    if customer.get("number"):
        facts.append((say(texts.CUSTOMER_NUMBER), customer["number"]))
    if customer.get("vat_id"):
        facts.append((say(texts.CUSTOMER_VAT_ID), customer["vat_id"]))
    return {
        "language": language.value,
        "title": title,
        "mark": mark,
        "seller": seller.get("name", ""),
        "sender": " · ".join(_filled(seller.get("name"), seller.get("street"), _place(seller))),
        "recipient": _recipient(customer, seller.get("country", HOME), language),
        "facts": facts,
        "opening": opening,
        "columns": [
            say(each)
            for each in (
                texts.POSITION,
                texts.DESCRIPTION,
                texts.QUANTITY,
                texts.UNIT_PRICE,
                texts.RATE,
                texts.NET,
            )
        ],
        "items": [
            [
                str(line.position),
                line.description,
                f"{quantity(line.quantity_milli, language)} {line.unit}",
                money(line.unit_price_cents, language, currency),
                f"{line.vat_percent} %",
                money(line.net_cents, language, currency),
            ]
            for line in lines
        ],
        "sums": _sums(lines, currency, language),
        "total": (total, money(_gross(lines), language, currency)),
        "notes": notes,
        "footer": _footer(seller, language),
        "page": say(texts.PAGE),
    }


def _filled(*texts_: str | None) -> list[str]:
    return [text for text in texts_ if text]


def _place(party: Party) -> str:
    return f"{party.get('postal_code', '')} {party.get('city', '')}".strip()


def _recipient(customer: Party, from_country: str, language: Language) -> list[str]:
    """The lines of the address; the country only where the letter crosses a border."""
    country = customer.get("country", HOME)
    abroad = ""
    if country != from_country:
        known = texts.COUNTRIES.get(country)
        abroad = known.into(language).upper() if known else country
    return _filled(customer.get("name"), customer.get("contact"), customer.get("street"), _place(customer), abroad)


def _gross(lines: Sequence[Line]) -> int:
    return sum(line.net_cents + line.vat_cents for line in lines)


def _sums(lines: Sequence[Line], currency: str, language: Language) -> list[tuple[str, str]]:
    """Net, then VAT by rate: § 14 (4) No. 7 and 8 UStG."""
    of_rate = rules.by_rate(ItemSum(line.vat_percent, line.net_cents, line.vat_cents) for line in lines)
    net_cents = sum(each.net_cents for each in of_rate.values())
    sums = [(texts.SUM_NET.into(language), money(net_cents, language, currency))]
    for rate, each in of_rate.items():
        net = money(each.net_cents, language, currency)
        label = (
            texts.SUM_VAT.into(language, rate=rate, net=net) if rate else texts.SUM_FREE.into(language, net=net)
        )
        sums.append((label, money(each.vat_cents, language, currency)))
    return sums


def _tax_notes(lines: Sequence[Line], customer: Party, language: Language) -> list[str]:
    """Why some items are free of VAT: § 14 (4) No. 8 UStG asks for the reason."""
    if all(line.vat_percent for line in lines):
        return []
    country = customer.get("country", HOME)
    if country == HOME:
        return [texts.FREE_AT_HOME.into(language)]
    return [(texts.FREE_WITHIN_EU if country in EU else texts.FREE_ABROAD).into(language)]


def _footer(seller: Party, language: Language) -> list[list[str]]:
    """Who we are, how to reach us, where to pay; empty fields leave no line."""

    def told(phrase: Phrase, name: str) -> str:
        return phrase.into(language, value=seller[name]) if seller.get(name) else ""

    iban = seller.get("iban", "")
    grouped = " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))
    return [
        _filled(seller.get("name"), seller.get("street"), _place(seller), seller.get("trade_register")),
        _filled(
            told(texts.PHONE, "phone"),
            seller.get("email"),
            told(texts.VAT_ID, "vat_id"),
            told(texts.TAX_NUMBER, "tax_number"),
        ),
        _filled(seller.get("bank"), f"IBAN {grouped}" if iban else "", told(_BIC, "bic")),
    ]


_BIC = Phrase("BIC {value}", "BIC {value}")
