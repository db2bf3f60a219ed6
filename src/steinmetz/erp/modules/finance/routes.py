"""Our company, customers, invoices, payments and credit notes over HTTP.

All readings are the same for everybody who may sign in, so one kept answer serves all of them. They do not read
the clock: an invoice becomes overdue by a write (`erp.scheduler`), and that write drops the answers it concerns.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from steinmetz.cache import cached
from steinmetz.erp.dependencies import Reading, Writing, writes_as
from steinmetz.erp.kit.answers import Answer, Listing, answer, listing
from steinmetz.erp.kit.fields import RecordId, ReferenceFilter, Text
from steinmetz.erp.kit.language import Language
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.finance import printing, service
from steinmetz.erp.modules.finance.repository.credit_notes import CreditNoteFilter
from steinmetz.erp.modules.finance.repository.invoices import InvoiceFilter
from steinmetz.erp.modules.finance.rules import InvoiceStatus
from steinmetz.erp.modules.finance.schemas import (
    CompanyPatch,
    CompanyView,
    CreditInput,
    CreditNoteRow,
    CreditNoteView,
    CustomerInput,
    CustomerPatch,
    CustomerSort,
    CustomerView,
    InvoiceInput,
    InvoicePatch,
    InvoiceRow,
    InvoiceSort,
    InvoiceStep,
    InvoiceSumsView,
    InvoiceView,
    PaymentInput,
    PaymentRow,
    RefundInput,
)

router = APIRouter(prefix="/api", tags=["finance"])

Search = Annotated[Text, Query(max_length=100, description="Part of a name or number")]
Since = Annotated[dt.date | None, Query(alias="from", description="This day or later")]
Until = Annotated[dt.date | None, Query(alias="to", description="This day or earlier")]


PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}

Into = Annotated[Language, Query(description="The language of the document")]


def _pdf(printed: printing.Printed) -> Response:
    return Response(
        printed.content,
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{printed.filename}"'},
    )


@router.get("/company", response_model=Answer[CompanyView])
@cached(ttl=300, shared=True, live=True)
async def get_company(unit: Reading) -> Any:
    """Who sends the invoices: what stands on top of them and below."""
    return answer(await service.company.company(unit))


@router.patch("/company", response_model=Answer[CompanyView], dependencies=[writes_as(Role.ADMIN)])
async def change_company(unit: Writing, patch: CompanyPatch) -> Any:
    """Change our company's data. What was sent before keeps what stood on it."""
    return answer(await service.company.change_company(unit, patch))


@router.get("/customers", response_model=Listing[CustomerView])
@cached(ttl=300, shared=True, live=True)
async def list_customers(unit: Reading, paging: Paging, q: Search = "", sort: CustomerSort = "name") -> Any:
    """Customers whose name, number or city contains `q`."""
    return listing(await service.customers.list_customers(unit, paging, search=q.strip(), sort=sort))


@router.post("/customers", response_model=Answer[CustomerView], status_code=201)
async def create_customer(unit: Writing, data: CustomerInput) -> Any:
    """A new customer; the house gives the number."""
    return answer(await service.customers.create_customer(unit, data))


@router.get("/customers/{customer_id}", response_model=Answer[CustomerView])
@cached(ttl=300, shared=True, live=True)
async def get_customer(unit: Reading, customer_id: RecordId) -> Any:
    """One customer."""
    return answer(await service.customers.customer(unit, customer_id))


@router.patch("/customers/{customer_id}", response_model=Answer[CustomerView])
async def change_customer(unit: Writing, customer_id: RecordId, patch: CustomerPatch) -> Any:
    """Change a customer. Invoices that were sent keep the address that stood on them."""
    return answer(await service.customers.change_customer(unit, customer_id, patch))


@router.get("/invoices", response_model=Listing[InvoiceRow])
@cached(ttl=300, shared=True, live=True)
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
    """Invoices, newest first unless `sort` says otherwise."""
    wanted = InvoiceFilter(tuple(status or ()), customer_id, since, until, q.strip())
    return listing(await service.invoices.list_invoices(unit, paging, wanted, sort=sort))


@router.get("/invoices/sums", response_model=Answer[InvoiceSumsView])
@cached(ttl=300, shared=True, live=True)
async def sum_invoices(
    unit: Reading,
    status: Annotated[list[InvoiceStatus] | None, Query(max_length=5, description="Any of these")] = None,
    customer_id: Annotated[ReferenceFilter | None, Query(alias="customerId")] = None,
    since: Since = None,
    until: Until = None,
    q: Search = "",
) -> Any:
    """What the invoices that the same filters list add up to: billed, paid, open and overdue."""
    wanted = InvoiceFilter(tuple(status or ()), customer_id, since, until, q.strip())
    return answer(await service.invoices.sums_of_list(unit, wanted))


@router.post("/invoices", response_model=Answer[InvoiceView], status_code=201)
async def draft_invoice(unit: Writing, data: InvoiceInput) -> Any:
    """A draft: it has no number yet and may still be changed."""
    return answer(await service.drafts.draft_invoice(unit, data))


@router.get("/invoices/{invoice_id}", response_model=Answer[InvoiceView])
@cached(ttl=300, shared=True, live=True)
async def get_invoice(unit: Reading, invoice_id: RecordId) -> Any:
    """The whole document: items, payments, credit notes, refunds, and what is open."""
    return answer(await service.invoices.invoice(unit, invoice_id))


@router.patch("/invoices/{invoice_id}", response_model=Answer[InvoiceView])
async def change_draft(unit: Writing, invoice_id: RecordId, patch: InvoicePatch) -> Any:
    """Change a draft. A sent invoice is immutable: 409."""
    return answer(await service.drafts.change_draft(unit, invoice_id, patch))


@router.post("/invoices/{invoice_id}/send", response_model=Answer[InvoiceView])
async def send_invoice(unit: Writing, invoice_id: RecordId, step: InvoiceStep) -> Any:
    """Send a draft: it gets the next number of its year, without gaps, and its journal entry."""
    return answer(await service.invoices.send_invoice(unit, invoice_id, step.version))


@router.post("/invoices/{invoice_id}/pay", response_model=Answer[InvoiceView])
async def pay_invoice(unit: Writing, invoice_id: RecordId, data: PaymentInput) -> Any:
    """Book a payment, in full or in part. Sent twice, the second is a 409: the version has moved on."""
    return answer(await service.payments.pay_invoice(unit, invoice_id, data))


@router.post(
    "/invoices/{invoice_id}/cancel",
    response_model=Answer[InvoiceView],
    dependencies=[writes_as(Role.MANAGER)],
)
async def cancel_invoice(unit: Writing, invoice_id: RecordId, step: InvoiceStep) -> Any:
    """Cancel an invoice on which nothing was paid or credited. Needs the role manager."""
    return answer(await service.invoices.cancel_invoice(unit, invoice_id, step.version))


@router.post("/invoices/{invoice_id}/credit", response_model=Answer[CreditNoteView], status_code=201)
async def credit_invoice(unit: Writing, invoice_id: RecordId, data: CreditInput) -> Any:
    """Correct a sent invoice by a credit note, all that is left of it if no items are named."""
    return answer(await service.credit_notes.credit_invoice(unit, invoice_id, data))


@router.post("/invoices/{invoice_id}/refund", response_model=Answer[InvoiceView])
async def refund_invoice(unit: Writing, invoice_id: RecordId, data: RefundInput) -> Any:
    """Book money back to a customer who has paid more than is owed after a credit note."""
    return answer(await service.payments.refund(unit, invoice_id, data))


@router.get("/invoices/{invoice_id}/pdf", response_class=Response, responses=PDF)
@cached(ttl=300, shared=True)
async def print_invoice(unit: Reading, invoice_id: RecordId, lang: Into = Language.DE) -> Response:
    """The invoice as it is sent; a draft says that it is one."""
    return _pdf(await printing.print_invoice(unit, invoice_id, lang))


@router.get("/credit-notes", response_model=Listing[CreditNoteRow])
@cached(ttl=300, shared=True, live=True)
async def list_credit_notes(
    unit: Reading,
    paging: Paging,
    invoice_id: Annotated[ReferenceFilter | None, Query(alias="invoiceId")] = None,
    customer_id: Annotated[ReferenceFilter | None, Query(alias="customerId")] = None,
    since: Since = None,
    until: Until = None,
) -> Any:
    """Credit notes, newest first."""
    wanted = CreditNoteFilter(invoice_id, customer_id, since, until)
    return listing(await service.credit_notes.list_credit_notes(unit, paging, wanted))


@router.get("/credit-notes/{credit_note_id}", response_model=Answer[CreditNoteView])
@cached(ttl=300, shared=True, live=True)
async def get_credit_note(unit: Reading, credit_note_id: RecordId) -> Any:
    """One credit note with its items."""
    return answer(await service.credit_notes.credit_note(unit, credit_note_id))


@router.get("/credit-notes/{credit_note_id}/pdf", response_class=Response, responses=PDF)
@cached(ttl=300, shared=True)
async def print_credit_note(unit: Reading, credit_note_id: RecordId, lang: Into = Language.DE) -> Response:
    """The credit note as it is sent; it names the invoice that it corrects."""
    return _pdf(await printing.print_credit_note(unit, credit_note_id, lang))


@router.get("/payments", response_model=Listing[PaymentRow])
@cached(ttl=300, shared=True, live=True)
async def list_payments(
    unit: Reading,
    paging: Paging,
    invoice_id: Annotated[ReferenceFilter | None, Query(alias="invoiceId")] = None,
    since: Since = None,
    until: Until = None,
) -> Any:
    """Money received on invoices, newest first."""
    return listing(
        await service.payments.list_payments(unit, paging, invoice_id=invoice_id, since=since, until=until)
    )


@router.get("/refunds", response_model=Listing[PaymentRow])
@cached(ttl=300, shared=True, live=True)
async def list_refunds(
    unit: Reading,
    paging: Paging,
    invoice_id: Annotated[ReferenceFilter | None, Query(alias="invoiceId")] = None,
    since: Since = None,
    until: Until = None,
) -> Any:
    """Money that went back to customers, newest first."""
    return listing(
        await service.payments.list_refunds(unit, paging, invoice_id=invoice_id, since=since, until=until)
    )
