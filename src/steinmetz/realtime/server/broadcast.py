"""Who is meant by an emission: rooms and flags, gathered link by link, and then said once."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags, Selection
from steinmetz.realtime.errors import DisconnectedError

if TYPE_CHECKING:
    from steinmetz.realtime.events.event import Event
    from steinmetz.realtime.server.remote import RemoteSocket

ACK_TIMEOUT_S = 10.0
"""How long an acknowledgement may take if nobody says otherwise."""


class Audience(Protocol):
    """Whom an operator speaks to: a namespace, or all children of a parent."""

    def broadcast(self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags) -> None: ...

    async def question(
        self, selection: Selection, event: str | Event, args: Sequence[Any], flags: Flags, timeout_s: float
    ) -> list[Any]: ...

    async def fetch_selected(self, selection: Selection) -> Sequence[RemoteSocket]: ...

    def join_selected(self, selection: Selection, rooms: Collection[str]) -> None: ...

    def leave_selected(self, selection: Selection, rooms: Collection[str]) -> None: ...

    def drop_selected(self, selection: Selection, close: bool) -> None: ...


class BroadcastOperator:
    """Who is meant by the next `emit`; immutable, so a half-made one can be kept and reused.

    After Socket.IO's: https://socket.io/docs/v4/server-api/#namespace
    """

    __slots__ = ("_audience", "_flags", "_selection", "_timeout_s")

    def __init__(
        self,
        audience: Audience,
        selection: Selection = EVERYBODY,
        flags: Flags = RELIABLE,
        timeout_s: float = ACK_TIMEOUT_S,
    ) -> None:
        self._audience = audience
        self._selection = selection
        self._flags = flags
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._audience}>"

    def to(self, *rooms: str) -> BroadcastOperator:
        """Also those in any of ``rooms``; a socket in several of them hears it once.

        Raises `ValueError` if none is named: an empty list of rooms must not mean everybody.
        """
        if not rooms:
            raise ValueError("say which rooms; without to() everybody is meant")
        return self._selecting(replace(self._selection, rooms=self._selection.rooms | set(rooms)))

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Not those in any of ``rooms``."""
        return self._selecting(replace(self._selection, except_rooms=self._selection.except_rooms | set(rooms)))

    @property
    def local(self) -> BroadcastOperator:
        """Only clients of this process."""
        return self._selecting(replace(self._selection, is_local=True))

    @property
    def volatile(self) -> BroadcastOperator:
        """May be dropped for a client that is not ready to receive."""
        return self._flagged(replace(self._flags, volatile=True))

    def newest(self, key: str) -> BroadcastOperator:
        """Of what still waits for a client under ``key``, only the newest is sent."""
        return self._flagged(replace(self._flags, newest=key))

    def compress(self, value: bool) -> BroadcastOperator:
        """Whether it may be deflated for clients that have agreed to that; it may unless told otherwise."""
        return self._flagged(replace(self._flags, compress=value))

    def timeout(self, seconds: float) -> BroadcastOperator:
        """How long `emit_with_ack` waits; 10 seconds unless told otherwise.

        Raises `ValueError` for what is not above 0, or never ends.
        """
        if not 0 < seconds < math.inf:
            raise ValueError("a timeout is above 0 seconds, and ends")
        return type(self)(self._audience, self._selection, self._flags, seconds)

    def _selecting(self, selection: Selection) -> BroadcastOperator:
        return type(self)(self._audience, selection, self._flags, self._timeout_s)

    def _flagged(self, flags: Flags) -> BroadcastOperator:
        return type(self)(self._audience, self._selection, flags, self._timeout_s)

    def emit(self, event: str | Event, *args: Any) -> None:
        """Send ``event`` with ``args`` (JSON values and `bytes`); a plain call, from any thread.

        Raises `ValueError` for a reserved name, `TypeError` for data that cannot be sent, and with
        `Config.strict_events` `PayloadError` for data that break the schema of the event.
        """
        self._audience.broadcast(self._selection, event, args, self._flags)

    async def emit_with_ack(self, event: str | Event, *args: Any) -> Any:
        """Send ``event`` and wait until all who are meant have acknowledged; the first value of each, as it came.

        Raises `AckTimeoutError` when the time is over, `DisconnectedError` as soon as all the others have gone;
        both carry ``answers`` (so far) and ``missing`` (socket ids). `NotRunningError` on a foreign loop.
        """
        return await self._audience.question(self._selection, event, args, self._flags, self._timeout_s)

    async def fetch_sockets(self) -> Sequence[RemoteSocket]:
        """The sockets that are meant, wherever they are connected."""
        return await self._audience.fetch_selected(self._selection)

    def sockets_join(self, *rooms: str) -> None:
        """Put them into ``rooms``; from any thread."""
        self._audience.join_selected(self._selection, rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Take them out of ``rooms``; from any thread."""
        self._audience.leave_selected(self._selection, rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Tell them to stay away (DISCONNECT); with ``close`` end their whole connections too. From any thread."""
        self._audience.drop_selected(self._selection, close)


class SingleOperator(BroadcastOperator):
    """The same for one socket: its acknowledgement is one value, and "to others" leaves it out."""

    __slots__ = ()

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody but this socket."""
        others = Selection(except_rooms=self._selection.rooms)
        return BroadcastOperator(self._audience, others, self._flags, self._timeout_s)

    def to(self, *rooms: str) -> BroadcastOperator:
        """Those in any of ``rooms``, without this socket."""
        return self.broadcast.to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Everybody but this socket and those in any of ``rooms``."""
        return self.broadcast.except_(*rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everybody but this socket who is connected to this process."""
        return self.broadcast.local

    async def emit_with_ack(self, event: str | Event, *args: Any) -> Any:
        """Send ``event`` and wait for the acknowledgement; its first value, or None.

        Raises `AckTimeoutError` when the time is over, `DisconnectedError` if the socket has gone.
        """
        answers = await super().emit_with_ack(event, *args)
        if not answers:
            raise DisconnectedError("it was not connected")
        return answers[0]


class Broadcasting:
    """The methods with which an application speaks to a whole namespace; of `Server` and `Namespace`."""

    def _everybody(self) -> BroadcastOperator:
        raise NotImplementedError

    def emit(self, event: str | Event, *args: Any) -> None:
        """To everybody in the namespace; see `BroadcastOperator.emit`."""
        self._everybody().emit(event, *args)

    async def emit_with_ack(self, event: str | Event, *args: Any) -> list[Any]:
        """To everybody, with an acknowledgement from each; see `BroadcastOperator.emit_with_ack`."""
        answers: list[Any] = await self._everybody().emit_with_ack(event, *args)
        return answers

    def to(self, *rooms: str) -> BroadcastOperator:
        """Those in any of ``rooms``."""
        return self._everybody().to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Everybody but those in any of ``rooms``."""
        return self._everybody().except_(*rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everybody who is connected to this process."""
        return self._everybody().local

    @property
    def volatile(self) -> BroadcastOperator:
        """Everybody, for a message that may be dropped."""
        return self._everybody().volatile

    def newest(self, key: str) -> BroadcastOperator:
        """Everybody, for a message that replaces those under ``key`` that have not left yet."""
        return self._everybody().newest(key)

    def compress(self, value: bool) -> BroadcastOperator:
        """Everybody, and whether the message may be deflated."""
        return self._everybody().compress(value)

    def timeout(self, seconds: float) -> BroadcastOperator:
        """Everybody, and how long `emit_with_ack` waits."""
        return self._everybody().timeout(seconds)

    async def fetch_sockets(self) -> Sequence[RemoteSocket]:
        """All sockets of the namespace, wherever they are connected."""
        return await self._everybody().fetch_sockets()

    def sockets_join(self, *rooms: str) -> None:
        """Put everybody into ``rooms``; from any thread."""
        self._everybody().sockets_join(*rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Take everybody out of ``rooms``; from any thread."""
        self._everybody().sockets_leave(*rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Tell everybody to stay away; see `BroadcastOperator.disconnect_sockets`."""
        self._everybody().disconnect_sockets(close)
