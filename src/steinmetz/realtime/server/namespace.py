"""A namespace: its middlewares, its handlers, its sockets, and everything that is said in it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Adapter, Flags, Selection, SocketDetails
from steinmetz.realtime.adapters.members import ClusterAdapter
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.errors import EventError
from steinmetz.realtime.presence import Presence, UserOf, Watched
from steinmetz.realtime.server.broadcast import BroadcastOperator, Delivery
from steinmetz.realtime.server.call import Call
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.recovery import Restored
from steinmetz.realtime.server.remote import SocketElsewhere, details
from steinmetz.realtime.server.socket import Handler, Registered, Socket, registered
from steinmetz.realtime.socketio.packet import RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.parser import encode
from steinmetz.realtime.socketio.recovery import without_offset

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

log = structlog.get_logger("steinmetz.realtime")

Middleware = Callable[[Socket], Awaitable[None] | None]


class Namespace:
    """Made by `Server.of`. After Socket.IO's `Namespace`: https://socket.io/docs/v4/namespaces/"""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.middlewares: list[Middleware] = []
        self.recovery = server.recovery_of(self)
        log_, is_awaited = (None, None) if self.recovery is None else self.recovery.in_process()
        self._here = here = MemoryAdapter[Socket](self, log_, is_awaited)
        if self.recovery is not None and self.recovery.is_shared:
            here.on_change = self.recovery.changed
        self._presence: Presence | None = None
        self.adapter: Adapter[Socket] = here if server.cluster is None else server.cluster.adapter(self, here)
        self._sockets: dict[str, Socket] = {}
        self._handlers: dict[str, Registered] = {}
        self._on_connection: list[Registered] = []
        self._on_disconnect: list[Registered] = []
        self._on_server_side: dict[str, Handler] = {}
        self._delivery = Delivery(lambda: server.loop)
        self._warned = False

    def __repr__(self) -> str:
        return f"<Namespace {self.name}>"

    @property
    def sockets(self) -> MappingProxyType[str, Socket]:
        """The connected sockets of this process, by id."""
        return MappingProxyType(self._sockets)

    # -- what the application says once -------------------------------------------------------------------------

    def use(self, middleware: Middleware) -> Middleware:
        """Ask ``middleware(socket)``, plain or async, about each connection; `ConnectError` refuses it."""
        self.middlewares.append(middleware)
        return middleware

    def on(self, event: str, handler: Handler | None = None) -> Any:
        """Handle ``event`` with ``handler(socket, *args)``; its return value is the acknowledgement.

        "connection" handlers get ``(socket)``, "disconnect" handlers ``(socket, reason)``; there may be several of
        these. Usable as a decorator. Raises `ValueError` for a second handler of an event, or a reserved name.
        """
        if handler is None:
            return partial(self.on, event)
        if event == "connection":
            self._on_connection.append(registered(handler))
        elif event == "disconnect":
            self._on_disconnect.append(registered(handler))
        elif event in RESERVED_EVENTS:
            raise ValueError(f'"{event}" is a reserved name; no client sends it as an event')
        elif event in self._handlers:
            raise ValueError(f'"{event}" has a handler in {self.name} already')
        else:
            self._handlers[event] = registered(handler)
        return handler

    def warn_unguarded(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "Every connection is refused: the namespace has no middleware",
                namespace=self.name,
                remedy="add one with use(), or set Config(require_auth=False)",
            )

    # -- emitting -----------------------------------------------------------------------------------------------

    def emit(self, event: str, *args: Any) -> None:
        """To everybody in the namespace; see `BroadcastOperator.emit`."""
        self.broadcast(EVERYBODY, event, args, RELIABLE)

    def to(self, *rooms: str) -> BroadcastOperator:
        return BroadcastOperator(self).to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        return BroadcastOperator(self).except_(*rooms)

    @property
    def volatile(self) -> BroadcastOperator:
        return BroadcastOperator(self).volatile

    @property
    def local(self) -> BroadcastOperator:
        return BroadcastOperator(self).local

    def has_members(self, room: str, *, here: bool = False) -> bool:
        """Whether an emission to ``room`` may reach anybody; ``here``: exactly so, of clients of this process."""
        return self.adapter.has_members(room, here=here)

    def server_side_emit(self, event: str, *args: Any) -> None:
        """To the other servers of the cluster (JSON values); a plain call, from any thread."""
        if isinstance(self.adapter, ClusterAdapter):
            self.server.run_on_loop(self.adapter.server_side_emit, event, args)

    async def server_side_emit_with_ack(self, event: str, *args: Any, timeout_s: float = 5.0) -> list[Any]:
        """To the other servers, and wait for an answer from each; a process alone gets an empty list.

        Raises `AckTimeoutError`, whose ``answers`` are those that came.
        """
        if not isinstance(self.adapter, ClusterAdapter):
            return []
        return await self.adapter.server_side_emit_with_ack(event, args, timeout_s)

    def on_server_side_emit(self, event: str, handler: Handler | None = None) -> Any:
        """Handle what another server emits: ``handler(*args)``, plain or async; what it returns is its answer."""
        if handler is None:
            return partial(self.on_server_side_emit, event)
        if event in self._on_server_side:
            raise ValueError(f'"{event}" of other servers has a handler already')
        self._on_server_side[event] = handler
        return handler

    def track_presence(self, user_of: UserOf, watched: Watched = lambda _room: True) -> Presence:
        """Know from now on who is in the rooms that are ``watched``; ``user_of(socket)`` never changes its answer.

        To be called once, before the first connection. Raises `ValueError` the second time.
        """
        if self._presence is not None:
            raise ValueError(f"the presence in {self.name} is tracked already")
        self._presence = self._here.watcher = Presence(self, user_of, watched)
        return self._presence

    def presence(self, room: str) -> dict[str, int]:
        """The users in ``room`` at all servers, each with the number of his sockets; see `track_presence`."""
        return {} if self._presence is None else self._presence.users(room)

    async def fetch_sockets(self) -> Sequence[Socket | SocketElsewhere]:
        return await BroadcastOperator(self).fetch_sockets()

    def sockets_join(self, *rooms: str) -> None:
        BroadcastOperator(self).sockets_join(*rooms)

    def sockets_leave(self, *rooms: str) -> None:
        BroadcastOperator(self).sockets_leave(*rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        BroadcastOperator(self).disconnect_sockets(close)

    def broadcast(self, selection: Selection, event: str, args: Sequence[Any], flags: Flags) -> None:
        """Encode here, in the caller's thread, so that the caller hears what is wrong with its data."""
        outgoing = self._event(event, args, None)
        self.server.run_on_loop(self._broadcast, event, selection, outgoing, flags)

    def _broadcast(self, event: str, selection: Selection, outgoing: Outgoing, flags: Flags) -> None:
        self.server.statistics.emitted(event)
        self.adapter.broadcast(selection, outgoing, flags)

    def send(self, socket: Socket, event: str, args: Sequence[Any]) -> None:
        """To one socket of this process, in line behind the broadcasts before it."""
        outgoing = self._event(event, args, None)
        if self.recovery is None:
            self.server.run_on_loop(self._send, event, (socket,), outgoing)
        else:
            self.server.run_on_loop(self._broadcast, event, Selection(frozenset((socket.id,))), outgoing, RELIABLE)

    def request(self, socket: Socket, event: str, args: Sequence[Any], ack_id: int) -> None:
        """An event that wants an acknowledgement."""
        self._send(event, (socket,), self._event(event, args, ack_id))

    def _send(self, event: str, sockets: Sequence[Socket], outgoing: Outgoing) -> None:
        self.server.statistics.emitted(event)
        self._delivery.send(sockets, outgoing, RELIABLE)

    def _event(self, event: str, args: Sequence[Any], ack_id: int | None) -> Outgoing:
        if event in RESERVED_EVENTS:
            raise ValueError(f'"{event}" is a reserved name; choose another for your event')
        return encode(Packet(PacketType.EVENT, self.name, [event, *args], ack_id))

    # -- what the adapter asks for (adapters.base.Local) --------------------------------------------------------

    def deliver(
        self, members: Sequence[Socket], outgoing: Outgoing, flags: Flags, position: int | None = None
    ) -> None:
        if position is not None and self.recovery is not None:
            members, plain = self.recovery.split(self.recovery.unheard(members, position))
            if plain:
                self._delivery.send(plain, without_offset(outgoing), flags)
        self._delivery.send(members, outgoing, flags)

    def drop(self, members: Sequence[Socket], *, close: bool) -> None:
        for socket in members:
            self.disconnect(socket, close)

    def details(self, member: Socket) -> SocketDetails:
        return details(member)

    async def hear(self, event: str, args: Sequence[Any]) -> Any:
        """What another server has emitted to the servers; None if nobody listens here."""
        handler = self._on_server_side.get(event)
        if handler is None:
            return None
        answer = handler(*args)
        return await answer if inspect.isawaitable(answer) else answer

    def lost(self) -> None:
        if self.recovery is not None:
            self.recovery.tear()
        self.server.draining.add([socket.client for socket in self._sockets.values()])

    # -- one socket ---------------------------------------------------------------------------------------------

    def admit(self, socket: Socket, restored: Restored | None = None) -> None:
        """The middlewares have passed and CONNECT has been answered."""
        socket.connected = True
        self._sockets[socket.id] = socket
        self.adapter.add(socket.id, socket)
        if restored is not None:
            self.adapter.restore(socket.id, restored.replay.history)
        for room in socket.early_rooms or ():
            self.adapter.join(socket.id, room)
        if self.recovery is not None:
            socket.granted = tuple(socket.early_rooms or ())
            self.recovery.admitted(socket, restored)
        socket.early_rooms = None
        for handler, is_async in self._on_connection:
            socket.client.handle(Call(socket, "connection", handler, is_async, (socket,)))

    def dispatch(self, socket: Socket, packet: Packet, size: int) -> None:
        """An EVENT has come. One that nobody handles is told so, if it asked."""
        event = str(packet.data[0])
        args = packet.data[1:]
        if socket.handlers is not None and (own := socket.handlers.get(event)) is not None:
            call = Call(socket, event, *own, tuple(args), packet.id, size)
        else:
            handler, is_async = self._handlers.get(event, _UNKNOWN_EVENT)
            call = Call(socket, event, handler, is_async, (socket, *args), packet.id, size)
        socket.client.handle(call)

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
        socket.client.expel(socket)
        if close:
            socket.client.close(Reason.SERVER_NAMESPACE_DISCONNECT, CloseCode.POLICY_VIOLATION)

    def drop_selected(self, selection: Selection, close: bool) -> None:
        self.adapter.disconnect_all(selection, close=close)

    def forget(self, socket: Socket, reason: Reason) -> None:
        """The socket is gone: out of its rooms first, so that a disconnect handler's broadcast misses it."""
        if not socket.connected:
            return
        socket.connected = False
        if self.recovery is not None:
            self.recovery.left(socket, reason)
        del self._sockets[socket.id]
        self.adapter.remove(socket.id)
        socket.fail_acks(reason)
        for handler, is_async in self._on_disconnect:
            socket.client.handle(Call(socket, "disconnect", handler, is_async, (socket, str(reason))))
        if socket.handlers is not None and (own := socket.handlers.get("disconnect")) is not None:
            socket.client.handle(Call(socket, "disconnect", *own, (str(reason),)))


def _unknown_event(socket: Socket, *_args: Any) -> None:
    socket.namespace.server.statistics.refused["unknown event"] += 1
    raise EventError("unknown_event", "The server does not handle this event")


_UNKNOWN_EVENT = registered(_unknown_event)
