"""The application catches up with the calendar before it answers anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.settings import Settings
from tests.app.conftest import PASSWORD, running

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]


async def test_what_fell_due_while_the_server_was_down_is_overdue_when_it_answers(
    sign_in: SignIn, app: Application, settings: Settings, clock: FakeClock
) -> None:
    http = await sign_in("clerk")
    customer = (await http.post("/api/customers", json={"name": "Muster", "paymentDays": 1})).json()["data"]
    items = [{"description": "Wartung", "unitPriceCents": 10_000}]
    draft = (await http.post("/api/invoices", json={"customerId": customer["id"], "items": items})).json()["data"]
    await http.post(f"/api/invoices/{draft['id']}/send", json={"version": 1})

    clock.advance(2 * 86_400)
    again = create_app(settings, clock=clock)
    async with running(again):
        transport = httpx2.ASGITransport(again, client=("127.0.0.1", 40_000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as late:
            signed = await late.post("/api/auth/login", json={"email": "clerk@example.com", "password": PASSWORD})
            late.headers["Authorization"] = f"Bearer {signed.json()['data']['accessToken']}"
            overdue = (await late.get("/api/dashboard/overview")).json()["data"]["overdueInvoices"]
            assert overdue == {"count": 1, "sumCents": 11_900}
