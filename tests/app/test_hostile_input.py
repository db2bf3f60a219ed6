"""What an attacker would try first: no input ends in a 500, and none gets past the door half-way."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url

from steinmetz.erp.main import Application
from steinmetz.erp.settings import Settings
from steinmetz.realtime.testing import connect

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


def is_problem(answer: httpx2.Response) -> bool:
    return (
        answer.headers["content-type"] == "application/problem+json"
        and answer.json()["success"] is False
        and answer.json()["status"] == answer.status_code
    )


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


LISTS = [
    "/api/users",
    "/api/customers",
    "/api/invoices",
    "/api/payments",
    "/api/audit",
    "/api/functions/search?q=a",
    "/api/chat/channels",
    "/api/chat/messages?q=a",
    "/api/chat/channels/general/messages",
    "/api/notifications",
]
FORGED = [None, 2**31, 2**63 - 1, -(2**63), "\x00", "\ud800", "0001-01-01", True, 1.5, [], {}]


@pytest.mark.both_databases
@pytest.mark.parametrize("path", LISTS)
async def test_a_forged_cursor_is_refused_or_gives_an_empty_page_but_never_reaches_the_database_as_nonsense(
    sign_in: SignIn, engine_name: str, path: str
) -> None:
    admin = await sign_in("admin")
    for value in FORGED:
        for values in ((value,), (value, 1), ("x", value), ("2026-01-01", value)):
            answer = await admin.get(
                path, params={"cursor": cursor(*values), **({"q": "a"} if "?" in path else {})}
            )
            assert answer.status_code in {200, 422}, (values, answer.text)


@pytest.mark.both_databases
@pytest.mark.parametrize("day", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
async def test_an_instant_that_utc_cannot_say_is_invalid_input(
    sign_in: SignIn, engine_name: str, day: str
) -> None:
    auditor = await sign_in("auditor")
    for name in ("from", "to"):
        answer = await auditor.get("/api/audit", params={name: day})
        assert answer.status_code == 422
        assert is_problem(answer)
    for edge in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert (await auditor.get("/api/audit", params={"from": edge})).status_code == 200


@pytest.mark.both_databases
async def test_an_address_that_grows_in_lower_case_is_measured_afterwards(
    sign_in: SignIn, engine_name: str
) -> None:
    admin = await sign_in("admin")
    user = {"email": "İ" * 200 + "@b", "name": "x", "role": "clerk", "password": "long enough 1"}
    answer = await admin.post("/api/users", json=user)
    assert answer.status_code == 422
    assert "254" in answer.json()["detail"]


async def test_every_reading_answers_head_as_get_without_the_body(
    sign_in: SignIn, client: httpx2.AsyncClient
) -> None:
    clerk = await sign_in("clerk")
    for path in ("/api/auth/me", "/api/customers", "/api/functions/rules", "/healthz", "/docs"):
        read, asked = await clerk.get(path), await clerk.head(path)
        assert (asked.status_code, asked.content) == (200, b""), path
        assert asked.headers["content-length"] == read.headers["content-length"]
        assert asked.headers["content-type"] == read.headers["content-type"]
    refused = await client.head("/api/customers")
    assert (refused.status_code, refused.content) == (401, b"")
    assert (await clerk.head("/api/auth/login")).status_code == 405


async def test_a_websocket_where_there_is_none_is_told_where_they_are(app: Application) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": "/api/customers", "headers": [], "query_string": b""}
    await app({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    assert sent[0]["status"] == 404
    assert "/socket.io/" in json.loads(sent[1]["body"])["detail"]
    sent.clear()
    await app(scope, receive, send)
    assert sent == [{"type": "websocket.close"}]


async def test_auth_refresh_with_too_many_arguments_is_answered(app: Application, sign_in: SignIn) -> None:
    token = (await sign_in("clerk")).headers["Authorization"].removeprefix("Bearer ")
    async with connect(app.state.io, auth={"token": token}) as socket:
        assert await socket.call("auth:refresh", {"token": token}, 2, 3) == {"ok": True}
        assert (await socket.call("auth:refresh", 1, 2))["error"]["code"] == "unauthenticated"


async def test_a_probe_does_not_wait_for_those_who_write(
    client: httpx2.AsyncClient, app: Application, settings: Settings
) -> None:
    writer = sqlite3.connect(str(make_url(settings.database_address).database), isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        answer = await asyncio.wait_for(client.get("/readyz"), 2)
        assert answer.status_code == 200
    finally:
        writer.close()
