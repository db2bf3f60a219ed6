"""Who hears of one answer: clients, each by the path as it has spelled it, and rooms that the application has
bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from steinmetz.live.bindings import Binding

if TYPE_CHECKING:
    from steinmetz.realtime import Socket

NOBODY: tuple[Socket, ...] = ()


class Audience:
    """Bound: one entry a subscription. The members of a path are one tuple until one comes or goes: see
    `Delivery.send`, which knows an audience by its identity."""

    __slots__ = ("_clients", "_tuples", "bindings", "expected")

    def __init__(self) -> None:
        self.bindings: list[Binding] = []
        self.expected = 0
        """Clients that have asked and are not answered yet."""
        self._clients: dict[str, dict[Socket, None]] = {}
        self._tuples: dict[str, tuple[Socket, ...]] = {}

    def __len__(self) -> int:
        return sum(len(clients) for clients in self._clients.values())

    def __iter__(self) -> Iterator[tuple[str, tuple[Socket, ...]]]:
        """Each path, and the clients that have asked for it so."""
        for path in list(self._clients):
            yield path, self.members(path)

    def members(self, path: str) -> tuple[Socket, ...]:
        known = self._tuples.get(path)
        if known is None:
            known = self._tuples[path] = tuple(self._clients.get(path, NOBODY))
        return known

    def add(self, path: str, client: Socket) -> None:
        self._clients.setdefault(path, {})[client] = None
        self._tuples.pop(path, None)

    def discard(self, path: str, client: Socket) -> None:
        clients = self._clients.get(path)
        if clients is not None and client in clients:
            del clients[client]
            self._tuples.pop(path, None)
            if not clients:
                del self._clients[path]
