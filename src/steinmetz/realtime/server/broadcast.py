"""An emission, encoded once, to many: who is meant, and how it is to be treated on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags, Selection

if TYPE_CHECKING:
    from steinmetz.realtime.server.namespace import Namespace
    from steinmetz.realtime.server.socket import Socket


class BroadcastOperator:
    """Who is meant by the next `emit`; immutable, so a half-made one can be kept and reused."""

    __slots__ = ("_flags", "_namespace", "_selection")

    def __init__(self, namespace: Namespace, selection: Selection = EVERYBODY, flags: Flags = RELIABLE) -> None:
        self._namespace = namespace
        self._selection = selection
        self._flags = flags

    def to(self, *rooms: str) -> BroadcastOperator:
        """Also those in any of ``rooms``; a socket in several of them hears it once."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms | set(rooms), chosen.except_rooms, chosen.is_local))

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Not those in any of ``rooms``."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms, chosen.except_rooms | set(rooms), chosen.is_local))

    @property
    def local(self) -> BroadcastOperator:
        """Only clients of this process."""
        chosen = self._selection
        return self._with(Selection(chosen.rooms, chosen.except_rooms, is_local=True))

    @property
    def volatile(self) -> BroadcastOperator:
        """May be dropped for a client that is not ready to receive."""
        return self._flagged(replace(self._flags, volatile=True))

    def newest(self, key: str) -> BroadcastOperator:
        """Of what waits for a slow client under ``key`` (in this namespace), only the newest shall stay."""
        return self._flagged(replace(self._flags, newest=key))

    def compress(self, compress: bool) -> BroadcastOperator:
        """Whether it may be deflated for clients that have agreed to it (`Config.deflate_threshold`)."""
        return self._flagged(replace(self._flags, compress=compress))

    def _with(self, selection: Selection) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, selection, self._flags)

    def _flagged(self, flags: Flags) -> BroadcastOperator:
        return BroadcastOperator(self._namespace, self._selection, flags)

    def emit(self, event: str, *args: Any) -> None:
        """Send ``event`` with ``args`` (JSON values and `bytes`); a plain call, from any thread.

        Raises `ValueError` for a reserved name, `TypeError` for data that cannot be sent.
        """
        self._namespace.broadcast(self._selection, event, args, self._flags)

    async def fetch_sockets(self) -> Sequence[Socket]:
        """The sockets that are meant."""
        return await self._namespace.adapter.fetch(self._selection)

    def sockets_join(self, *rooms: str) -> None:
        """Put them into ``rooms``; from any thread."""
        self._namespace.server.run_on_loop(self._namespace.adapter.join_all, self._selection, rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Take them out of ``rooms``; from any thread."""
        self._namespace.server.run_on_loop(self._namespace.adapter.leave_all, self._selection, rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Tell them to stay away (DISCONNECT); with ``close`` end their whole connections too. From any thread."""
        self._namespace.server.run_on_loop(self._namespace.drop_selected, self._selection, close)
