from __future__ import annotations

from collections import defaultdict
from datetime import date
from random import Random
from typing import Any

import pytest

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.finance.rules import CUSTOMER_SERIES, FIRST_CUSTOMER, item_sum
from steinmetz.erp.seed.rows import (
    CreditNoteItemRow,
    CreditNoteRow,
    CustomerRow,
    InvoiceItemRow,
    InvoiceRow,
    NumberSeriesRow,
    PaymentRow,
    RefundRow,
)
from steinmetz.erp.seed.sales import invoices_a_day
from steinmetz.erp.seed.workdays import is_workday, window_start


@pytest.mark.parametrize("count", [0, 1, 200, 5_000])
def test_the_plan_spreads_exactly_the_wanted_invoices_over_past_workdays(count: int, today: date) -> None:
    plan = invoices_a_day(count, today, Random(1))

    assert sum(plan.values()) == count
    assert all(is_workday(day) and window_start(today) <= day < today for day in plan)


def test_there_are_as_many_invoices_as_wanted(company: Any) -> None:
    assert len(company.all(InvoiceRow)) == company.scale.invoices


def test_an_invoice_amounts_to_its_items(company: Any) -> None:
    items = defaultdict(list)
    for item in company.all(InvoiceItemRow):
        items[item.invoice_id].append(item)

    for invoice in company.all(InvoiceRow):
        own = items[invoice.id]
        assert [item.position for item in own] == list(range(1, len(own) + 1))
        for item in own:
            amount = item_sum(item.quantity_milli, item.unit_price_cents, item.vat_percent)
            assert (item.net_cents, item.vat_cents) == (amount.net_cents, amount.vat_cents)
        assert invoice.net_cents == sum(item.net_cents for item in own)
        assert invoice.vat_cents == sum(item.vat_cents for item in own)
        assert invoice.gross_cents == invoice.net_cents + invoice.vat_cents > 0


def test_what_is_paid_is_what_the_payments_say(company: Any) -> None:
    paid: dict[int, int] = defaultdict(int)
    invoices = company.by_id(InvoiceRow)
    for payment in company.all(PaymentRow):
        invoice = invoices[payment.invoice_id]
        assert invoice.issue_date <= payment.paid_on < company.today
        assert company_date(payment.created_at) == payment.paid_on
        assert payment.reference == invoice.number
        paid[invoice.id] += payment.amount_cents

    assert {invoice.id: invoice.paid_cents for invoice in invoices.values() if invoice.paid_cents} == paid


def test_what_is_credited_and_refunded_is_what_the_documents_say(company: Any) -> None:
    credited: dict[int, int] = defaultdict(int)
    refunded: dict[int, int] = defaultdict(int)
    invoices, items = company.by_id(InvoiceRow), defaultdict(list)
    for item in company.all(CreditNoteItemRow):
        items[item.credit_note_id].append(item)
    for note in company.all(CreditNoteRow):
        invoice = invoices[note.invoice_id]
        assert invoice.issue_date < note.issue_date < company.today
        assert note.net_cents == sum(item.net_cents for item in items[note.id])
        assert note.vat_cents == sum(item.vat_cents for item in items[note.id])
        assert note.gross_cents == note.net_cents + note.vat_cents < invoice.gross_cents
        credited[invoice.id] += note.gross_cents
    for refund in company.all(RefundRow):
        refunded[refund.invoice_id] += refund.amount_cents

    assert {each.id: each.credited_cents for each in invoices.values() if each.credited_cents} == credited
    assert {each.id: each.refunded_cents for each in invoices.values() if each.refunded_cents} == refunded
    assert all(
        invoices[key].paid_cents + credited[key] - cents == invoices[key].gross_cents
        for key, cents in refunded.items()
    )


def test_the_demo_has_credit_notes_with_numbers_without_gaps(make_company: Any, today: date) -> None:
    from steinmetz.erp.seed.scale import Scale

    company = make_company(Scale("some", 50, 80, 1_000, time_entries=10, jobs=1, areas=1), 1, today)
    numbers: dict[int, list[str]] = defaultdict(list)
    for note in company.all(CreditNoteRow):
        numbers[note.issue_date.year].append(note.number)
    assert sum(map(len, numbers.values())) > 5
    assert company.all(RefundRow)
    following = {row.name: row.next_value for row in company.all(NumberSeriesRow)}
    for year, given in numbers.items():
        assert given == [f"GS-{year}-{number:05d}" for number in range(1, len(given) + 1)]
        assert following[f"credit:{year}"] == len(given) + 1


def test_what_was_sent_names_both_parties(company: Any) -> None:
    customers = company.by_id(CustomerRow)
    for invoice in company.all(InvoiceRow):
        if invoice.number is None:
            assert invoice.parties is None
        else:
            assert invoice.parties["customer"]["name"] == customers[invoice.customer_id].name
            assert invoice.parties["seller"]["vat_id"].startswith("DE")


def test_the_status_says_what_has_happened(company: Any) -> None:
    for invoice in company.all(InvoiceRow):
        settled = invoice.paid_cents + invoice.credited_cents >= invoice.gross_cents
        assert (invoice.status == "paid") == settled == (invoice.paid_at is not None)
        assert (invoice.status == "draft") == (invoice.number is None) == (invoice.sent_at is None)
        assert (invoice.status == "cancelled") == (invoice.cancelled_at is not None)
        if invoice.status in {"draft", "cancelled"}:
            assert invoice.paid_cents == 0
        if invoice.status in {"sent", "overdue"}:
            assert (invoice.status == "overdue") == (invoice.due_date < company.today)


def test_nothing_has_happened_today_or_later(company: Any) -> None:
    for invoice in company.all(InvoiceRow):
        for instant in (invoice.created_at, invoice.sent_at, invoice.paid_at, invoice.cancelled_at):
            assert instant is None or company_date(instant) < company.today
        assert invoice.created_at <= (invoice.sent_at or invoice.created_at)
        if invoice.sent_at is not None:
            assert company_date(invoice.sent_at) == invoice.issue_date


def test_numbers_run_without_gaps_through_each_year_in_the_order_of_sending(company: Any) -> None:
    numbers: dict[int, list[str]] = defaultdict(list)
    for invoice in company.all(InvoiceRow):
        if invoice.number is not None:
            numbers[invoice.issue_date.year].append(invoice.number)

    for year, given in numbers.items():
        assert given == [f"RE-{year}-{value:05d}" for value in range(1, len(given) + 1)]
    series = {f"invoice:{year}": len(given) + 1 for year, given in numbers.items()}
    series[CUSTOMER_SERIES] = FIRST_CUSTOMER + company.scale.customers
    of_invoices = [row for row in company.all(NumberSeriesRow) if not row.name.startswith("credit:")]
    assert {row.name: row.next_value for row in of_invoices} == series


def test_a_customer_is_billed_only_after_being_known_and_at_the_agreed_terms(company: Any) -> None:
    customers = company.by_id(CustomerRow)

    for invoice in company.all(InvoiceRow):
        customer = customers[invoice.customer_id]
        assert company_date(customer.created_at) < invoice.issue_date
        assert (invoice.due_date - invoice.issue_date).days == customer.payment_days
        if customer.country == "CH":
            assert invoice.vat_cents == 0


def test_every_fate_occurs_in_the_tiny_company(make_company: Any, tiny: Any, today: date) -> None:
    companies = [tiny, *(make_company(tiny.scale, seed, today) for seed in (2, 3))]

    found = {str(invoice.status) for each in companies for invoice in each.all(InvoiceRow)}
    assert found == {"draft", "sent", "overdue", "paid", "cancelled"}
