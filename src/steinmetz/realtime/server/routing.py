"""An event on its way to its handler: past the listeners, through the socket's middlewares."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.errors import EventError
from steinmetz.realtime.server.call import Call
from steinmetz.realtime.server.listening import CATCH_ALL, Registered, registered, tell
from steinmetz.realtime.server.statistics import OTHER_EVENTS
from steinmetz.realtime.socketio.packet import Packet

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

EventMiddleware = Callable[[str, list[Any]], Awaitable[None] | None]
"""``middleware(event, args)``: it may change ``args``, and raises to keep the event from its handler."""


def route(namespace: Namespace, socket: Socket, packet: Packet, size: int) -> Call:
    """What is to be called for an EVENT packet; one that nobody handles is told so, if it asked."""
    event, args = str(packet.data[0]), packet.data[1:]
    parent, handlers, own = namespace.parent, namespace.handlers, socket.handlers
    if parent is not None and parent.handlers.any:
        tell(parent.handlers.any, socket, event, *args)
    if handlers.any:
        tell(handlers.any, socket, event, *args)
    if own is not None:
        if own.any:
            tell(own.any, event, *args)
        found = own.take(event)
        if found is not None:
            namespace.server.statistics.heard(event)
        if found is not None and not own.middlewares:
            return Call(socket, event, found[0], found[1], tuple(args), packet.id, size)
    else:
        found = None
    (handler, is_async), leading = (found, ()) if found is not None else _handler(namespace, socket, event)
    if own is None or not own.middlewares:
        return Call(socket, event, handler, is_async, (*leading, *args), packet.id, size)
    passage = Passage(event, args, tuple(own.middlewares), handler, leading)
    if is_async or any(awaits for _, awaits in own.middlewares):
        return Call(socket, event, passage.walk, True, (), packet.id, size)
    return Call(socket, event, passage.run, False, (), packet.id, size)


def _handler(namespace: Namespace, socket: Socket, event: str) -> tuple[Registered, tuple[Any, ...]]:
    """The handler for what the socket has none of its own, and what it gets before the arguments of the event."""
    handlers, own = [namespace.handlers], socket.handlers
    if namespace.parent is not None:
        handlers.append(namespace.parent.handlers)
    for known in handlers:
        if (found := known.take(event)) is not None:
            namespace.server.statistics.heard(event)
            return found, (socket,)
    # Clients may think of any number of names.
    namespace.server.statistics.heard(OTHER_EVENTS)
    if own is not None and (found := own.take(CATCH_ALL)) is not None:
        return found, (event,)
    for known in handlers:
        if (found := known.take(CATCH_ALL)) is not None:
            return found, (socket, event)
    return _UNKNOWN_EVENT, (socket,)


class Passage:
    """Through the middlewares of a socket, one after the other, to the handler."""

    __slots__ = ("_args", "_event", "_handler", "_leading", "_middlewares")

    def __init__(
        self,
        event: str,
        args: list[Any],
        middlewares: tuple[Registered, ...],
        handler: Callable[..., Any],
        leading: tuple[Any, ...],
    ) -> None:
        self._event = event
        self._args = args
        self._middlewares = middlewares
        self._handler = handler
        self._leading = leading

    def run(self) -> Any:
        """All of it at once: they are plain functions."""
        for middleware, _ in self._middlewares:
            middleware(self._event, self._args)
        return self._handler(*self._leading, *self._args)

    async def walk(self) -> Any:
        """Some of them must be awaited."""
        for middleware, _ in self._middlewares:
            waiting = middleware(self._event, self._args)
            if inspect.isawaitable(waiting):
                await waiting
        answer = self._handler(*self._leading, *self._args)
        return await answer if inspect.isawaitable(answer) else answer


def _unknown_event(socket: Socket, *_args: Any) -> None:
    socket.namespace.server.statistics.refused["unknown event"] += 1
    raise EventError("unknown_event", "The server does not handle this event")


_UNKNOWN_EVENT = registered(_unknown_event)
