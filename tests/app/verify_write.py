"""After a write, is every kept answer still true, and did exactly those hear of it whose data changed?

`House.verify_write` is both questions at once, for completeness and for precision: warm every cached GET for every
role, act, then each GET must equal its own uncached twin byte for byte; and a role's socket must have heard an
event if, and only if, what that role reads has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.realtime.testing import InProcessClient

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
        """Have an answer of every path kept for every reader. What a last verification left is warm already."""
        for reader in self.readers:
            for path in self.paths:
                if path not in reader.before:
                    reader.before[path] = body_of(await reader.read(path))
        await self.app.live.settled()
        for reader in self.readers:
            reader.socket.events.clear()

    async def verify_kept(self) -> None:
        """Every path is answered from memory, with the bytes that were computed."""
        await self._warm()
        for reader in self.readers:
            for path, before in reader.before.items():
                if before[0] == 200:
                    kept = await reader.read(path)
                    why = f"{reader.role} {path} is not kept: {kept.headers.get('Cache-Status')}"
                    assert kept.headers["X-Cache"] == "HIT", why
                    assert body_of(kept) == before

    async def _assert_fresh(self, reader: Reader) -> set[str]:
        """The paths whose answer the write has changed for this reader.

        Each role has twins of its own, of shared answers too: a route that is wrongly marked shared shows here.
        """
        changed = set()
        for path in self.paths:
            kept = body_of(await reader.read(path))
            twin = await reader.read(path, **{"Cache-Control": "no-cache"})
            assert twin.headers.get("X-Cache") != "HIT"
            assert kept == body_of(twin), f"{reader.role} was given a stale {path}"
            if reader.before[path] != kept:
                changed.add(path)
            reader.before[path] = kept
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
