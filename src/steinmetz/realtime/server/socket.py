"""One client in one namespace: what handlers and middlewares hold in their hands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import Selection
from steinmetz.realtime.errors import AckTimeoutError, DisconnectedError, NotRunningError
from steinmetz.realtime.server.broadcast import ACK_TIMEOUT_S, BroadcastOperator, SingleOperator
from steinmetz.realtime.server.conn import Conn
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.server.listening import Handler, Handlers, Listening, forget, registered, watching
from steinmetz.realtime.socketio.acks import Acks

if TYPE_CHECKING:
    from steinmetz.realtime.events.event import Event
    from steinmetz.realtime.events.registry import Registry
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.routing import EventMiddleware


class Socket(Listening):
    """``id`` is public (other clients may know it); ``handshake`` says how the client came; ``data`` is yours.

    After Socket.IO's `Socket`: https://socket.io/docs/v4/server-socket-instance/
    """

    __slots__ = (
        "_data",
        "_expires_at",
        "_subject",
        "acks",
        "client",
        "connected",
        "early_rooms",
        "granted",
        "handlers",
        "handshake",
        "id",
        "namespace",
        "recovered",
        "requested_rooms",
        "since",
    )

    def __init__(self, socket_id: str, namespace: Namespace, client: Client, handshake: Handshake) -> None:
        self.id = socket_id
        self.namespace = namespace
        self.client = client
        self.handshake = handshake
        self.connected = False
        self.acks: Acks[asyncio.Future[Any]] | None = None
        self.handlers: Handlers | None = None
        self.early_rooms: list[str] | None = None
        self.requested_rooms: set[str] | None = None
        self.recovered = False
        """Whether this is a socket from before, whose client has missed nothing and hears nothing twice."""
        self.granted: tuple[str, ...] = ()
        self.since = 0
        self._subject: str | None = None
        self._data: dict[str, Any] | None = None
        self._expires_at: float | None = None

    def forget_admission(self) -> None:
        """What middlewares have found out is void: they are asked again."""
        self._subject = self._data = self._expires_at = self.early_rooms = self.handlers = None

    def __repr__(self) -> str:
        return f"<Socket {self.id} in {self.namespace.name}>"

    @property
    def data(self) -> dict[str, Any]:
        """Whatever belongs to this socket: `socket.data["user"] = user`."""
        if self._data is None:
            self._data = {}
        return self._data

    @property
    def subject(self) -> str | None:
        """Whose socket it is, as a middleware has found out: the name by which a user's limits are counted.

        Raises `ValueError` when it is set after the connection has been let in.
        """
        return self._subject

    @subject.setter
    def subject(self, subject: str) -> None:
        if self.connected:
            raise ValueError("a socket's subject is set by a middleware, before it is connected")
        self._subject = subject

    @property
    def rooms(self) -> frozenset[str]:
        """Its rooms, with the one named like its id; empty once it has been disconnected."""
        if not self.connected:
            return frozenset()
        return frozenset((self.id, *self.namespace.adapter.rooms_of(self.id)))

    @property
    def expires_at(self) -> float | None:
        """When its credential ends, as a POSIX timestamp (what a JWT calls `exp`); None for never.

        Within a second after that the transport is closed without a DISCONNECT packet: the stock client comes back
        by itself and shows a new credential.
        """
        return self._expires_at

    @expires_at.setter
    def expires_at(self, timestamp_s: float | None) -> None:
        self._expires_at = timestamp_s
        self.namespace.server.run_on_loop(self.client.rearm)

    @property
    def conn(self) -> Conn:
        """The connection below it, which its namespaces share: ``socket.conn.transport.name``."""
        return Conn(self.client)

    # -- what it wants to hear ----------------------------------------------------------------------------------

    _life = ("disconnecting", "disconnect")

    _leading = 0

    def _registry(self) -> Registry:
        return self.namespace.events

    def _listening(self) -> Handlers:
        """Handlers of a socket get ``(*args)`` and go before those of its namespace."""
        if self.handlers is None:
            self.handlers = Handlers()
        return self.handlers

    def use(self, middleware: EventMiddleware) -> EventMiddleware:
        """Ask ``middleware(event, args)``, plain or async, about each event, in the order of its handlers.

        It may change the list ``args``. What it raises keeps the event from its handler: an `EventError` is told
        in the acknowledgement, as if the handler had raised it.
        """
        self._listening().middlewares.append(registered(middleware))
        return middleware

    def on_any_outgoing(self, listener: Handler) -> Handler:
        """Watch every event that is sent to this socket, alone or in a broadcast: ``listener(event, *args)``.

        Acknowledgements are not among them. Raises `TypeError` for a coroutine function.
        """
        self._outgoing().append(watching(listener))
        return listener

    def prepend_any_outgoing(self, listener: Handler) -> Handler:
        """`on_any_outgoing`, before the others."""
        self._outgoing().insert(0, watching(listener))
        return listener

    def off_any_outgoing(self, listener: Handler | None = None) -> None:
        """Forget ``listener``, or all of them."""
        forget(self._listening().any_outgoing, listener)
        if not self._listening().any_outgoing:
            self.namespace.watched.discard(self)

    def listeners_any_outgoing(self) -> list[Handler]:
        """The listeners for what is sent, in their order."""
        return [] if self.handlers is None else list(self.handlers.any_outgoing)

    def _outgoing(self) -> list[Handler]:
        if self.connected:
            self.namespace.watched.add(self)
        return self._listening().any_outgoing

    # -- what it is told ----------------------------------------------------------------------------------------

    def emit(self, event: str | Event, *args: Any) -> None:
        """Send ``event`` to this client; a plain call, from any thread.

        Raises `ValueError` for a reserved name, `TypeError` for data that cannot be sent.
        """
        self.namespace.send(self, event, args)

    async def emit_with_ack(self, event: str | Event, *args: Any, timeout_s: float = ACK_TIMEOUT_S) -> Any:
        """Send ``event`` and wait for the client's acknowledgement; its first value, or None.

        Raises `AckTimeoutError` after ``timeout_s`` seconds, `DisconnectedError` as soon as the socket is gone,
        `InvalidAckError` for an answer that breaks the schema of an `Event`.
        """
        if not self.connected:
            raise DisconnectedError("it was not connected")
        if asyncio.get_running_loop() is not self.namespace.server.loop:
            raise NotRunningError("emit_with_ack is awaited on the loop that the server runs on")
        if self.acks is None:
            self.acks = Acks()
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        due_s = self.namespace.server.clock.monotonic_s() + timeout_s
        ack_id = self.acks.expect(waiter, due_s)
        try:
            self.namespace.request(self, event, args, ack_id)
            self.client.rearm()
            answer = await waiter
        finally:
            if self.acks is not None:
                self.acks.take(ack_id)
        return answer if isinstance(event, str) else self.namespace.events.acknowledged(event, answer)

    def acknowledge(self, ack_id: int, answers: list[Any]) -> None:
        """An ACK packet has come; ids that nobody waits for are ignored."""
        waiter = self.acks.take(ack_id) if self.acks is not None else None
        if waiter is None:
            self.namespace.acknowledge(self, ack_id, answers)
        elif not waiter.done():
            waiter.set_result(answers[0] if answers else None)

    def expire_acks(self, now_s: float) -> None:
        """Tell those who have waited long enough."""
        for waiter in self.acks.expire(now_s) if self.acks is not None else ():
            if not waiter.done():
                waiter.set_exception(AckTimeoutError("the client did not acknowledge in time"))

    def fail_acks(self, reason: str) -> None:
        """Trap T30: what still waits for an acknowledgement fails at once."""
        for waiter in self.acks.close() if self.acks is not None else ():
            if not waiter.done():
                waiter.set_exception(DisconnectedError(reason))

    def join(self, *rooms: str) -> None:
        """Enter ``rooms``; from any thread. A middleware may call it: the rooms count once it is connected."""
        self.namespace.server.run_on_loop(self.namespace.join, self, rooms)

    def leave(self, *rooms: str) -> None:
        """Leave ``rooms``; from any thread."""
        self.namespace.server.run_on_loop(self.namespace.leave, self, rooms)

    def _itself(self) -> SingleOperator:
        return SingleOperator(self.namespace, Selection(frozenset((self.id,))))

    def timeout(self, seconds: float) -> BroadcastOperator:
        """This socket, and how long its `emit_with_ack` waits."""
        return self._itself().timeout(seconds)

    @property
    def volatile(self) -> BroadcastOperator:
        """This socket, for a message that may be dropped."""
        return self._itself().volatile

    def newest(self, key: str) -> BroadcastOperator:
        """This socket, for a message that replaces those under ``key`` that have not left yet."""
        return self._itself().newest(key)

    def compress(self, value: bool) -> BroadcastOperator:
        """This socket, and whether the message may be deflated."""
        return self._itself().compress(value)

    # -- others -------------------------------------------------------------------------------------------------

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody in the namespace, without this socket."""
        return BroadcastOperator(self.namespace, Selection(except_rooms=frozenset((self.id,))))

    def to(self, *rooms: str) -> BroadcastOperator:
        """Those in ``rooms``, without this socket."""
        return self.broadcast.to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Everybody but this socket and those in any of ``rooms``."""
        return self.broadcast.except_(*rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everybody but this socket who is connected to this process."""
        return self.broadcast.local

    def disconnect(self, close: bool = False) -> None:
        """Tell the client to stay away (DISCONNECT); with ``close`` end its connection, too. From any thread."""
        self.namespace.server.run_on_loop(self.namespace.disconnect, self, close)
