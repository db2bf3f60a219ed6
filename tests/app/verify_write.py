"""After a write, is every kept answer still true, and did exactly those hear of it whose data changed?

`House.verify_write` is both questions at once, for completeness and for precision: warm every cached GET for every
role, act, then each GET must equal its own uncached twin byte for byte; and a role's socket must have heard an
event if, and only if, what that role reads has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx2

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.realtime.testing import InProcessClient, connect

OVERVIEW = "/api/dashboard/overview"
CATALOGUE = "/api/functions"

Body = tuple[int, bytes]
"""Status and bytes of an answer; without the bytes of a refusal, which names its request."""


def body_of(answer: httpx2.Response) -> Body:
    return answer.status_code, answer.content if answer.status_code == 200 else b""


@dataclass
class Reader:
    """One role: its HTTP client, its socket, and what it read before the write."""

    role: Role
    http: httpx2.AsyncClient
    socket: InProcessClient
    before: dict[str, Body] = field(default_factory=dict)

    async def read(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=headers)

    def heard(self) -> Counter[str]:
        return Counter(name for name, _ in self.socket.events)


class House:
    """The application with one reader for each role, and the paths that they read."""

    def __init__(self, app: Application, readers: list[Reader], paths: list[str]) -> None:
        self.app = app
        self.readers = readers
        self.paths = paths

    async def verify_write(self, act: Callable[[], Awaitable[httpx2.Response]], *, succeeds: bool = True) -> None:
        """Raises `AssertionError` naming the role and the path."""
        await self._warm()
        answer = await act()
        assert answer.is_success is succeeds, answer.text
        await self.app.live.settled()
        for reader in self.readers:
            changed = await self._assert_fresh(reader)
            if not succeeds:
                assert changed == set(), f"a refused write has changed {changed}"
            self._assert_heard(reader, changed)

    async def _warm(self) -> None:
        for reader in self.readers:
            for path in self.paths:
                first = await reader.read(path)
                reader.before[path] = body_of(first)
                if first.status_code == 200:
                    second = await reader.read(path)
                    assert second.headers["X-Cache"] == "HIT", (
                        f"{reader.role} {path} is not kept: {second.headers.get('Cache-Status')}"
                    )
                    assert second.content == first.content
        await self.app.live.settled()
        for reader in self.readers:
            reader.socket.events.clear()

    async def _assert_fresh(self, reader: Reader) -> set[str]:
        """The paths whose answer the write has changed for this reader."""
        changed = set()
        for path in self.paths:
            kept = await reader.read(path)
            twin = await reader.read(path, **{"Cache-Control": "no-cache"})
            assert twin.headers.get("X-Cache") != "HIT"
            assert body_of(kept) == body_of(twin), (
                f"{reader.role} was given a stale {path} ({kept.headers.get('X-Cache')})"
            )
            if reader.before[path] != body_of(kept):
                changed.add(path)
        return changed

    def _assert_heard(self, reader: Reader, changed: set[str]) -> None:
        heard = reader.heard()
        assert heard["dashboard:update"] == (1 if OVERVIEW in changed else 0), (reader.role, heard)
        assert (heard["dashboard:widget:update"] > 0) == (OVERVIEW in changed), (reader.role, heard)
        is_catalogue_changed = any(path.startswith(CATALOGUE) for path in changed)
        assert (heard["catalog:update"] > 0) == is_catalogue_changed, (reader.role, heard, changed)
        self._assert_payloads(reader)

    def _assert_payloads(self, reader: Reader) -> None:
        overviews = [arguments[0] for name, arguments in reader.socket.events if name == "dashboard:update"]
        widgets = [arguments[0] for name, arguments in reader.socket.events if name == "dashboard:widget:update"]
        for update in widgets:
            assert overviews[-1][update["widget"]] == update["data"]


async def open_house(
    stack: AsyncExitStack, app: Application, sign_in: Callable[[Role], Awaitable[tuple[httpx2.AsyncClient, str]]],
    paths: list[str],
) -> House:  # fmt: skip
    """Sign in as every role, over HTTP and by socket."""
    readers = []
    for role in Role:
        http, token = await sign_in(role)
        assert app.state.io is not None
        socket = await stack.enter_async_context(connect(app.state.io, auth={"token": token}))
        readers.append(Reader(role, http, socket))
    return House(app, readers, paths)
