"""A namespace: its middlewares, its handlers, its sockets, and everything that is said in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Adapter, Selection, SocketDetails
from steinmetz.realtime.adapters.memory import MemoryAdapter, Watcher
from steinmetz.realtime.adapters.placed import PlacedAdapter
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.events.event import Event
from steinmetz.realtime.events.registry import Registry
from steinmetz.realtime.presence import Presence, UserOf, Watched
from steinmetz.realtime.server.broadcast import Broadcasting, BroadcastOperator
from steinmetz.realtime.server.call import Call
from steinmetz.realtime.server.delivery import Delivery
from steinmetz.realtime.server.listening import Handlers, Listening, Registered, tell
from steinmetz.realtime.server.questions import Questions
from steinmetz.realtime.server.reasons import Reason, in_full
from steinmetz.realtime.server.recovery import Restored
from steinmetz.realtime.server.remote import RemoteSocket, SocketElsewhere, details
from steinmetz.realtime.server.routing import route
from steinmetz.realtime.server.server_side import ServerSide, ServerSideEmitting
from steinmetz.realtime.server.socket import Socket
from steinmetz.realtime.server.speaking import Speaking
from steinmetz.realtime.socketio.packet import Packet

if TYPE_CHECKING:
    from steinmetz.realtime.server.parent_namespace import ParentNamespace
    from steinmetz.realtime.server.server import Server

log = structlog.get_logger("steinmetz.realtime")

_new = tuple.__new__
"""The short way to a tuple with names, as in `parser`: one is made at every event."""

Middleware = Callable[[Socket], Awaitable[None] | None]


class Namespace(Speaking, Listening, Broadcasting, ServerSideEmitting):
    """Made by `Server.of`. After Socket.IO's `Namespace`: https://socket.io/docs/v4/namespaces/

    ``parent`` is where it comes from if a client has called it into being: middlewares, handlers and listeners of
    the parent are its own, too, and it ends with its last socket.
    """

    def __init__(self, server: Server, name: str, parent: ParentNamespace | None = None) -> None:
        self.server = server
        self.name = name
        self.parent = parent
        self.handlers = Handlers()
        self.watched = set()
        self.recovery = server.recovery_of(self)
        self._here = self._members()
        if server.admin is not None:
            self._here.watchers.append(server.admin)
        self._presence: Presence | None = None
        self.adapter: Adapter[Socket] = self._adapter()
        own = Registry(server.statistics, is_strict=server.config.strict_events)
        self.events = own if parent is None else parent.events
        self._middlewares: list[Middleware] = []
        self._sockets: dict[str, Socket] = {}
        self._visitors = 0
        self._received = server.statistics.received
        self.delivery = Delivery(server.turn, server.config.deflate_threshold)
        self._questions = Questions(server)
        self._server_side = ServerSide(lambda: self.adapter, server.run_on_loop)
        self._warned = False
        self.wheel_slot = 0
        self.removals = 0
        """How often members were sent away or taken out of rooms, by whatever node; see `note_removal`."""

    def __repr__(self) -> str:
        return f"<Namespace {self.name}>"

    def _members(self) -> MemoryAdapter[Socket]:
        """Those of this process."""
        if self.recovery is None:
            return MemoryAdapter(self)
        if self.recovery.shared is None:
            here = MemoryAdapter(self, *self.recovery.in_process())
        else:
            here = PlacedAdapter(self, self.recovery.shared)
        if self.recovery.is_shared:
            here.on_change = self.recovery.changed
        return here

    def _adapter(self) -> Adapter[Socket]:
        if self.server.make_adapter is not None:
            return self.server.make_adapter(self)
        if self.server.cluster is None:
            return self._here
        log = None if self.recovery is None else self.recovery.shared
        return self.server.cluster.adapter(self, self._here, log)

    @property
    def sockets(self) -> MappingProxyType[str, Socket]:
        """The connected sockets of this process, by id."""
        return MappingProxyType(self._sockets)

    # -- what the application says once -------------------------------------------------------------------------

    def use(self, middleware: Middleware) -> Middleware:
        """Ask ``middleware(socket)``, plain or async, about each connection; `ConnectError` refuses it."""
        self._middlewares.append(middleware)
        return middleware

    @property
    def middlewares(self) -> Sequence[Middleware]:
        """Those of the parent first."""
        return self._middlewares if self.parent is None else [*self.parent.middlewares, *self._middlewares]

    def declare(self, *events: Event) -> None:
        """The server sends ``events`` here: an emission is checked, by name too. See `Registry.declare`."""
        self.events.declare(*events)

    def _registry(self) -> Registry:
        return self.events

    def _listening(self) -> Handlers:
        return self.handlers

    def _everybody(self) -> BroadcastOperator:
        return BroadcastOperator(self)

    def _servers(self) -> ServerSide:
        return self._server_side

    def warn_unguarded(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "Every connection is refused: the namespace has no middleware",
                namespace=self.name,
                remedy="add one with use(), or set Config(require_auth=False)",
            )

    # -- emitting -----------------------------------------------------------------------------------------------

    def emit(self, event: str | Event, *args: Any) -> None:
        """To everybody in the namespace; see `BroadcastOperator.emit`."""
        self.broadcast(EVERYBODY, event, args, RELIABLE)

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether an emission to ``room`` may reach anybody; ``here``: exactly so, of clients of this process."""
        return self.adapter.has_members(room, here=here)

    def watch_rooms(self, watcher: Watcher[Socket]) -> None:
        """Tell ``watcher`` of every socket of this process that enters or leaves a room."""
        self._here.watchers.append(watcher)

    def track_presence(self, user_of: UserOf, watched: Watched = lambda _room: True) -> Presence:
        """Know from now on who is in the rooms that are ``watched``; ``user_of(socket)`` never changes its answer.

        To be called once, before the first connection. Raises `ValueError` the second time.
        """
        if self._presence is not None:
            raise ValueError(f"the presence in {self.name} is tracked already")
        self._presence = Presence(self, user_of, watched)
        self.watch_rooms(self._presence)
        return self._presence

    def stop(self) -> None:
        """The server stops, and all sockets have gone."""
        if self._presence is not None:
            self._presence.close()

    def end(self) -> None:
        """Nobody uses it any more, and nothing of it is left where all namespaces are known."""
        self.adapter.close()
        if self._presence is not None:
            self._presence.end()

    def presence(self, room: str) -> dict[str, int]:
        """The users in ``room`` at all servers, each with the number of his sockets; see `track_presence`."""
        return {} if self._presence is None else self._presence.users(room)

    async def fetch_selected(self, selection: Selection) -> Sequence[RemoteSocket]:
        return [
            SocketElsewhere(self, found) if isinstance(found, SocketDetails) else found
            for found in await self.adapter.fetch(selection)
        ]

    def join_selected(self, selection: Selection, rooms: Collection[str]) -> None:
        self.server.run_on_loop(self.adapter.join_all, selection, rooms)

    def leave_selected(self, selection: Selection, rooms: Collection[str]) -> None:
        self.server.run_on_loop(self.adapter.leave_all, selection, rooms)

    def drop_selected(self, selection: Selection, close: bool) -> None:
        def drop() -> None:
            self.adapter.disconnect_all(selection, close=close)

        self.server.run_on_loop(drop)

    # -- what the adapter asks for (adapters.base.Local) --------------------------------------------------------

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        return await self._server_side.hear(event, args)

    def details(self, member: Socket) -> SocketDetails:
        return details(member)

    def lost(self) -> None:
        if self.recovery is not None:
            self.recovery.tear()
        self.server.draining.add([socket.client for socket in self._sockets.values()])

    async def release(self, sid: str) -> bool:
        return self.recovery is None or await self.recovery.let_go(sid)

    def note_removal(self) -> None:
        self.removals += 1

    def drop(self, members: Sequence[Socket], *, close: bool) -> None:
        self.delivery.flush()
        for socket in members:
            self.disconnect(socket, close)

    # -- one socket ---------------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Somebody is at the door: a child does not end before he is in, or sent away (`let_go`)."""
        self._visitors += 1

    def let_go(self) -> None:
        self._visitors -= 1
        self.end_if_empty()

    def end_if_empty(self) -> None:
        """A child that no client uses any more is forgotten, once nobody can come back to it."""
        if self.is_deserted:
            due_s = None if self.recovery is None else self.recovery.awaited_until_s
            if due_s is None:
                self.server.end_namespace(self)
            else:
                self.server.wheel.schedule(self, due_s)

    @property
    def is_deserted(self) -> bool:
        """Whether it is a child in which nobody is, nor at its door."""
        return self.parent is not None and not self._sockets and not self._visitors

    def on_due(self, now_s: float) -> None:
        """The wheel's call: somebody who was away is too late."""
        self.end_if_empty()

    def admit(self, socket: Socket, restored: Restored | None = None) -> None:
        """The middlewares have passed and CONNECT has been answered."""
        socket.connected = True
        self._sockets[socket.id] = socket
        self.adapter.add(socket.id, socket)
        if socket.listeners_any_outgoing():
            self.watched.add(socket)
        if restored is not None:
            self.adapter.restore(socket.id, restored.replay.history)
        for room in socket.early_rooms or ():
            self.adapter.join(socket.id, room)
        if self.recovery is not None:
            socket.granted = tuple(socket.early_rooms or ())
            self.recovery.admitted(socket, restored)
        socket.early_rooms = None
        if self.server.admin is not None:
            self.server.admin.connected(socket)
        for handler, is_async in self._life_of("connection"):
            socket.client.handle(Call(socket, "connection", handler, is_async, (socket,)))

    def _life_of(self, event: str) -> Sequence[Registered]:
        """The handlers of something that happens to a socket, those of the parent first."""
        own = self.handlers.take_life(event)
        return own if self.parent is None else (*self.parent.handlers.take_life(event), *own)

    def dispatch(self, socket: Socket, packet: Packet, size: int) -> None:
        """An EVENT has come. The short way is for what nobody watches or intercepts; all else is routed."""
        handlers = self.handlers
        if socket.handlers is None and not handlers.any and not handlers.once and self.parent is None:
            data = packet.data
            found = handlers.events.get(data[0])
            if found is not None:
                try:
                    self._received[data[0]] += 1
                except KeyError:
                    self.server.statistics.heard(data[0])
                args = (socket, *data[1:])
                socket.client.handle(_new(Call, (socket, data[0], found[0], found[1], args, packet.id, size)))
                return
        socket.client.handle(route(self, socket, packet, size))

    def join(self, socket: Socket, rooms: Sequence[str]) -> None:
        if not socket.connected:
            socket.early_rooms = [*(socket.early_rooms or ()), *rooms]
            return
        for room in rooms:
            self.adapter.join(socket.id, room)

    def leave(self, socket: Socket, rooms: Sequence[str]) -> None:
        if not socket.connected:
            socket.early_rooms = [room for room in socket.early_rooms or () if room not in rooms]
            return
        for room in rooms:
            self.adapter.leave(socket.id, room)

    def disconnect(self, socket: Socket, close: bool) -> None:
        if socket.client.expel(socket) and close:
            socket.client.close(Reason.SERVER_NAMESPACE_DISCONNECT, CloseCode.POLICY_VIOLATION)

    def forget(self, socket: Socket, reason: str) -> None:
        """The socket is gone: out of its rooms first, so that a disconnect handler's broadcast misses it."""
        if not socket.connected:
            return
        why = in_full(reason)
        own = socket.handlers
        for handler, _ in self._life_of("disconnecting"):
            tell((handler,), socket, why)
        for handler, _ in () if own is None else own.take_life("disconnecting"):
            tell((handler,), why)
        socket.connected = False
        if self.recovery is not None:
            self.recovery.left(socket, reason)
        if socket.subject is not None:
            self.server.budgets.leave(self.name, socket.subject)
        del self._sockets[socket.id]
        self.adapter.remove(socket.id)
        self.watched.discard(socket)
        if self.server.admin is not None:
            self.server.admin.disconnected(socket, why)
        socket.fail_acks(why)
        if self._questions.open:
            self._questions.lose(socket.id, why)
        for handler, is_async in self._life_of("disconnect"):
            socket.client.handle(Call(socket, "disconnect", handler, is_async, (socket, why)))
        for handler, is_async in () if own is None else own.take_life("disconnect"):
            socket.client.handle(Call(socket, "disconnect", handler, is_async, (why,)))
        if self.parent is not None:
            self.end_if_empty()
