"""One client in one namespace: what handlers and middlewares hold in their hands."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import Selection
from steinmetz.realtime.errors import AckTimeoutError, DisconnectedError, NotRunningError
from steinmetz.realtime.server.broadcast import BroadcastOperator
from steinmetz.realtime.server.handshake import Handshake
from steinmetz.realtime.socketio.acks import Acks

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.namespace import Namespace

Handler = Callable[..., Any]
Registered = tuple[Handler, bool]
"""A handler and whether it is a coroutine function: asked once, not at every event."""


def registered(handler: Handler) -> Registered:
    return handler, inspect.iscoroutinefunction(handler)


class Socket:
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
        "handlers",
        "handshake",
        "id",
        "namespace",
        "requested_rooms",
    )

    def __init__(self, socket_id: str, namespace: Namespace, client: Client, handshake: Handshake) -> None:
        self.id = socket_id
        self.namespace = namespace
        self.client = client
        self.handshake = handshake
        self.connected = False
        self.acks: Acks[asyncio.Future[Any]] | None = None
        self.handlers: dict[str, Registered] | None = None
        self.early_rooms: list[str] | None = None
        self.requested_rooms: set[str] | None = None
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

    def on(self, event: str, handler: Handler | None = None) -> Any:
        """Handle ``event`` of this socket alone: ``handler(*args)``; goes before handlers of the namespace."""
        if handler is None:
            return partial(self.on, event)
        if self.handlers is None:
            self.handlers = {}
        self.handlers[event] = registered(handler)
        return handler

    def emit(self, event: str, *args: Any) -> None:
        """Send ``event`` to this client; a plain call, from any thread.

        Raises `ValueError` for a reserved name, `TypeError` for data that cannot be sent.
        """
        self.namespace.send(self, event, args)

    async def emit_with_ack(self, event: str, *args: Any, timeout_s: float = 10.0) -> Any:
        """Send ``event`` and wait for the client's acknowledgement; its first value, or None.

        Raises `AckTimeoutError` after ``timeout_s`` seconds, `DisconnectedError` as soon as the socket is gone.
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
            return await waiter
        finally:
            if self.acks is not None:
                self.acks.take(ack_id)

    def acknowledge(self, ack_id: int, answers: list[Any]) -> None:
        """An ACK packet has come; ids that nobody waits for are ignored."""
        waiter = self.acks.take(ack_id) if self.acks is not None else None
        if waiter is not None and not waiter.done():
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

    def to(self, *rooms: str) -> BroadcastOperator:
        """Those in ``rooms``, without this socket."""
        return BroadcastOperator(self.namespace, Selection(frozenset(rooms), frozenset((self.id,))))

    in_ = to

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody in the namespace, without this socket."""
        return self.to()

    @property
    def volatile(self) -> BroadcastOperator:
        """This socket, for a message that may be dropped."""
        return BroadcastOperator(self.namespace, Selection(frozenset((self.id,)))).volatile

    def disconnect(self, close: bool = False) -> None:
        """Tell the client to stay away (DISCONNECT); with ``close`` end its connection, too. From any thread."""
        self.namespace.server.run_on_loop(self.namespace.disconnect, self, close)
