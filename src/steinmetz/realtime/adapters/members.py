"""The adapter of one namespace that has members at several nodes: rooms are kept here, what is said goes around.

Each room with members here is a channel that this node listens to, so a node hears nothing of rooms it has nobody
in. The room of a single socket is no channel: its id tells at which node it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Generic

from steinmetz.realtime.adapters.base import (
    Flags,
    Member,
    Selection,
    SocketDetails,
    Unstamped,
    is_recoverable,
)
from steinmetz.realtime.adapters.hearing import Heard
from steinmetz.realtime.adapters.inquiries import ClusterLocal, Inquiries
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.messages import Content, Emission, Order, pack_emission, pack_order
from steinmetz.realtime.adapters.node import Node
from steinmetz.realtime.adapters.peers import TAG_LENGTH
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.adapters.polls import Gathering, Polls
from steinmetz.realtime.adapters.seal import Kind
from steinmetz.realtime.adapters.speech import Speech
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.base import SharedLog
from steinmetz.realtime.recovery.record import Stamp
from steinmetz.realtime.socketio.recovery import Entry, History

EXPECTED_S = 60.0
"""So long a room is listened to that somebody is going to be put into."""
MAX_ROOM_CHANNELS = 32
"""What is said to more rooms than this goes to all nodes that have anybody in the namespace."""


class ClusterAdapter(Generic[Member]):
    """Bound: one subscription a room and namespace with members here; see `MemoryAdapter` and `Node`.

    ``here`` knows the members of this process, and what is kept for those who may come back. As long as it does,
    their rooms stay subscribed to.
    """

    def __init__(
        self,
        node: Node,
        local: ClusterLocal[Member],
        here: MemoryAdapter[Member],
        closed: Callable[[], None] = lambda: None,
        log: SharedLog | None = None,
    ) -> None:
        """With ``log``, which is one for all nodes, ``here`` is a `PlacedAdapter`."""
        self._node = node
        self._closed = closed
        self._local = local
        self._here = here
        self._everybody = node.channel_of_namespace(local.name)
        self._count = 0
        self._awaited: set[str] = set()
        self._expected: dict[str, float] = {}
        self._speech: Speech[Member] | None = None
        if log is not None and isinstance(here, PlacedAdapter):
            self._speech = Speech(node, local.name, log, here, self._channel)
        self._inquiries: Inquiries[Member] = Inquiries(node, local, here)
        self.polls: Polls[Member] = Polls(node, local, local.name, here)

    # -- members of this process ---------------------------------------------------------------------------------

    def add(self, sid: str, member: Member) -> None:
        self._here.add(sid, member)
        self._count += 1
        self._listen(self._everybody)
        if self._speech is not None and not sid.startswith(self._node.tag):
            self._listen(self._channel(sid))

    def _listen(self, channel: str) -> None:
        if not self._node.listens(channel):
            self._node.listen(channel)

    def remove(self, sid: str) -> None:
        if not self._here.has_member(sid):
            return
        rooms = tuple(self._here.rooms_of(sid))
        self._here.remove(sid)
        if self._speech is not None:
            self._speech.forget(sid)
        self._count -= 1
        for room in rooms:
            self._left(room)
        self._left(sid)
        if self._count == 0:
            self._leave_everybody()

    def _leave_everybody(self) -> None:
        """With a log it is listened to all the same: the next one who comes in must not wait for that."""
        if not self._awaited and self._speech is None:
            self._node.unlisten(self._everybody)

    def join(self, sid: str, room: str) -> None:
        self._here.join(sid, room)
        self._joined(room, sid)

    def leave(self, sid: str, room: str) -> None:
        self.catch_up(sid)
        self._here.leave(sid, room)
        self._left(room)

    def restore(self, sid: str, history: History) -> None:
        self._here.restore(sid, history)
        for room in self._here.rooms_of(sid):
            self._joined(room, sid)

    def _joined(self, room: str, *sids: str) -> None:
        channel = self._channel(room)
        if not self._node.listens(channel) and self._here.has_room(room):
            self._node.listen(channel)
        if self._speech is not None and not self._node.hears(channel):
            for sid in sids:
                if room in self._here.rooms_of(sid):
                    self._speech.settling.begin(sid, room)

    def _left(self, room: str) -> None:
        if self._here.has_room(room) or room in self._expected:
            return
        if self._here.is_awaited(room):
            self._awaited.add(room)
        else:
            self._node.unlisten(self._channel(room))

    def tidy(self) -> None:
        """Listen no more to what nobody is in and nobody will come back for."""
        self.polls.tidy()
        over = {room for room in self._awaited if not self._here.is_awaited(room)}
        self._awaited -= over
        now_s = self._node.clock.monotonic_s()
        for room in [room for room, until_s in self._expected.items() if until_s <= now_s]:
            del self._expected[room]
            over.add(room)
        for room in over:
            self._left(room)
        if self._count == 0:
            self._leave_everybody()

    def close(self) -> None:
        self._here.close()
        if self._speech is not None:
            self._speech.close()
        for room in {*self._expected, *self._awaited}:
            self._node.unlisten(self._channel(room))
        self._expected.clear()
        self._awaited.clear()
        self._node.unlisten(self._everybody)
        self._closed()

    def rooms_of(self, sid: str) -> Collection[str]:
        return self._here.rooms_of(sid)

    def rooms(self) -> Iterable[str]:
        return self._here.rooms()

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Anywhere: True while there is any other node, which may or may not have somebody in ``room``."""
        return self._here.has_members(room, here=here) or (not here and self._node.peers.is_company)

    @property
    def is_recording(self) -> bool:
        return self._here.is_recording and (self._speech is None or self._speech.is_sure)

    @property
    def position(self) -> int:
        return self._here.position

    @property
    def disorder(self) -> int:
        return self._here.disorder if self._speech is None else self._speech.disorder

    def told_behind(self, position: int) -> Sequence[Entry] | None:
        return self._here.told_behind(position)

    def history(self, sid: str) -> History:
        return self._here.history(sid)

    async def listen(self, rooms: Collection[str]) -> None:
        if self._speech is None:
            return
        until_s = self._node.clock.monotonic_s() + EXPECTED_S
        channels = [self._everybody]
        for room in rooms:
            if not room.startswith(self._node.tag):
                self._expected[room] = until_s
                channels.append(self._channel(room))
        for channel in channels:
            self._listen(channel)
        await self._node.settle(channels)

    async def let_go(self, sid: str) -> bool:
        """What clients of a node that is out of reach hear has no position, so who hears it is not recovered."""
        if self._speech is None:
            return await self._here.let_go(sid)
        return await self._inquiries.release(sid, self._speech.takeover_s)

    def catch_up(self, sid: str) -> None:
        if self._speech is not None:
            self._speech.catch_up((sid,))

    # -- to members everywhere -----------------------------------------------------------------------------------

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        if self._speech is None:
            self._here.broadcast(selection, outgoing, flags)
        elif is_recoverable(flags) and not selection.is_local:
            self._speech.emit(selection, outgoing, flags, self._channels(selection))
            return
        else:
            self._speech.then(lambda: self._here.broadcast(selection, outgoing, flags))
        if self._concerns_others(selection):
            kind = Kind.PASSING if flags.volatile else Kind.BROADCAST
            body = pack_emission(Emission(self._local.name, selection, flags, outgoing))
            self._node.say(kind, self._channels(selection), body)

    def broadcast_with_ack(
        self, selection: Selection, outgoing: Outgoing, flags: Flags, gathering: Gathering
    ) -> None:
        """As `broadcast`, with an acknowledgement from each; ``outgoing`` carries ``gathering.ack_id``."""
        self._catch_up(selection)
        self.polls.ask(selection, outgoing, flags, gathering)

    def _concerns_others(self, selection: Selection) -> bool:
        return self._node.peers.is_company and not selection.is_local

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self._join_here(selection, rooms)
        self._order(Kind.JOIN, selection, rooms, again=lambda: self._join_here(selection, rooms))

    def _join_here(self, selection: Selection, rooms: Collection[str]) -> None:
        chosen = self._here.ids(selection)
        self._here.join_all(selection, rooms)
        for room in rooms:
            self._joined(room, *chosen)

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        self._catch_up(selection)
        self._leave_here(selection, rooms)
        self._order(Kind.LEAVE, selection, rooms, again=lambda: self._leave_here(selection, rooms))

    def _leave_here(self, selection: Selection, rooms: Collection[str]) -> None:
        self._here.leave_all(selection, rooms)
        for room in rooms:
            self._left(room)

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        self._catch_up(selection)
        self._order(Kind.DISCONNECT, selection, close=close)
        self._here.disconnect_all(selection, close=close)

    def _catch_up(self, selection: Selection) -> None:
        if self._speech is not None:
            self._speech.catch_up(self._here.ids(selection))

    def _order(
        self,
        kind: Kind,
        selection: Selection,
        rooms: Collection[str] = (),
        *,
        close: bool = False,
        again: Callable[[], None] = lambda: None,
    ) -> None:
        if self._speech is not None and not selection.is_local:
            order = Order(self._local.name, selection, rooms, close)
            self._speech.order(kind, order, self._channels(selection), again)
        elif self._concerns_others(selection):
            body = pack_order(Order(self._local.name, selection, rooms, close))
            self._node.say(kind, self._channels(selection), body)

    async def fetch(self, selection: Selection) -> Sequence[Member | SocketDetails]:
        """Raises `IncompleteError` if another node does not answer within `inquiries.TIMEOUT_S`."""
        return await self._inquiries.fetch(selection)

    def server_side_emit(self, event: str, args: Sequence[Any]) -> None:
        """To the handlers of all other nodes. Raises `TypeError` for what JSON cannot say."""
        self._inquiries.server_side_emit(event, args)

    async def server_side_emit_with_ack(self, event: str, args: Sequence[Any], timeout_s: float) -> list[Any]:
        """As `server_side_emit`; one answer of each other node. Raises `IncompleteError`."""
        return await self._inquiries.server_side_emit_with_ack(event, args, timeout_s)

    # -- what other nodes say (node.Hearer) ----------------------------------------------------------------------

    def channels_of(self, content: Content) -> Iterable[str]:
        """With rooms of single sockets: those of sockets that are at another node than at first."""
        rooms = () if isinstance(content, dict) else content.selection.rooms
        return () if len(rooms) <= 1 else (*map(self._channel, rooms), self._node.own)

    def hear(self, heard: Heard) -> None:
        match heard.content:
            case Emission() as question if heard.kind is Kind.QUESTION:
                self.polls.asked(question, heard.origin)
            case Emission(_, selection, flags, outgoing):
                if self._speech is not None and is_recoverable(flags):
                    self._speech.tell(selection, outgoing.packets, flags, _place(heard))
                else:
                    self._here.broadcast(selection, outgoing, flags)
            case Order() as order:
                if self._speech is not None:
                    self._speech.arrived(_place(heard), heard.kind, order)
                self._obey(heard.kind, order)
            case told if heard.kind is Kind.ANSWERS:
                self.polls.answered(told, heard.origin)
            case told:
                self._inquiries.answer(heard.kind, told, heard.origin)

    def _obey(self, kind: Kind, order: Order) -> None:
        match kind:
            case Kind.JOIN:
                self._join_here(order.selection, order.rooms)
            case Kind.LEAVE:
                self._leave_here(order.selection, order.rooms)
            case Kind.DISCONNECT:
                self._here.disconnect_all(order.selection, close=order.close)

    def lost(self) -> None:
        self._local.lost()

    # -- channels ------------------------------------------------------------------------------------------------

    def _channel(self, room: str) -> str:
        return self._node.channel_of_room(self._local.name, room)

    def _channels(self, selection: Selection) -> tuple[str, ...]:
        if not 0 < len(selection.rooms) <= MAX_ROOM_CHANNELS:
            return (self._everybody,)
        return tuple(dict.fromkeys(way for room in selection.rooms for way in self._ways(room)))

    def _ways(self, room: str) -> Iterator[str]:
        """Where those in ``room`` listen: none if it is of a socket here.

        With a log a socket may have come back to another node than that whose tag it bears.
        """
        has_moved = self._speech is not None and not self._here.has_member(room)
        if len(room) > TAG_LENGTH:
            if room.startswith(self._node.tag):
                if has_moved:
                    yield self._channel(room)
                return
            if (peer := self._node.peers.tagged(room[:TAG_LENGTH])) is not None:
                yield self._node.channel_of(peer.origin)
                if has_moved:
                    yield self._channel(room)
                return
        yield self._channel(room)


def _place(heard: Heard) -> Stamp | Unstamped:
    return heard.stamp or Unstamped(heard.origin.hex(), heard.number)
