"""What goes into the log of a namespace that several processes share, and what comes out of it.

A *record* is one emission or order on its way there. Whoever keeps the log gives it its position, keeps it in its
lanes and tells it to those who listen, in one step: so all processes hear all records in the one order of the
positions. What is told carries a `Stamp`: where in which life of the log it stands. What is kept is sealed like
all that servers tell each other: nobody who merely reaches the memory can put words into the mouth of a server.
"""

from __future__ import annotations

from typing import NamedTuple

from steinmetz.realtime.adapters.messages import Emission, Order, content_of
from steinmetz.realtime.adapters.seal import Kind as Word
from steinmetz.realtime.adapters.seal import MessageError, Seal
from steinmetz.realtime.socketio.recovery import Entry, Kind, Lane

_KINDS = {
    Word.BROADCAST: Kind.EMIT,
    Word.JOIN: Kind.JOIN,
    Word.LEAVE: Kind.LEAVE,
    Word.DISCONNECT: Kind.DISCONNECT,
}


class Stamp(NamedTuple):
    """The position of a record. ``life`` names the epoch as the log knows it."""

    life: bytes
    position: int


class Record(NamedTuple):
    """``number`` is what its node has counted: said twice, it is kept once.

    ``body`` is the same for all; a head before it, of the same length each, makes a message of it: for each of
    ``channels``, for the channel of the node itself, which hears it in any case (``own``), and for the log
    (``kept``).
    """

    namespace: str
    node: str
    number: int
    lanes: tuple[Lane, ...]
    channels: tuple[tuple[str, bytes], ...]
    own: tuple[str, bytes]
    kept: bytes
    body: bytes
    life_s: float
    """How long a lane is kept in which nothing is said."""


MAX_KEYS = 1_000
"""Namespaces whose keys are kept ready."""


class Keys:
    """Of one namespace: they lie on the hash slot of the channels of their cluster."""

    __slots__ = ("base", "state")

    def __init__(self, prefix: str, namespace: str) -> None:
        # A namespace has no comma, so no two of them share a key.
        self.base = f"{{{prefix}:realtime}}:log:{namespace},"
        self.state = f"{self.base}state"

    def lane(self, lane: Lane) -> str:
        return f"{self.base}lane" if lane is None else f"{self.base}lane:{lane}"

    def session(self, sid: str) -> str:
        return f"{self.base}session:{sid}"


def open_kept(seal: Seal, keys: Keys, position: int, kept: bytes) -> Entry:
    """The entry at ``position``, without an offset. Raises `MessageError` for what none of our nodes has said."""
    message = seal.open(keys.base, kept)
    kind = _KINDS.get(message.kind)
    content = content_of(message.kind, message.body) if kind is not None else None
    match content:
        case Emission(_, selection, _, outgoing) if kind is Kind.EMIT:
            rooms, except_rooms = tuple(selection.rooms), tuple(selection.except_rooms)
            return Entry(position, kind, rooms, except_rooms, outgoing.packets)
        case Order() if kind is not None:
            return entry_of_order(position, message.kind, content)
        case _:
            raise MessageError("shape")


def entry_of_order(position: int, kind: Word, order: Order) -> Entry:
    rooms, except_rooms = tuple(order.selection.rooms), tuple(order.selection.except_rooms)
    return Entry(position, _KINDS[kind], rooms, except_rooms, targets=tuple(order.rooms))
