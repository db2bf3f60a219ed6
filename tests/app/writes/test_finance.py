"""Every write of finance, against every cached GET, for every role."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.app.writes.house import House
from tests.app.writes.paths.finance import an_invoice

pytestmark = pytest.mark.anyio


async def a_draft(house: House) -> dict[str, Any]:
    customer = (await house.data_of("/api/customers?limit=1"))[0]
    answer = await house.clerk.post(
        "/api/invoices",
        json={
            "customerId": customer["id"],
            "items": [{"description": "Wartung", "quantityMilli": 1500, "unitPriceCents": 9900}],
        },
    )
    invoice: dict[str, Any] = answer.json()["data"]
    return invoice


@pytest.mark.both_databases
async def test_paying_an_invoice(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    owed = invoice["grossCents"] - invoice["paidCents"]
    await house.verify_write(
        lambda: house.clerk.post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": owed, "version": invoice["version"]}
        )
    )


async def test_paying_a_part_of_an_invoice(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    await house.verify_write(
        lambda: house.clerk.post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": 1, "version": invoice["version"]}
        )
    )


@pytest.mark.both_databases
async def test_drafting_and_sending_an_invoice(house: House) -> None:
    customer = (await house.data_of("/api/customers?limit=1"))[0]
    drafted: list[httpx2.Response] = []

    async def draft() -> httpx2.Response:
        drafted.append(
            await house.clerk.post(
                "/api/invoices",
                json={
                    "customerId": customer["id"],
                    "items": [{"description": "Wartung", "quantityMilli": 1500, "unitPriceCents": 9900}],
                },
            )
        )
        return drafted[0]

    await house.verify_write(draft)
    invoice = drafted[0].json()["data"]
    await house.verify_write(
        lambda: house.clerk.post(f"/api/invoices/{invoice['id']}/send", json={"version": invoice["version"]})
    )


async def test_changing_a_draft(house: House) -> None:
    invoice = await a_draft(house)
    await house.verify_write(
        lambda: house.clerk.patch(
            f"/api/invoices/{invoice['id']}", json={"note": "Bitte prüfen", "version": invoice["version"]}
        )
    )


async def test_cancelling_an_invoice(house: House) -> None:
    invoice = await a_draft(house)
    await house.verify_write(
        lambda: house.manager.post(f"/api/invoices/{invoice['id']}/cancel", json={"version": invoice["version"]})
    )


async def test_creating_a_customer(house: House) -> None:
    await house.verify_write(lambda: house.clerk.post("/api/customers", json={"name": "Aalener Apparatebau GmbH"}))


async def test_changing_a_customer(house: House) -> None:
    customer = (await house.data_of("/api/customers?limit=1"))[0]
    await house.verify_write(
        lambda: house.clerk.patch(
            f"/api/customers/{customer['id']}", json={"city": "Aalen", "version": customer["version"]}
        )
    )


async def test_a_refused_write_changes_nothing_and_says_nothing(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    await house.verify_write(
        lambda: house.manager.post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": 1, "version": invoice["version"] + 7}
        ),
        succeeds=False,
    )
