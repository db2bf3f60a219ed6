"""`room:join` and `room:leave`: what a client may ask for itself.

A room that stands for a person is never joined or left on request: who could leave `user:5` could dodge the
disconnection of user 5. Nor is the room of a socket, on whatever node it lives: there its own messages are heard.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.errors import EventError, Flaw, PayloadError
from steinmetz.realtime.events.event import Done, Event

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

MAX_ROOM_NAME = 200
_ID_LENGTHS = (20, 28)
"""Of a socket's id alone, and with the tag of its node before it."""
MAX_REASKED = 16
"""How often one question is put again because somebody was removed meanwhile; then the answer is no."""

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
            self._refused()
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

    def _refused(self) -> None:
        self._namespace.server.statistics.refused["room"] += 1


def new_socket_id() -> str:
    """114 random bits, in a form that `is_socket_id` knows without knowing the socket."""
    return f"-{secrets.token_urlsafe(15)[1:]}"


def is_socket_id(room: str) -> bool:
    """Whether ``room`` is, or might be, the room of one socket of any node."""
    return len(room) in _ID_LENGTHS and room[0] == "-"
