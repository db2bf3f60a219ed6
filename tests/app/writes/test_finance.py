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
    owed = invoice["openCents"]
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


@pytest.mark.both_databases(long=True)
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


@pytest.mark.both_databases(long=True)
async def test_crediting_an_invoice_and_refunding_it(house: House) -> None:
    invoice = await an_invoice(house, "paid")
    path = f"/api/invoices/{invoice['id']}"
    credit = {"version": invoice["version"], "reason": "Rücksendung"}
    await house.verify_write(lambda: house.clerk.post(f"{path}/credit", json=credit))
    credited = await house.data_of(path)
    back = {"version": credited["version"], "amountCents": credited["refundDueCents"]}
    await house.verify_write(lambda: house.clerk.post(f"{path}/refund", json=back))


async def test_crediting_a_part_of_an_open_invoice(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    item = {"description": "Nachlass", "unitPriceCents": 1, "vatPercent": 19}
    body = {"version": invoice["version"], "reason": "Kulanz", "items": [item]}
    await house.verify_write(lambda: house.clerk.post(f"/api/invoices/{invoice['id']}/credit", json=body))


async def test_cancelling_a_sent_invoice(house: House) -> None:
    draft = await a_draft(house)
    sent = await house.clerk.post(f"/api/invoices/{draft['id']}/send", json={"version": draft["version"]})
    version = sent.json()["data"]["version"]
    await house.verify_write(
        lambda: house.manager.post(f"/api/invoices/{draft['id']}/cancel", json={"version": version})
    )


async def accounts(house: House) -> dict[str, int]:
    """Ids by number."""
    return {each["number"]: each["id"] for each in await house.data_of("/api/accounts?limit=100")}


@pytest.mark.both_databases(long=True)
async def test_posting_by_hand_and_reversing_it(house: House) -> None:
    ids = await accounts(house)
    body = {
        "description": "Bürobedarf, bar",
        "lines": [
            {"accountId": ids["4930"], "amountCents": 4_250},
            {"accountId": ids["1000"], "amountCents": -4_250},
        ],
    }
    await house.verify_write(lambda: house.manager.post("/api/journal-entries", json=body))
    entry = (await house.data_of("/api/journal-entries?source=manual"))[0]
    path = f"/api/journal-entries/{entry['id']}/reverse"
    await house.verify_write(lambda: house.manager.post(path, json={"reason": "Privat"}))
    await house.verify_write(lambda: house.manager.post(path, json={}), succeeds=False)


async def test_opening_and_closing_an_account(house: House) -> None:
    body = {"number": "4945", "name": "Fortbildungskosten", "kind": "expense"}
    await house.verify_write(lambda: house.manager.post("/api/accounts", json=body))
    path = f"/api/accounts/{(await accounts(house))['4945']}"
    await house.verify_write(lambda: house.manager.patch(path, json={"version": 1, "isActive": False}))


async def test_changing_our_company(house: House) -> None:
    company = await house.data_of("/api/company")
    body = {"version": company["version"], "phone": "07361 990200"}
    await house.verify_write(lambda: house.admin.patch("/api/company", json=body))
