"""The workload model played within one process: what the ERP asks of its database, as its monitor sees it.

The clerks' days are those of `steinmetz.erp.traffic`, with the cache off, so that every read reaches the database.
The model's clerks do not look into staff and books; `desk_work` adds what those two offices open all day.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any
from urllib.parse import urlencode

from steinmetz.clock import Clock
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.seed import LOGINS, PASSWORD
from steinmetz.erp.settings import Settings
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Company, Role, desks
from steinmetz.erp.traffic.model import OVERVIEW, day
from steinmetz.monitor.advisor.workload import Workload

KNOWN = 200
DESK_SHARE = 0.25
"""So much of all reads comes from the offices of staff and books."""


class Door:
    """The application's ASGI door, asked as one role."""

    def __init__(self, app: Application, role: Role) -> None:
        self._app = app
        self._role = role
        self._token = ""

    async def sign_in(self) -> None:
        """As the demo user of the role. Raises `RuntimeError` if that is refused."""
        email = next(login.email for login in LOGINS if login.email.startswith(self._role.value))
        reply = await self.ask(
            Call("POST /api/auth/login", "/api/auth/login", {"email": email, "password": PASSWORD})
        )
        if not reply.is_good:
            raise RuntimeError(f"{email} cannot sign in: status {reply.status}")
        self._token = reply.data["accessToken"]

    async def ask(self, call: Call) -> Reply:
        return (await self.fetch(call))[0]

    async def fetch(self, call: Call) -> tuple[Reply, bytes]:
        """The reply, and the bytes that it was read from."""
        path, _, query = call.path.partition("?")
        body = b"" if call.body is None else json.dumps(call.body).encode()
        headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
        headers += [(b"content-type", b"application/json")] if body else []
        headers += [(b"authorization", f"Bearer {self._token}".encode())] if self._token else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": call.method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 40_000),
            "server": ("localhost", 80),
            "state": {},
        }
        status, x_cache, chunks = 0, "", []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, x_cache
            if message["type"] == "http.response.start":
                status = message["status"]
                x_cache = dict(message.get("headers", ())).get(b"x-cache", b"").decode()
            elif message["type"] == "http.response.body":
                chunks.append(message.get("body", b""))

        await self._app(scope, receive, send)
        whole = b"".join(chunks)
        try:
            document = json.loads(whole)
        except ValueError:
            document = None
        return Reply(status, document, x_cache), whole


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Application]:
    """The application, started inside the block."""
    app = create_app(settings, clock=clock)
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    life = asyncio.ensure_future(app(scope, incoming.get, outgoing.put))
    await incoming.put({"type": "lifespan.startup"})
    await outgoing.get()
    try:
        yield app
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        await outgoing.get()
        await life


async def workload_of_a_day(
    settings: Settings, *, requests: int, clerks: int = 4, seed: int = 1, clock: Clock | None = None
) -> Workload:
    """What the monitor has recorded after so many requests. Raises `RuntimeError` if the company is not seeded."""
    random = Random(seed)
    async with running(settings, clock) as app:
        assert app.state.monitor is not None
        app.state.monitor.workload.clear()
        doors = {role: Door(app, role) for role in (Role.CLERK, Role.MANAGER)}
        for door in doors.values():
            await door.sign_in()
        company = await survey(doors[Role.CLERK])
        seats = [
            (desk, day(company, desk, Random(seed + place))) for place, desk in enumerate(desks(company, clerks))
        ]
        work = desk_work(await _offices(doors[Role.MANAGER]), random)
        asked = [next(calls) for _, calls in seats]
        for number in range(requests):
            place = number % clerks
            desk, calls = seats[place]
            asked[place] = calls.send(await doors[desk.role].ask(asked[place]))
            if random.random() < DESK_SHARE:
                await doors[Role.MANAGER].ask(next(work))
            if number % 100 == 0:
                await doors[Role.CLERK].sign_in()
        return app.state.monitor.recorded_workload()


async def survey(door: Door) -> Company:
    customers = (await door.ask(Call("GET", "/api/customers?limit=500"))).data
    invoices = [
        invoice
        for status in ("overdue", "sent")
        for invoice in (await door.ask(Call("GET", f"/api/invoices?status={status}&limit=500"))).data
    ]
    areas = (await door.ask(Call("GET", "/api/functions?depth=2"))).data
    overview = await door.ask(OVERVIEW)
    if not customers or not overview.is_good:
        raise RuntimeError("the company is empty: seed it first")
    return Company(
        customers=[customer["id"] for customer in customers][:KNOWN],
        open_invoices=[invoice["id"] for invoice in invoices][:KNOWN],
        nodes=[node["id"] for node in _nodes(areas)][:KNOWN],
        words=sorted({word for each in customers for word in each["name"].split() if len(word) > 4})[:50],
    )


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    listed = (
        next((value for value in data.values() if isinstance(value, list)), []) if isinstance(data, dict) else data
    )
    for node in listed or ():
        if isinstance(node, dict) and "id" in node:
            yield node
            yield from _nodes(node.get("children") or [])


async def _offices(door: Door) -> dict[str, list[Any]]:
    found = {}
    for kind, path in (
        ("departments", "/api/departments"),
        ("employees", "/api/employees?limit=500"),
        ("accounts", "/api/accounts?limit=500"),
    ):
        rows = (await door.ask(Call("GET", path))).data
        # Nobody opens an account that nothing was ever posted to.
        found[kind] = [row["id"] for row in rows if row.get("balanceCents", 1)]
    return found


def desk_work(offices: dict[str, list[Any]], random: Random) -> Iterator[Call]:
    """What the offices of staff and books open, for ever."""
    while True:
        kind = random.randrange(4)
        if kind == 0:
            yield _list("employees", departmentId=random.choice(offices["departments"]))
        elif kind == 1:
            yield _list("time-entries", employeeId=random.choice(offices["employees"]))
        elif kind == 2:
            yield _list("transactions", accountId=random.choice(offices["accounts"]))
        else:
            employee = random.choice(offices["employees"])
            yield Call("GET /api/time-entries/week", f"/api/time-entries/week?employeeId={employee}")


def _list(kind: str, **query: Any) -> Call:
    return Call(f"GET /api/{kind}", f"/api/{kind}?{urlencode(query)}")
