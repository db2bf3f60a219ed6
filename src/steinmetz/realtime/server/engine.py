"""`io.engine`: the Engine.IO side of a server, for whoever wants to watch connections below the namespaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.engineio.session import State
from steinmetz.realtime.errors import HandshakeError
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.listening import Handler, forget, tell, watching

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client

_CONNECTION_ERROR = "connection_error"


@dataclass(frozen=True, slots=True)
class EngineError:
    """A request that opened or joined no session, as Engine.IO tells of it."""

    code: int
    """0 Transport unknown, 1 Session ID unknown, 2 Bad handshake method, 3 Bad request, 4 Forbidden, 5 Unsupported
    protocol version."""
    message: str
    context: dict[str, Any]
    """``{status, transport, protocol}``: the HTTP status of the answer, and what was asked for."""
    request: Request


class Engine:
    """After Engine.IO's `Server`: https://socket.io/docs/v4/server-api/#engine"""

    def __init__(self, clients: dict[str, Client]) -> None:
        self._clients = clients
        self._on_error: list[Handler] = []
        self._upgrades: dict[Client, list[Handler]] = {}

    @property
    def clients_count(self) -> int:
        """Open sessions of this process, those that are in no namespace yet included."""
        return len(self._clients)

    def on(self, event: str, handler: Handler | None = None) -> Any:
        """Call ``handler(error)``, a plain function, with an `EngineError` at each "connection_error".

        Usable as a decorator. Raises `ValueError` for another event, `TypeError` for a coroutine function.
        """
        if event != _CONNECTION_ERROR:
            raise ValueError(f'the engine tells of "{_CONNECTION_ERROR}", not of "{event}"')
        if handler is None:
            return partial(self.on, event)
        self._on_error.append(watching(handler))
        return handler

    def off(self, event: str, handler: Handler | None = None) -> None:
        """Forget ``handler`` of ``event``, or all of them."""
        if event == _CONNECTION_ERROR:
            forget(self._on_error, handler)

    def refused(self, error: HandshakeError, request: Callable[[], Request]) -> None:
        """For the transports: a request was answered with ``error``; ``request`` is read if somebody listens."""
        if self._on_error:
            asked = request()
            query = asked.query
            context = {
                "status": error.status,
                "transport": query.get("transport"),
                "protocol": query.get("EIO"),
            }
            tell(self._on_error, EngineError(error.code, error.message, context, asked))

    def await_upgrade(self, client: Client, handler: Handler) -> None:
        """Bound: until the upgrade or the end of ``client``; one that needs no upgrade is not waited for."""
        if client.session.state in (State.POLLING, State.PROBING, State.PROBED):
            self._upgrades.setdefault(client, []).append(watching(handler))

    def upgraded(self, client: Client) -> None:
        """A WebSocket has taken ``client`` over."""
        if self._upgrades:
            tell(self._upgrades.pop(client, ()))

    def closed(self, client: Client) -> None:
        if self._upgrades:
            self._upgrades.pop(client, None)
