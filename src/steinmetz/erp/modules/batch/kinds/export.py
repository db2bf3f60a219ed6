"""``export``: all customers, invoices, payments or the journal as one CSV file, page by page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.modules.batch import rules
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.finance.service.extracts import Extract

PAGE_IDS = 500
"""Ids a page: as many rows at most, of the journal a few times as many."""

COLUMNS: dict[Extract, tuple[str, ...]] = {
    Extract.CUSTOMERS: (
        *("id", "number", "name", "contact", "email", "phone", "street", "postal_code", "city", "country"),
        *("vat_id", "payment_days", "is_active", "created_at"),
    ),
    Extract.INVOICES: (
        *("id", "number", "status", "customer_number", "customer_name", "issue_date", "due_date", "currency"),
        *("net_cents", "vat_cents", "gross_cents", "paid_cents", "sent_at", "paid_at", "cancelled_at"),
    ),
    Extract.PAYMENTS: ("id", "invoice_number", "amount_cents", "method", "paid_on", "reference", "created_at"),
    Extract.JOURNAL: ("id", "date", "description", "source", "account_number", "account_name", "amount_cents"),
}


class ExportParameters(Input):
    """What to export. The journal needs the role manager."""

    model_config = example(subject="invoices")

    subject: Extract


async def plan(unit: Unit, wanted: ExportParameters) -> Plan:
    """Pages by ids up to the newest of now: what is written meanwhile moves no row from one page to another."""
    last = await finance.extracts.last_id(unit, wanted.subject)
    pages = [
        {"firstId": first, "lastId": min(first + PAGE_IDS - 1, last)} for first in range(1, last + 1, PAGE_IDS)
    ]
    if len(pages) > rules.MAX_ITEMS:
        raise Unprocessable(f"This is more than {rules.MAX_ITEMS} pages.")
    return Plan(pages, {"subject": wanted.subject.value, "date": company_date(unit.now).isoformat()})


async def run(unit: Unit, parameters: Payload, payload: Payload) -> str:
    subject = Extract(parameters["subject"])
    columns = COLUMNS[subject]
    rows = await finance.extracts.extract(unit, subject, payload["firstId"], payload["lastId"])
    return "".join(csv_line(_value(row[column]) for column in columns) for row in rows)


def _value(value: Any) -> str | int | None:
    match value:
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case None | int():
            return value
        case _:
            return str(value)


def document(parameters: Payload) -> Document:
    subject = Extract(parameters["subject"])
    name = f"{subject}-{parameters['date']}.csv"
    return Document(name, "text/csv; charset=utf-8", csv_line(map(_camel, COLUMNS[subject])))


def _camel(column: str) -> str:
    first, *rest = column.split("_")
    return first + "".join(map(str.title, rest))


def needed(wanted: ExportParameters) -> Role:
    return Role.MANAGER if wanted.subject is Extract.JOURNAL else Role.CLERK


EXPORT = Kind("export", ExportParameters, needed, plan, run, document, is_whole=True)
