"""The workload against a company that lives in a dictionary, over real HTTP and a real WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from steinmetz.clock import FakeClock
from steinmetz.erp.traffic.client import Account, Door, Plan, TrafficError, run
from steinmetz.erp.traffic.company import Role
from steinmetz.erp.traffic.report import Tally
from steinmetz.erp.traffic.screen import ScreenError, for_screens, listen

pytestmark = pytest.mark.anyio


class Company:
    """Forgets every change of a customer when told to be ``stale``."""

    def __init__(self) -> None:
        self.stale = False
        self.audits = 50
        self.customers = {
            number: {"id": number, "name": f"Kunde {number} Maschinenbau", "phone": "", "version": 1}
            for number in range(1, 9)
        }
        self.invoices: dict[int, dict[str, Any]] = {
            number: {"id": number, "status": "sent", "openCents": 500, "version": 1} for number in range(1, 30)
        }
        self.logins = 0
        self.renewals = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.opened: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.polls = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/auth/login", self.login),
                web.post("/api/auth/refresh", self.refresh),
                web.get("/socket.io/", self.socket),
                web.get("/api/dashboard/overview", self.overview),
                web.get("/api/dashboard", self.widgets),
                web.get("/api/customers", self.listing),
                web.get("/api/invoices", self.listing),
                web.post("/api/invoices", self.draft),
                web.route("*", "/api/{kind:customers|invoices}/{id}", self.record),
                web.post("/api/{kind:invoices}/{id}/{act}", self.record),
                web.get("/api/functions", self.functions),
                web.route("*", "/api/functions/{rest:.*}", self.anything),
                web.get("/api/dashboard/widgets/{id}", self.anything),
            ]
        )
        return app

    async def login(self, request: web.Request) -> web.Response:
        self.logins += 1
        given = await request.json()
        if given["password"] != "right":
            return web.json_response({"success": False}, status=401)
        return self.signed_in(given["email"])

    async def refresh(self, request: web.Request) -> web.Response:
        if request.cookies.get("refresh") != str(self.renewals):
            return web.json_response({"success": False}, status=401)
        self.renewals += 1
        return self.signed_in(f"renewed {self.renewals}")

    def signed_in(self, token: str) -> web.Response:
        answer = web.json_response({"success": True, "data": {"accessToken": token, "expiresIn": 900}})
        answer.set_cookie("refresh", str(self.renewals), httponly=True)
        return answer

    async def overview(self, request: web.Request) -> web.Response:
        self.polls += request.headers["Authorization"].startswith("Bearer ")
        return ok({"activity": [{"id": self.audits}]})

    async def widgets(self, request: web.Request) -> web.Response:
        return ok({"widgets": [{"id": "cash", "data": {}}]})

    async def listing(self, request: web.Request) -> web.Response:
        records = self.customers if request.path.endswith("customers") else self.invoices
        return ok(list(records.values()))

    async def functions(self, request: web.Request) -> web.Response:
        return ok([{"id": "a", "version": 1, "children": [{"id": "a/b", "version": 1}]}])

    async def anything(self, request: web.Request) -> web.Response:
        self.audits += request.method != "GET"
        return ok({"id": 1, "version": 1})

    async def draft(self, request: web.Request) -> web.Response:
        number = 100 + len(self.invoices)
        self.invoices[number] = {"id": number, "status": "draft", "openCents": 10, "version": 1}
        return await self.changed(self.invoices[number])

    async def record(self, request: web.Request) -> web.Response:
        records = self.customers if request.match_info["kind"] == "customers" else self.invoices
        record = records[int(request.match_info["id"])]
        if request.method == "GET":
            return ok({**record, "version": 1} if self.stale else record)
        given = await request.json()
        if given["version"] != record["version"] and not self.stale:
            return web.json_response({"success": False}, status=409)
        act = request.match_info.get("act")
        record |= {"status": "sent"} if act == "send" else {"status": "paid"} if act == "pay" else {}
        record["version"] += 1
        return await self.changed(record)

    async def changed(self, record: dict[str, Any]) -> web.Response:
        self.audits += 1
        event = orjson.dumps(["dashboard:update", {"activity": [{"id": self.audits}]}]).decode()
        for socket in self.sockets:
            await socket.send_str(f"42{event}")
        return ok(dict(record))

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1}')
        assert (await socket.receive()).data.startswith('40{"token":"')
        await socket.send_str('40{"sid":"y"}')
        await socket.send_str("2")
        assert (await socket.receive()).data == "3"
        self.sockets.append(socket)
        self.opened.put_nowait(socket)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
        self.sockets.remove(socket)
        return socket


def ok(data: Any) -> web.Response:
    body = orjson.dumps({"success": True, "data": data})
    return web.Response(body=body, content_type="application/json", headers={"X-Cache": "MISS"})


@pytest.fixture
async def company() -> AsyncIterator[tuple[Company, str]]:
    company = Company()
    runner = web.AppRunner(company.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield company, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def plan(url: str, password: str = "right", **changes: Any) -> Plan:
    accounts = {role: Account(f"{role}@example.com", password) for role in Role}
    return Plan(url, **{"clerks": 4, "duration_s": 1.0, "pause_s": 0.002, "accounts": accounts, **changes})


async def test_clerks_read_write_and_listen_and_nothing_is_stale(company: tuple[Company, str]) -> None:
    books, url = company
    tally = Tally()
    await run(plan(url), tally)
    assert tally.requests > 100
    assert tally.statuses.keys() <= {200}
    assert 0 < tally.requests - tally.read_count <= tally.requests / 20 + 4
    assert (tally.ledger.stale, tally.ledger.backwards, tally.broken, tally.sockets_lost) == (0, 0, 0, 0)
    assert tally.ledger.checked > 100
    assert tally.events["dashboard:update"] > 0
    assert tally.events_backwards == 0
    assert tally.x_cache["MISS"] == tally.read_count
    assert books.logins == 2


async def test_a_server_that_answers_with_old_records_is_caught(company: tuple[Company, str]) -> None:
    books, url = company
    books.stale = True
    tally = Tally()
    await run(plan(url, screens=False), tally)
    assert tally.ledger.stale > 0
    assert tally.ledger.findings[0].shown < tally.ledger.findings[0].required


async def test_polling_asks_for_the_overview_and_is_counted_apart(company: tuple[Company, str]) -> None:
    _, url = company
    tally = Tally()
    await run(plan(url, screens=False, poll_s=0.1, pause_s=0.1), tally)
    assert tally.polls > 10
    assert tally.routes["GET /api/dashboard/overview"].requests < tally.polls + tally.read_count
    assert not tally.events


async def test_each_sample_is_given_once(company: tuple[Company, str]) -> None:
    _, url = company
    tally, samples = Tally(), list[float]()
    await run(plan(url), tally, sample=lambda call, reply, duration_ms: samples.append(duration_ms))
    assert len(samples) == tally.requests


async def test_a_warm_up_is_not_counted(company: tuple[Company, str]) -> None:
    _, url = company
    tally, samples, warmed = Tally(), list[float](), list[int]()
    await run(
        plan(url, duration_s=0.5, warm_up_s=0.5),
        tally,
        sample=lambda call, reply, duration_ms: samples.append(duration_ms),
        warm=lambda: warmed.append(len(samples)),
    )
    assert len(warmed) == 1
    assert 0 < warmed[0] < len(samples)
    assert tally.requests <= len(samples) - warmed[0]
    assert tally.elapsed_s < 0.9


async def test_a_refused_sign_in_says_what_to_do(company: tuple[Company, str]) -> None:
    _, url = company
    with pytest.raises(TrafficError, match="with status 401: seed the demo data"):
        await run(plan(url, password="wrong"), Tally())


async def test_no_server_is_told() -> None:
    with pytest.raises(TrafficError, match=r"no server answers at http://127\.0\.0\.1:1"):
        await run(plan("http://127.0.0.1:1"), Tally())


async def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(TrafficError, match="http://HOST:PORT"):
        await run(plan("ftp://somewhere"), Tally())


async def test_more_clerks_than_customers_are_refused(company: tuple[Company, str]) -> None:
    _, url = company
    with pytest.raises(TrafficError, match="between 1 and 8 clerks"):
        await run(plan(url, clerks=9), Tally())


async def test_a_lost_screen_comes_back(company: tuple[Company, str], monkeypatch: pytest.MonkeyPatch) -> None:
    books, url = company
    monkeypatch.setattr("steinmetz.erp.traffic.client.SCREEN_AGAIN_AFTER_S", 0.01)
    tally = Tally()
    working = asyncio.create_task(run(plan(url, clerks=1, duration_s=2.0), tally))
    first = await books.opened.get()
    await first.close()
    assert await books.opened.get() is not first
    assert tally.sockets_lost == 1
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_token_is_renewed_within_its_sign_in_and_after_its_end_there_is_another(
    company: tuple[Company, str],
) -> None:
    books, url = company
    clock = FakeClock()
    door = Door(url, {Role.CLERK: Account("anna", "right")}, clock)
    assert [await door.token(Role.CLERK) for _ in range(2)] == ["anna", "anna"]
    tokens = []
    for _ in range(2):
        clock.advance(899)
        tokens.append(await door.token(Role.CLERK))
    assert (tokens, books.logins) == (["renewed 1", "renewed 2"], 1)
    books.renewals += 1  # its cookie is none of the server's any more
    clock.advance(899)
    assert (await door.token(Role.CLERK), books.logins) == ("anna", 2)


async def annas_token() -> str:
    return "anna"


async def test_a_screen_shows_its_next_token_at_each_heartbeat_until_it_is_taken() -> None:
    told, tokens = asyncio.Queue[str](), ["first", "first", "second", "second", "second"]
    refused, taken = {"ok": False, "error": {"code": "rate_limited", "message": "wait"}}, {"ok": True}

    async def token() -> str:
        return tokens.pop(0)

    async def socket(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('0{"sid":"x"}')
        told.put_nowait((await socket.receive()).data)
        for answer in (None, refused, taken, None):
            await socket.send_str("2")
            told.put_nowait((await socket.receive()).data)
            if answer is not None:
                told.put_nowait((await socket.receive()).data)
                await socket.send_str(f"431{orjson.dumps([answer]).decode()}")
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/socket.io/", socket)])
    async with TestServer(app) as server, for_screens() as session, asyncio.timeout(20):
        url = str(server.make_url(""))
        screen = asyncio.create_task(listen(session, url, token, lambda event, data: None))
        heard = [await told.get() for _ in range(7)]
        screen.cancel()
        await asyncio.gather(screen, return_exceptions=True)
    shown = '421["auth:refresh",{"token":"second"}]'
    assert heard == ['40{"token":"first"}', "3", "3", shown, "3", shown, "3"]


async def test_two_hundred_screens_are_open_at_once(company: tuple[Company, str]) -> None:
    books, url = company
    async with for_screens() as session, asyncio.timeout(30):
        screens = [
            asyncio.create_task(listen(session, url, annas_token, lambda event, data: None)) for _ in range(200)
        ]
        opened = {await books.opened.get() for _ in range(200)}
        assert not any(socket.closed for socket in opened)
        for screen in screens:
            screen.cancel()
        await asyncio.gather(*screens, return_exceptions=True)


async def test_a_screen_that_is_never_opened_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steinmetz.erp.traffic.screen.OPENED_WITHIN_S", 0.05)
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with for_screens() as session:
        with pytest.raises(ScreenError, match="not opened within 0"):
            await listen(session, f"http://127.0.0.1:{port}", annas_token, lambda event, data: None)
    silent.close()
