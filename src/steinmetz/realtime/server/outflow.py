"""The writing half of a WebSocket on a socket of our own: what leaves at once, what is gathered, what waits.

Bytes go to the kernel directly as long as it takes them all: the stream above it (uvloop's, asyncio's) would only
put them in a list and take them out again. What the kernel does not take goes into the stream, which knows when it
does; from then on everything goes that way, until the stream is seen empty. What the stream should not hold waits
in a backlog here. What a turn of the loop says to one client is gathered, and leaves in one write.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.server.backlog import Backlog

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

HIGH_WATER = 65_536
"""Bytes written since we last asked the stream how much of it is still there; also the most at a time that goes to
the kernel directly in a broadcast."""
PAUSE_ABOVE = 32_768
"""Bytes in the stream above which nothing is added until half of them are gone; below `HIGH_WATER`, so that a
stream that is full always says when it is not."""
LOOK_AGAIN_S = 0.05
SETTLED_TURNS = 2
"""So many turns of the loop after a write uvloop has tried it, and tells what is left (trap T26)."""
NO_DESCRIPTOR = -1


class Outflow:
    """Bound: `HIGH_WATER` and one message in the stream; the backlog is its owner's business (`queued_bytes`)."""

    __slots__ = (
        "_backlog",
        "_descriptor",
        "_gathered",
        "_is_clear",
        "_is_closed",
        "_is_looking",
        "_is_over_tls",
        "_is_paused",
        "_is_reading",
        "_left",
        "_server",
        "_unsettled",
        "credit",
        "deflates",
        "fd",
        "stream",
    )

    def __init__(self, server: Server, stream: asyncio.Transport, *, deflates: bool, over_tls: bool) -> None:
        self.stream = stream
        self.credit = HIGH_WATER
        self.deflates = deflates
        self._server = server
        self._descriptor = NO_DESCRIPTOR if over_tls else descriptor_of(stream)
        self.fd = self._descriptor
        """Where bytes may go directly; `NO_DESCRIPTOR` while anything of ours has to leave before them."""
        self._is_clear = True
        """Nothing of ours is in the stream."""
        self._unsettled = 0
        self._left = 0
        self._gathered: list[bytes] | None = None
        self._backlog: Backlog[bytes] | None = None
        self._is_reading = False
        self._is_looking = False
        self._is_paused = False
        self._is_over_tls = over_tls
        self._is_closed = False
        stream.set_write_buffer_limits(PAUSE_ABOVE)

    # -- the port Transport -------------------------------------------------------------------------------------

    @property
    def queued_bytes(self) -> int:
        return 0 if self._backlog is None else self._backlog.bytes

    @property
    def is_ready(self) -> bool:
        return self._may_send()

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        if self._is_closed:
            return
        if self.deflates and (threshold := self._server.config.deflate_threshold) is not None:
            frames = outgoing.deflated(threshold)
        else:
            frames = outgoing.frames
        if self.credit <= 0 and not self._may_send():
            self._wait(frames, key)
        else:
            self.gather(frames)

    def take_queued(self) -> list[Outgoing]:
        return []

    def _may_send(self) -> bool:
        if self._backlog is not None:
            return False
        return (self.credit if self._gathered is None else self._left) > 0 or self._renew()

    def _wait(self, frames: bytes, key: str | None) -> None:
        if self._backlog is None:
            self._backlog = Backlog()
            self.fd = NO_DESCRIPTOR
        if self._backlog.put(frames, len(frames), key):
            self._server.statistics.replaced_newest += 1
        self._look_soon()

    def _write_gathered(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is None or self._is_closed:
            return
        data = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        if self._is_clear and self._descriptor >= 0:
            self.credit, self.fd = HIGH_WATER, self._descriptor
            self.put(data)
            if self._backlog is not None:
                self.fd = NO_DESCRIPTOR
            return
        self._into_stream(data)
        self.credit = 0 if self._is_paused else self._left
        if self.credit <= 0:
            self._look_soon()

    # -- the port Wire ------------------------------------------------------------------------------------------

    @property
    def wire(self) -> Outflow:
        """Trap T26: uvloop does not count what was written in this turn, so ``credit`` does."""
        return self

    def gather(self, frames: bytes) -> None:
        if self._gathered is not None:
            self._gathered.append(frames)
            self._left -= len(frames)
            return
        self._gathered = [frames]
        self._left, self.credit, self.fd = self.credit - len(frames), 0, NO_DESCRIPTOR
        if not self._is_reading:
            self._server.turn.then_single(self._write_gathered)

    def put(self, frames: bytes) -> None:
        """Write, for whoever has seen that there is a way: ``fd``, or credit for it."""
        written = 0
        if self.fd >= 0:
            try:
                written = os.write(self.fd, frames)
            except OSError:  # full, or broken: the stream finds that out, too, and says so in its own way
                written = 0
        if written < len(frames):
            self.put_rest(frames, written)

    def put_rest(self, frames: bytes, written: int) -> None:
        """The kernel has taken only so many bytes of ``frames``; the others go into the stream."""
        rest = frames[written:] if written else frames
        self._into_stream(rest)
        self.credit -= len(rest)
        if self._is_paused:
            self.credit = 0
        if self._descriptor >= 0 or self.credit <= 0:
            self._look_soon()

    def has_room(self, size: int) -> bool:
        """Not while something is gathered: with that it leaves in one write."""
        return self._gathered is None and self._backlog is None and self._renew() and self.credit >= size

    def _into_stream(self, data: bytes) -> None:
        self._is_clear, self._unsettled, self.fd = False, SETTLED_TURNS, NO_DESCRIPTOR
        self.stream.write(data)

    # -- a peer that reads slowly -------------------------------------------------------------------------------

    def _renew(self) -> bool:
        """Whether the stream is empty, in the middle of a turn: then its credit is whole again.

        While anything is in the stream, uvloop may have more of this turn that it does not tell (trap T26); if it
        is empty, uvloop tries to write at once what is above its limit. A stream over TLS knows nothing of the one
        below it, so that has to wait for the next turn.
        """
        if self._gathered is not None:
            self._write_gathered()
        if self._is_closed or self._is_paused or self._is_over_tls or self.stream.get_write_buffer_size():
            return False
        self.credit = HIGH_WATER
        return True

    def _look_soon(self) -> None:
        """In the next turn, when this turn's writes have been tried."""
        if not self._is_looking:
            self._is_looking = True
            self._server.call_soon(self._look)

    def _look(self) -> None:
        """How much is still in the stream; what waits may follow, and when all is gone it is clear again."""
        self._is_looking = False
        if self._is_closed or self._is_paused:
            return
        if self._gathered is not None:
            self._look_soon()
            return
        left = HIGH_WATER - self.stream.get_write_buffer_size()
        if self._unsettled:
            self._unsettled -= 1
        elif left == HIGH_WATER and self._backlog is None:
            self._is_clear, self.credit, self.fd = True, HIGH_WATER, self._descriptor
            return
        if left > 0:
            self._refill(left)
        if self.credit <= 0 or self._descriptor >= 0:
            self._look_again(left)

    def _look_again(self, left: int) -> None:
        if self._unsettled or (left > 0 and self._backlog is not None):
            self._look_soon()
        elif not self._is_looking and not self._is_paused and self._server.loop is not None:
            self._is_looking = True
            self._server.loop.call_later(LOOK_AGAIN_S, self._look)

    def _refill(self, left: int) -> None:
        backlog = self._backlog
        if backlog is not None:
            chunk: list[bytes] = []
            while backlog and left > 0:
                chunk.append(backlog.take())
                left -= len(chunk[-1])
            if not backlog:
                self._backlog = None
            self._into_stream(b"".join(chunk))
        self.credit = 0 if self._is_paused else left

    def pause_writing(self) -> None:
        self._is_paused = True
        if self._gathered is None:
            self.credit = 0
        else:
            self._left = min(self._left, 0)

    def resume_writing(self) -> None:
        self._is_paused = False
        self._look_soon()

    # -- the end ------------------------------------------------------------------------------------------------

    def _say_last(self, frame: bytes) -> None:
        waiting = [] if self._backlog is None else self._backlog.take_all()
        self.stream.write(b"".join([*(self._gathered or ()), *waiting, frame]))
        self._forget()

    def _forget(self) -> None:
        """Nothing is written any more. The descriptor may soon be somebody else's."""
        self._is_closed = True
        self.credit, self.fd, self._descriptor = 0, NO_DESCRIPTOR, NO_DESCRIPTOR
        self._gathered = self._backlog = None


def descriptor_of(stream: asyncio.Transport) -> int:
    """Of the socket below ``stream``, as long as its protocol has not heard `connection_lost`: asyncio and uvloop
    close it only after that. `NO_DESCRIPTOR` where a socket is not written to like a file."""
    below = stream.get_extra_info("socket") if os.name == "posix" else None
    return NO_DESCRIPTOR if below is None else int(below.fileno())
