"""Customers, invoices and payments over HTTP, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]

ITEMS = [
    {"description": "Drehteil", "quantityMilli": 2000, "unitPriceCents": 10_000},
    {"description": "Handbuch", "unitPriceCents": 1_500, "vatPercent": 7},
]
GROSS_CENTS = 20_000 + 3_800 + 1_500 + 105


async def data(answer: Awaitable[httpx2.Response], status: int = 200) -> Any:
    """The data of an answer that must have ``status``."""
    done = await answer
    assert done.status_code == status, done.text
    body = done.json()
    assert body["success"] is True
    return body["data"]


async def problem(answer: Awaitable[httpx2.Response], status: int) -> dict[str, Any]:
    done = await answer
    assert done.status_code == status, done.text
    assert done.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = done.json()
    assert body["success"] is False
    assert body["status"] == status
    return body


async def a_draft(http: httpx2.AsyncClient, name: str = "Muster GmbH") -> dict[str, Any]:
    customer = await data(http.post("/api/customers", json={"name": name}), 201)
    drafted: dict[str, Any] = await data(
        http.post("/api/invoices", json={"customerId": customer["id"], "items": ITEMS}), 201
    )
    return drafted


async def step(http: httpx2.AsyncClient, invoice: dict[str, Any], act: str, **more: Any) -> httpx2.Response:
    return await http.post(f"/api/invoices/{invoice['id']}/{act}", json={"version": invoice["version"], **more})


@pytest.mark.both_databases
async def test_an_invoice_from_draft_to_paid(sign_in: SignIn, engine_name: str) -> None:
    http = await sign_in("clerk")
    draft = await a_draft(http)
    assert (draft["status"], draft["number"], draft["grossCents"]) == ("draft", None, GROSS_CENTS)
    assert [item["vatCents"] for item in draft["items"]] == [3_800, 105]

    sent = await data(step(http, draft, "send"))
    assert (sent["status"], sent["number"], sent["issueDate"], sent["dueDate"], sent["sentAt"]) == (
        "sent",
        "RE-2026-00001",
        "2026-03-02",
        "2026-03-16",
        "2026-03-02T09:00:00Z",
    )
    part = await data(step(http, sent, "pay", amountCents=5, method="cash", paidOn="2026-03-01"))
    assert (part["status"], part["paidCents"]) == ("sent", 5)
    paid = await data(step(http, part, "pay", amountCents=GROSS_CENTS - 5))
    assert (paid["status"], paid["paidAt"]) == ("paid", "2026-03-02T09:00:00Z")

    assert await data(http.get(f"/api/invoices/{draft['id']}")) == paid
    payments = await data(http.get("/api/payments", params={"invoiceId": draft["id"]}))
    assert [(each["amountCents"], each["method"], each["invoiceNumber"]) for each in payments] == [
        (GROSS_CENTS - 5, "transfer", "RE-2026-00001"),
        (5, "cash", "RE-2026-00001"),
    ]


@pytest.mark.both_databases
async def test_lists_turn_pages_and_filter(sign_in: SignIn, engine_name: str) -> None:
    http = await sign_in("clerk")
    for name in ("Bau AG", "Abel KG", "Chemie GmbH"):
        await a_draft(http, name)
    seen: list[str] = []
    page: dict[str, Any] = {"next": None}
    while True:
        params = {"limit": "2", "sort": "-name", **({"cursor": page["next"]} if page["next"] else {})}
        body = (await http.get("/api/customers", params=params)).json()
        seen += [customer["name"] for customer in body["data"]]
        page = body["page"]
        assert page["total"] == 3
        if page["next"] is None:
            break
    assert seen == ["Chemie GmbH", "Bau AG", "Abel KG"]

    body = (await http.get("/api/invoices?status=draft&status=sent&q=bau&from=2026-03-02&to=2026-03-02")).json()
    assert [(row["customerName"], "items" in row) for row in body["data"]] == [("Bau AG", False)]
    assert body["page"] == {"next": None, "total": 1}
    sums = await data(http.get("/api/invoices/sums?status=draft&status=sent&q=bau&from=2026-03-02&to=2026-03-02"))
    assert (sums["count"], sums["draftCount"], sums["grossCents"]) == (1, 1, 0)
    assert await data(http.get("/api/invoices?status=paid")) == []
    assert [row["id"] for row in await data(http.get("/api/invoices?sort=id&limit=1"))] == [1]


async def test_the_sums_of_a_list_are_kept_and_move_with_the_invoices(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    sent = await data(step(http, await a_draft(http), "send"))
    path = f"/api/invoices/sums?customerId={sent['customerId']}"
    first, again = await http.get(path), await http.get(path)
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("MISS", "HIT")
    assert first.json()["data"]["openCents"] == GROSS_CENTS
    await data(step(http, sent, "pay", amountCents=GROSS_CENTS))
    sums = await data(http.get(path))
    assert (sums["openCents"], sums["openCount"], sums["paidCents"]) == (0, 0, GROSS_CENTS)


@pytest.mark.both_databases
async def test_who_has_not_read_the_newest_gets_the_current_record(sign_in: SignIn, engine_name: str) -> None:
    http = await sign_in("clerk")
    draft = await a_draft(http)
    path = f"/api/invoices/{draft['id']}"
    changed = await data(http.patch(path, json={"version": 1, "note": "eilig"}))
    for answer in (
        http.patch(path, json={"version": 1, "note": "doch nicht"}),
        step(http, draft, "send"),
        step(http, draft, "pay", amountCents=1),
    ):
        conflict = await problem(answer, 409)
        assert conflict["current"] == changed
    customer_path = f"/api/customers/{draft['customerId']}"
    await data(http.patch(customer_path, json={"version": 1, "city": "Köln"}))
    conflict = await problem(http.patch(customer_path, json={"version": 1, "city": "Bonn"}), 409)
    assert (conflict["current"]["city"], conflict["current"]["version"]) == ("Köln", 2)


async def test_what_the_state_does_not_allow_is_a_conflict(sign_in: SignIn) -> None:
    http = await sign_in("manager")
    sent = await data(step(http, await a_draft(http), "send"))
    assert "the invoice is sent" in (await problem(step(http, sent, "send"), 409))["detail"]
    refused = await problem(http.patch(f"/api/invoices/{sent['id']}", json={"version": sent["version"]}), 409)
    assert refused["current"] == sent
    part = await data(step(http, sent, "pay", amountCents=1))
    assert "1 cents were paid" in (await problem(step(http, part, "cancel"), 409))["detail"]


async def test_only_a_manager_cancels(sign_in: SignIn) -> None:
    clerk, manager = await sign_in("clerk"), await sign_in("manager")
    draft = await a_draft(clerk)
    refused = await problem(step(clerk, draft, "cancel"), 403)
    assert refused["neededRole"] == "manager"
    assert (await data(step(manager, draft, "cancel")))["status"] == "cancelled"


async def test_an_auditor_reads_and_writes_nothing(sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    draft = await a_draft(clerk)
    assert await data(auditor.get(f"/api/invoices/{draft['id']}")) == draft
    for answer in (
        auditor.post("/api/customers", json={"name": "Neu"}),
        auditor.patch(f"/api/customers/{draft['customerId']}", json={"version": 1, "city": "Ulm"}),
        auditor.post("/api/invoices", json={"customerId": draft["customerId"], "items": ITEMS}),
        auditor.patch(f"/api/invoices/{draft['id']}", json={"version": 1, "note": "x"}),
        step(auditor, draft, "send"),
        step(auditor, draft, "pay", amountCents=1),
        step(auditor, draft, "cancel"),
        step(auditor, draft, "credit", reason="x"),
        step(auditor, draft, "refund", amountCents=1),
        auditor.patch("/api/company", json={"version": 1, "city": "Ulm"}),
        auditor.post("/api/accounts", json={"number": "4945", "name": "x", "kind": "expense"}),
        auditor.patch("/api/accounts/1", json={"version": 1, "name": "x"}),
        auditor.post("/api/journal-entries/1/reverse", json={}),
    ):
        await problem(answer, 403)
    assert await data(clerk.get(f"/api/invoices/{draft['id']}")) == draft


async def test_nobody_reads_without_signing_in(client: httpx2.AsyncClient, sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    await a_draft(http)
    for path in (
        "/api/customers",
        "/api/customers/1",
        "/api/invoices",
        "/api/invoices/1",
        "/api/invoices/1/pdf",
        "/api/payments",
        "/api/refunds",
        "/api/credit-notes",
        "/api/company",
    ):
        for _ in range(2):
            assert (await http.get(path)).status_code == 200
        refused = await client.get(path)
        assert refused.status_code == 401
        assert refused.headers["x-cache"] != "HIT"
        assert "/api/auth/login" in refused.json()["detail"]


async def test_what_does_not_exist_is_not_found(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    for path in ("/api/customers/999", "/api/invoices/999"):
        await problem(http.get(path), 404)
        await problem(http.patch(path, json={"version": 1}), 404)


NONSENSE_DRAFTS: list[Any] = [
    {"items": ITEMS},
    {"customerId": 1, "items": []},
    {"customerId": 1, "items": ITEMS * 101},
    {"customerId": 2**31, "items": ITEMS},
    {"customerId": 2, "items": ITEMS},
    {"customerId": 1, "items": ITEMS, "number": "RE-2026-00001"},
    {"customerId": 1, "items": [ITEMS[0] | {"vatPercent": 16}]},
    {"customerId": 1, "items": [ITEMS[0] | {"quantityMilli": 0}]},
    {"customerId": 1, "items": [ITEMS[0] | {"unitPriceCents": 10**12}]},
    {"customerId": 1, "items": [ITEMS[0] | {"unitPriceCents": -1}]},
    {"customerId": 1, "items": [ITEMS[0] | {"description": " "}]},
    {"customerId": 1, "items": [ITEMS[0] | {"description": "nul\x00"}]},
    {"customerId": 1, "items": [ITEMS[0] | {"description": "\ud800"}]},
    {"customerId": 1, "items": ITEMS, "note": "x" * 1001},
    [],
]


async def test_a_draft_that_makes_no_sense_is_refused_whole(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    await data(http.post("/api/customers", json={"name": "Muster"}), 201)
    for body in NONSENSE_DRAFTS:
        sent = http.post("/api/invoices", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert (await problem(sent, 422))["errors"], body
    assert await data(http.get("/api/invoices")) == []


NONSENSE_QUESTIONS = [
    "/api/invoices?limit=0",
    "/api/invoices?limit=501",
    "/api/invoices?cursor=nonsense",
    "/api/invoices?status=lost",
    "/api/invoices?colour=red",
    "/api/invoices?from=gestern",
    "/api/invoices?customerId=99999999999",
    "/api/invoices?sort=note",
    "/api/invoices?q=%00",
    "/api/customers?q=" + "x" * 101,
    "/api/invoices/0",
    "/api/invoices/99999999999",
    "/api/payments?invoiceId=x",
    "/api/refunds?from=x",
    "/api/credit-notes/0",
    "/api/invoices/1/pdf?lang=fr",
]


async def test_a_question_that_makes_no_sense_is_refused(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    for path in NONSENSE_QUESTIONS:
        await problem(http.get(path), 422)


async def test_a_payment_is_above_nothing_at_most_what_is_open_and_not_of_tomorrow(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    sent = await data(step(http, await a_draft(http), "send"))
    for cents in (0, -5, GROSS_CENTS + 1):
        await problem(step(http, sent, "pay", amountCents=cents), 422)
    await problem(step(http, sent, "pay", amountCents=1, paidOn="2026-03-03"), 422)
    assert await data(http.get(f"/api/invoices/{sent['id']}")) == sent


async def test_readings_are_kept_for_all_and_dropped_by_the_write(sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    draft = await a_draft(clerk)
    path = f"/api/invoices/{draft['id']}"
    assert (await clerk.get(path)).headers["x-cache"] == "MISS"
    assert (await auditor.get(path)).headers["x-cache"] == "HIT"
    sent = await data(step(clerk, draft, "send"))
    fresh = await auditor.get(path)
    assert (fresh.headers["x-cache"], fresh.json()["data"]) == ("MISS", sent)
    refused = await step(clerk, draft, "send")
    assert refused.status_code == 409
    assert (await auditor.get(path)).headers["x-cache"] == "HIT"


async def test_a_write_is_in_the_audit_log_with_its_request(sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    draft = await a_draft(clerk)
    sent = await step(clerk, draft, "send")
    entry = (await data(auditor.get(f"/api/audit?entity=invoice&entityId={draft['id']}")))[0]
    assert (entry["action"], entry["actorName"]) == ("invoice.send", "Clerk Beispiel")
    assert entry["requestId"] == sent.headers["x-request-id"]
    assert entry["after"]["number"] == "RE-2026-00001"


async def test_overdue_is_a_write_that_screens_see(sign_in: SignIn, app: Any, clock: FakeClock) -> None:
    http = await sign_in("clerk")
    sent = await data(step(http, await a_draft(http), "send"))
    path = f"/api/invoices/{sent['id']}"
    assert (await data(http.get(path)))["status"] == "sent"
    assert (await http.get(path)).headers["x-cache"] == "HIT"
    clock.advance(15 * 86_400)
    assert await app.state.scheduler.run_due(clock.now()) == 1
    late = await sign_in("clerk")
    fresh = await late.get(path)
    assert (fresh.headers["x-cache"], fresh.json()["data"]["status"]) == ("MISS", "overdue")


# Credit notes and documents


@pytest.mark.both_databases
async def test_a_paid_invoice_is_credited_and_refunded_until_nothing_is_left(
    sign_in: SignIn, engine_name: str
) -> None:
    http = await sign_in("clerk")
    sent = await data(step(http, await a_draft(http), "send"))
    paid = await data(step(http, sent, "pay", amountCents=sent["openCents"]))
    note = await data(step(http, paid, "credit", reason="Rücksendung", items=ITEMS[1:]), 201)
    assert (note["number"], note["invoiceNumber"], note["grossCents"]) == ("GS-2026-00001", "RE-2026-00001", 1_605)
    assert await data(http.get(f"/api/credit-notes/{note['id']}")) == note
    shown = await data(http.get(f"/api/invoices/{sent['id']}"))
    assert (shown["creditedCents"], shown["openCents"], shown["refundDueCents"]) == (1_605, 0, 1_605)
    assert [each["number"] for each in shown["creditNotes"]] == [note["number"]]
    refunded = await data(step(http, shown, "refund", amountCents=1_605, reference="zurück"))
    assert (refunded["refundDueCents"], refunded["refunds"][0]["reference"]) == (0, "zurück")
    listed = await data(http.get("/api/credit-notes", params={"customerId": sent["customerId"]}))
    assert listed == [{name: note[name] for name in note if name != "items"}]
    assert [row["amountCents"] for row in await data(http.get("/api/refunds"))] == [1_605]
    rest = await data(step(http, refunded, "credit", reason="Alles zurück"), 201)
    assert rest["grossCents"] == GROSS_CENTS - 1_605
    last = await data(http.get(f"/api/invoices/{sent['id']}"))
    refused = await problem(step(http, last, "credit", reason="Noch einmal"), 422)
    assert "credited already" in refused["detail"]
    for name in ("number", "issueDate", "dueDate", "items", "netCents", "vatCents", "grossCents", "sentAt"):
        assert last[name] == sent[name]


NONSENSE_CREDITS: list[dict[str, Any]] = [
    {},
    {"reason": " "},
    {"reason": "x" * 301},
    {"reason": "x", "items": []},
    {"reason": "x", "items": [ITEMS[0] | {"vatPercent": 16}]},
    {"reason": "x", "items": [ITEMS[0] | {"quantityMilli": 2_001}]},
    {"reason": "x", "items": [ITEMS[0] | {"unitPriceCents": -1}]},
    {"reason": "x", "amountCents": 5},
]


async def test_a_credit_note_that_makes_no_sense_is_refused_whole(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    sent = await data(step(http, await a_draft(http), "send"))
    for more in NONSENSE_CREDITS:
        assert (await problem(step(http, sent, "credit", **more), 422))["errors"], more
    await problem(step(http, {**sent, "version": 1}, "credit", reason="x"), 409)
    assert await data(http.get(f"/api/invoices/{sent['id']}")) == sent
    assert await data(http.get("/api/credit-notes")) == []
    await problem(http.get("/api/credit-notes/1"), 404)
    await problem(http.get("/api/credit-notes/1/pdf"), 404)
    await problem(http.get("/api/invoices/999/pdf"), 404)


async def test_an_invoice_is_printed_once_and_kept(sign_in: SignIn) -> None:
    clerk, auditor = await sign_in("clerk"), await sign_in("auditor")
    draft = await a_draft(clerk)
    drafted = await clerk.get(f"/api/invoices/{draft['id']}/pdf")
    assert drafted.headers["content-disposition"] == f'inline; filename="Entwurf-{draft["id"]}.pdf"'
    sent = await data(step(clerk, draft, "send"))
    path = f"/api/invoices/{sent['id']}/pdf"
    printed, again, english = await clerk.get(path), await auditor.get(path), await clerk.get(f"{path}?lang=en")
    assert (printed.headers["content-type"], printed.content[:5]) == ("application/pdf", b"%PDF-")
    assert printed.headers["content-disposition"] == 'inline; filename="RE-2026-00001.pdf"'
    assert (printed.headers["x-cache"], again.headers["x-cache"]) == ("MISS", "HIT")
    assert again.content == printed.content != english.content
    assert drafted.content != printed.content
    note = await data(step(clerk, sent, "credit", reason="Irrtum"), 201)
    credited = await clerk.get(f"/api/credit-notes/{note['id']}/pdf")
    assert credited.headers["content-disposition"] == 'inline; filename="GS-2026-00001.pdf"'


async def test_many_documents_at_once_are_all_printed(sign_in: SignIn) -> None:
    http = await sign_in("clerk")
    drafts = [await a_draft(http) for _ in range(12)]
    printed = await asyncio.gather(*(http.get(f"/api/invoices/{draft['id']}/pdf") for draft in drafts))
    assert [answer.status_code for answer in printed] == [200] * 12
    assert len({answer.content for answer in printed}) > 1


# Our company


async def test_only_an_administrator_changes_our_company(sign_in: SignIn) -> None:
    admin, manager = await sign_in("admin"), await sign_in("manager")
    shown = await data(manager.get("/api/company"))
    assert (shown["name"], shown["country"], shown["version"]) == ("Unser Unternehmen", "DE", 1)
    body = {"version": 1, "name": "Wir GmbH", "iban": "DE02 1203 0000 0000 2020 51", "tradeRegister": "HRB 1"}
    await problem(manager.patch("/api/company", json=body), 403)
    changed = await data(admin.patch("/api/company", json=body))
    assert (changed["name"], changed["iban"]) == ("Wir GmbH", "DE02120300000000202051")
    assert await data(manager.get("/api/company")) == changed
    await problem(admin.patch("/api/company", json=body), 409)
    for nonsense in ({"iban": "DE00"}, {"bic": "x"}, {"country": "Deutschland"}, {"name": ""}, {"id": 2}):
        await problem(admin.patch("/api/company", json={"version": 2, **nonsense}), 422)
    entry = (await data(admin.get("/api/audit?entity=company")))[0]
    assert (entry["action"], entry["before"]["name"], entry["after"]["name"]) == (
        "company.change",
        "Unser Unternehmen",
        "Wir GmbH",
    )
