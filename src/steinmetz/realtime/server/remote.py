"""What stands for a socket that is connected to another server of the cluster."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from steinmetz.realtime.adapters.base import Selection
from steinmetz.realtime.server.broadcast import BroadcastOperator

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket


class RemoteSocket:
    """As Socket.IO's `RemoteSocket`: ``id``, ``rooms``, ``data`` and ``handshake`` as they were when it was asked.

    ``handshake`` is ``{address, issued, secure}``: no credential leaves the server that was shown it. Of ``data``
    what JSON can say has come along. https://socket.io/docs/v4/server-instance/#fetchsockets
    """

    __slots__ = ("_namespace", "data", "handshake", "id", "rooms")

    def __init__(self, namespace: Namespace, described: dict[str, Any]) -> None:
        """Raises `ValueError` for what `describe` never says."""
        match described:
            case {"id": str(sid), "rooms": list(rooms), "data": dict(data), "handshake": dict(handshake)}:
                pass
            case _:
                raise ValueError("not the description of a socket")
        self._namespace = namespace
        self.id: str = sid
        self.rooms: frozenset[str] = frozenset(map(str, rooms))
        self.data = MappingProxyType(data)
        self.handshake = MappingProxyType(handshake)

    def __repr__(self) -> str:
        return f"<RemoteSocket {self.id} in {self._namespace.name}>"

    @property
    def _it(self) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, Selection(frozenset((self.id,))))

    def emit(self, event: str, *args: Any) -> None:
        """As `Socket.emit`."""
        self._it.emit(event, *args)

    def join(self, *rooms: str) -> None:
        self._it.sockets_join(*rooms)

    def leave(self, *rooms: str) -> None:
        self._it.sockets_leave(*rooms)

    def disconnect(self, close: bool = False) -> None:
        self._it.disconnect_sockets(close)


def describe(socket: Socket) -> dict[str, Any]:
    """What other servers may know of ``socket``, in JSON values."""
    handshake = socket.handshake
    return {
        "id": socket.id,
        "rooms": sorted(socket.rooms),
        "data": {str(name): value for name, value in socket.data.items() if _is_json(value)},
        "handshake": {
            "address": handshake.address,
            "issued": int(handshake.time.timestamp() * 1_000),
            "secure": handshake.secure,
        },
    }


def _is_json(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True
