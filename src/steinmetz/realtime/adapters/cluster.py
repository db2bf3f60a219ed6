"""Several processes that are one server: what a `Server` is given to be one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steinmetz.realtime.adapters.base import Member
from steinmetz.realtime.adapters.hearing import Hearer
from steinmetz.realtime.adapters.inquiries import ClusterLocal
from steinmetz.realtime.adapters.members import ClusterAdapter
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.messages import Content
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.peers import Peer
from steinmetz.realtime.adapters.seal import Kind
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery.base import SharedLog, Store


class Cluster:
    """What a `Server` is given to be one of several: ``Server(cluster=Cluster(bus, secret))``."""

    def __init__(self, node: Node, store: Callable[[ConnectionStateRecovery, float], Store] | None = None) -> None:
        """``store``: where its servers keep the states of connections together (config, ``heartbeat_s``)."""
        self.node = node
        self.store = store
        self.presences: dict[str, Hearer] = {}
        """Who hears of presence, by namespace."""
        self._adapters: dict[str, ClusterAdapter[Any]] = {}
        node.hearer = self._hearer
        node.on_lost.append(self._lost)
        node.on_down.append(self._down)
        node.on_beat.append(self._tidy)

    @property
    def tag(self) -> str:
        """What ids of sockets begin with."""
        return self.node.tag

    def adapter(
        self, local: ClusterLocal[Member], here: MemoryAdapter[Member], log: SharedLog | None = None
    ) -> ClusterAdapter[Member]:
        """For one namespace, whose members of this process ``here`` knows. ``log`` is one for all servers."""

        def closed() -> None:
            if self._adapters.get(local.name) is adapter:
                del self._adapters[local.name]

        adapter = self._adapters[local.name] = ClusterAdapter(self.node, local, here, closed, log)
        return adapter

    def _hearer(self, kind: Kind, content: Content) -> Hearer | None:
        namespace = content.get("namespace") if isinstance(content, dict) else content.namespace
        if not isinstance(namespace, str):
            return None
        return (self.presences if kind is Kind.PRESENCE else self._adapters).get(namespace)

    def _tidy(self) -> None:
        for adapter in self._adapters.values():
            adapter.tidy()

    def _down(self, peer: Peer) -> None:
        for adapter in self._adapters.values():
            adapter.polls.gone(peer.origin)

    def _lost(self, _peer: Peer) -> None:
        for adapter in self._adapters.values():
            adapter.lost()
