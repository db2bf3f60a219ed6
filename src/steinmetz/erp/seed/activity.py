"""What the company did lately: batch jobs, and the audit log of the last month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import assert_never

from steinmetz.erp.modules.batch.rules import JobStatus
from steinmetz.erp.seed.rows import (
    AuditRow,
    BatchItemRow,
    BatchJobRow,
    BatchProgressRow,
    InvoiceRow,
    Json,
    UserRow,
)
from steinmetz.erp.seed.sales import Act, ActKind, Sales
from steinmetz.erp.seed.workdays import ONE_DAY, at, on_or_after

_AUDITED = timedelta(days=30)
_JOB_KINDS = ("invoice.dunning", "invoice.mail", "datev.export", "catalog.import", "payroll.run")
_JOB_ERRORS = (
    "Der Empfänger hat keine E-Mail-Adresse.",
    "Das Konto ist gesperrt.",
    "Zeile 14: Die Menge ist keine Zahl.",
)


class AuditLog:
    """Names who sent, settled and cancelled the invoices of the last thirty days, as the ERP itself would have."""

    def __init__(self, actors: list[UserRow], seed: int, today: date) -> None:
        self._rng = Random(f"{seed}/audit")
        self._actors = actors
        self._since = today - _AUDITED
        self._entries = 0

    def of(self, day: date, sales: Sales) -> Iterator[AuditRow]:
        """The rows of ``day``, which `Sales.on` has just dealt with."""
        if day < self._since:
            return
        for invoice, customer in sales.sent:
            summary = f"{invoice.number} {customer.name}"
            after: Json = {"status": "sent", "number": invoice.number, "dueDate": invoice.due_date.isoformat()}
            yield self._entry(day, 0.45, "invoice.send", invoice, summary, {"status": "draft"}, after)
        for act, made_id in sales.done:
            yield self._act(day, act, made_id)

    def _act(self, day: date, act: Act, made_id: int) -> AuditRow:
        match act.kind:
            case ActKind.PAY:
                return self._payment(day, act, made_id)
            case ActKind.CANCEL:
                return self._cancellation(day, act)
            case ActKind.CREDIT:
                return self._correction(day, act, made_id)
            case ActKind.REFUND:
                return self._repayment(day, act, made_id)
            case _:
                assert_never(act.kind)

    def _correction(self, day: date, act: Act, credit_note_id: int) -> AuditRow:
        after: Json = {"creditedCents": act.amount_cents, "creditNoteId": credit_note_id}
        number = act.invoice.number or ""
        return self._entry(day, 0.55, "invoice.credit", act.invoice, number, {"creditedCents": 0}, after)

    def _repayment(self, day: date, act: Act, refund_id: int) -> AuditRow:
        after: Json = {"refundedCents": act.amount_cents, "refundId": refund_id}
        number = act.invoice.number or ""
        return self._entry(day, 0.58, "invoice.refund", act.invoice, number, {"refundedCents": 0}, after)

    def _payment(self, day: date, act: Act, payment_id: int) -> AuditRow:
        invoice = act.invoice
        paid_cents = act.moved_before_cents + act.amount_cents
        before: Json = {"status": "sent", "paidCents": act.moved_before_cents}
        status = "paid" if paid_cents == invoice.paid_cents and invoice.status == "paid" else "sent"
        after: Json = {"status": status, "paidCents": paid_cents, "paymentId": payment_id}
        return self._entry(day, 0.5, "invoice.pay", invoice, invoice.number or "", before, after)

    def _cancellation(self, day: date, act: Act) -> AuditRow:
        before, after = {"status": "sent"}, {"status": "cancelled"}
        return self._entry(day, 0.6, "invoice.cancel", act.invoice, act.invoice.number or "", before, after)

    def _entry(
        self,
        day: date,
        share: float,
        action: str,
        invoice: InvoiceRow,
        summary: str,
        before: Json,
        after: Json,
    ) -> AuditRow:
        self._entries += 1
        actor = self._rng.choice(self._actors)
        return AuditRow(
            id=self._entries,
            at=at(day, share),
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            entity="invoice",
            entity_id=str(invoice.id),
            summary=summary,
            before=before,
            after=after,
            request_id="",
        )


def jobs(
    count: int, owners: list[UserRow], seed: int, today: date
) -> Iterator[BatchJobRow | BatchProgressRow | BatchItemRow]:
    """``count`` jobs of the last sixty days. All have ended: a seed leaves nothing behind that claims to run."""
    rng = Random(f"{seed}/jobs")
    items = 0
    for number in range(1, count + 1):
        day = on_or_after(today - timedelta(days=60 * (count - number + 1) // count + 3))
        day = min(day, today - ONE_DAY)
        total = rng.randint(4, 24)
        status = rng.choices((JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED), (86, 9, 5))[0]
        done = total if status is not JobStatus.CANCELLED else rng.randrange(total)
        failed = rng.randint(1, 3) if status is JobStatus.FAILED else 0
        queued_at = at(day, rng.random())
        kind, owner = rng.choice(_JOB_KINDS), rng.choice(owners)
        yield BatchJobRow(
            id=number,
            kind=kind,
            status=status,
            owner_id=owner.id,
            owner_name=owner.name,
            parameters={"month": f"{day:%Y-%m}"},
            is_cancelling=status is JobStatus.CANCELLED,
            error="",
            created_at=queued_at,
            started_at=queued_at + timedelta(seconds=2),
            finished_at=queued_at + timedelta(seconds=2 + 3 * done),
        )
        yield BatchProgressRow(number, 1, total, done - failed, failed, total - done)
        for position in range(1, total + 1):
            items += 1
            item_status, error = JobStatus.DONE, ""
            if position > done:
                item_status = JobStatus.CANCELLED
            elif position > done - failed:
                item_status, error = JobStatus.FAILED, rng.choice(_JOB_ERRORS)
            yield BatchItemRow(items, number, position, item_status, {"position": position}, error)
