"""The connection below a socket, as handlers may see it: without the session id, which is a bearer secret."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.listening import Handler
    from steinmetz.realtime.server.transport import Transport


class Conn:
    """`socket.conn`. The same connection serves all namespaces of the client."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<Conn over {self.transport.name}>"

    @property
    def transport(self) -> Transport:
        """What carries it now; ``transport.name`` is ``"polling"`` or ``"websocket"``."""
        return self._client.transport

    def once(self, event: str, handler: Handler | None = None) -> Any:
        """Call ``handler()`` at "upgrade": when a WebSocket has taken over from polling, which happens once.

        Usable as a decorator. Raises `ValueError` for another event.
        """
        if event != "upgrade":
            raise ValueError(f'a connection tells of its "upgrade", not of "{event}"')
        if handler is None:
            return partial(self.once, event)
        self._client.server.engine.await_upgrade(self._client, handler)
        return handler

    on = once
