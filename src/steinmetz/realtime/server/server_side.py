"""What the servers of a cluster say to one another: events that no client sends or hears."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from steinmetz.realtime.adapters.base import Adapter
from steinmetz.realtime.server.listening import Handler

SERVERS_TIMEOUT_S = 5.0
"""How long the other servers may take to answer, if nobody says otherwise."""
_RESERVED = frozenset({"connect", "connection", "new_namespace"})


class ServerSide:
    """The handlers of one namespace, and the way out. ``adapter`` knows the other servers."""

    def __init__(self, adapter: Callable[[], Adapter[Any]], run_on_loop: Callable[..., None]) -> None:
        self._adapter = adapter
        self._run_on_loop = run_on_loop
        self._handlers: dict[str, Handler] = {}

    def on(self, event: str, handler: Handler) -> None:
        if event in _RESERVED:
            raise ValueError(f'"{event}" is a reserved name; choose another for your event')
        if event in self._handlers:
            raise ValueError(f'"{event}" of other servers has a handler already')
        self._handlers[event] = handler

    def emit(self, event: str, args: Sequence[Any]) -> None:
        if event in _RESERVED:
            raise ValueError(f'"{event}" is a reserved name; choose another for your event')
        self._run_on_loop(self._adapter().server_side_emit, event, args)

    async def ask(self, event: str, args: Sequence[Any], timeout_s: float) -> list[Any]:
        if event in _RESERVED:
            raise ValueError(f'"{event}" is a reserved name; choose another for your event')
        return await self._adapter().server_side_emit_with_ack(event, args, timeout_s)

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        """What another server has emitted; None if nobody listens here."""
        handler = self._handlers.get(event)
        if handler is None:
            return None
        answer = handler(*args)
        return await answer if inspect.isawaitable(answer) else answer


class ServerSideEmitting:
    """The methods of `Server` and `Namespace` for it."""

    def _servers(self) -> ServerSide:
        raise NotImplementedError

    def server_side_emit(self, event: str, *args: Any) -> None:
        """To the other servers of the cluster (JSON values); a plain call, from any thread.

        A process alone is heard by nobody. Raises `ValueError` for a reserved name.
        """
        self._servers().emit(event, args)

    async def server_side_emit_with_ack(
        self, event: str, *args: Any, timeout_s: float = SERVERS_TIMEOUT_S
    ) -> list[Any]:
        """To the other servers, and wait for an answer from each; a process alone gets an empty list.

        Raises `AckTimeoutError`, whose ``answers`` are those that came, and `ValueError` for a reserved name.
        """
        return await self._servers().ask(event, args, timeout_s)

    def on_server_side_emit(self, event: str, handler: Handler | None = None) -> Any:
        """Handle what another server emits: ``handler(*args)``, plain or async; what it returns is its answer.

        Usable as a decorator. Raises `ValueError` for a second handler, or a reserved name.
        """
        if handler is None:
            return partial(self.on_server_side_emit, event)
        self._servers().on(event, handler)
        return handler
