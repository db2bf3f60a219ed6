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
    note: str
    sent_at: datetime | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    version: int


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


class JournalEntryRow(NamedTuple):
    id: int
    date: date
    description: str
    source: str
    created_at: datetime


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
    parameters: Json
    total: int
    done: int
    failed: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class BatchItemRow(NamedTuple):
    id: int
    job_id: int
    position: int
    status: str
    payload: Json
    error: str


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
    | CustomerRow
    | AccountRow
    | InvoiceRow
    | InvoiceItemRow
    | PaymentRow
    | JournalEntryRow
    | TransactionRow
    | NumberSeriesRow
    | FunctionNodeRow
    | CatalogRulesRow
    | BatchJobRow
    | BatchItemRow
    | AuditRow
)

TABLES: dict[type[Row], str] = {
    UserRow: "users",
    DepartmentRow: "departments",
    EmployeeRow: "employees",
    LeaveRow: "leave_requests",
    TimeEntryRow: "time_entries",
    CustomerRow: "customers",
    AccountRow: "accounts",
    InvoiceRow: "invoices",
    InvoiceItemRow: "invoice_items",
    PaymentRow: "payments",
    JournalEntryRow: "journal_entries",
    TransactionRow: "transactions",
    NumberSeriesRow: "number_series",
    FunctionNodeRow: "function_nodes",
    CatalogRulesRow: "catalog_rules",
    BatchJobRow: "batch_jobs",
    BatchItemRow: "batch_items",
    AuditRow: "audit_entries",
}
"""Parents before children."""
