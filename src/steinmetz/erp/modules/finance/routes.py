"""Customers, invoices and payments over HTTP.

All readings are the same for everybody who may sign in, so one kept answer serves all of them. They do not read
the clock: an invoice becomes overdue by a write (`erp.scheduler`), and that write drops the answers it concerns.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query

from steinmetz.cache import cached
from steinmetz.erp.dependencies import Reading, Writing, writes_as
from steinmetz.erp.kit.answers import Answer, Listing
from steinmetz.erp.kit.fields import RecordId, ReferenceFilter, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.finance import service
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import (
    CustomerInput,
    CustomerPatch,
    CustomerSort,
    CustomerView,
    InvoiceInput,
    InvoicePatch,
    InvoiceRow,
    InvoiceSort,
    InvoiceStep,
    InvoiceView,
    PaymentInput,
    PaymentRow,
)

router = APIRouter(prefix="/api", tags=["finance"])

Search = Annotated[Text, Query(max_length=100, description="Part of a name or number")]
Since = Annotated[dt.date | None, Query(alias="from", description="This day or later")]
Until = Annotated[dt.date | None, Query(alias="to", description="This day or earlier")]


def _listing(page: service.Page) -> dict[str, Any]:
    return {"success": True, "data": page.rows, "page": {"next": page.next, "total": page.total}}


def _answer(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data}


@router.get("/customers", response_model=Listing[CustomerView])
@cached(ttl=300, shared=True)
async def list_customers(unit: Reading, paging: Paging, q: Search = "", sort: CustomerSort = "name") -> Any:
    """Customers by name, or by another field."""
    return _listing(await service.list_customers(unit, paging, search=q.strip(), sort=sort))


@router.post("/customers", response_model=Answer[CustomerView], status_code=201)
async def create_customer(unit: Writing, data: CustomerInput) -> Any:
    """A new customer; its number is the next one."""
    return _answer(await service.create_customer(unit, data))


@router.get("/customers/{customer_id}", response_model=Answer[CustomerView])
@cached(ttl=300, shared=True)
async def get_customer(unit: Reading, customer_id: RecordId) -> Any:
    """One customer."""
    return _answer(await service.customer(unit, customer_id))


@router.patch("/customers/{customer_id}", response_model=Answer[CustomerView])
async def change_customer(unit: Writing, customer_id: RecordId, patch: CustomerPatch) -> Any:
    """Change a customer, or with ``isActive`` take it out of use; what is left out stays as it is."""
    return _answer(await service.change_customer(unit, customer_id, patch))


@router.get("/invoices", response_model=Listing[InvoiceRow])
@cached(ttl=300, shared=True)
async def list_invoices(
    unit: Reading,
    paging: Paging,
    status: Annotated[list[InvoiceStatus] | None, Query(max_length=5, description="Any of these")] = None,
    customer_id: Annotated[ReferenceFilter | None, Query(alias="customerId")] = None,
    since: Since = None,
    until: Until = None,
    q: Search = "",
    sort: InvoiceSort = "-id",
) -> Any:
    """Invoices, the newest first or by another field."""
    wanted = service.InvoiceFilter(tuple(status or ()), customer_id, since, until, q.strip())
    return _listing(await service.list_invoices(unit, paging, wanted, sort=sort))


@router.post("/invoices", response_model=Answer[InvoiceView], status_code=201)
async def draft_invoice(unit: Writing, data: InvoiceInput) -> Any:
    """A new draft. It has no number before it is sent."""
    return _answer(await service.draft_invoice(unit, data))


@router.get("/invoices/{invoice_id}", response_model=Answer[InvoiceView])
@cached(ttl=300, shared=True)
async def get_invoice(unit: Reading, invoice_id: RecordId) -> Any:
    """One invoice with its items and what was paid on it."""
    return _answer(await service.invoice(unit, invoice_id))


@router.patch("/invoices/{invoice_id}", response_model=Answer[InvoiceView])
async def change_draft(unit: Writing, invoice_id: RecordId, patch: InvoicePatch) -> Any:
    """Change a draft. A sent invoice is immutable: 409."""
    return _answer(await service.change_draft(unit, invoice_id, patch))


@router.post("/invoices/{invoice_id}/send", response_model=Answer[InvoiceView])
async def send_invoice(unit: Writing, invoice_id: RecordId, step: InvoiceStep) -> Any:
    """Send a draft: it gets the next number of its year, without gaps, and its journal entry."""
    return _answer(await service.send_invoice(unit, invoice_id, step.version))


@router.post("/invoices/{invoice_id}/pay", response_model=Answer[InvoiceView])
async def pay_invoice(unit: Writing, invoice_id: RecordId, data: PaymentInput) -> Any:
    """Book a payment, in full or in part. Sent twice, the second is a 409: the version has moved on."""
    return _answer(await service.pay_invoice(unit, invoice_id, data))


@router.post(
    "/invoices/{invoice_id}/cancel",
    response_model=Answer[InvoiceView],
    dependencies=[writes_as(Role.MANAGER)],
)
async def cancel_invoice(unit: Writing, invoice_id: RecordId, step: InvoiceStep) -> Any:
    """Cancel an invoice on which nothing was paid. Needs the role manager."""
    return _answer(await service.cancel_invoice(unit, invoice_id, step.version))


@router.get("/payments", response_model=Listing[PaymentRow])
@cached(ttl=300, shared=True)
async def list_payments(
    unit: Reading,
    paging: Paging,
    invoice_id: Annotated[ReferenceFilter | None, Query(alias="invoiceId")] = None,
    since: Since = None,
    until: Until = None,
) -> Any:
    """Payments received, the newest first."""
    return _listing(await service.list_payments(unit, paging, invoice_id=invoice_id, since=since, until=until))
