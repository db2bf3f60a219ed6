"""Who the clients that listen are, and whether they still are: asked again when a commit concerns the answer.

The application says who stands behind a socket, as often as it is asked. What it reads to find out is noted, so
that nothing is asked while nothing changes, and everything is within a moment of the commit that changes it
(trap T33).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from steinmetz.cache import Principal
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.scope import ScopeKind, open_scope

if TYPE_CHECKING:
    from steinmetz.realtime import Socket

log = structlog.get_logger("steinmetz.live")

SLICE = 500
"""Sockets that one question is about."""
PAUSE_S = 0.25
"""Between two rounds of questions, in a storm of writes to what they read; half of the second that may pass."""

Principals = Callable[[Sequence["Socket"]], Awaitable[Sequence[Principal | None]]]
"""Who stands behind each of these sockets now; None: nobody, so it is given what is public."""

Changed = Callable[["Socket", Principal | None], None]
"""Hears of each socket whose principal is another now."""


async def anybody(sockets: Sequence[Socket]) -> Sequence[Principal | None]:
    """The default: everybody is a stranger."""
    return [None] * len(sockets)


class Rights:
    """Bound: an entry for each socket that has subscribed; whoever sees it off calls `forget`."""

    def __init__(self, principals: Principals, changed: Changed) -> None:
        self._ask = principals
        self._changed = changed
        self._known: dict[Socket, tuple[int, Principal | None]] = {}
        self._serial = 0
        """One more with each commit that concerns what was read to find out about anybody."""
        self._reads = ReadSet()
        self._fresh = ReadSet()
        """What was read since the last round of questions began."""
        self._watching: list[list[WriteSet]] = []
        """Of each question under way, the commits since it was put."""
        self._wake = asyncio.Event()
        self.questions = 0

    def __len__(self) -> int:
        """How many sockets are known or asked about."""
        return len(self._known) + len(self._watching)

    async def of(self, socket: Socket) -> Principal | None:
        """Who stands behind ``socket``; after anything that has waited, `is_certain` says whether he still
        does."""
        serial, principal = self._known.get(socket, (-1, None))
        if serial != self._serial:
            [principal] = await self._asked([socket])
        return principal

    def is_certain(self, socket: Socket, principal: Principal | None) -> bool:
        """Whether ``principal`` still stands, as far as any commit tells."""
        return self._known.get(socket) == (self._serial, principal)

    def forget(self, socket: Socket) -> None:
        self._known.pop(socket, None)
        if not self._known:
            self._reads = ReadSet()

    def committed(self, writes: WriteSet) -> None:
        for since in self._watching:
            since.append(writes)
        if self._known and self._reads.concerned_by(writes):
            self._doubt()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._ask_again()
            except Exception as error:
                log.error("Rights could not be examined", error=type(error).__name__, exc_info=error)
                self._wake.set()
            await asyncio.sleep(PAUSE_S)

    def _doubt(self) -> None:
        self._serial += 1
        self._wake.set()

    async def _ask_again(self) -> None:
        """Everybody; who is another now is told of at once."""
        serial, self._fresh = self._serial, ReadSet()
        sockets = list(self._known)
        for start in range(0, len(sockets), SLICE):
            asked = [socket for socket in sockets[start : start + SLICE] if socket in self._known]
            await self._asked(asked)
        if serial == self._serial:
            # Of everybody: what was read longer ago tells of nobody any more.
            self._reads = self._fresh

    async def _asked(self, sockets: Sequence[Socket]) -> Sequence[Principal | None]:
        """Put one question. An answer that a commit has overtaken is doubted at once."""
        serial, since = self._serial, list[WriteSet]()
        self._watching.append(since)
        self.questions += 1
        try:
            with open_scope(ScopeKind.ADMISSION, "subscription rights") as scope:
                principals = await self._ask(sockets)
                reads = scope.read_set()
        finally:
            self._watching.remove(since)
        self._reads |= reads
        self._fresh |= reads
        for socket, principal in zip(sockets, principals, strict=True):
            if socket.connected:
                before = self._known.get(socket)
                self._known[socket] = (serial, principal)
                if before is not None and before[1] != principal:
                    self._changed(socket, principal)
        if any(reads.concerned_by(writes) for writes in since):
            self._doubt()
        return principals
