"""Customers, invoices and payments as they look from outside. Money in cents, quantities in thousandths."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from steinmetz.erp.kit.fields import Reference, Text, Version, unchanged
from steinmetz.erp.kit.schemas import Input, Schema, example
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
    version: int


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


class PaymentRow(PaymentView):
    """A payment in a list."""

    invoice_number: str | None
    customer_id: int
    customer_name: str


class InvoiceView(InvoiceRow):
    """The whole document with its items and what was paid on it."""

    note: str
    sent_at: datetime | None
    paid_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    items: list[InvoiceItemView]
    payments: list[PaymentView]


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
