"""Our company, customers, invoices, payments, credit notes, the books and their reports."""

from __future__ import annotations

from typing import Any

from tests.app.writes.house import House

HEARD: dict[str, str] = {}


async def an_invoice(house: House, status: str) -> dict[str, Any]:
    row: dict[str, Any] = (await house.data_of(f"/api/invoices?status={status}&limit=1"))[0]
    return row


async def paths(house: House) -> list[str]:
    invoice, customer = await an_invoice(house, "sent"), (await house.data_of("/api/customers?limit=1"))[0]
    note = (await house.data_of("/api/credit-notes?limit=1"))[0]
    entry = (await house.data_of("/api/journal-entries?source=invoice&limit=1"))[0]
    bank = (await house.data_of("/api/accounts?q=1200"))[0]
    return [
        "/api/customers",
        f"/api/customers?q={customer['name'][:4]}",
        f"/api/customers/{customer['id']}",
        "/api/invoices",
        "/api/invoices?status=sent&limit=5",
        "/api/invoices?status=paid&limit=5",
        "/api/invoices/sums",
        f"/api/invoices/{invoice['id']}",
        f"/api/invoices/{invoice['id']}/pdf",
        f"/api/invoices/{invoice['id']}/pdf?lang=en",
        "/api/payments",
        "/api/refunds",
        "/api/credit-notes",
        f"/api/credit-notes?invoiceId={note['invoiceId']}",
        f"/api/credit-notes/{note['id']}",
        f"/api/credit-notes/{note['id']}/pdf",
        "/api/company",
        "/api/accounts?limit=100",
        "/api/accounts?kind=asset&at=2026-01-31",
        f"/api/accounts/{bank['id']}",
        "/api/journal-entries",
        "/api/journal-entries?source=invoice&account=1400&limit=5",
        f"/api/journal-entries/{entry['id']}",
        "/api/transactions",
        f"/api/transactions?accountId={bank['id']}&from=2026-02-01",
        "/api/reports/profit-loss",
        "/api/reports/profit-loss?from=2025-01-01&to=2025-12-31",
        "/api/reports/balance-sheet",
        "/api/reports/financial",
    ]
