"""What is asked about credit notes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from steinmetz.erp.kit.pagination import Page
from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.windows import Column, Window
from steinmetz.erp.modules.finance.models import CreditNote, CreditNoteItem, Customer, Invoice

CREDIT_NOTE_SORT: tuple[Column, ...] = (CreditNote.id,)


@dataclass(frozen=True, slots=True)
class CreditNoteFilter:
    invoice_id: int | None = None
    customer_id: int | None = None
    since: dt.date | None = None
    """Issued on this day or later."""
    until: dt.date | None = None
    """Issued on this day or earlier."""

    def conditions(self) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.invoice_id is not None:
            wanted.append(CreditNote.invoice_id == self.invoice_id)
        if self.customer_id is not None:
            wanted.append(Invoice.customer_id == self.customer_id)
        if self.since is not None:
            wanted.append(CreditNote.issue_date >= self.since)
        if self.until is not None:
            wanted.append(CreditNote.issue_date <= self.until)
        return wanted


def _credit_notes() -> Select[*tuple[Any, ...]]:
    return (
        select(
            CreditNote.id,
            CreditNote.number,
            CreditNote.invoice_id,
            Invoice.number.label("invoice_number"),
            Invoice.customer_id,
            Customer.name.label("customer_name"),
            CreditNote.issue_date,
            CreditNote.reason,
            CreditNote.currency,
            CreditNote.net_cents,
            CreditNote.vat_cents,
            CreditNote.gross_cents,
            CreditNote.created_at,
        )
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
    )


@named
async def credit_notes(session: AsyncSession, window: Window, wanted: CreditNoteFilter) -> Page:
    conditions = wanted.conditions()
    statement = window.of(_credit_notes().where(*conditions))
    counted = select(func.count()).select_from(CreditNote).where(*conditions)
    if wanted.customer_id is not None:
        counted = counted.join(Invoice, Invoice.id == CreditNote.invoice_id)
    rows = (await session.execute(statement)).all()
    return window.page(rows, await session.scalar(counted))


@named
async def credit_note(session: AsyncSession, credit_note_id: int) -> Row[*tuple[Any, ...]] | None:
    """The credit note without its items."""
    return (await session.execute(_credit_notes().where(CreditNote.id == credit_note_id))).one_or_none()


@named
async def credit_note_items(session: AsyncSession, credit_note_id: int) -> Sequence[CreditNoteItem]:
    statement = (
        select(CreditNoteItem)
        .where(CreditNoteItem.credit_note_id == credit_note_id)
        .order_by(CreditNoteItem.position)
    )
    return (await session.scalars(statement)).all()


@named
async def parties_of_credit_note(session: AsyncSession, credit_note_id: int) -> dict[str, Any] | None:
    return await session.scalar(select(CreditNote.parties).where(CreditNote.id == credit_note_id))


@named
async def credit_notes_of(session: AsyncSession, invoice_id: int) -> Sequence[CreditNote]:
    statement = select(CreditNote).where(CreditNote.invoice_id == invoice_id).order_by(CreditNote.id)
    return (await session.scalars(statement)).all()


@named
async def credited_items(session: AsyncSession, invoice_id: int) -> Sequence[CreditNoteItem]:
    """The items of all credit notes of an invoice."""
    statement = (
        select(CreditNoteItem)
        .join(CreditNote, CreditNote.id == CreditNoteItem.credit_note_id)
        .where(CreditNote.invoice_id == invoice_id)
        .order_by(CreditNoteItem.id)
    )
    return (await session.scalars(statement)).all()
