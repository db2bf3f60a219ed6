"""Customers, invoices and payments."""

from __future__ import annotations

from typing import Any

from tests.app.writes.house import House

HEARD: dict[str, str] = {}


async def an_invoice(house: House, status: str) -> dict[str, Any]:
    row: dict[str, Any] = (await house.data_of(f"/api/invoices?status={status}&limit=1"))[0]
    return row


async def paths(house: House) -> list[str]:
    invoice, customer = await an_invoice(house, "sent"), (await house.data_of("/api/customers?limit=1"))[0]
    return [
        "/api/customers",
        f"/api/customers?q={customer['name'][:4]}",
        f"/api/customers/{customer['id']}",
        "/api/invoices",
        "/api/invoices?status=sent&limit=5",
        "/api/invoices?status=paid&limit=5",
        f"/api/invoices/{invoice['id']}",
        "/api/payments",
    ]
