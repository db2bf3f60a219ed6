"""The main job, through the real door: read from memory, write, hear it, read the new state."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.listeners import js_listener, python_listener
from tests.e2e.server import running_server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

OVERVIEW = "/api/dashboard/overview"
LISTENERS = [
    (js_listener, "websocket"),
    (js_listener, "polling"),
    (js_listener, "upgrade"),
    (python_listener, "websocket"),
    (python_listener, "polling"),
]


async def sign_in(http: httpx2.AsyncClient, role: str) -> str:
    answer = await http.post(
        "/api/auth/login", json={"email": f"{role}@steinmetz.example", "password": "steinmetz-demo"}
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["data"]["accessToken"]
    return token


@pytest.mark.both_databases
async def test_a_payment_is_heard_by_every_client_and_read_by_everybody(company: tuple[Path, str | None]) -> None:
    folder, database_url = company
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http, AsyncExitStack() as stack:
            token = await sign_in(http, "clerk")
            http.headers["Authorization"] = f"Bearer {token}"

            first, second = await http.get(OVERVIEW), await http.get(OVERVIEW)
            assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
            assert first.content == second.content

            heard = [
                await stack.enter_async_context(listen(server.url, token, transport, "dashboard:update"))
                for listen, transport in LISTENERS
            ]
            for client in heard:
                await client.next("connect")

            invoice = (await http.get("/api/invoices", params={"status": "sent", "limit": 1})).json()["data"][0]
            owed = invoice["openCents"]
            refused = await pay(http, invoice, owed, version=invoice["version"] + 1)
            assert refused.status_code == 409, refused.text
            assert (await http.get(OVERVIEW)).headers["X-Cache"] == "HIT"

            loop = asyncio.get_running_loop()
            for client in heard:
                client.assert_silent()
            paid_at = loop.time()
            paid = await pay(http, invoice, owed, version=invoice["version"])
            assert paid.status_code < 300, paid.text
            events = [await client.next("event", within_s=1.0) for client in heard]
            assert loop.time() - paid_at < 1.0

            third, fourth = await http.get(OVERVIEW), await http.get(OVERVIEW)
            assert (third.headers["X-Cache"], fourth.headers["X-Cache"]) == ("MISS", "HIT")
            assert third.content == fourth.content != first.content
            assert [event["payload"] for event in events] == [third.json()["data"]] * len(heard)
            for client in heard:
                client.assert_silent()


async def pay(http: httpx2.AsyncClient, invoice: dict[str, Any], cents: int, *, version: int) -> httpx2.Response:
    return await http.post(
        f"/api/invoices/{invoice['id']}/pay",
        json={"amountCents": cents, "method": "transfer", "version": version},
    )


async def test_without_a_token_there_is_no_socket_no_data_and_no_cached_answer(
    company: tuple[Path, str | None],
) -> None:
    folder, database_url = company
    with running_server(folder, database_url=database_url) as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            token = await sign_in(http, "manager")
            admitted = {"Authorization": f"Bearer {token}"}
            for _ in range(2):
                assert (await http.get(OVERVIEW, headers=admitted)).status_code == 200
            for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Bearer {token[:-2]}xx"}):
                refused = await http.get(OVERVIEW, headers=headers)
                assert refused.status_code == 401
                assert refused.headers.get("X-Cache") != "HIT"
                assert refused.json()["success"] is False
            async with js_listener(server.url, "", "websocket", "dashboard:update") as heard:
                assert (await heard.next("connect_error"))["message"] == "Authentication required"
