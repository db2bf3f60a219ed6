"""The namespaces of a server: by name, or by rule, with the children that clients have called into being."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.server.listening import Handler, tell, watching
from steinmetz.realtime.server.namespace import Namespace
from steinmetz.realtime.server.parent_namespace import Matcher, ParentNamespace

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server


class Namespaces(Mapping[str, Namespace]):
    """By name. Bound: what the application names, and `Config.max_child_namespaces` that clients name.

    A child lives as long as somebody is in it, at its door, or away and remembered; one that the application asks
    for by name stays.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[str, Namespace] = {}
        self._parents: list[ParentNamespace] = []
        self._passing: dict[str, None] = {}
        """The names of children that end with their last socket; the oldest first."""
        self._on_new: list[Handler] = []

    def __getitem__(self, name: str) -> Namespace:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._known))

    def __len__(self) -> int:
        return len(self._known)

    def on_new(self, handler: Handler) -> None:
        """Call ``handler(namespace)`` when a namespace has been made; before any client is in it."""
        self._on_new.append(watching(handler))

    def of(self, name: str) -> Namespace:
        """The namespace ``name``, made if need be; it stays. Raises `ValueError` for what cannot be a name."""
        if not name.startswith("/") or "," in name:
            raise ValueError('a namespace is named like "/admin": with a leading slash, without a comma')
        self._passing.pop(name, None)
        known = self._known.get(name)
        if known is not None:
            return known
        return self._make(name, next((parent for parent in self._parents if parent.matches(name)), None))

    def parent(self, rule: re.Pattern[str] | Matcher) -> ParentNamespace:
        """Namespaces by ``rule``; of several rules that fit, the first counts.

        Raises `TypeError` for a coroutine function.
        """
        if inspect.iscoroutinefunction(rule):
            raise TypeError("a rule for namespaces is a plain function; what has to be awaited belongs in use()")
        events = Registry(self._server.statistics, is_strict=self._server.config.strict_events)
        parent = ParentNamespace(rule, events)
        self._parents.append(parent)
        return parent

    def find(self, name: str, auth: dict[str, Any]) -> Namespace | None:
        """The namespace that a client asks for; a child is made for it if a rule says that there is one.

        The rule is asked each time, for it may know who asks: that somebody is in there already lets nobody in.
        """
        known = self._known.get(name)
        if known is not None:
            return known if known.parent is None or known.parent.admits(name, auth) else None
        for parent in self._parents:
            if parent.admits(name, auth):
                break
        else:
            return None
        if len(self._passing) >= self._server.config.max_child_namespaces:
            self._make_room()
        if len(self._passing) >= self._server.config.max_child_namespaces:
            self._server.statistics.refused["Too many namespaces"] += 1
            return None
        self._passing[name] = None
        child = self._make(name, parent)
        self._server.call_soon(child.end_if_empty)  # for a client that is refused at once
        return child

    def _make_room(self) -> None:
        """Who is here goes before who may come back: the oldest child that is kept for the latter ends."""
        deserted = (name for name in self._passing if self._known[name].is_deserted)
        if (name := next(deserted, None)) is not None:
            self.end(self._known[name])

    def end(self, child: Namespace) -> None:
        """Nobody uses ``child`` any more; unless the application does, it ends."""
        if child.name in self._passing and self._known.get(child.name) is child:
            del self._passing[child.name]
            del self._known[child.name]
            if child.parent is not None:
                child.parent.remove(child)
            self._server.statistics.deliveries += child.delivery.deliveries
            self._server.statistics.delivered_bytes += child.delivery.delivered_bytes
            child.end()

    def _make(self, name: str, parent: ParentNamespace | None) -> Namespace:
        namespace = self._known[name] = Namespace(self._server, name, parent)
        if parent is not None:
            parent.add(namespace)
        tell(self._on_new, namespace)
        return namespace
