"""Who wants to hear what: the handlers and listeners of a namespace, or of one socket.

An event has one *handler*, because its return value is the one acknowledgement. *Listeners* (`on_any`) only watch:
there may be several, they are plain functions, and what they raise is logged and changes nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.socketio.packet import RESERVED_EVENTS

if TYPE_CHECKING:
    from steinmetz.realtime.events.event import Event
    from steinmetz.realtime.events.registry import Registry

log = structlog.get_logger("steinmetz.realtime")

Handler = Callable[..., Any]
Registered = tuple[Handler, bool]
"""A handler and whether it is a coroutine function: asked once, not at every event."""

CATCH_ALL = "*"
"""The name under which a handler takes every event that has no handler of its own."""
_SYNONYMS = {"connect": "connection"}
_NOT_OF_CLIENTS = frozenset({"connection", "new_namespace"})
_NONE: tuple[Registered, ...] = ()


def registered(handler: Handler) -> Registered:
    return handler, inspect.iscoroutinefunction(handler)


class Handlers:
    """What one namespace or one socket was told to call."""

    __slots__ = ("any", "any_outgoing", "events", "life", "middlewares", "once")

    def __init__(self) -> None:
        self.events: dict[str, Registered] = {}
        self.life: dict[str, list[Registered]] = {}
        """Handlers of "connection", "disconnecting" and "disconnect"; of these there may be several."""
        self.once: list[tuple[str, Handler]] = []
        """Which of them end with their first call."""
        self.any: list[Handler] = []
        self.any_outgoing: list[Handler] = []
        self.middlewares: list[Registered] = []

    def take(self, event: str) -> Registered | None:
        """The handler of an event that has come; one that was registered for once is forgotten."""
        found = self.events.get(event)
        if found is not None and self.once and (event, found[0]) in self.once:
            self.once.remove((event, found[0]))
            del self.events[event]
        return found

    def take_life(self, event: str) -> tuple[Registered, ...]:
        """The handlers of something that happens to a socket."""
        found = self.life.get(event)
        if not found:
            return _NONE
        chosen = tuple(found)
        if not self.once:
            return chosen
        for pair in [pair for pair in self.once if pair[0] == event]:
            self.once.remove(pair)
            found[:] = [known for known in found if known[0] is not pair[1]]
        return chosen


class Listening:
    """The methods with which an application says what it wants to hear; of `Server`, `Namespace` and `Socket`."""

    __slots__ = ()

    _life: tuple[str, ...] = ("connection", "disconnecting", "disconnect")
    """What happens to a socket, and may have handlers here."""

    def _listening(self) -> Handlers:
        """Where it is written down."""
        raise NotImplementedError

    _leading = 1
    """Arguments of a handler before those of the event."""

    def _registry(self) -> Registry:
        """Where typed events are written down."""
        raise NotImplementedError

    def on(self, event: str | Event, handler: Handler | None = None) -> Any:
        """Handle ``event``; the handler's return value is the acknowledgement. Usable as a decorator.

        A handler of a namespace gets ``(socket, *args)``, one of a socket ``(*args)``. "connection" (or "connect")
        handlers get ``(socket)``, "disconnecting" and "disconnect" handlers ``(socket, reason)``; there may be
        several of these. "disconnecting" is said while the socket is still in its rooms, at once, to plain
        functions only. ``"*"`` handles every event that has no handler: ``(socket, event, *args)``. The handler of
        an `Event` gets its payload as its schema reads it; what does not fit is refused with the code ``invalid``
        and never gets there.

        Raises `ValueError` for a second handler of an event, or a reserved name; `TypeError` for a coroutine
        function where only a plain one can be called.
        """
        if handler is None:
            return partial(self.on, event)
        self._register(event, handler)
        return handler

    def once(self, event: str | Event, handler: Handler | None = None) -> Any:
        """`on`, for the next time only."""
        if handler is None:
            return partial(self.once, event)
        self._listening().once.append(self._register(event, handler))
        return handler

    def _register(self, event: str | Event, handler: Handler) -> tuple[str, Handler]:
        """What was written down: the name of the event, and what is called."""
        if not isinstance(event, str):
            handler = self._registry().receiver(event, handler, leading=self._leading)
            event = event.name
        event = _SYNONYMS.get(event, event)
        handlers = self._listening()
        if event in self._life:
            if event == "disconnecting" and inspect.iscoroutinefunction(handler):
                raise TypeError(
                    'a "disconnecting" handler is a plain function: by the time a coroutine had run, '
                    'the socket would have left its rooms; take what you need, and await in "disconnect"'
                )
            handlers.life.setdefault(event, []).append(registered(handler))
        elif event in RESERVED_EVENTS or event in _NOT_OF_CLIENTS:
            raise ValueError(f'"{event}" is a reserved name; no client sends it as an event')
        elif event in handlers.events:
            raise ValueError(
                f'"{event}" has a handler in {self} already; an event has one answer, so off() it first'
            )
        else:
            handlers.events[event] = registered(handler)
        return event, handler

    def off(self, event: str | Event | None = None, handler: Handler | None = None) -> None:
        """Forget ``handler`` of ``event``, or all of its handlers, or (no event named) all handlers."""
        handlers = self._listening()
        if event is None:
            handlers.events.clear()
            handlers.life.clear()
            handlers.once.clear()
            return
        event = _SYNONYMS.get(event, event) if isinstance(event, str) else event.name
        found = handlers.events.get(event)
        if found is not None and handler in (None, found[0], getattr(found[0], "__wrapped__", None)):
            handlers.once = [pair for pair in handlers.once if pair != (event, found[0])]
            del handlers.events[event]
        if event in handlers.life:
            handlers.life[event] = [
                known for known in handlers.life[event] if handler is not None and known[0] is not handler
            ]
        handlers.once = [
            pair for pair in handlers.once if pair[0] != event or (handler is not None and pair[1] is not handler)
        ]

    def event_names(self) -> list[str]:
        """What has handlers here."""
        handlers = self._listening()
        return [*(event for event, found in handlers.life.items() if found), *handlers.events]

    def on_any(self, listener: Handler) -> Handler:
        """Watch every event that comes, handled or not, as it comes: ``listener(socket, event, *args)`` for a
        namespace, ``listener(event, *args)`` for a socket. Raises `TypeError` for a coroutine function."""
        self._listening().any.append(watching(listener))
        return listener

    def prepend_any(self, listener: Handler) -> Handler:
        """`on_any`, before the others."""
        self._listening().any.insert(0, watching(listener))
        return listener

    def off_any(self, listener: Handler | None = None) -> None:
        """Forget ``listener``, or all of them."""
        forget(self._listening().any, listener)

    def listeners_any(self) -> list[Handler]:
        """The listeners for any event, in their order."""
        return list(self._listening().any)


def watching(listener: Handler) -> Handler:
    """``listener``, if it is a plain function. Raises `TypeError`."""
    if inspect.iscoroutinefunction(listener):
        raise TypeError("a listener for any event is a plain function: nobody waits for it")
    return listener


def forget(listeners: list[Handler], listener: Handler | None) -> None:
    """Take ``listener`` out of ``listeners``, or all of them."""
    listeners[:] = [known for known in listeners if listener is not None and known is not listener]


def tell(listeners: Iterable[Handler], *args: Any) -> None:
    """Call all of them; what one raises is logged, without its message, which may quote a client's data."""
    for listener in tuple(listeners):
        try:
            listener(*args)
        except Exception as error:
            log.error("Listener failed", listener=_name_of(listener), error=type(error).__name__)


def _name_of(listener: Handler) -> str:
    return str(getattr(listener, "__qualname__", type(listener).__name__))
