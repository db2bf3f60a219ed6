"""What a node says in one namespace by way of the log that all nodes share, and how its own members hear it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Generic

from steinmetz.realtime.adapters.base import NEVER, Flags, Member, Selection, Unstamped
from steinmetz.realtime.adapters.line import Line, Said
from steinmetz.realtime.adapters.messages import Emission, Order, pack_emission, pack_order
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.adapters.seal import Kind
from steinmetz.realtime.adapters.settling import Settling
from steinmetz.realtime.engineio.packet import Outgoing, Packet
from steinmetz.realtime.recovery.base import SharedLog
from steinmetz.realtime.recovery.record import Stamp, entry_of_order
from steinmetz.realtime.socketio import recovery
from steinmetz.realtime.socketio.recovery import Entry


class Speech(Generic[Member]):
    """Implements `node.Speaker`. Bound: as `Line`."""

    def __init__(
        self,
        node: Node,
        namespace: str,
        log: SharedLog,
        here: PlacedAdapter[Member],
        channel: Callable[[str], str],
    ) -> None:
        self._node = node
        self._namespace = namespace
        self._log = log
        self._here = here
        self._line = Line(node.clock)
        self.takeover_s = log.takeover_s
        self.settling = Settling(node, log, here, channel)
        node.recording.speakers[namespace] = self

    @property
    def is_sure(self) -> bool:
        """Whether the log holds all that was told here, and all that it holds for this node was told here."""
        return self._node.is_sure and self._line.is_sure

    @property
    def disorder(self) -> int:
        """See `Adapter.disorder`."""
        return self._here.disorder + self._line.overdue

    # -- saying --------------------------------------------------------------------------------------------------

    def emit(self, selection: Selection, outgoing: Outgoing, flags: Flags, channels: tuple[str, ...]) -> None:
        body = pack_emission(Emission(self._namespace, selection, flags, outgoing))
        said = _Emission(self, selection, outgoing.packets, flags)
        self._say(Kind.BROADCAST, selection, channels, body, said)

    def order(self, kind: Kind, order: Order, channels: tuple[str, ...], again: Callable[[], None]) -> None:
        """It has been done here. It is done once more (``again``) in its place, as a replay would do it."""
        self._say(kind, order.selection, channels, pack_order(order), _Order(self, kind, order, again))

    def _say(self, kind: Kind, selection: Selection, channels: tuple[str, ...], body: bytes, said: Said) -> None:
        line, node = self._line, self._node
        if line.may_record():
            self._mend()
            lanes = tuple(selection.rooms) or (None,)
            record = node.recording.record(kind, self._namespace, lanes, channels, body, self._log.life_s)
            if record is not None:
                for given_up in line.add(record, said):
                    node.recording.give_up(given_up)
                return
        else:
            node.say(kind, channels, body)
        line.is_torn = True
        node.recording.forget_log(self._namespace)
        line.then(lambda: said.tell(NEVER, None, frozenset()))

    def _mend(self) -> None:
        """What is not in the log makes it begin anew, before anything else is recorded."""
        if self._line.is_torn and self._node.is_reachable and self._line.may_record():
            self._node.recording.forget_log(self._namespace)
            self._line.is_torn = False

    def then(self, do: Callable[[], None]) -> None:
        """``do`` it once members here have heard what was said before."""
        self._line.then(do)

    def catch_up(self, sids: Collection[str]) -> None:
        """Let these members have now what has been said to them."""
        if not self._line.is_heard:
            for sid in sids:
                self._line.catch_up(sid)

    def forget(self, sid: str) -> None:
        """The member has left."""
        self._line.forget(sid)
        self.settling.forget(sid)

    # -- what becomes of it (node.Speaker) -----------------------------------------------------------------------

    def returned(self, number: int, stamp: Stamp) -> None:
        self._line.returned(number, stamp)

    def refused(self, number: int) -> None:
        if (record := self._line.refused(number)) is not None:
            self._node.recording.publish(record)

    def lost(self) -> None:
        self._line.stall()

    def restored(self) -> None:
        self._mend()
        for record in self._line.resume():
            self._node.recording.record_again(record)
        self.settling.run()

    def tick(self) -> None:
        self._line.tick()
        self.settling.run()

    # -- hearing -------------------------------------------------------------------------------------------------

    def tell(
        self,
        selection: Selection,
        packets: Sequence[Packet],
        flags: Flags,
        place: Stamp | Unstamped,
        but: Collection[str] = (),
    ) -> None:
        """Let members here have an emission that may be recovered, whoever has said it."""
        rooms, except_rooms = tuple(selection.rooms), tuple(selection.except_rooms)
        self._here.arrived(place, Entry(0, recovery.Kind.EMIT, rooms, except_rooms, tuple(packets)))
        self._here.tell(selection, packets, flags, place, is_sure=self.is_sure, but=but)

    def tell_one(
        self, sid: str, selection: Selection, packets: Sequence[Packet], flags: Flags, number: int
    ) -> bool:
        """Let the member ``sid`` have an emission of ours, if it is meant; whether it is."""
        return self._here.tell_one(sid, selection, packets, flags, self.unstamped(number))

    def unstamped(self, number: int) -> Unstamped:
        return Unstamped(self._node.origin.hex(), number)

    def arrived(self, place: Stamp | Unstamped, kind: Kind, order: Order) -> None:
        """An order has come here, whoever has given it."""
        self._here.arrived(place, entry_of_order(0, kind, order))

    def close(self) -> None:
        for record in self._line.under_way():
            self._node.recording.give_up(record)
        if self._node.recording.speakers.get(self._namespace) is self:
            del self._node.recording.speakers[self._namespace]


class _Emission:
    __slots__ = ("_flags", "_packets", "_selection", "_speech")

    def __init__(
        self, speech: Speech[Member], selection: Selection, packets: Sequence[Packet], flags: Flags
    ) -> None:
        self._speech = speech
        self._selection = selection
        self._packets = packets
        self._flags = flags

    def tell(self, number: int, stamp: Stamp | None, but: frozenset[str]) -> None:
        place = stamp or self._speech.unstamped(number)
        self._speech.tell(self._selection, self._packets, self._flags, place, but)

    def tell_one(self, sid: str, number: int) -> bool:
        return self._speech.tell_one(sid, self._selection, self._packets, self._flags, number)


class _Order:
    __slots__ = ("_again", "_kind", "_order", "_speech")

    def __init__(self, speech: Speech[Member], kind: Kind, order: Order, again: Callable[[], None]) -> None:
        self._speech = speech
        self._kind = kind
        self._order = order
        self._again = again

    def tell(self, number: int, stamp: Stamp | None, but: frozenset[str]) -> None:
        self._speech.arrived(stamp or self._speech.unstamped(number), self._kind, self._order)
        if stamp is not None:
            self._again()

    def tell_one(self, sid: str, number: int) -> bool:
        """It has been done."""
        return True
