"""A WebSocket on a socket of our own: RFC 6455 towards the peer, the port `Transport` towards the client object.

No ASGI task, no queue while the peer reads, no writer: frames that were built once are written as they are. What a
turn of the loop says to one client is gathered and leaves in one write (see `Turn`); what is said while its own
bytes are being read leaves when they have been.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from steinmetz.realtime.engineio.frames import CloseCode, FrameParser, Message, Opcode, close_frame, server_frame
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing
from steinmetz.realtime.engineio.texts import plain_texts
from steinmetz.realtime.errors import FrameError
from steinmetz.realtime.server.backlog import Backlog
from steinmetz.realtime.server.intake import SMALL, Intake
from steinmetz.realtime.server.masks import fastest_xor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

_XOR = fastest_xor()
HIGH_WATER = 65_536
"""Bytes written since we last asked the stream how much of it is still there."""
PAUSE_ABOVE = 32_768
"""Bytes in the stream above which nothing is added until half of them are gone; below `HIGH_WATER`, so that a
stream that is full always says when it is not."""
LOOK_AGAIN_S = 0.05
MESSAGES_A_TURN = 250
"""Of one client, if it has sent much at once."""
CLOSING_TIMEOUT_S = 2.0
"""How long the peer may take to answer a closing handshake."""


class NativeWebSocket(asyncio.Protocol):
    """One upgraded connection."""

    __slots__ = (
        "_backlog",
        "_closing",
        "_connections",
        "_gathered",
        "_intake",
        "_is_closed",
        "_is_looking",
        "_is_over_tls",
        "_is_paused",
        "_is_reading",
        "_left",
        "_parser",
        "_server",
        "client",
        "credit",
        "deflates",
        "stream",
    )

    name = TransportName.WEBSOCKET

    def __init__(
        self,
        server: Server,
        stream: asyncio.Transport,
        connections: set[Any],
        *,
        deflates: bool = False,
        over_tls: bool = False,
    ) -> None:
        self.client: Client | None = None
        self.stream = stream
        self.credit = HIGH_WATER
        self.deflates = deflates
        self._server = server
        self._connections = connections
        self._parser: FrameParser | None = FrameParser(0, inflates=deflates)
        self._intake: Intake | None = None
        """Nothing more is read while it is there."""
        self._left = 0
        self._gathered: list[bytes] | None = None
        self._backlog: Backlog[bytes] | None = None
        self._is_reading = False
        self._is_looking = False
        self._is_paused = False
        self._is_over_tls = over_tls
        self._is_closed = False
        self._closing: asyncio.TimerHandle | None = None
        stream.set_write_buffer_limits(PAUSE_ABOVE)

    @property
    def wire(self) -> NativeWebSocket:
        """Trap T26: uvloop does not count what was written in this turn, so ``credit`` does."""
        return self

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
        elif self._gathered is None:
            self._gathered = [frames]
            self._left, self.credit = self.credit - len(frames), 0
            if not self._is_reading:
                self._server.turn.then_single(self._write_gathered)
        else:
            self._gathered.append(frames)
            self._left -= len(frames)

    def _may_send(self) -> bool:
        if self._backlog is not None:
            return False
        return (self.credit if self._gathered is None else self._left) > 0 or self._renew()

    def _wait(self, frames: bytes, key: str | None) -> None:
        if self._backlog is None:
            self._backlog = Backlog()
        if self._backlog.put(frames, len(frames), key):
            self._server.statistics.replaced_newest += 1
        self._look_soon()

    def _write_gathered(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is None or self._is_closed:
            return
        self.stream.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))
        if self._is_paused:
            self.credit = 0
        else:
            self.credit = self._left
            if self.credit <= 0:
                self._look_soon()

    # -- a peer that reads slowly -------------------------------------------------------------------------------

    def has_room(self, size: int) -> bool:
        """Not while something is gathered: with that it leaves in one write."""
        return self._gathered is None and self._backlog is None and self._renew() and self.credit >= size

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
        """How much is still in the stream; what waits may follow."""
        self._is_looking = False
        if self._is_closed or self._is_paused:
            return
        if self._gathered is not None:
            self._look_soon()
            return
        left = HIGH_WATER - self.stream.get_write_buffer_size()
        if left > 0:
            self._refill(left)
        elif self._server.loop is not None:
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
            self.stream.write(b"".join(chunk))
        self.credit = 0 if self._is_paused else left
        if left <= 0:
            self._look_soon()

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

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self._is_closed:
            self._say_last(close_frame(code))
            self._await_close()

    def _say_last(self, frame: bytes) -> None:
        waiting = [] if self._backlog is None else self._backlog.take_all()
        self.stream.write(b"".join([*(self._gathered or ()), *waiting, frame]))
        self._forget()

    def _forget(self) -> None:
        self._is_closed = True
        self.credit = 0
        self._gathered = self._backlog = None

    def _await_close(self) -> None:
        """7.1.1: the peer answers our Close; ending TCP before that might cost it what it has not read."""
        if self._server.loop is not None:
            self._closing = self._server.loop.call_later(CLOSING_TIMEOUT_S, self.stream.abort)

    def end_before_it_began(self) -> bytes:
        """For an upgrade that nobody wants any more: what follows the answer to its request."""
        self._forget()
        self._await_close()
        return close_frame(CloseCode.POLICY_VIOLATION)

    def abort(self) -> None:
        self._forget()
        self.stream.abort()

    # -- asyncio ------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._server.statistics.bytes_in += len(data)
        parser = self._parser
        if parser is None or self.client is None:
            self.stream.close()
            return
        if parser.max_size < self._server.config.max_payload:
            parser.max_size = self.client.max_message
        if len(data) > SMALL or self._intake is not None:
            self._take_in(parser, data)
            return
        self._is_reading = self._gathered is None
        try:
            if parser.is_between_messages:
                texts, read = plain_texts(data, parser.max_size, _XOR)
                for text in texts:
                    if not self._is_closed:
                        self.client.receive(text, self)
                data = data[read:]
            if data and self._parser is parser:
                self._take(parser.feed(data))
        except FrameError as error:
            self._fail(error)
        finally:
            self._end_reading()

    def _end_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            if self._gathered is not None:
                self._write_gathered()

    def _take_in(self, parser: FrameParser, data: bytes) -> None:
        """Much at once is dealt with a bit a turn of the loop; nothing more is read meanwhile."""
        if self._intake is None:
            self._intake = Intake(parser, _XOR)
            self.stream.pause_reading()
            self._server.call_soon(self._take_turn)
        self._intake.put(data)

    def _take_turn(self) -> None:
        intake = self._intake
        if intake is None:
            return
        self._is_reading = self._gathered is None
        try:
            self._take(intake.take(MESSAGES_A_TURN))
        except FrameError as error:
            self._fail(error)
        finally:
            self._end_reading()
        if intake and self._parser is not None:
            self._server.call_soon(self._take_turn)
            return
        self._intake = None
        if not self.stream.is_closing():
            self.stream.resume_reading()

    def _take(self, messages: Iterable[Message]) -> None:
        for opcode, payload in messages:
            client = self.client
            if opcode is Opcode.CLOSE:
                self._closed_by_peer(cast("bytes", payload))
                return
            if self._is_closed or client is None:
                continue
            if opcode is Opcode.PING:
                self._answer_ping(cast("bytes", payload))
            elif opcode is not Opcode.PONG:
                client.receive(payload, self)

    def _answer_ping(self, payload: bytes) -> None:
        """5.5.3: an endpoint "MAY elect to send a Pong frame for only the most recently processed Ping frame"."""
        if self.is_ready:
            pong = server_frame(Opcode.PONG, payload)
            self.stream.write(pong)
            if self._gathered is None:
                self.credit -= len(pong)
                if self.credit <= 0:
                    self._look_soon()
            else:
                self._left -= len(pong)

    def _fail(self, error: FrameError) -> None:
        self._take(error.messages)
        if self.client is not None and not self._is_closed:
            self._parser = None
            self.client.transport_failed(self, CloseCode(error.close_code))

    def _closed_by_peer(self, payload: bytes) -> None:
        """5.5.1: "the endpoint typically echos the status code it received"."""
        if not self._is_closed:
            self._say_last(server_frame(Opcode.CLOSE, payload[:2]))
        self._parser = None
        self.stream.close()
        if self._closing is None and self.stream.get_write_buffer_size():
            # Trap T26: a peer that says goodbye and reads nothing would keep its bytes in our memory.
            self._await_close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._parser = self._intake = None
        self._connections.discard(self)
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        client, self.client = self.client, None
        if client is not None:
            self._server.departures.add(client.transport_lost, self, exc is not None)

    def eof_received(self) -> bool:
        """The peer has hung up. True leaves the closing to us: thousands of ends are dealt with in slices."""
        if self._is_over_tls:
            return False  # TLS has no half-closed state to keep
        self._server.departures.add(self.stream.close)
        return True

    def shutdown(self) -> None:
        """uvicorn calls this on every connection in one go (trap T28): only make sure that the drainer runs."""
        self._server.begin_shutdown()
