"""A socket as anybody in the cluster may hold it: what `fetch_sockets` returns, wherever its client is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from steinmetz.realtime.adapters.base import Selection, SocketDetails
from steinmetz.realtime.server.broadcast import SingleOperator
from steinmetz.realtime.server.handshake import Handshake

if TYPE_CHECKING:
    from steinmetz.realtime.events.event import Event
    from steinmetz.realtime.server.broadcast import Audience, BroadcastOperator
    from steinmetz.realtime.server.socket import Socket


class RemoteSocket(Protocol):
    """After Socket.IO's `RemoteSocket`. A `Socket` of this process is one, too."""

    @property
    def id(self) -> str: ...

    @property
    def handshake(self) -> Handshake: ...

    @property
    def rooms(self) -> frozenset[str]:
        """Its rooms, with the one named like its id."""

    @property
    def data(self) -> Mapping[str, Any]:
        """Of a socket elsewhere: as it was when it was fetched."""

    def emit(self, event: str | Event, *args: Any) -> None: ...

    def timeout(self, seconds: float) -> BroadcastOperator:
        """This socket, and how long its `emit_with_ack` waits."""

    def join(self, *rooms: str) -> None: ...

    def leave(self, *rooms: str) -> None: ...

    def disconnect(self, close: bool = False) -> None: ...


class SocketElsewhere:
    """A socket of another server, made from what that one told: a snapshot that can be spoken to."""

    __slots__ = ("_audience", "data", "handshake", "id", "rooms")

    def __init__(self, audience: Audience, details: SocketDetails) -> None:
        self._audience = audience
        self.id = details.id
        self.handshake = Handshake.of_details(details.handshake)
        self.rooms = details.rooms
        self.data = details.data

    def __repr__(self) -> str:
        return f"<SocketElsewhere {self.id}>"

    def _itself(self) -> BroadcastOperator:
        return SingleOperator(self._audience, Selection(frozenset((self.id,))))

    def emit(self, event: str | Event, *args: Any) -> None:
        """See `BroadcastOperator.emit`."""
        self._itself().emit(event, *args)

    async def emit_with_ack(self, event: str | Event, *args: Any) -> Any:
        """See `SingleOperator.emit_with_ack`."""
        return await self._itself().emit_with_ack(event, *args)

    def timeout(self, seconds: float) -> BroadcastOperator:
        """This socket, and how long its `emit_with_ack` waits."""
        return self._itself().timeout(seconds)

    def join(self, *rooms: str) -> None:
        """Put it into ``rooms``; from any thread."""
        self._itself().sockets_join(*rooms)

    def leave(self, *rooms: str) -> None:
        """Take it out of ``rooms``; from any thread."""
        self._itself().sockets_leave(*rooms)

    def disconnect(self, close: bool = False) -> None:
        """Tell the client to stay away; with ``close`` end its connection, too. From any thread."""
        self._itself().disconnect_sockets(close)


def details(socket: Socket) -> SocketDetails:
    """What other servers may know of ``socket``, in JSON values; what JSON cannot say stays here."""
    data = {str(name): value for name, value in socket.data.items() if _is_json(value)}
    return SocketDetails(socket.id, socket.handshake.details(), socket.rooms, data)


def _is_json(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
