from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from steinmetz.erp.kit.days import company_date
from steinmetz.erp.seed.rows import (
    AuditRow,
    BatchItemRow,
    BatchJobRow,
    BatchProgressRow,
    CreditNoteRow,
    InvoiceRow,
    PaymentRow,
    RefundRow,
    UserRow,
)


def test_the_audit_log_tells_every_act_of_the_last_thirty_days(company: Any) -> None:
    since = company.today - timedelta(days=30)
    told = [(entry.action, entry.entity_id) for entry in company.all(AuditRow)]
    happened = [
        ("invoice.pay", str(payment.invoice_id)) for payment in company.all(PaymentRow) if payment.paid_on >= since
    ]
    happened += [
        ("invoice.credit", str(note.invoice_id)) for note in company.all(CreditNoteRow) if note.issue_date >= since
    ]
    happened += [
        ("invoice.refund", str(refund.invoice_id)) for refund in company.all(RefundRow) if refund.paid_on >= since
    ]
    for invoice in company.all(InvoiceRow):
        if invoice.number is not None and invoice.issue_date >= since:
            happened.append(("invoice.send", str(invoice.id)))
        if invoice.cancelled_at is not None and company_date(invoice.cancelled_at) >= since:
            happened.append(("invoice.cancel", str(invoice.id)))

    assert sorted(told) == sorted(happened)


def test_an_audited_payment_says_what_was_paid_before_and_after(company: Any) -> None:
    payments = company.by_id(PaymentRow)
    invoices = company.by_id(InvoiceRow)

    for entry in company.all(AuditRow):
        if entry.action == "invoice.pay":
            payment = payments[entry.after["paymentId"]]
            paid_cents = entry.before["paidCents"] + payment.amount_cents
            invoice = invoices[payment.invoice_id]
            settled = invoice.status == "paid" and paid_cents == invoice.paid_cents
            assert (entry.after["paidCents"], entry.after["status"]) == (paid_cents, "paid" if settled else "sent")


def test_who_acted_is_a_user_by_name(company: Any) -> None:
    names = {user.id: user.name for user in company.all(UserRow)}

    assert all(names[entry.actor_id] == entry.actor_name for entry in company.all(AuditRow))


def test_every_job_has_ended_and_counts_its_items(company: Any) -> None:
    items = defaultdict(list)
    for item in company.all(BatchItemRow):
        items[item.job_id].append(item)

    jobs = company.all(BatchJobRow)
    progress = {each.job_id: each for each in company.all(BatchProgressRow)}
    assert len(jobs) == company.scale.jobs
    for job in jobs:
        states = [str(item.status) for item in items[job.id]]
        assert job.status in {"done", "failed", "cancelled"}
        assert job.created_at < job.started_at <= job.finished_at
        assert company_date(job.finished_at) < company.today
        assert progress[job.id] == (
            job.id,
            1,
            len(states),
            *(states.count(status) for status in ("done", "failed", "cancelled")),
        )
        assert (job.status == "failed") == ("failed" in states)
        assert all(bool(item.error) == (item.status == "failed") for item in items[job.id])
