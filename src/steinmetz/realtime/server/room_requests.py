"""`room:join` and `room:leave`: what a client may ask for itself.

A room that stands for a person is never joined or left on request: who could leave `user:5` could dodge the
disconnection of user 5. Nor is the room of a socket, on whatever node it lives: there its own messages are heard.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.errors import EventError

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

MAX_ROOM_NAME = 200
MAX_REASKED = 16
"""How often one question is put again because somebody was removed meanwhile; then the answer is no."""

Authorise = Callable[["Socket", str], bool | Awaitable[bool]]


async def nobody(_socket: Socket, _room: str) -> bool:
    """The default: a client joins no room on its own."""
    return False


class RoomRequests:
    """The two handlers of one namespace. ``authorise(socket, room)``, plain or async, is asked about both."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.authorise: Authorise = nobody
        namespace.on("room:join", self.join)
        namespace.on("room:leave", self.leave)

    async def join(self, socket: Socket, request: Any = None, *_rest: Any) -> dict[str, bool]:
        room = self._room_of(request)
        requested = socket.requested_rooms or set()
        if room not in requested and len(requested) >= self._namespace.server.config.max_rooms_per_socket:
            self._refused()
            raise EventError("too_many_rooms", "This connection has joined as many rooms as it may")
        await self._check(socket, room)
        if socket.requested_rooms is None:
            socket.requested_rooms = set()
        socket.requested_rooms.add(room)
        socket.join(room)
        return {"ok": True}

    async def leave(self, socket: Socket, request: Any = None, *_rest: Any) -> dict[str, bool]:
        room = self._room_of(request)
        if socket.requested_rooms is None or room not in socket.requested_rooms:
            await self._check(socket, room)
        else:
            socket.requested_rooms.discard(room)
        socket.leave(room)
        return {"ok": True}

    async def may_enter(self, socket: Socket, room: str) -> bool:
        """Whether the client of ``socket`` may be in ``room`` because it wishes to.

        Asked at every join on request, and again for each such room of a socket that is recovered. Somebody who is
        taken out of a room while the application thinks may be this one, who is not in it yet: then the
        application is asked again, so that a verdict is never older than a removal.
        """
        if (
            is_socket_id(room)
            or room in self._namespace.sockets
            or self._namespace.server.config.private_room(room)
        ):
            return False
        for _ in range(MAX_REASKED):
            removals = self._namespace.removals
            verdict = self.authorise(socket, room)
            if inspect.isawaitable(verdict):
                verdict = await verdict
            if removals == self._namespace.removals:
                return verdict is True
        return False

    async def _check(self, socket: Socket, room: str) -> None:
        if not await self.may_enter(socket, room):
            self._refused()
            raise EventError("forbidden", "This room is not open to you")

    def _room_of(self, request: Any) -> str:
        room = request.get("room") if isinstance(request, dict) else request
        if isinstance(room, str) and 0 < len(room) <= MAX_ROOM_NAME:
            return room
        self._refused()
        raise EventError("invalid", f'Say which room: {{"room": name}}, with 1 to {MAX_ROOM_NAME} characters')

    def _refused(self) -> None:
        self._namespace.server.statistics.refused["room"] += 1


def new_socket_id() -> str:
    """114 random bits, in a form that `is_socket_id` knows without knowing the socket."""
    return f"-{secrets.token_urlsafe(15)[1:]}"


def is_socket_id(room: str) -> bool:
    """Whether ``room`` is, or might be, the room of one socket of any node."""
    return len(room) == 20 and room[0] == "-"
