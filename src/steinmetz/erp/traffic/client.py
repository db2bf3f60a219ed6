"""Runs the workload model against a server: clerks over HTTP, their screens over sockets, nothing decided here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from steinmetz.clock import Clock, SystemClock
from steinmetz.erp.traffic.calls import Call, Reply
from steinmetz.erp.traffic.company import Company, Desk, Role, desks
from steinmetz.erp.traffic.ledger import newest_activity
from steinmetz.erp.traffic.model import OVERVIEW, day, pause_s
from steinmetz.erp.traffic.report import Tally
from steinmetz.erp.traffic.screen import ScreenError, for_screens, listen
from steinmetz.erp.traffic.wire import Answer, Connection, WireError

RENEW_AT = 0.7
"""A token is renewed when this share of its life is over."""
SCREEN_AGAIN_AFTER_S = 1.0
WARM_UP_PACE = 3
"""Clerks are so many times as busy during the warm-up, which is there to fill what is kept."""
MAX_KNOWN = 1_000
"""Records of a kind that the clerks know of."""

Sample = Callable[[Call, Reply, float], None]
"""Given each answer of the workload with its duration in milliseconds."""

Polled = Callable[[int, int, int], None]
"""Given each poll: the screen's index, when it was sent and when it was answered (`perf_ns`)."""


class TrafficError(Exception):
    """The workload cannot start: no server, a refused sign-in, or a company without data."""


@dataclass(frozen=True, slots=True)
class Account:
    email: str
    password: str = field(repr=False)


DEMO_ACCOUNTS: Mapping[Role, Account] = {
    Role.CLERK: Account("clerk@steinmetz.example", "steinmetz-demo"),
    Role.MANAGER: Account("manager@steinmetz.example", "steinmetz-demo"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. Bounded by ``duration_s``; ``pause_s`` is the mean time a clerk thinks between requests.

    The first ``warm_up_s`` come before that and are not counted.
    With ``screens`` each clerk has a socket open that listens; with ``poll_s`` each clerk's screen asks for the
    overview every so many seconds instead, which is counted apart from the workload.
    """

    url: str
    clerks: int = 10
    seed: int = 1
    duration_s: float = 30.0
    warm_up_s: float = 0.0
    pause_s: float = 1.0
    screens: bool = True
    poll_s: float | None = None
    accounts: Mapping[Role, Account] = field(default_factory=lambda: DEMO_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class _SignedIn:
    token: str
    renew_at_s: float
    cookie: str
    """Good for one renewal."""


class Door:
    """The server as the clerks reach it: connections, and one token a role (sign-ins are throttled)."""

    def __init__(self, url: str, accounts: Mapping[Role, Account], clock: Clock) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise TrafficError(f"the address is http://HOST:PORT, not {url!r}")
        self.url = f"http://{parts.netloc}"
        self._host, self._port = parts.hostname, parts.port or 80
        self._accounts = accounts
        self._clock = clock
        self._signed_in: dict[Role, _SignedIn] = {}
        self._signing_in = asyncio.Lock()

    def connection(self) -> Connection:
        return Connection(self._host, self._port)

    async def token(self, role: Role) -> str:
        """A token with life left in it. Raises `TrafficError`."""
        async with self._signing_in:
            known = self._signed_in.get(role)
            if known is None or self._clock.monotonic_s() >= known.renew_at_s:
                # A socket that is open takes a newer token of its own sign-in only.
                known = await self._renewed(known) or await self._sign_in(self._accounts[role])
                self._signed_in[role] = known
        return known.token

    async def _renewed(self, known: _SignedIn | None) -> _SignedIn | None:
        if known is None:
            return None
        answered = await self._ask_for_token("/api/auth/refresh", {"Cookie": known.cookie})
        return answered if isinstance(answered, _SignedIn) else None

    async def _sign_in(self, account: Account) -> _SignedIn:
        body = orjson.dumps({"email": account.email, "password": account.password})
        answered = await self._ask_for_token("/api/auth/login", {}, body)
        if not isinstance(answered, _SignedIn):
            raise TrafficError(
                f"sign-in as {account.email} was refused with status {answered}: "
                f"seed the demo data (steinmetz seed --scale demo) or name other accounts"
            )
        return answered

    async def _ask_for_token(self, path: str, headers: dict[str, str], body: bytes = b"") -> _SignedIn | int:
        """The status if that is refused. Raises `TrafficError`."""
        connection = self.connection()
        try:
            answer = await connection.request("POST", path, {"Accept": "application/json", **headers}, body)
        except WireError as error:
            raise TrafficError(f"no server answers at {self.url}: {error}") from error
        finally:
            connection.close()
        document = _json(answer)
        if answer.status != 200 or not isinstance(document, dict):
            return answer.status
        renew_at_s = self._clock.monotonic_s() + RENEW_AT * float(document["data"]["expiresIn"])
        cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return _SignedIn(document["data"]["accessToken"], renew_at_s, cookie)

    async def call(self, connection: Connection, role: Role, call: Call) -> tuple[Reply, Answer]:
        """Raises `WireError`, `TrafficError`."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {await self.token(role)}"}
        body = b"" if call.body is None else orjson.dumps(call.body)
        answer = await connection.request(call.method, call.path, headers, body)
        return Reply(answer.status, _json(answer), answer.headers.get("x-cache", "")), answer


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


async def run(
    plan: Plan,
    tally: Tally,
    *,
    clock: Clock | None = None,
    sample: Sample | None = None,
    polled: Polled | None = None,
    warm: Callable[[], None] | None = None,
) -> None:
    """Run the workload into ``tally``, which may be read meanwhile.

    ``warm`` is called in a thread at the end of the warm-up. Raises `TrafficError`.
    """
    clock = clock or SystemClock()
    door = Door(plan.url, plan.accounts, clock)
    company = await survey(door, tally)
    try:
        seats = desks(company, plan.clerks)
    except ValueError as error:
        raise TrafficError(str(error)) from error
    try:
        await _work(_Workload(plan, door, company, tally, clock, sample, polled), seats, warm or (lambda: None))
    except* TrafficError as failed:
        raise TrafficError(_first_message(failed)) from None


async def _work(workload: _Workload, seats: list[Desk], warm: Callable[[], None]) -> None:
    """All clerks until the end of the day; their screens are open as long."""
    plan, clock = workload.plan, workload.clock
    began_s = clock.monotonic_s()

    async def begin() -> None:
        nonlocal began_s
        await asyncio.sleep(plan.warm_up_s)
        await asyncio.to_thread(warm)
        workload.tally.start_counting()
        began_s = clock.monotonic_s()

    until_s = began_s + plan.warm_up_s + plan.duration_s
    async with asyncio.TaskGroup() as around, for_screens() as session:
        screens = [around.create_task(workload.screen(session, seat)) for seat in seats if plan.screens]
        screens += [
            around.create_task(workload.poll(index, seat)) for index, seat in enumerate(seats) if plan.poll_s
        ]
        async with asyncio.TaskGroup() as clerks:
            if plan.warm_up_s:
                clerks.create_task(begin())
            for index, seat in enumerate(seats):
                clerks.create_task(workload.clerk(index, seat, began_s + plan.warm_up_s, until_s))
        workload.tally.elapsed_s = clock.monotonic_s() - began_s
        for screen in screens:
            screen.cancel()


def _first_message(failed: BaseExceptionGroup[BaseException]) -> str:
    """The words of the first leaf of a group."""
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


async def survey(door: Door, tally: Tally) -> Company:
    """Learn what there is to read and write, and the overview as it is before the first write.

    None of it is counted, but the oracle has seen it, as the server's cache has. Raises `TrafficError`.
    """
    connection = door.connection()

    async def ask(path: str) -> Any:
        try:
            reply, answer = await door.call(connection, Role.CLERK, Call(f"GET {path}", path))
        except WireError as error:
            raise TrafficError(f"no answer from {door.url}: {error}") from error
        if not reply.is_good:
            raise TrafficError(f"GET {path} was refused with status {reply.status}")
        tally.oracle.take(path, Role.CLERK, answer.body)
        return reply.data

    try:
        tally.ledger.open(await ask(OVERVIEW.path))
        customers = await ask("/api/customers?limit=500")
        invoices = [
            invoice
            for status in ("overdue", "sent")
            for invoice in await ask(f"/api/invoices?status={status}&limit=500")
        ]
        areas = await ask("/api/functions?depth=3")
        dashboard = await ask("/api/dashboard")
    finally:
        connection.close()
    tally.start_counting()
    nodes = [node["id"] for node in _tree(areas)]
    if not customers or not nodes:
        raise TrafficError("the company has no customers or no catalogue: steinmetz seed --scale demo")
    return Company(
        customers=[customer["id"] for customer in customers][:MAX_KNOWN],
        open_invoices=[invoice["id"] for invoice in invoices][:MAX_KNOWN],
        nodes=nodes[:MAX_KNOWN],
        words=sorted({word for customer in customers for word in customer["name"].split() if len(word) > 4})[:50],
        widgets=[widget["id"] for widget in _records(dashboard)],
    )


def _records(data: Any) -> list[dict[str, Any]]:
    """The objects with an ``id`` in a list, or in the first list that an object holds."""
    if isinstance(data, dict):
        data = next((value for value in data.values() if isinstance(value, list)), [])
    return [value for value in data if isinstance(value, dict) and "id" in value]


def _tree(data: Any) -> Iterable[dict[str, Any]]:
    for node in _records(data):
        yield node
        yield from _tree(node.get("children") or [])


class _Workload:
    def __init__(
        self,
        plan: Plan,
        door: Door,
        company: Company,
        tally: Tally,
        clock: Clock,
        sample: Sample | None,
        polled: Polled | None,
    ) -> None:
        self.plan = plan
        self.door = door
        self.company = company
        self.tally = tally
        self.clock = clock
        self.sample = sample
        self.polled = polled

    async def clerk(self, index: int, desk: Desk, warm_s: float, until_s: float) -> None:
        """One clerk's day until ``until_s``; a lost connection is counted, and the clerk goes on."""
        choices = random.Random(f"{self.plan.seed}/{index}/choices")
        pauses = random.Random(f"{self.plan.seed}/{index}/pauses")
        calls = day(self.company, desk, choices)
        call = next(calls)
        connection = self.door.connection()
        try:
            # Clerks do not arrive all at once.
            pause = pauses.random() * self.plan.pause_s
            while self.clock.monotonic_s() + pause < until_s:
                await asyncio.sleep(pause)
                call = calls.send(await self._ask(connection, desk.role, call))
                mean_s = self.plan.pause_s / (WARM_UP_PACE if self.clock.monotonic_s() < warm_s else 1)
                pause = pause_s(mean_s, pauses)
        finally:
            connection.close()

    async def _ask(self, connection: Connection, role: Role, call: Call) -> Reply:
        sent = self.tally.ledger.now
        try:
            reply, answer = await self.door.call(connection, role, call)
        except WireError:
            self.tally.broken += 1
            return Reply(503, None)
        self.tally.take(call, reply, answer.body, role, answer.duration_ms)
        self.tally.ledger.take(call, reply, sent)
        if self.sample is not None:
            self.sample(call, reply, answer.duration_ms)
        return reply

    async def screen(self, session: aiohttp.ClientSession, desk: Desk) -> None:
        """One open screen that comes back when it is lost."""
        newest = 0

        def hear(event: str, data: Any) -> None:
            nonlocal newest
            self.tally.hear(event)
            if event == "dashboard:update":
                shown = newest_activity(data) or newest
                self.tally.events_backwards += shown < newest
                newest = max(newest, shown)

        while True:
            try:
                await listen(session, self.door.url, partial(self.door.token, desk.role), hear)
            except ScreenError:
                self.tally.sockets_lost += 1
            await asyncio.sleep(SCREEN_AGAIN_AFTER_S)

    async def poll(self, index: int, desk: Desk) -> None:
        """A screen without a socket: asks for the overview again and again, each at its own moment."""
        assert self.plan.poll_s is not None
        connection = self.door.connection()
        try:
            await asyncio.sleep(self.plan.poll_s * index / self.plan.clerks)
            while True:
                began_s = self.clock.monotonic_s()
                try:
                    _, answer = await self.door.call(connection, desk.role, OVERVIEW)
                    self.tally.polls += 1
                    if self.polled is not None:
                        self.polled(index, answer.sent_ns, answer.ended_ns)
                except WireError:
                    self.tally.broken += 1
                await asyncio.sleep(max(0.0, began_s + self.plan.poll_s - self.clock.monotonic_s()))
        finally:
            connection.close()
