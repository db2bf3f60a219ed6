"""Whether those who are connected may still be: asked when a revocation may have been missed.

A revocation reaches a socket through its rooms, over the adapter. After a time in which a node could not hear the
others (their bus was down, a process that told it has died) it asks the application about everybody, in slices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

import structlog

from steinmetz.realtime.server.call import is_own_end

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server
    from steinmetz.realtime.server.socket import Socket

log = structlog.get_logger("steinmetz.realtime")

SLICE = 500
"""Sockets that one question is about."""

Examine = Callable[[Sequence["Socket"]], Awaitable[Collection["Socket"]]]
"""Which of these sockets may not stay."""


class Standing:
    """Asks ``examine``, if the application has given one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.examine: Examine | None = None

    async def review(self) -> int:
        """Ask about every socket of this process and send away who may not stay; how many these were.

        Where nobody can be asked, or asking fails, all are told to come back: their middlewares decide anew.
        """
        sockets = [socket for space in self._server.namespaces() for socket in space.sockets.values()]
        if self.examine is None:
            self._server.draining.send_back({socket.client for socket in sockets})
            return 0
        ended = 0
        for start in range(0, len(sockets), SLICE):
            asked = [socket for socket in sockets[start : start + SLICE] if socket.connected]
            try:
                revoked = await self.examine(asked)
            except (Exception, asyncio.CancelledError) as error:
                if is_own_end(error):
                    raise
                log.error("Connections could not be examined", error=type(error).__name__, sockets=len(asked))
                self._server.draining.send_back({socket.client for socket in asked})
                continue
            for socket in revoked:
                if socket.connected:
                    ended += 1
                    socket.disconnect()
            await asyncio.sleep(0)
        self._server.statistics.refused["revoked at review"] += ended
        return ended
