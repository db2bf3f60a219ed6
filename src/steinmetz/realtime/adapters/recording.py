"""How a node's records get into the logs of their namespaces, and who hears what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from steinmetz.realtime.adapters.bus import Bus
from steinmetz.realtime.adapters.journal import Journal
from steinmetz.realtime.adapters.seal import Kind, Message, Seal
from steinmetz.realtime.recovery.record import MAX_KEYS, Keys, Record, Stamp
from steinmetz.realtime.socketio.recovery import Lane

if TYPE_CHECKING:
    from steinmetz.realtime.adapters.node import Node


class Speaker(Protocol):
    """Whoever has records of one namespace on their way to its log."""

    def returned(self, number: int, stamp: Stamp) -> None:
        """The record ``number`` is in the log, and all before it have been heard of."""

    def refused(self, number: int) -> None:
        """The record ``number`` is not in the log, and never will be."""

    def lost(self) -> None:
        """The bus is out of reach."""

    def restored(self) -> None:
        """It is back: what has not returned is to be recorded now."""

    def tick(self) -> None:
        """Some time has passed."""


class Recording:
    """Of one node. Bound: one entry a namespace, and one for each record that its speakers wait for."""

    def __init__(self, node: Node, bus: Bus, seal: Seal, journal: Journal, prefix: str) -> None:
        self._node = node
        self._bus = bus
        self._seal = seal
        self._journal = journal
        self._prefix = prefix
        self._keys: dict[str, Keys] = {}
        self._under_way: dict[int, str] = {}
        """The namespaces of the records that have not returned."""
        self.speakers: dict[str, Speaker] = {}
        """By namespace."""

    def record(
        self,
        kind: Kind,
        namespace: str,
        lanes: tuple[Lane, ...],
        channels: tuple[str, ...],
        body: bytes,
        life_s: float,
    ) -> Record | None:
        """As `say`, by way of the log of ``namespace``, whoever is there; None for what is too large.

        The `Speaker` hears of it when it has returned, and has it recorded once more (`record_again`) if need be.
        """
        if self._node.is_too_large(body):
            return None
        number, previous = self._journal.say(kind, channels, body)
        self._node.traffic.said += 1
        keys = self._keys.get(namespace)
        if keys is None:
            if len(self._keys) >= MAX_KEYS:  # clients may call any number of namespaces into being
                self._keys.clear()
            keys = self._keys[namespace] = Keys(self._prefix, namespace)

        def head(channel: str, before: int = 0) -> bytes:
            return self._seal.head(channel, Message(kind, self._node.origin, number, before, body))

        ways = tuple([(way, head(way, before)) for way, before in zip(channels, previous, strict=True)])
        own, kept = (self._node.own, head(self._node.own)), head(keys.base)
        record = Record(namespace, self._node.origin.hex(), number, lanes, ways, own, kept, body, life_s)
        self._under_way[number] = namespace
        if self._node.is_reachable:
            self._bus.record(record)
        return record

    def record_again(self, record: Record) -> None:
        """It may have got lost; if not, it is not recorded twice."""
        self._bus.record(record)

    def give_up(self, record: Record) -> None:
        """Nobody waits for it to return any more."""
        self._under_way.pop(record.number, None)

    def publish(self, record: Record) -> None:
        """What the log does not take: others hear it without a stamp."""
        self.forget_log(record.namespace)
        if self._node.is_reachable:
            for channel, head in record.channels:
                self._bus.publish(channel, head + record.body)

    def forget_log(self, namespace: str) -> None:
        """Something is missing in the log of ``namespace``: nobody is recovered by what it has held so far."""
        if self._node.is_reachable:
            self._bus.forget(namespace)

    # -- what becomes of it --------------------------------------------------------------------------------------

    def returned(self, number: int, stamp: Stamp) -> None:
        """The record ``number`` has come back from its log."""
        if (speaker := self.speakers.get(self._under_way.pop(number, ""))) is not None:
            speaker.returned(number, stamp)

    def refused(self, number: int) -> None:
        """Its log has no room for it."""
        if (speaker := self.speakers.get(self._under_way.pop(number, ""))) is not None:
            speaker.refused(number)

    def lost(self) -> None:
        for speaker in self.speakers.values():
            speaker.lost()

    def restored(self) -> None:
        for speaker in self.speakers.values():
            speaker.restored()

    def tick(self) -> None:
        for speaker in self.speakers.values():
            speaker.tick()
