"""A WebSocket on a socket of our own: RFC 6455 towards the peer, the port `Transport` towards the client object.

No ASGI task, no queue while the peer reads, no writer: frames that were built once are written as they are, see
`Outflow`. What is said while the client's own bytes are being read leaves when they have been.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from steinmetz.realtime.engineio.frames import CloseCode, FrameParser, Message, Opcode, close_frame, server_frame
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing
from steinmetz.realtime.engineio.texts import plain_texts
from steinmetz.realtime.errors import FrameError
from steinmetz.realtime.server.intake import SMALL, Intake
from steinmetz.realtime.server.masks import fastest_xor
from steinmetz.realtime.server.outflow import Outflow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

_XOR = fastest_xor()
MESSAGES_A_TURN = 250
"""Of one client, if it has sent much at once."""
CLOSING_TIMEOUT_S = 2.0
"""How long the peer may take to answer a closing handshake."""


class NativeWebSocket(Outflow, asyncio.Protocol):
    """One upgraded connection: its reading half, and its end."""

    __slots__ = ("_closing", "_connections", "_intake", "_parser", "client")

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
        super().__init__(server, stream, deflates=deflates, over_tls=over_tls)
        self.client: Client | None = None
        self._connections = connections
        self._parser: FrameParser | None = FrameParser(0, inflates=deflates)
        self._intake: Intake | None = None
        """Nothing more is read while it is there."""
        self._closing: asyncio.TimerHandle | None = None

    # -- the end ------------------------------------------------------------------------------------------------

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self._is_closed:
            self._say_last(close_frame(code))
            self._await_close()

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
            self.gather(server_frame(Opcode.PONG, payload))

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
