"""Our own company, customers, invoices with their items, what was paid, credited and refunded on them, and the
books (accounts, journal entries, posting lines).

Money is whole cents. An invoice keeps its sums beside its items: they are part of the document that was sent. So
are the names and addresses of both parties, as they were on that day.
"""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.modules.finance.chart import AccountKind
from steinmetz.erp.modules.finance.rules import InvoiceStatus, PaymentMethod


class Company(Base):
    """Who sends the invoices: one row."""

    __tablename__ = "company"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(160))
    street: Mapped[str] = mapped_column(String(120), default="")
    postal_code: Mapped[str] = mapped_column(String(12), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="DE")
    vat_id: Mapped[str] = mapped_column(String(20), default="")
    tax_number: Mapped[str] = mapped_column(String(20), default="")
    iban: Mapped[str] = mapped_column(String(34), default="")
    bic: Mapped[str] = mapped_column(String(11), default="")
    bank: Mapped[str] = mapped_column(String(80), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    trade_register: Mapped[str] = mapped_column(String(120), default="")
    """Where the company is registered, e.g. ``Amtsgericht Aalen, HRB 501234``."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """Customer number as printed, e.g. ``K-10001``."""
    name: Mapped[str] = mapped_column(String(160), index=True)
    contact: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    street: Mapped[str] = mapped_column(String(120), default="")
    postal_code: Mapped[str] = mapped_column(String(12), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="DE")
    vat_id: Mapped[str] = mapped_column(String(20), default="")
    payment_days: Mapped[int] = mapped_column(default=14)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Invoice(Base):
    __tablename__ = "invoices"
    __table_args__ = (
        one_of("status", InvoiceStatus),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="sums"),
        CheckConstraint("paid_cents >= 0 AND paid_cents <= gross_cents", name="paid"),
        CheckConstraint("credited_cents >= 0 AND credited_cents <= gross_cents", name="credited"),
        CheckConstraint("refunded_cents >= 0 AND refunded_cents <= paid_cents", name="refunded"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str | None] = mapped_column(String(20), unique=True, default=None)
    """Given at send, without gaps, e.g. ``RE-2026-00017``."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[InvoiceStatus] = mapped_column(word(InvoiceStatus), default=InvoiceStatus.DRAFT, index=True)
    issue_date: Mapped[dt.date] = mapped_column(index=True)
    due_date: Mapped[dt.date]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    net_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    vat_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    gross_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    credited_cents: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    """Gross of its credit notes."""
    refunded_cents: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    """What of the payments went back."""
    note: Mapped[str] = mapped_column(String(1000), default="")
    sent_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    paid_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant, default=None)
    created_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)
    parties: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, default=None, deferred=True, deferred_raiseload=True
    )
    """``{"seller", "customer"}`` as they were when it was sent; read for printing only."""

    items: Mapped[list[InvoiceItem]] = relationship(
        order_by="InvoiceItem.position", cascade="all, delete-orphan", passive_deletes=True
    )

    __mapper_args__ = {"version_id_col": version}


class InvoiceItem(Base):
    __tablename__ = "invoice_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    description: Mapped[str] = mapped_column(String(300))
    quantity_milli: Mapped[int] = mapped_column(BigInteger)
    """Thousandths of a unit: 1,5 hours are 1500."""
    unit: Mapped[str] = mapped_column(String(10), default="Stk")
    unit_price_cents: Mapped[int] = mapped_column(BigInteger)
    vat_percent: Mapped[int]
    """19, 7 or 0."""
    net_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)


class CreditNote(Base):
    """Corrects a sent invoice; complete and final from the moment it is made."""

    __tablename__ = "credit_notes"
    __table_args__ = (
        CheckConstraint("gross_cents = net_cents + vat_cents", name="sums"),
        CheckConstraint("gross_cents > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """Without gaps, e.g. ``GS-2026-00003``."""
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    issue_date: Mapped[dt.date] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(300), default="")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    net_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    parties: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, default=None, deferred=True, deferred_raiseload=True
    )

    items: Mapped[list[CreditNoteItem]] = relationship(
        order_by="CreditNoteItem.position", cascade="all, delete-orphan", passive_deletes=True
    )


class CreditNoteItem(Base):
    __tablename__ = "credit_note_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    credit_note_id: Mapped[int] = mapped_column(ForeignKey("credit_notes.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    description: Mapped[str] = mapped_column(String(300))
    quantity_milli: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(10), default="Stk")
    unit_price_cents: Mapped[int] = mapped_column(BigInteger)
    vat_percent: Mapped[int]
    net_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)


class NumberSeries(Base):
    """The next number of a gap-free series; its row is the lock under which numbers are given."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    """E.g. ``invoice:2026``."""
    next_value: Mapped[int] = mapped_column(default=1)


class Payment(Base):
    __tablename__ = "payments"
    __table_args__ = (one_of("method", PaymentMethod), CheckConstraint("amount_cents > 0", name="amount"))

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[PaymentMethod] = mapped_column(word(PaymentMethod), default=PaymentMethod.TRANSFER)
    paid_on: Mapped[dt.date] = mapped_column(index=True)
    reference: Mapped[str] = mapped_column(String(140), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)


class Refund(Base):
    """Money that went back to the customer, because more was paid than is owed after a credit note."""

    __tablename__ = "refunds"
    __table_args__ = (one_of("method", PaymentMethod), CheckConstraint("amount_cents > 0", name="amount"))

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[PaymentMethod] = mapped_column(word(PaymentMethod), default=PaymentMethod.TRANSFER)
    paid_on: Mapped[dt.date] = mapped_column(index=True)
    reference: Mapped[str] = mapped_column(String(140), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)


class Account(Base):
    """An account of the chart of accounts (a subset of SKR03)."""

    __tablename__ = "accounts"
    __table_args__ = (one_of("kind", AccountKind),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(8), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[AccountKind] = mapped_column(word(AccountKind))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether it takes new manual entries."""
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    __mapper_args__ = {"version_id_col": version}


class JournalEntry(Base):
    __tablename__ = "journal_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(index=True)
    description: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(40), default="")
    """What it was made from, e.g. ``invoice:17`` or ``payment:9``."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("journal_entries.id"), unique=True, default=None)
    """The entry whose exact opposite this is; unique, so that none is reversed twice."""


class Transaction(Base):
    """A posting line; the lines of one entry add up to zero (debit positive, credit negative)."""

    __tablename__ = "transactions"
    __table_args__ = (
        CheckConstraint("amount_cents <> 0", name="amount"),
        # With the amounts: a balance is summed from the index, without looking at the thousands of rows.
        Index("ix_transactions_account_id_date_amount_cents", "account_id", "date", "amount_cents"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("journal_entries.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    date: Mapped[dt.date]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
