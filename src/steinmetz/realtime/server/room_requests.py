"""`room:join` and `room:leave`: what a client may ask for itself.

A room that stands for a person is never joined or left on request: who could leave `user:5` could dodge the
disconnection of user 5.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.errors import EventError, Flaw, PayloadError
from steinmetz.realtime.events.event import Done, Event

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

MAX_ROOM_NAME = 200

Authorise = Callable[["Socket", str], bool | Awaitable[bool]]


async def nobody(_socket: Socket, _room: str) -> bool:
    """The default: a client joins no room on its own."""
    return False


class RoomName:
    """The schema of both: ``{"room": name}``, or the name alone. Read, it is the name."""

    def read(self, value: Any) -> str:
        room = value.get("room") if isinstance(value, dict) else value
        if not isinstance(room, str) or not 0 < len(room) <= MAX_ROOM_NAME:
            said = f'Say which room: {{"room": name}}, with 1 to {MAX_ROOM_NAME} characters'
            raise PayloadError([Flaw("", said)])
        return room

    def write(self, value: Any) -> Any:
        self.read(value)
        return value

    def json_schema(self, *, sent: bool) -> dict[str, Any]:
        name = {"type": "string", "minLength": 1, "maxLength": MAX_ROOM_NAME}
        request = {"title": "RoomRequest", "type": "object", "properties": {"room": name}, "required": ["room"]}
        return {"anyOf": [{"$ref": "#/$defs/RoomRequest"}, name], "$defs": {"RoomRequest": request}}


ROOM_JOIN = Event("room:join", RoomName(), ack=Done, about="Enter a room that is open to you")
ROOM_LEAVE = Event("room:leave", RoomName(), ack=Done, about="Leave a room")


class RoomRequests:
    """The two handlers of one namespace. ``authorise(socket, room)``, plain or async, is asked about both."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.authorise: Authorise = nobody
        namespace.on(ROOM_JOIN, self.join)
        namespace.on(ROOM_LEAVE, self.leave)

    async def join(self, socket: Socket, room: str) -> dict[str, bool]:
        requested = socket.requested_rooms or set()
        if room not in requested and len(requested) >= self._namespace.server.config.max_rooms_per_socket:
            raise EventError("too_many_rooms", "This connection has joined as many rooms as it may")
        await self._check(socket, room)
        if socket.requested_rooms is None:
            socket.requested_rooms = set()
        socket.requested_rooms.add(room)
        socket.join(room)
        return {"ok": True}

    async def leave(self, socket: Socket, room: str) -> dict[str, bool]:
        if socket.requested_rooms is None or room not in socket.requested_rooms:
            await self._check(socket, room)
        else:
            socket.requested_rooms.discard(room)
        socket.leave(room)
        return {"ok": True}

    async def _check(self, socket: Socket, room: str) -> None:
        if not await self.may_enter(socket, room):
            raise EventError("forbidden", "This room is not open to you")

    async def may_enter(self, socket: Socket, room: str) -> bool:
        """Whether ``room`` is open to ``socket``; asked again when its state is recovered."""
        is_own_room_of_somebody = room in self._namespace.sockets
        if is_own_room_of_somebody or self._namespace.server.config.private_room(room):
            return False
        verdict = self.authorise(socket, room)
        return (await verdict if inspect.isawaitable(verdict) else verdict) is True
