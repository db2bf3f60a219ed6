"""What the Admin UI may have done, if it is allowed to: said to a namespace, moved, sent away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steinmetz.realtime.errors import EventError

if TYPE_CHECKING:
    from steinmetz.realtime.server.broadcast import BroadcastOperator
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.server import Server
    from steinmetz.realtime.server.socket import Socket

FEATURES = ("EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")


class Commands:
    """Handlers for the events of the UI: the namespace, and whom of it (a room or an id; nobody named: all)."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def attach(self, namespace: Namespace) -> None:
        """Obey those who are in ``namespace``."""
        namespace.on("emit", self.emit)
        namespace.on("join", self.join)
        namespace.on("leave", self.leave)
        namespace.on("_disconnect", self.disconnect)

    def emit(self, _socket: Socket, name: Any, whom: Any, event: Any, *args: Any) -> None:
        self._meant(name, whom).emit(_text(event), *args)

    def join(self, _socket: Socket, name: Any, room: Any, whom: Any = None) -> None:
        self._meant(name, whom).sockets_join(_text(room))

    def leave(self, _socket: Socket, name: Any, room: Any, whom: Any = None) -> None:
        self._meant(name, whom).sockets_leave(_text(room))

    def disconnect(self, _socket: Socket, name: Any, close: Any = False, whom: Any = None) -> None:
        self._meant(name, whom).disconnect_sockets(close is True)

    def _meant(self, name: Any, whom: Any) -> BroadcastOperator:
        """Raises `EventError` for a namespace that there is not: naming one must not make it."""
        found = next((known for known in self._server.namespaces() if known.name == name), None)
        if found is None:
            raise EventError("unknown_namespace", "There is no such namespace")
        return found.except_() if whom in (None, "") else found.in_(_text(whom))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise EventError("invalid", "A name is a text that is not empty")
    return value
