"""What stands for a socket that is connected to another server of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from steinmetz.realtime.adapters.base import Selection, SocketDetails
from steinmetz.realtime.server.broadcast import BroadcastOperator

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket


class SocketElsewhere:
    """As Socket.IO's `RemoteSocket`: ``id``, ``rooms``, ``data`` and ``handshake`` as they were when it was asked.

    ``handshake`` is ``{address, issued, secure}``: no credential leaves the server that was shown it. Of ``data``
    what JSON can say has come along. https://socket.io/docs/v4/server-instance/#fetchsockets
    """

    __slots__ = ("_namespace", "data", "handshake", "id", "rooms")

    def __init__(self, namespace: Namespace, details: SocketDetails) -> None:
        self._namespace = namespace
        self.id = details.id
        self.rooms = details.rooms
        self.data = details.data
        self.handshake = details.handshake

    def __repr__(self) -> str:
        return f"<SocketElsewhere {self.id} in {self._namespace.name}>"

    @property
    def _itself(self) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, Selection(frozenset((self.id,))))

    def emit(self, event: str, *args: Any) -> None:
        """As `Socket.emit`."""
        self._itself.emit(event, *args)

    def join(self, *rooms: str) -> None:
        self._itself.sockets_join(*rooms)

    def leave(self, *rooms: str) -> None:
        self._itself.sockets_leave(*rooms)

    def disconnect(self, close: bool = False) -> None:
        self._itself.disconnect_sockets(close)


def details(socket: Socket) -> SocketDetails:
    """What other servers may know of ``socket``, in JSON values."""
    handshake = socket.handshake
    shown = {
        "address": handshake.address,
        "issued": int(handshake.time.timestamp() * 1_000),
        "secure": handshake.secure,
    }
    data = {str(name): value for name, value in socket.data.items() if _is_json(value)}
    return SocketDetails(socket.id, shown, socket.rooms, data)


def _is_json(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
