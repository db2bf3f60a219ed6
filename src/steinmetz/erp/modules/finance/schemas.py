"""Our company, customers, invoices, payments, credit notes and refunds as they look from outside.

Money in cents, quantities in thousandths.
"""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, computed_field

from steinmetz.erp.kit.fields import Reference, Text, Version, unchanged
from steinmetz.erp.kit.schemas import Input, Schema, example
from steinmetz.erp.modules.finance import rules
from steinmetz.erp.modules.finance.rules import InvoiceStatus, PaymentMethod

MAX_ITEMS = 200
MAX_CENTS = 100_000_000
"""Of one unit: a million euros. With `MAX_QUANTITY_MILLI` and `MAX_ITEMS` no sum leaves what JSON can count."""
MAX_QUANTITY_MILLI = 100_000_000

Name = Annotated[Text, Field(min_length=1, max_length=160)]
PaymentDays = Annotated[int, Field(strict=True, ge=0, le=365)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Mail = Annotated[Text, Field(max_length=254, pattern=r"^$|^[^@\s\x00]+@[^@\s\x00]+$")]

CustomerSort = Literal["name", "-name", "number", "-number", "city", "-city"]
InvoiceSort = Literal["id", "-id", "issueDate", "-issueDate", "dueDate", "-dueDate", "grossCents", "-grossCents"]


def _iban(text: str) -> str:
    plain = text.replace(" ", "").upper()
    if plain and not rules.is_iban(plain):
        raise ValueError("this is no IBAN: its check digits do not fit")
    return plain


Iban = Annotated[Text, Field(max_length=42), AfterValidator(_iban)]
Bic = Annotated[str, Field(pattern=r"^$|^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", description="ISO 9362")]


class CompanyView(Schema):
    """Who sends the invoices."""

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


class CompanyPatch(Input):
    """What is left out stays as it is. Invoices that were sent keep what stood on them."""

    version: Version
    name: Name = unchanged()
    street: Annotated[Text, Field(max_length=120)] = unchanged()
    postal_code: Annotated[Text, Field(max_length=12)] = unchanged()
    city: Annotated[Text, Field(max_length=80)] = unchanged()
    country: Country = unchanged()
    vat_id: Annotated[Text, Field(max_length=20)] = unchanged()
    tax_number: Annotated[Text, Field(max_length=20)] = unchanged()
    iban: Iban = unchanged()
    bic: Bic = unchanged()
    bank: Annotated[Text, Field(max_length=80)] = unchanged()
    email: Mail = unchanged()
    phone: Annotated[Text, Field(max_length=40)] = unchanged()
    trade_register: Annotated[Text, Field(max_length=120)] = unchanged()

    model_config = example(version=1, name="Beispiel GmbH", vatId="DE136695976", iban="DE02120300000000202051")


class CustomerView(Schema):
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


class CustomerInput(Input):
    """A new customer; its number is given by the house."""

    model_config = example(
        name="Hartmann Feinblech GmbH",
        contact="Sabine Hartmann",
        email="einkauf@hartmann.example",
        phone="+49 711 5550130",
        street="Industriestraße 12",
        postalCode="70565",
        city="Stuttgart",
        country="DE",
        vatId="DE123456789",
        paymentDays=14,
    )

    name: Name
    contact: Annotated[Text, Field(max_length=120)] = ""
    email: Mail = ""
    phone: Annotated[Text, Field(max_length=40)] = ""
    street: Annotated[Text, Field(max_length=120)] = ""
    postal_code: Annotated[Text, Field(max_length=12)] = ""
    city: Annotated[Text, Field(max_length=80)] = ""
    country: Country = "DE"
    vat_id: Annotated[Text, Field(max_length=20)] = ""
    payment_days: PaymentDays = 14


class CustomerPatch(Input):
    """What is left out stays as it is."""

    model_config = example(version=1, paymentDays=30, contact="Jonas Hartmann")

    version: Version
    name: Name = unchanged()
    contact: Annotated[Text, Field(max_length=120)] = unchanged()
    email: Mail = unchanged()
    phone: Annotated[Text, Field(max_length=40)] = unchanged()
    street: Annotated[Text, Field(max_length=120)] = unchanged()
    postal_code: Annotated[Text, Field(max_length=12)] = unchanged()
    city: Annotated[Text, Field(max_length=80)] = unchanged()
    country: Country = unchanged()
    vat_id: Annotated[Text, Field(max_length=20)] = unchanged()
    payment_days: PaymentDays = unchanged()
    is_active: bool = unchanged()


class InvoiceRow(Schema):
    """An invoice in a list."""

    id: int
    number: str | None
    """Given at send; a draft has none."""
    customer_id: int
    customer_name: str
    status: InvoiceStatus
    issue_date: dt.date
    due_date: dt.date
    currency: str
    net_cents: int
    vat_cents: int
    gross_cents: int
    paid_cents: int
    credited_cents: int = 0
    """Gross of its credit notes."""
    refunded_cents: int = 0
    """What of the payments went back to the customer."""
    version: int

    @property
    def _balance_cents(self) -> int:
        moved = (self.gross_cents, self.paid_cents, self.credited_cents, self.refunded_cents)
        return rules.balance_cents(self.status, *moved)

    @computed_field  # type: ignore[prop-decorator]  # pydantic reads the property, mypy refuses decorated ones
    @property
    def open_cents(self) -> int:
        """What the customer still owes on it."""
        return max(0, self._balance_cents)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def refund_due_cents(self) -> int:
        """What we owe the customer: more was paid than is owed after a credit note."""
        return max(0, -self._balance_cents)


class InvoiceSumsView(Schema):
    """What the invoices of a list add up to. Drafts and cancelled ones are in ``count`` alone."""

    count: int
    net_cents: int
    gross_cents: int
    credited_cents: int
    paid_cents: int
    """Less what was refunded."""
    open_count: int
    open_cents: int
    """What customers still owe."""
    overdue_count: int
    overdue_cents: int
    """The part of it that is overdue."""
    draft_count: int
    refund_due_cents: int
    """What we owe to customers who paid more than is owed after credit notes."""


class InvoiceItemView(Schema):
    position: int
    description: str
    quantity_milli: int
    unit: str
    unit_price_cents: int
    vat_percent: int
    net_cents: int
    vat_cents: int


class PaymentView(Schema):
    id: int
    invoice_id: int
    amount_cents: int
    method: PaymentMethod
    paid_on: dt.date
    reference: str
    created_at: datetime


class RefundView(PaymentView):
    """Money that went back to the customer."""


class PaymentRow(PaymentView):
    """A payment, or a refund, in a list."""

    invoice_number: str | None
    customer_id: int
    customer_name: str


class CreditNoteRow(Schema):
    """A credit note in a list."""

    id: int
    number: str
    invoice_id: int
    invoice_number: str
    customer_id: int
    customer_name: str
    issue_date: dt.date
    reason: str
    currency: str
    net_cents: int
    vat_cents: int
    gross_cents: int
    created_at: datetime


class CreditNoteView(CreditNoteRow):
    """The whole document; it never changes."""

    items: list[InvoiceItemView]


class CreditNoteOfInvoice(Schema):
    """A credit note on the page of its invoice."""

    id: int
    number: str
    issue_date: dt.date
    reason: str
    gross_cents: int


class InvoiceView(InvoiceRow):
    """The whole document with its items and what was paid, credited and refunded on it."""

    note: str
    sent_at: datetime | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    items: list[InvoiceItemView]
    payments: list[PaymentView]
    credit_notes: list[CreditNoteOfInvoice]
    refunds: list[RefundView]


class InvoiceItemInput(Input):
    """A line of an invoice."""

    model_config = example(
        description="Blechgehäuse, gekantet", quantityMilli=12_000, unit="Stk", unitPriceCents=4_990, vatPercent=19
    )

    description: Annotated[Text, Field(min_length=1, max_length=300)]
    quantity_milli: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY_MILLI)] = 1000
    unit: Annotated[Text, Field(min_length=1, max_length=10)] = "Stk"
    unit_price_cents: Annotated[int, Field(strict=True, ge=-MAX_CENTS, le=MAX_CENTS)]
    """Below zero for a discount."""
    vat_percent: Literal[19, 7, 0] = 19


Items = Annotated[list[InvoiceItemInput], Field(min_length=1, max_length=MAX_ITEMS)]


class InvoiceInput(Input):
    """A new draft. Number, issue date and due date are given when it is sent."""

    model_config = example(
        customerId=1,
        items=[
            {
                "description": "Blechgehäuse, gekantet",
                "quantityMilli": 12_000,
                "unit": "Stk",
                "unitPriceCents": 4_990,
                "vatPercent": 19,
            },
            {"description": "Anlieferung", "unit": "psch", "unitPriceCents": 8_500},
        ],
        note="Lieferung frei Haus",
    )

    customer_id: Reference
    items: Items
    note: Annotated[Text, Field(max_length=1000)] = ""


class InvoicePatch(Input):
    """A change of a draft; ``items`` replace all items. What is left out stays as it is."""

    model_config = example(version=1, note="Lieferung ab Werk")

    version: Version
    customer_id: Reference = unchanged()
    items: Items = unchanged()
    note: Annotated[Text, Field(max_length=1000)] = unchanged()


class InvoiceStep(Input):
    """Sending or cancelling: nothing to say but which state is meant."""

    model_config = example(version=1)

    version: Version


class PaymentInput(Input):
    """A payment on an open invoice. ``version`` makes a repeated request a 409, not a second payment."""

    model_config = example(
        version=2, amountCents=71_257, method="transfer", paidOn="2026-02-27", reference="RE-2026-0042"
    )

    version: Version
    amount_cents: Annotated[int, Field(strict=True, ge=1, le=10**15)]
    method: PaymentMethod = PaymentMethod.TRANSFER
    paid_on: dt.date | None = None
    """Today if left out; never later."""
    reference: Annotated[Text, Field(max_length=140)] = ""


class RefundInput(PaymentInput):
    """Money back to the customer, at most what is owed to him after credit notes."""

    model_config = example(version=4, amountCents=2_000, reference="Gutschrift GS-2026-00001")


class CreditInput(Input):
    """A credit note on a sent invoice; without ``items`` it credits all that is left of it."""

    version: Version
    reason: Annotated[Text, Field(min_length=1, max_length=300)]
    items: Items | None = None

    model_config = example(
        version=2,
        reason="Rücksendung",
        items=[{"description": "Wartung", "quantityMilli": 500, "unit": "h", "unitPriceCents": 9900}],
    )
