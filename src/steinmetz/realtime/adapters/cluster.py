"""The adapter of one namespace that has members at several nodes: rooms are kept here, what is said goes around.

Each room with members here is a channel that this node listens to, so a node hears nothing of rooms it has nobody
in. The room of a single socket is no channel: its id tells at which node it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any, Generic, Protocol

from steinmetz.realtime.adapters.base import Flags, Local, Member, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.adapters.messages import (
    Content,
    Emission,
    Kind,
    Order,
    checked,
    pack,
    pack_emission,
    pack_order,
)
from steinmetz.realtime.adapters.node import Heard, Hearer, Node
from steinmetz.realtime.adapters.peers import tag_of
from steinmetz.realtime.engineio.packet import Outgoing

TIMEOUT_S = 5.0
"""So long other nodes have to answer `fetch`."""
MAX_ROOM_CHANNELS = 32
"""What is said to more rooms than this goes to all nodes that have anybody in the namespace."""
_TAG_LENGTH = len(tag_of(bytes(8)))


class ClusterLocal(Local[Member], Protocol[Member]):
    """What a cluster asks of the namespace beside what every adapter asks."""

    name: str

    def describe(self, member: Member) -> dict[str, Any]:
        """What other nodes may know of a member: ``{id, rooms, data, handshake}`` in JSON values, no credential."""

    def stand_in(self, described: dict[str, Any]) -> Member:
        """What stands here for a member of another node. Raises `ValueError` for what `describe` never says."""

    def server_side(self, args: list[Any], respond: Any) -> None:
        """Another node's `server_side_emit`; ``respond(answer)`` if it waits for one, else None."""

    def lost(self) -> None:
        """Events are missing: let all clients connect anew."""


class IncompleteError(Exception):
    """Some nodes have not answered. ``answers``: what the others said; ``missing``: how many did not."""

    def __init__(self, answers: list[Any], missing: int) -> None:
        super().__init__(f"{missing} of {missing + len(answers)} other servers did not answer in time")
        self.answers = answers
        self.missing = missing


class ClusterAdapter(Generic[Member]):
    """Bound: one subscription a room and namespace with members here; see `MemoryAdapter` and `Node`."""

    def __init__(self, node: Node, local: ClusterLocal[Member]) -> None:
        self._node = node
        self._local = local
        self._here: MemoryAdapter[Member] = MemoryAdapter(local)
        self._everybody = node.channel_of_namespace(local.name)
        self._count = 0

    # -- members of this process ---------------------------------------------------------------------------------

    def add(self, sid: str, member: Member) -> None:
        self._here.add(sid, member)
        self._count += 1
        if self._count == 1:
            self._node.listen(self._everybody)
        if not sid.startswith(self._node.tag):
            # It has come from another node and has kept its id: those who look for it there are told in this room.
            self._node.listen(self._channel(sid))

    def remove(self, sid: str) -> None:
        if not self._here.has_member(sid):
            return
        rooms = tuple(self._here.rooms_of(sid))
        self._here.remove(sid)
        for room in rooms:
            self._left(room)
        self._left(sid)
        self._count -= 1
        if self._count == 0:
            self._node.unlisten(self._everybody)

    def join(self, sid: str, room: str) -> None:
        self._here.join(sid, room)
        channel = self._channel(room)
        if not self._node.listens(channel) and self._here.has_room(room):
            self._node.listen(channel)

    def leave(self, sid: str, room: str) -> None:
        self._here.leave(sid, room)
        self._left(room)

    def _left(self, room: str) -> None:
        if not self._here.has_room(room) and not (
            self._here.has_member(room) and not room.startswith(self._node.tag)
        ):
            self._node.unlisten(self._channel(room))

    def rooms_of(self, sid: str) -> Collection[str]:
        return self._here.rooms_of(sid)

    def rooms(self) -> Iterable[str]:
        return self._here.rooms()

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Anywhere: True while there is any other node, which may or may not have somebody in ``room``."""
        return self._here.has_members(room) or (not here and self._node.peers.is_company)

    # -- to members everywhere -----------------------------------------------------------------------------------

    def broadcast(self, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        self._here.broadcast(selection, outgoing, flags)
        if self._concerns_others(selection):
            kind = Kind.PASSING if flags.volatile else Kind.BROADCAST
            body = pack_emission(Emission(self._local.name, selection, flags, outgoing))
            self._node.say(kind, self._channels(selection), body)

    def _concerns_others(self, selection: Selection) -> bool:
        return self._node.peers.is_company and not selection.is_local

    def join_all(self, selection: Selection, rooms: Collection[str]) -> None:
        for sid in self._here.ids(selection):
            for room in rooms:
                self.join(sid, room)
        self._order(Kind.JOIN, selection, rooms)

    def leave_all(self, selection: Selection, rooms: Collection[str]) -> None:
        for sid in self._here.ids(selection):
            for room in rooms:
                self.leave(sid, room)
        self._order(Kind.LEAVE, selection, rooms)

    def disconnect_all(self, selection: Selection, *, close: bool) -> None:
        self._order(Kind.DISCONNECT, selection, close=close)
        self._here.disconnect_all(selection, close=close)

    def _order(
        self, kind: Kind, selection: Selection, rooms: Collection[str] = (), *, close: bool = False
    ) -> None:
        if self._concerns_others(selection):
            body = pack_order(Order(self._local.name, selection, rooms, close))
            self._node.say(kind, self._channels(selection), body)

    async def fetch(self, selection: Selection) -> Sequence[Member]:
        """Raises `IncompleteError` if another node does not answer within `TIMEOUT_S`."""
        found = list(self._here.select(selection))
        if selection.is_local:
            return found
        question = {
            "namespace": self._local.name,
            "rooms": list(selection.rooms),
            "except": list(selection.except_rooms),
        }
        answers = await self._node.ask(Kind.FETCH, question, TIMEOUT_S)
        for described in answers.given.values():
            if isinstance(described, list):
                found += [self._local.stand_in(each) for each in described]
        if answers.missing:
            raise IncompleteError(found, len(answers.missing))
        return found

    # -- to the servers themselves ---------------------------------------------------------------------------------

    def server_side_emit(self, args: Sequence[Any]) -> None:
        """To the handlers of all other nodes. Raises `TypeError` for what JSON cannot say."""
        told = {"namespace": self._local.name, "args": list(args), "request": None}
        self._node.say(Kind.SERVER_SIDE, (self._node.control,), pack(told))

    async def server_side_ask(self, args: Sequence[Any], timeout_s: float = TIMEOUT_S) -> list[Any]:
        """As `server_side_emit`; one answer of each other node. Raises `IncompleteError`."""
        question = {"namespace": self._local.name, "args": list(args)}
        answers = await self._node.ask(Kind.SERVER_SIDE, question, timeout_s)
        given = list(answers.given.values())
        if answers.missing:
            raise IncompleteError(given, len(answers.missing))
        return given

    # -- what other nodes say (node.Hearer) ------------------------------------------------------------------------

    def channels_of(self, content: Content) -> Iterable[str]:
        rooms = () if isinstance(content, dict) else content.selection.rooms
        return () if len(rooms) <= 1 else (*map(self._channel, rooms), self._node.own)

    def hear(self, heard: Heard) -> None:
        match heard.content:
            case Emission(_, selection, flags, outgoing):
                self._here.broadcast(selection, outgoing, flags)
                self._forward(heard, selection)
            case Order(_, selection) as order:
                self._obey(heard.kind, order)
                self._forward(heard, selection)
            case question if heard.kind is Kind.FETCH:
                self._fetched(question, heard.origin)
            case told if heard.kind is Kind.SERVER_SIDE:
                self._server_side(told, heard.origin)

    def _obey(self, kind: Kind, order: Order) -> None:
        if kind is Kind.DISCONNECT:
            self._here.disconnect_all(order.selection, close=order.close)
            return
        change = self.join if kind is Kind.JOIN else self.leave
        for sid in self._here.ids(order.selection):
            for room in order.rooms:
                change(sid, room)

    def _forward(self, heard: Heard, selection: Selection) -> None:
        """It was for a socket that began here and may live elsewhere by now, under the same id."""
        if heard.channel != self._node.own:
            return
        tag = self._node.tag
        moved = [room for room in selection.rooms if room.startswith(tag) and not self._here.has_member(room)]
        if moved:
            self._node.say(heard.kind, tuple(map(self._channel, moved)), heard.body)

    def _fetched(self, question: dict[str, Any], origin: bytes) -> None:
        told = checked(question, **{"request": str, "rooms": list, "except": list})
        selection = Selection(frozenset(map(str, told["rooms"])), frozenset(map(str, told["except"])))
        described = [self._local.describe(member) for member in self._here.select(selection)]
        self._node.answer(origin, told["request"], described)

    def _server_side(self, told: dict[str, Any], origin: bytes) -> None:
        args, request = checked(told, args=list)["args"], told.get("request")
        if isinstance(request, str):
            self._local.server_side(args, partial(self._node.answer, origin, request))
        else:
            self._local.server_side(args, None)

    def lost(self) -> None:
        self._local.lost()

    # -- channels ------------------------------------------------------------------------------------------------

    def _channel(self, room: str) -> str:
        return self._node.channel_of_room(self._local.name, room)

    def _channels(self, selection: Selection) -> tuple[str, ...]:
        if not 0 < len(selection.rooms) <= MAX_ROOM_CHANNELS:
            return (self._everybody,)
        return tuple(dict.fromkeys(filter(None, map(self._way, selection.rooms))))

    def _way(self, room: str) -> str | None:
        """Where those in ``room`` listen; None if it is of a socket here."""
        if len(room) > _TAG_LENGTH:
            tag = room[:_TAG_LENGTH]
            if tag == self._node.tag and self._here.has_member(room):
                return None
            if (peer := self._node.peers.tagged(tag)) is not None:
                return self._node.channel_of(peer.origin)
        return self._channel(room)


class Cluster:
    """What a `Server` is given to be one of several: ``Server(cluster=Cluster(bus, secret))``."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.presence: Hearer | None = None
        self._adapters: dict[str, ClusterAdapter[Any]] = {}
        node.hearer = self._hearer
        node.on_lost.append(self._lost)

    @property
    def tag(self) -> str:
        """What ids of sockets begin with."""
        return self.node.tag

    def adapter(self, local: ClusterLocal[Any]) -> ClusterAdapter[Any]:
        """For one namespace."""
        adapter = self._adapters[local.name] = ClusterAdapter(self.node, local)
        return adapter

    def _hearer(self, kind: Kind, content: Content) -> Hearer | None:
        if kind is Kind.PRESENCE:
            return self.presence
        namespace = content.get("namespace") if isinstance(content, dict) else content.namespace
        return self._adapters.get(namespace) if isinstance(namespace, str) else None

    def _lost(self) -> None:
        for adapter in self._adapters.values():
            adapter.lost()
