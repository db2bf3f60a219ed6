"""A namespace: its middlewares, its handlers, its sockets, and everything that is said in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Adapter, Flags, Selection
from steinmetz.realtime.adapters.memory import MemoryAdapter
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.errors import EventError
from steinmetz.realtime.server.broadcast import BroadcastOperator, Delivery
from steinmetz.realtime.server.call import Call
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.socket import Handler, Registered, Socket, registered
from steinmetz.realtime.socketio.packet import RESERVED_EVENTS, Packet, PacketType
from steinmetz.realtime.socketio.parser import encode

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
        self.adapter: Adapter[Socket] = MemoryAdapter[Socket](self)
        self._sockets: dict[str, Socket] = {}
        self._handlers: dict[str, Registered] = {}
        self._on_connection: list[Registered] = []
        self._on_disconnect: list[Registered] = []
        self._delivery = Delivery(lambda: server.loop)
        self._warned = False
        self.removals = 0
        """How often members were sent away or taken out of rooms, by whatever node; see `note_removal`."""

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

    def has_members(self, room: str) -> bool:
        """Whether an emission to ``room`` would reach anybody."""
        return self.adapter.has_members(room)

    async def fetch_sockets(self) -> Sequence[Socket]:
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
        self.server.run_on_loop(self._send, event, (socket,), self._event(event, args, None))

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

    def deliver(self, members: Sequence[Socket], outgoing: Outgoing, flags: Flags) -> None:
        self._delivery.send(members, outgoing, flags)

    def note_removal(self) -> None:
        self.removals += 1

    def drop(self, members: Sequence[Socket], *, close: bool) -> None:
        for socket in members:
            self.disconnect(socket, close)

    # -- one socket ---------------------------------------------------------------------------------------------

    def admit(self, socket: Socket) -> None:
        """The middlewares have passed and CONNECT has been answered."""
        socket.connected = True
        self._sockets[socket.id] = socket
        self.adapter.add(socket.id, socket)
        for room in socket.early_rooms or ():
            self.adapter.join(socket.id, room)
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
        if socket.subject is not None:
            self.server.budgets.leave(self.name, socket.subject)
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
