"""The methods of the main namespace that are a server's, too: ``io.emit(...)`` is ``io.of("/").emit(...)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from steinmetz.realtime.events.event import Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.presence import Presence, UserOf, Watched
from steinmetz.realtime.server.broadcast import Broadcasting, BroadcastOperator
from steinmetz.realtime.server.listening import Handlers, Listening
from steinmetz.realtime.server.namespace import Middleware, Namespace
from steinmetz.realtime.server.server_side import ServerSide, ServerSideEmitting
from steinmetz.realtime.server.socket import Socket


class MainNamespace(Listening, Broadcasting, ServerSideEmitting):
    """As much of a server as stands for its main namespace."""

    _main: Namespace

    @property
    def sockets(self) -> Namespace:
        """The main namespace, as Socket.IO calls it; ``io.sockets.sockets`` are the sockets in it."""
        return self._main

    def use(self, middleware: Middleware) -> Middleware:
        """A middleware of the main namespace; see `Namespace.use`."""
        return self._main.use(middleware)

    def _registry(self) -> Registry:
        return self._main.events

    def _listening(self) -> Handlers:
        return self._main.handlers

    def _everybody(self) -> BroadcastOperator:
        return BroadcastOperator(self._main)

    def _servers(self) -> ServerSide:
        return self._main._servers()

    def declare(self, *events: Event) -> None:
        """The server sends ``events`` in the main namespace; see `Namespace.declare`."""
        self._main.declare(*events)

    def say_to(
        self,
        sockets: Sequence[Socket],
        event: str | Event,
        *args: Any,
        newest: str | None = None,
        lagging: Callable[[], Any] | None = None,
    ) -> None:
        """In the main namespace; see `Speaking.say_to`."""
        self._main.say_to(sockets, event, *args, newest=newest, lagging=lagging)

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether an emission to ``room`` of the main namespace may reach anybody; see `Namespace.has_members`."""
        return self._main.has_members(room, here=here)

    def track_presence(self, user_of: UserOf, watched: Watched = lambda _room: True) -> Presence:
        """In the main namespace; see `Namespace.track_presence`."""
        return self._main.track_presence(user_of, watched)

    def presence(self, room: str) -> dict[str, int]:
        """In the main namespace; see `Namespace.presence`."""
        return self._main.presence(room)
