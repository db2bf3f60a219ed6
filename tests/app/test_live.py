"""Answers of the application that clients have subscribed to: who may, what they hear, and what is left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from steinmetz.erp.main import Application
from steinmetz.live.merge_patch import applied
from tests.app.people import Arrive, Person, data

pytestmark = pytest.mark.anyio

OVERVIEW = "/api/dashboard/overview"
SUBSCRIBE, UNSUBSCRIBE = "live:subscribe", "live:unsubscribe"


async def subscribed(person: Person, path: str, etag: str | None = None) -> Any:
    asked = {"path": path} if etag is None else {"path": path, "etag": etag}
    answer = await person.socket.call(SUBSCRIBE, asked)
    assert answer["ok"] is True, answer
    return answer


async def refused(person: Person, path: Any) -> str:
    answer = await person.socket.call(SUBSCRIBE, {"path": path})
    assert answer["ok"] is False
    assert answer["error"]["message"]
    code: str = answer["error"]["code"]
    return code


async def a_customer(http: httpx2.AsyncClient, name: str = "Muster") -> dict[str, Any]:
    made: dict[str, Any] = await data(http.post("/api/customers", json={"name": name}), 201)
    return made


async def settled(app: Application) -> None:
    """All have been told, and have heard it."""
    await app.live.settled()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def shown(answer: dict[str, Any], updates: list[dict[str, Any]]) -> Any:
    """What a screen shows that had ``answer`` first; every patch must fit what it shows."""
    etag, body = answer["etag"], answer["body"]
    for update in updates:
        if "patch" in update:
            assert update["base"] == etag
            body = applied(body, update["patch"])
        else:
            body = update["body"]
        etag = update["etag"]
    return body


@pytest.mark.both_databases
@pytest.mark.parametrize("path", ["/api/customers?limit=2", "/api/invoices", OVERVIEW])
async def test_a_screen_hears_the_commit_that_changes_what_it_shows(
    app: Application, arrive: Arrive, engine_name: str, path: str
) -> None:
    clerk, admin = await arrive("clerk"), await arrive("admin")
    answer = await subscribed(admin, path)
    asked = await admin.http.get(path)
    assert (answer["body"], answer["etag"]) == (asked.json(), asked.headers["etag"])
    for name in ("Muster", "Beispiel"):
        customer = await a_customer(clerk.http, name)
        items = [{"description": "Wartung", "unitPriceCents": 10_000}]
        await data(clerk.http.post("/api/invoices", json={"customerId": customer["id"], "items": items}), 201)
        await settled(app)
        now = await clerk.http.get(path)
        assert now.headers["x-cache"] == "HIT"
        assert shown(answer, admin.heard("live:update")) == now.json()
    assert clerk.heard("live:update") == []
