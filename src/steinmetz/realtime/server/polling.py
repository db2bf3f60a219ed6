"""HTTP long-polling: GET waits for packets, POST brings some. One poll and one POST at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from steinmetz.realtime.engineio import handshake
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, NOOP, SEPARATOR, Outgoing
from steinmetz.realtime.engineio.payload import decode_payload, encode_payload
from steinmetz.realtime.engineio.session import State
from steinmetz.realtime.errors import EngineIOError, HandshakeError
from steinmetz.realtime.server.backlog import Backlog
from steinmetz.realtime.server.reasons import Reason

if TYPE_CHECKING:
    from steinmetz.realtime.server.client import Client
    from steinmetz.realtime.server.server import Server

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PACKETS_A_TURN = 250
"""Of one payload: it may hold 10,000 packets, and everybody else wants to be served, too."""


class PollingTransport:
    """Keeps what is sent until the next poll takes it."""

    name = TransportName.POLLING
    __slots__ = ("_farewell", "_is_closed", "_poll", "_queue", "_reader", "_server", "sid")

    def __init__(self, server: Server) -> None:
        self.sid = ""
        self._server = server
        self._queue: Backlog[Outgoing] = Backlog()
        self._poll: asyncio.Future[None] | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._farewell: str | None = None
        self._is_closed = False

    @property
    def queued_bytes(self) -> int:
        return self._queue.bytes

    @property
    def is_ready(self) -> bool:
        return self._poll is not None and not self._queue

    @property
    def is_polled(self) -> bool:
        return self._poll is not None

    def send(self, outgoing: Outgoing, key: str | None = None) -> None:
        if self._is_closed:
            return
        if outgoing is NOOP and self._poll is None:
            return
        if self._queue.put(outgoing, outgoing.size, key):
            self._server.statistics.replaced_newest += 1
        self._wake()

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def take_queued(self) -> list[Outgoing]:
        return [outgoing for outgoing in self._queue.take_all() if outgoing is not NOOP]

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._reader is not None:
            self._reader.cancel()
        words = [encode_payload(self._queue.take_all())] if self._queue else []
        # The stock client takes a CLOSE at once but a DISCONNECT in its next tick: what was said must come in a
        # payload of its own, or "io server disconnect" would be heard as "transport close".
        words = [*words, farewell.payload] if linger else [SEPARATOR.join([*words, farewell.payload])]
        if self._poll is not None:
            self._farewell = words.pop(0)
            self._wake()
        if words and linger:
            self._server.farewells.keep(self.sid, words)

    def abort(self) -> None:
        if not self._is_closed:
            self._queue.clear()
            self.close(CloseCode.GOING_AWAY, NOOP)

    async def next_payload(self, receive: Receive) -> str | None:
        """What a poll is answered with, as soon as there is something; None if the client has hung up."""
        if not self._queue and not self._is_closed:
            self._poll = asyncio.get_running_loop().create_future()
            hung_up = asyncio.ensure_future(_disconnected(receive))
            try:
                await asyncio.wait((self._poll, hung_up), return_when=asyncio.FIRST_COMPLETED)
                if not self._poll.done():
                    return None
            finally:
                if not hung_up.cancel() and not hung_up.cancelled():
                    hung_up.exception()  # has been heard: whatever it was, nobody polls any more
                self._poll = None
        if self._farewell is not None:
            return self._farewell
        if self._is_closed:
            return CLOSE.payload
        return encode_payload(self._queue.take_all())

    async def body(self, receive: Receive, limit: int, declared: int | None) -> bytes:
        """What a POST brings, unless the session ends while it trickles in. Raises `HandshakeError`."""
        self._reader = asyncio.current_task()
        try:
            return await _body(receive, limit, declared)
        except asyncio.CancelledError:
            if not self._is_closed or self._reader is None or self._reader.uncancel():
                raise
            raise handshake.bad_request() from None
        finally:
            self._reader = None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def poll(client: Client, receive: Receive) -> str:
    """A GET of an open session. Raises `HandshakeError`."""
    transport = client.transport
    if not isinstance(transport, PollingTransport):
        # The session has been upgraded: "any packet sent on the old transport" is out of place.
        raise handshake.bad_request()
    if transport.is_polled:
        client.close(Reason.TRANSPORT_ERROR)
        raise handshake.bad_request()
    if client.session.state is State.PROBED and not transport.queued_bytes:
        return NOOP.payload
    payload = await transport.next_payload(receive)
    if payload is None:
        client.close(Reason.TRANSPORT_ERROR)
        raise handshake.bad_request()
    return payload


async def post(client: Client, receive: Receive, declared: int | None) -> None:
    """A POST of an open session, ``declared`` bytes long if the client says so. Raises `HandshakeError`."""
    transport = client.transport
    if not isinstance(transport, PollingTransport):
        raise handshake.bad_request()
    if client.is_posting:
        client.close(Reason.TRANSPORT_ERROR)
        raise handshake.bad_request()
    client.is_posting = True
    try:
        body = await transport.body(receive, client.max_message, declared)
        client.server.statistics.bytes_in += len(body)
        packets = decode_payload(body)
        for number, packet in enumerate(packets, 1):
            client.take(packet)
            if client.session.is_closed:
                break
            if number % PACKETS_A_TURN == 0:
                await asyncio.sleep(0)
    except HandshakeError:
        if client.transport is transport:  # else a WebSocket has taken over meanwhile, and goes on
            client.server.statistics.refused[Reason.TRANSPORT_ERROR] += 1
            client.close(Reason.TRANSPORT_ERROR)
        raise
    except EngineIOError:
        client.server.statistics.refused[Reason.PARSE_ERROR] += 1
        client.close(Reason.PARSE_ERROR)
        raise handshake.bad_request() from None
    finally:
        client.is_posting = False


async def _body(receive: Receive, limit: int, declared: int | None) -> bytes:
    """At most ``limit`` bytes, counted while they come."""
    if declared is not None and declared > limit:
        raise HandshakeError(3, "Payload too large", 413)
    body = bytearray()  # not a list of pieces: of two bytes each, they would weigh twenty times as much
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise handshake.bad_request()
        piece = message.get("body", b"")
        if len(body) + len(piece) > limit:
            raise HandshakeError(3, "Payload too large", 413)
        body += piece
        if not message.get("more_body", False):
            return bytes(body)
