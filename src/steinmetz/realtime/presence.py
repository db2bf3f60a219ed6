"""Who is in a room, wherever they are connected: users, not sockets, and without those who are back in a moment.

Each node counts its own sockets and tells the others of each change; who comes to know a node asks it for all. A
node that goes takes its users with it. A user has *joined* with the first of his sockets anywhere, and has *left*
`LINGER_S` after the last one went: a reload of the page is neither.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.messages import Content, checked, pack
from steinmetz.realtime.adapters.seal import Kind, MessageError

if TYPE_CHECKING:
    from steinmetz.realtime.adapters.hearing import Heard
    from steinmetz.realtime.adapters.node import Node
    from steinmetz.realtime.adapters.peers import Peer
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket

log = structlog.get_logger("steinmetz.realtime")

LINGER_S = 3.0
MAX_ENTRIES = 100_000
"""Users in rooms, of one node. More are not counted, and that is counted."""

UserOf = Callable[["Socket"], str | None]
Watched = Callable[[str], bool]
Changed = Callable[[str, str, bool], None]
Rooms = dict[str, Counter[str]]


class Presence:
    """Of one namespace; made by `Namespace.track_presence`. Everything is a plain call on the event loop.

    Bound: `MAX_ENTRIES` users in rooms for each node.
    """

    def __init__(self, namespace: Namespace, user_of: UserOf, watched: Watched) -> None:
        self.dropped = 0
        """Users that were not counted, for want of room."""
        self._namespace = namespace
        self._user_of = user_of
        self._watched = watched
        self._changed: list[Changed] = []
        self._here: Rooms = {}
        self._entries = 0
        self._elsewhere: dict[bytes, Rooms] = {}
        self._leaving: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._present: set[tuple[str, str]] = set()
        self._told = 0
        self._heard: dict[bytes, int] = {}
        self._node: Node | None = None
        if (cluster := namespace.server.cluster) is not None:
            self._node = cluster.node
            cluster.presences[namespace.name] = self
            self._node.on_up.append(self._want)
            self._node.on_down.append(self._gone_down)
            self._node.on_lost.append(self._want)

    # -- asking --------------------------------------------------------------------------------------------------

    def users(self, room: str) -> dict[str, int]:
        """The users in ``room`` everywhere, each with the number of his sockets. One who may be back counts 0."""
        found: Counter[str] = Counter()
        for rooms in (self._here, *self._elsewhere.values()):
            found.update(rooms.get(room, {}))
        lingering = {user: 0 for known, user in self._leaving if known == room and user not in found}
        return {**found, **lingering}

    def on_change(self, listener: Changed) -> Changed:
        """Call ``listener(room, user, is_there)`` when a user has joined or left, once at every node."""
        self._changed.append(listener)
        return listener

    # -- sockets of this process ---------------------------------------------------------------------------------

    def joined(self, socket: Socket, room: str) -> None:
        """``socket`` is in ``room``, in which it was not before."""
        user = self._user_of(socket) if self._watched(room) else None
        if user is None:
            return
        counts = self._here.setdefault(room, Counter())
        if user not in counts:
            if self._entries >= MAX_ENTRIES:
                self.dropped += 1
                if not counts:
                    del self._here[room]
                return
            self._entries += 1
        counts[user] += 1
        self._tell(room, user, counts[user])
        self._look(room, user)

    def left(self, socket: Socket, room: str) -> None:
        """``socket`` is out of ``room``, in which it was."""
        user = self._user_of(socket) if self._watched(room) else None
        counts = self._here.get(room)
        if user is None or counts is None or user not in counts:
            return
        counts[user] -= 1
        now = counts[user]
        if not now:
            del counts[user]
            self._entries -= 1
            if not counts:
                del self._here[room]
        self._tell(room, user, now)
        self._look(room, user)

    # -- joined and left -----------------------------------------------------------------------------------------

    def _look(self, room: str, user: str) -> None:
        entry = (room, user)
        is_there = any(user in rooms.get(room, ()) for rooms in (self._here, *self._elsewhere.values()))
        if is_there:
            if (leaving := self._leaving.pop(entry, None)) is not None:
                leaving.cancel()
            if entry not in self._present:
                self._present.add(entry)
                self._say(room, user, is_there=True)
        elif entry in self._present and entry not in self._leaving:
            loop = asyncio.get_running_loop()
            self._leaving[entry] = loop.call_later(LINGER_S, self._gone, room, user)

    def _gone(self, room: str, user: str) -> None:
        self._leaving.pop((room, user), None)
        self._present.discard((room, user))
        self._say(room, user, is_there=False)

    def _say(self, room: str, user: str, *, is_there: bool) -> None:
        for listener in self._changed:
            try:
                listener(room, user, is_there)
            except Exception as error:
                log.error("Who hears of presence has failed", error=type(error).__name__)

    def close(self) -> None:
        """The server stops: nobody is told any more that somebody has left."""
        for leaving in self._leaving.values():
            leaving.cancel()
        self._leaving.clear()
        self._present.clear()

    def end(self) -> None:
        """The namespace has ended: nothing of its presence is left at the node."""
        self.close()
        if self._node is not None and (cluster := self._namespace.server.cluster) is not None:
            if cluster.presences.get(self._namespace.name) is self:
                del cluster.presences[self._namespace.name]
            self._node.on_up.remove(self._want)
            self._node.on_down.remove(self._gone_down)
            self._node.on_lost.remove(self._want)

    # -- other nodes (node.Hearer) -------------------------------------------------------------------------------

    def channels_of(self, content: Content) -> Iterable[str]:
        return ()

    def _tell(self, room: str, user: str, count: int) -> None:
        self._told += 1
        if self._node is not None:
            told = {"namespace": self._namespace.name, "version": self._told, "change": [room, user, count]}
            self._node.say(Kind.PRESENCE, (self._node.control,), pack(told))

    def _show(self, origin: bytes) -> None:
        """To a node that does not know who is here."""
        if self._node is not None:
            all_here = {room: dict(counts) for room, counts in self._here.items()}
            told = {"namespace": self._namespace.name, "version": self._told, "all": all_here}
            self._node.say(Kind.PRESENCE, (self._node.channel_of(origin),), pack(told))

    def _want(self, peer: Peer) -> None:
        """It has come, or some of its changes are missing: it is to tell all of it."""
        if self._node is not None:
            told = {"namespace": self._namespace.name, "version": 0, "wanted": True}
            self._node.say(Kind.PRESENCE, (self._node.channel_of(peer.origin),), pack(told))

    def _gone_down(self, peer: Peer) -> None:
        self._heard.pop(peer.origin, None)
        self._replace(peer.origin, {})
        self._elsewhere.pop(peer.origin, None)

    def hear(self, heard: Heard) -> None:
        told = checked(heard.content, version=int)
        version = told["version"]
        match told:
            case {"all": dict(rooms)}:
                self._heard[heard.origin] = version
                self._replace(heard.origin, {room: _counts(counts) for room, counts in rooms.items()})
            case {"change": [str(room), str(user), int(count)]}:
                known = self._heard.get(heard.origin)
                if known is not None and version > known:
                    self._heard[heard.origin] = version
                    self._set(heard.origin, room, user, count)
            case {"wanted": True}:
                self._show(heard.origin)
            case _:
                raise MessageError("shape")

    def _replace(self, origin: bytes, rooms: Rooms) -> None:
        before = self._elsewhere.get(origin, {})
        self._elsewhere[origin] = rooms
        entries = [(room, user) for known in (before, rooms) for room, counts in known.items() for user in counts]
        for room, user in dict.fromkeys(entries):
            self._look(room, user)

    def _set(self, origin: bytes, room: str, user: str, count: int) -> None:
        rooms = self._elsewhere.setdefault(origin, {})
        counts = rooms.setdefault(room, Counter())
        if count > 0:
            counts[user] = count
        else:
            counts.pop(user, None)
            if not counts:
                del rooms[room]
        self._look(room, user)


def _counts(told: Any) -> Counter[str]:
    if not isinstance(told, Mapping) or not all(type(count) is int and count > 0 for count in told.values()):
        raise MessageError("shape")
    return Counter(told)
