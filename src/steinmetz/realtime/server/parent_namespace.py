"""Namespaces by rule: a pattern or a function says which names exist, a client's CONNECT calls them into being."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import Flags, Selection
from steinmetz.realtime.errors import AckError, AckTimeoutError, DisconnectedError
from steinmetz.realtime.server.broadcast import Broadcasting, BroadcastOperator
from steinmetz.realtime.server.listening import Handlers, Listening
from steinmetz.realtime.server.remote import RemoteSocket
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

if TYPE_CHECKING:
    from steinmetz.realtime.events.event import Event
    from steinmetz.realtime.events.registry import Registry
    from steinmetz.realtime.server.namespace import Middleware, Namespace

log = structlog.get_logger("steinmetz.realtime")

Matcher = Callable[[str, dict[str, Any]], bool]
"""``matcher(name, auth)``: whether there is a namespace of this name. A plain function, asked at each CONNECT to
an unknown name: what has to be awaited is for a middleware to find out."""


class ParentNamespace(Listening, Broadcasting):
    """Made by `Server.of`. After Socket.IO's: https://socket.io/docs/v4/namespaces/#dynamic-namespaces

    Its middlewares, handlers and listeners are those of all its children, now and later. What it emits goes to
    the children that this process knows; each reaches its sockets on all servers.
    """

    def __init__(self, rule: re.Pattern[str] | Matcher, events: Registry) -> None:
        """``events``: the typed events of all its children."""
        self.events = events
        self.handlers = Handlers()
        self.middlewares: list[Middleware] = []
        self._rule = rule
        self._children: dict[str, Namespace] = {}

    def __repr__(self) -> str:
        rule = self._rule.pattern if isinstance(self._rule, re.Pattern) else self._rule.__qualname__
        return f"<ParentNamespace {rule}>"

    @property
    def children(self) -> MappingProxyType[str, Namespace]:
        """Its namespaces, by name."""
        return MappingProxyType(self._children)

    def use(self, middleware: Middleware) -> Middleware:
        """Ask ``middleware(socket)`` about each connection to a child; see `Namespace.use`."""
        self.middlewares.append(middleware)
        return middleware

    def declare(self, *events: Event) -> None:
        """The server sends ``events`` in the children; see `Namespace.declare`."""
        self.events.declare(*events)

    def _registry(self) -> Registry:
        return self.events

    def _listening(self) -> Handlers:
        return self.handlers

    def _everybody(self) -> BroadcastOperator:
        return BroadcastOperator(self)

    # -- for Namespaces -----------------------------------------------------------------------------------------

    def matches(self, name: str) -> bool:
        """Whether a pattern says so, of the whole name; a function is asked by `admits` only."""
        return isinstance(self._rule, re.Pattern) and self._rule.fullmatch(name) is not None

    def admits(self, name: str, auth: dict[str, Any]) -> bool:
        """Whether there is a child ``name`` for a client that shows ``auth``."""
        if isinstance(self._rule, re.Pattern):
            return self.matches(name)
        try:
            return self._rule(name, auth) is True
        except Exception as error:
            log.error("Namespace rule failed", rule=self._rule.__qualname__, error=type(error).__name__)
            return False

    def add(self, child: Namespace) -> None:
        self._children[child.name] = child

    def remove(self, child: Namespace) -> None:
        self._children.pop(child.name, None)

    # -- what an operator asks for (broadcast.Audience) ----------------------------------------------------------

    def broadcast(self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags) -> None:
        children = tuple(self._children.values())
        if not children:
            # Whoever emits hears what is wrong with its data, even if nobody is there to hear it.
            name, args, _ = self.events.outgoing(event, args, flags)
            if name in RESERVED_EVENTS:
                raise ValueError(f'"{name}" is a reserved name; choose another for your event')
            encode(Packet(PacketType.EVENT, MAIN_NAMESPACE, [name, *args]))
        for child in children:
            child.broadcast(selection, event, args, flags)

    async def question(
        self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags, timeout_s: float
    ) -> list[Any]:
        outcomes = await asyncio.gather(
            *(
                child.question(selection, event, args, flags, timeout_s)
                for child in tuple(self._children.values())
            ),
            return_exceptions=True,
        )
        answers: list[Any] = []
        missing: set[str] = set()
        failures: list[AckError] = []
        for outcome in outcomes:
            if isinstance(outcome, AckError):
                failures.append(outcome)
                answers += outcome.answers
                missing |= outcome.missing
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                answers += outcome
        if not failures:
            return answers
        gone = [failure.reason for failure in failures if isinstance(failure, DisconnectedError)]
        if len(gone) == len(failures):
            raise DisconnectedError(", ".join(sorted(set(gone))), answers, missing)
        kind = AckTimeoutError if any(isinstance(failure, AckTimeoutError) for failure in failures) else AckError
        raise kind("; ".join(str(failure) for failure in failures), answers, missing)

    async def fetch_selected(self, selection: Selection) -> Sequence[RemoteSocket]:
        return [
            socket for child in tuple(self._children.values()) for socket in await child.fetch_selected(selection)
        ]

    def join_selected(self, selection: Selection, rooms: Collection[str]) -> None:
        for child in tuple(self._children.values()):
            child.join_selected(selection, rooms)

    def leave_selected(self, selection: Selection, rooms: Collection[str]) -> None:
        for child in tuple(self._children.values()):
            child.leave_selected(selection, rooms)

    def drop_selected(self, selection: Selection, close: bool) -> None:
        for child in tuple(self._children.values()):
            child.drop_selected(selection, close)
