"""After a write, is every kept answer still true, and did exactly those hear of it whose data changed?

`House.verify_write` is both questions at once, for completeness and for precision: warm every cached GET for every
role, act, then each GET must equal its own uncached twin byte for byte; and a role's socket must have heard an
event if, and only if, what that role reads has changed.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from steinmetz.cache import RouteTable, VaryOn
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.erp.seed import PASSWORD
from steinmetz.realtime.testing import InProcessClient, connect
from tests.app.writes.answers import Answer, Body, get
from tests.app.writes.paths import heard_with, paths_of
from tests.app.writes.tables import Tables, tables_told

OVERVIEW = "/api/dashboard/overview"
OF_KEPT_FIGURES = "/api/dashboard"
"""Answers at and below it may be put together from figures that are kept: only a twin is computed for itself."""


@dataclass
class Reader:
    """One role: its HTTP client, its socket, and what it read before the write."""

    role: Role
    app: Application
    http: httpx2.AsyncClient
    socket: InProcessClient
    before: dict[str, Body] = field(default_factory=dict)
    tables: dict[str, set[str]] = field(default_factory=dict)
    """What the answers before the write were computed from; nothing for those that nobody has seen computed."""

    async def read(self, path: str, *, anew: bool = False) -> Answer:
        """What is given to this role; ``anew``: computed for this request, from nothing that is kept."""
        headers = [(b"authorization", self.http.headers["Authorization"].encode())]
        if not anew:
            return await get(self.app, path, headers)
        return replace(await get(self.app, path, [*headers, (b"cache-control", b"no-cache")]), is_twin=True)

    def take(self, path: str, answer: Answer) -> None:
        """It stands there from now on."""
        self.before[path] = answer.body
        self.tables[path] = answer.tables if is_proof(path, answer) else set()

    def stands(self, path: str, written: frozenset[str]) -> bool:
        """Whether what was true there before is known to be true still."""
        tables = self.tables[path]
        return bool(tables) and written.isdisjoint(tables)

    def heard(self) -> Counter[str]:
        """How often which event, but for what tells of this machine and not of the write."""
        return Counter(name for name, _ in self.socket.events if name != "monitor:alert")


def is_proof(path: str, answer: Answer) -> bool:
    """Whether it was computed just now, from the tables alone."""
    if path.startswith(OF_KEPT_FIGURES):
        return answer.is_twin
    return answer.headers.get("x-cache") != "HIT"


class House:
    """The application with one reader for each role, and the paths that they read."""

    def __init__(
        self, app: Application, readers: list[Reader], tables: Tables, heard_with: Mapping[str, re.Pattern[str]]
    ) -> None:
        self.app = app
        self.readers = readers
        self.tables = tables
        self.heard_with = heard_with
        """Event -> which of the changed paths it tells of."""
        self.paths: list[str] = []
        self.shared: set[str] = set()
        """The paths of which one answer is kept for everybody."""
        self._writes = 0

    def take_paths(self, paths: list[str]) -> None:
        """What is read from now on."""
        table = RouteTable.of(self.app.api)
        policies = {path: table.match("GET", path.partition("?")[0]).policy for path in paths}
        assert None not in policies.values(), policies
        self.paths = paths
        self.shared = {path for path, policy in policies.items() if policy and policy.vary_on is VaryOn.NONE}

    def as_role(self, role: Role) -> httpx2.AsyncClient:
        return next(reader.http for reader in self.readers if reader.role is role)

    @property
    def admin(self) -> httpx2.AsyncClient:
        return self.as_role(Role.ADMIN)

    @property
    def manager(self) -> httpx2.AsyncClient:
        return self.as_role(Role.MANAGER)

    @property
    def clerk(self) -> httpx2.AsyncClient:
        return self.as_role(Role.CLERK)

    @property
    def auditor(self) -> httpx2.AsyncClient:
        return self.as_role(Role.AUDITOR)

    async def data_of(self, path: str) -> Any:
        """What the administrator reads there."""
        answer = await self.admin.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()["data"]

    def forget(self, below: str) -> None:
        """What was read at these paths is no longer what stands: a test has written there without verifying."""
        for reader in self.readers:
            reader.before = {path: body for path, body in reader.before.items() if not path.startswith(below)}

    async def verify_write(
        self, act: Callable[[], Awaitable[httpx2.Response]], *, succeeds: bool = True, commits: int = 1
    ) -> None:
        """Raises `AssertionError` naming the role and the path. ``commits``: how many the act has at most."""
        await self._warm()
        answer = await act()
        assert answer.is_success is succeeds, answer.text
        await self._told()
        self._writes += 1
        written, truths = self.tables.written(), dict[str, Answer]()
        for reader in self._in_turn():
            changed = await self._assert_fresh(reader, written, truths)
            if not succeeds:
                assert changed == set(), f"a refused write has changed {changed}"
            self._assert_heard(reader, changed, commits)

    async def _told(self) -> None:
        """Everything that was committed has been computed, said, and has arrived."""
        await self.app.live.settled()
        io = self.app.state.io
        assert io is not None
        while io.sockets.delivery.batches:
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _warm(self) -> None:
        """Have an answer of every path kept for every reader. What a last verification left is warm already."""
        for reader in self.readers:
            for path in self.paths:
                if path not in reader.before:
                    reader.take(path, await reader.read(path))
        await self._told()
        for reader in self.readers:
            reader.socket.events.clear()

    async def verify_kept(self) -> None:
        """Every path is answered from memory, with the bytes that were computed."""
        await self._warm()
        for reader in self.readers:
            for path, before in reader.before.items():
                if before[0] == 200:
                    kept = await reader.read(path)
                    why = f"{reader.role} {path} is not kept: {kept.headers.get('cache-status')}"
                    assert kept.headers["x-cache"] == "HIT", why
                    assert kept.body == before

    def _in_turn(self) -> list[Reader]:
        """All readers; after each write another is the first to ask."""
        first = self._writes % len(self.readers)
        return self.readers[first:] + self.readers[:first]

    async def verify_everything(self) -> None:
        """What is kept is what each would be given if it were computed for him alone: a route that is wrongly
        marked shared shows here, and whatever a write has left that should have gone. Without ``LONG_TESTS`` whose
        turn it is asks for all, and the others for what is shared."""
        await self._warm()
        for reader in self.readers:
            is_all = "LONG_TESTS" in os.environ or reader is self._in_turn()[0]
            for path in reader.before if is_all else self.shared:
                twin = await self._twin(reader, path)
                assert twin.body == reader.before[path], f"{path} is not what {reader.role} should be given"

    async def _assert_fresh(self, reader: Reader, written: frozenset[str], truths: dict[str, Answer]) -> set[str]:
        """The paths whose answer the write has changed for this reader.

        What is kept is held against a twin that is computed for it. Three need none: an answer that has just been
        computed for this very request; the one kept answer of a shared path whose twin an earlier reader had
        computed (``truths``); and, without ``LONG_TESTS``, what was true before and was computed from tables of
        which none has been written: it is true still. `verify_everything` asks for twins even so.
        """
        changed = set()
        for path in self.paths:
            kept = await reader.read(path)
            truth = truths.get(path)
            if truth is None and is_proof(path, kept):
                truth = kept
            elif truth is None and ("LONG_TESTS" in os.environ or not reader.stands(path, written)):
                truth = await self._twin(reader, path)
            if truth is not None and path in self.shared:
                truths[path] = truth
            before = reader.before[path]
            true = before if truth is None else truth.body
            assert kept.body == true, f"{reader.role} was given a stale {path}"
            if before != kept.body:
                changed.add(path)
            if truth is not None:
                reader.take(path, truth)
        return changed

    async def _twin(self, reader: Reader, path: str) -> Answer:
        twin = await reader.read(path, anew=True)
        assert twin.headers.get("x-cache") != "HIT"
        return twin

    def _assert_heard(self, reader: Reader, changed: set[str], commits: int) -> None:
        heard = reader.heard()
        known = {name for names in self.heard_with for name in names.split("|")}
        assert set(heard) <= known, f"{reader.role} heard what no module of paths names: {heard}"
        for names, path in self.heard_with.items():
            is_told = any(path.search(each) for each in changed)
            has_heard = any(heard[name] for name in names.split("|"))
            assert has_heard == is_told, (reader.role, names, heard, changed)
        assert heard["dashboard:update"] <= commits, (reader.role, heard)
        self._assert_payloads(reader)

    def _assert_payloads(self, reader: Reader) -> None:
        overview: dict[str, Any] = {}
        for name, (payload, *_) in reader.socket.events:
            if name == "dashboard:update":
                overview = payload
            elif name == "dashboard:widget:update":
                assert overview[payload["widget"]] == payload["data"]


def quietly(house: House) -> House:
    """The same house for a write that no event tells of: nobody may hear anything."""
    silent = House(house.app, house.readers, house.tables, {"dashboard:update": re.compile(r"(?!)")})
    silent.take_paths(house.paths)
    return silent


async def open_house(stack: AsyncExitStack, app: Application) -> House:
    """Sign in as every role, over HTTP and by socket."""
    tables = stack.enter_context(tables_told(app.state.database.engine))
    readers = []
    for role in Role:
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 40_000))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://testserver")
        )
        token = await sign_in(http, role)
        assert app.state.io is not None
        socket = await stack.enter_async_context(connect(app.state.io, auth={"token": token}))
        readers.append(Reader(role, app, http, socket))
    house = House(app, readers, tables, heard_with())
    await _chores_are_done(house)
    house.take_paths(await paths_of(house))
    return house


async def sign_in(http: httpx2.AsyncClient, role: Role) -> str:
    answer = await http.post(
        "/api/auth/login", json={"email": f"{role.value}@steinmetz.example", "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["data"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"
    return token


async def _chores_are_done(house: House) -> None:
    """What time brings at the start writes, too: a test would take it for its own."""
    async with asyncio.timeout(30):
        while any(chore["doneAt"] is None for chore in await house.data_of("/api/system/chores")):
            await asyncio.sleep(0.01)
