"""What is asked about money that came in for invoices, and money that went back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window
from steinmetz.erp.modules.finance.models import Customer, Invoice, Payment, Refund

PAYMENT_SORT: tuple[Column, ...] = (Payment.id,)
REFUND_SORT: tuple[Column, ...] = (Refund.id,)


@named
async def payments_of(session: AsyncSession, invoice_id: int) -> Sequence[Payment]:
    statement = select(Payment).where(Payment.invoice_id == invoice_id).order_by(Payment.id)
    return (await session.scalars(statement)).all()


@named
async def refunds_of(session: AsyncSession, invoice_id: int) -> Sequence[Refund]:
    statement = select(Refund).where(Refund.invoice_id == invoice_id).order_by(Refund.id)
    return (await session.scalars(statement)).all()


@named
async def payments(
    session: AsyncSession, window: Window, invoice_id: int | None, since: dt.date | None, until: dt.date | None
) -> Page:
    return await _movements(session, Payment, window, invoice_id, since, until)


@named
async def refunds(
    session: AsyncSession, window: Window, invoice_id: int | None, since: dt.date | None, until: dt.date | None
) -> Page:
    return await _movements(session, Refund, window, invoice_id, since, until)


async def _movements(
    session: AsyncSession,
    money: type[Payment] | type[Refund],
    window: Window,
    invoice_id: int | None,
    since: dt.date | None,
    until: dt.date | None,
) -> Page:
    conditions: list[ColumnElement[bool]] = []
    if invoice_id is not None:
        conditions.append(money.invoice_id == invoice_id)
    if since is not None:
        conditions.append(money.paid_on >= since)
    if until is not None:
        conditions.append(money.paid_on <= until)
    statement = (
        select(
            money.id,
            money.invoice_id,
            money.amount_cents,
            money.method,
            money.paid_on,
            money.reference,
            money.created_at,
            Invoice.number.label("invoice_number"),
            Invoice.customer_id,
            Customer.name.label("customer_name"),
        )
        .join(Invoice, Invoice.id == money.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .where(*conditions)
    )
    rows = (await session.execute(window.of(statement))).all()
    total = await session.scalar(select(func.count()).select_from(money).where(*conditions))
    return window.page(rows, total)
