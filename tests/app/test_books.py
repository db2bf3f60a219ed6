"""Accounts, the journal and the reports over HTTP: who may see them, and that they add up."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from tests.app.test_finance import GROSS_CENTS, SignIn, a_draft, data, problem, step

pytestmark = pytest.mark.anyio

READINGS = (
    "/api/accounts",
    "/api/accounts/1",
    "/api/journal-entries",
    "/api/journal-entries/1",
    "/api/transactions",
    "/api/reports/profit-loss",
    "/api/reports/balance-sheet",
    "/api/reports/financial",
)


async def a_sent_invoice(http: httpx2.AsyncClient) -> dict[str, Any]:
    sent: dict[str, Any] = await data(step(http, await a_draft(http), "send"))
    return sent


async def an_entry(http: httpx2.AsyncClient, status: int = 201, **changes: Any) -> Any:
    ids = {each["number"]: each["id"] for each in await data(http.get("/api/accounts?limit=100"))}
    lines = [{"accountId": ids["4930"], "amountCents": 500}, {"accountId": ids["1000"], "amountCents": -500}]
    body = {"description": "Bürobedarf", "lines": lines, **changes}
    answer = http.post("/api/journal-entries", json=body)
    return await (data(answer, status) if status < 400 else problem(answer, status))


async def test_the_books_are_for_managers_and_auditors_and_kept_for_each_role(sign_in: SignIn) -> None:
    manager, auditor, clerk = await sign_in("manager"), await sign_in("auditor"), await sign_in("clerk")
    await a_sent_invoice(clerk)
    for path in READINGS:
        first, again = await manager.get(path), await manager.get(path)
        assert (first.status_code, first.headers["x-cache"], again.headers["x-cache"]) == (200, "MISS", "HIT"), (
            path
        )
        assert (await auditor.get(path)).content == first.content
        refused = await problem(clerk.get(path), 403)
        assert refused["neededRole"] == "manager"
    for path in ("/api/accounts", "/api/journal-entries", "/api/journal-entries/1/reverse"):
        await problem(clerk.post(path, json={}), 403)


@pytest.mark.both_databases
async def test_a_manual_entry_is_posted_shown_and_taken_back(sign_in: SignIn, engine_name: str) -> None:
    manager = await sign_in("manager")
    entry = await an_entry(manager, date="2026-02-27")
    assert (entry["source"], entry["amountCents"], entry["date"]) == ("manual", 500, "2026-02-27")
    posted = [(line["accountNumber"], line["amountCents"]) for line in entry["lines"]]
    assert posted == [("4930", 500), ("1000", -500)]
    cash = (await data(manager.get("/api/accounts?q=1000")))[0]
    assert (cash["name"], cash["balanceCents"]) == ("Kasse", -500)
    assert (await data(manager.get(f"/api/accounts/{cash['id']}?at=2026-02-26")))["balanceCents"] == 0
    path = f"/api/journal-entries/{entry['id']}"
    back = await data(manager.post(f"{path}/reverse", json={"reason": "Privat"}), 201)
    assert (back["reversesId"], back["date"]) == (entry["id"], "2026-03-02")
    refused = await problem(manager.post(f"{path}/reverse", json={}), 409)
    assert refused["current"]["reversedById"] == back["id"]
    lines = await data(manager.get("/api/transactions", params={"accountId": cash["id"]}))
    assert [(line["entryId"], line["amountCents"]) for line in lines] == [(back["id"], 500), (entry["id"], -500)]


async def test_an_entry_that_makes_no_sense_is_refused_whole(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    for changes in (
        {"lines": []},
        {"lines": [{"accountId": 1, "amountCents": 0}]},
        {"lines": [{"accountId": 1, "amountCents": 5}, {"accountId": 2, "amountCents": -4}]},
        {"lines": [{"accountId": 1, "amountCents": 0}, {"accountId": 2, "amountCents": 0}]},
        {"lines": [{"accountId": 1, "amountCents": 5}, {"accountId": 9_999, "amountCents": -5}]},
        {"lines": [{"accountId": 1, "amountCents": 10**14}, {"accountId": 2, "amountCents": -(10**14)}]},
        {"lines": [{"accountId": 1, "amountCents": "5"}, {"accountId": 2, "amountCents": -5}]},
        {"date": "2026-03-03"},
        {"description": ""},
        {"source": "invoice:1"},
    ):
        assert (await an_entry(manager, 422, **changes))["errors"], changes
    assert await data(manager.get("/api/journal-entries")) == []
    for body in ({"number": "12", "name": "x", "kind": "asset"}, {"number": "4945", "name": "x", "kind": "money"}):
        await problem(manager.post("/api/accounts", json=body), 422)
    taken = await problem(
        manager.post("/api/accounts", json={"number": "1000", "name": "x", "kind": "asset"}), 409
    )
    assert taken["current"]["name"] == "Kasse"
    await problem(manager.get("/api/accounts/999"), 404)
    await problem(manager.get("/api/journal-entries/999"), 404)
    await problem(manager.post("/api/journal-entries/999/reverse", json={}), 404)


async def test_what_a_document_has_posted_is_not_reversed_behind_its_back(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    sent = await a_sent_invoice(manager)
    entry = (await data(manager.get(f"/api/journal-entries?source=invoice:{sent['id']}")))[0]
    refused = await problem(manager.post(f"/api/journal-entries/{entry['id']}/reverse", json={}), 409)
    assert "cancel or credit the invoice" in refused["detail"]


@pytest.mark.both_databases
async def test_reports_tell_of_a_period_and_empty_ones_are_empty(sign_in: SignIn, engine_name: str) -> None:
    manager = await sign_in("manager")
    await a_sent_invoice(manager)
    await an_entry(manager)
    earned = await data(manager.get("/api/reports/profit-loss"))
    assert (earned["from"], earned["to"]) == ("2026-01-01", "2026-03-02")
    assert (earned["incomeCents"], earned["expensesCents"], earned["resultCents"]) == (21_500, 500, 21_000)
    sheet = await data(manager.get("/api/reports/balance-sheet"))
    assert sheet["closing"] == {
        "assetsCents": GROSS_CENTS - 500,
        "liabilitiesCents": 3_905,
        "equityCents": 0,
        "resultCents": 21_000,
    }
    figures = await data(manager.get("/api/reports/financial"))
    assert figures["invoicesSent"] == {"count": 1, "sumCents": GROSS_CENTS}
    assert (figures["receivablesCents"], figures["vatOwedCents"], figures["cashCents"]) == (
        GROSS_CENTS,
        3_905,
        -500,
    )
    assert (figures["before"]["from"], figures["before"]["to"]) == ("2025-11-01", "2025-12-31")
    for report in ("profit-loss", "balance-sheet", "financial"):
        empty = await data(manager.get(f"/api/reports/{report}?from=1900-01-01&to=1900-01-01"))
        sums = [value for name, value in empty.items() if name.endswith("Cents")]
        assert (empty["from"], empty["to"], set(sums)) == ("1900-01-01", "1900-01-01", {0})


async def test_a_period_that_makes_no_sense_is_refused(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    for report in ("profit-loss", "balance-sheet", "financial"):
        for query in ("from=2026-02-02&to=2026-02-01", "from=2026-03-03", "from=x", "to=0001-01-01", "day=1"):
            assert (await problem(manager.get(f"/api/reports/{report}?{query}"), 422))["errors"], query


async def test_a_report_up_to_today_ends_at_midnight_and_one_of_the_past_does_not(
    sign_in: SignIn, clock: FakeClock
) -> None:
    manager = await sign_in("manager")
    today, past = "/api/reports/profit-loss", "/api/reports/profit-loss?from=2026-01-01&to=2026-01-31"
    clock.advance(13 * 3600 + 3_540)  # 23:59 in Berlin
    manager = await sign_in("manager")
    assert (await data(manager.get(today)))["to"] == "2026-03-02"
    await manager.get(past)
    clock.advance(120)
    assert (await data(manager.get(today)))["to"] == "2026-03-03"
    assert (await manager.get(past)).headers["x-cache"] == "HIT"
