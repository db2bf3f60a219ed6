"""One row of each table, in the order in which foreign keys allow them to be written.

The fields are the columns; a test compares them with the models. Instants are aware UTC, money is cents.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

Json = dict[str, Any]


class UserRow(NamedTuple):
    id: int
    email: str
    name: str
    role: str
    locale: str
    password_hash: str | None
    is_active: bool
    auth_version: int
    created_at: datetime
    version: int


class DepartmentRow(NamedTuple):
    id: int
    name: str
    cost_center: str
    version: int


class EmployeeRow(NamedTuple):
    id: int
    number: str
    first_name: str
    last_name: str
    email: str
    department_id: int
    user_id: int | None
    job_title: str
    weekly_minutes: int
    salary_cents: int
    vacation_days: int
    hired_on: date
    left_on: date | None
    version: int


class LeaveRow(NamedTuple):
    id: int
    employee_id: int
    kind: str
    status: str
    first_day: date
    last_day: date
    decided_by: int | None
    reason: str
    created_at: datetime
    version: int


class TimeEntryRow(NamedTuple):
    id: int
    employee_id: int
    date: date
    start_minute: int
    end_minute: int
    project: str
    note: str
    version: int


class CompanyRow(NamedTuple):
    id: int
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    tax_number: str
    iban: str
    bic: str
    bank: str
    email: str
    phone: str
    trade_register: str
    version: int


class CustomerRow(NamedTuple):
    id: int
    number: str
    name: str
    contact: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    payment_days: int
    is_active: bool
    created_at: datetime
    version: int


class AccountRow(NamedTuple):
    id: int
    number: str
    name: str
    kind: str
    is_active: bool
    version: int


class InvoiceRow(NamedTuple):
    id: int
    number: str | None
    customer_id: int
    status: str
    issue_date: date
    due_date: date
    currency: str
    net_cents: int
    vat_cents: int
    gross_cents: int
    paid_cents: int
    credited_cents: int
    refunded_cents: int
    note: str
    sent_at: datetime | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    version: int
    parties: Json | None


class InvoiceItemRow(NamedTuple):
    id: int
    invoice_id: int
    position: int
    description: str
    quantity_milli: int
    unit: str
    unit_price_cents: int
    vat_percent: int
    net_cents: int
    vat_cents: int


class PaymentRow(NamedTuple):
    id: int
    invoice_id: int
    amount_cents: int
    method: str
    paid_on: date
    reference: str
    created_at: datetime


class CreditNoteRow(NamedTuple):
    id: int
    number: str
    invoice_id: int
    issue_date: date
    reason: str
    currency: str
    net_cents: int
    vat_cents: int
    gross_cents: int
    created_at: datetime
    parties: Json | None


class CreditNoteItemRow(NamedTuple):
    id: int
    credit_note_id: int
    position: int
    description: str
    quantity_milli: int
    unit: str
    unit_price_cents: int
    vat_percent: int
    net_cents: int
    vat_cents: int


class RefundRow(NamedTuple):
    id: int
    invoice_id: int
    amount_cents: int
    method: str
    paid_on: date
    reference: str
    created_at: datetime


class JournalEntryRow(NamedTuple):
    id: int
    date: date
    description: str
    source: str
    created_at: datetime
    reverses_id: int | None


class TransactionRow(NamedTuple):
    id: int
    entry_id: int
    account_id: int
    date: date
    amount_cents: int


class NumberSeriesRow(NamedTuple):
    name: str
    next_value: int


class FunctionNodeRow(NamedTuple):
    id: str
    parent_id: str | None
    area: str
    title: str
    description: str
    icon: str
    kind: str
    min_role: str
    position: int
    depth: int
    source: str | None
    source_key: str | None
    updated_at: datetime
    version: int


class CatalogRulesRow(NamedTuple):
    id: int
    document: Json
    loaded_at: datetime


class BatchJobRow(NamedTuple):
    id: int
    kind: str
    status: str
    owner_id: int | None
    owner_name: str
    parameters: Json
    is_cancelling: bool
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class BatchProgressRow(NamedTuple):
    job_id: int
    attempt: int
    total: int
    done: int
    failed: int
    cancelled: int


class BatchItemRow(NamedTuple):
    id: int
    job_id: int
    position: int
    status: str
    payload: Json
    error: str


class ChannelRow(NamedTuple):
    id: str
    name: str
    name_key: str
    topic: str
    is_private: bool
    owner_id: int | None
    created_at: datetime
    archived_at: datetime | None
    version: int


class MemberRow(NamedTuple):
    channel_id: str
    user_id: int
    added_at: datetime


class MessageRow(NamedTuple):
    id: int
    channel_id: str
    user_id: int | None
    user_name: str
    text: str
    at: datetime
    key: str | None
    edited_at: datetime | None
    deleted_at: datetime | None
    version: int


class ReadRow(NamedTuple):
    user_id: int
    channel_id: str
    message_id: int


class NotificationRow(NamedTuple):
    id: int
    audience: str
    role: str | None
    user_id: int | None
    level: str
    title_en: str
    title_de: str
    message_en: str
    message_de: str
    link: str | None
    at: datetime
    expires_at: datetime | None
    author_id: int | None
    once: str | None


class NotificationReadRow(NamedTuple):
    notification_id: int
    user_id: int
    at: datetime


class AuditRow(NamedTuple):
    id: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    entity: str
    entity_id: str
    summary: str
    before: Json | None
    after: Json | None
    request_id: str


Row = (
    UserRow
    | DepartmentRow
    | EmployeeRow
    | LeaveRow
    | TimeEntryRow
    | CompanyRow
    | CustomerRow
    | AccountRow
    | InvoiceRow
    | InvoiceItemRow
    | PaymentRow
    | CreditNoteRow
    | CreditNoteItemRow
    | RefundRow
    | JournalEntryRow
    | TransactionRow
    | NumberSeriesRow
    | FunctionNodeRow
    | CatalogRulesRow
    | BatchJobRow
    | BatchProgressRow
    | BatchItemRow
    | ChannelRow
    | MemberRow
    | MessageRow
    | ReadRow
    | NotificationRow
    | NotificationReadRow
    | AuditRow
)

TABLES: dict[type[Row], str] = {
    UserRow: "users",
    DepartmentRow: "departments",
    EmployeeRow: "employees",
    LeaveRow: "leave_requests",
    TimeEntryRow: "time_entries",
    CompanyRow: "company",
    CustomerRow: "customers",
    AccountRow: "accounts",
    InvoiceRow: "invoices",
    InvoiceItemRow: "invoice_items",
    PaymentRow: "payments",
    CreditNoteRow: "credit_notes",
    CreditNoteItemRow: "credit_note_items",
    RefundRow: "refunds",
    JournalEntryRow: "journal_entries",
    TransactionRow: "transactions",
    NumberSeriesRow: "number_series",
    FunctionNodeRow: "function_nodes",
    CatalogRulesRow: "catalog_rules",
    BatchJobRow: "batch_jobs",
    BatchProgressRow: "batch_progress",
    BatchItemRow: "batch_items",
    ChannelRow: "chat_channels",
    MemberRow: "chat_members",
    MessageRow: "chat_messages",
    ReadRow: "chat_reads",
    NotificationRow: "notifications",
    NotificationReadRow: "notification_reads",
    AuditRow: "audit_entries",
}
"""Parents before children."""

STANDING = frozenset({"accounts", "company"})
"""Tables that a migration has filled: the seed replaces what it finds there."""
