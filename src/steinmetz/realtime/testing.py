"""A client inside the test: no port, no server process, the same cores on both sides.

>>> async with connect(io, auth={"token": token}) as client:
...     answer = await client.call("chat:message", {"text": "Hallo"})
...     [message] = await client.heard("chat:message")
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.engineio.packet import CLOSE, Outgoing
from steinmetz.realtime.errors import AckTimeoutError, ConnectError, DisconnectedError
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.server import Server
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, Packet, PacketType
from steinmetz.realtime.socketio.parser import Decoder, encode


class MemoryTransport:
    """Hands what the server sends to the client in the next turn of the loop."""

    name = TransportName.WEBSOCKET

    def __init__(self, client: InProcessClient) -> None:
        self._client = client
        self._is_closed = False

    @property
    def queued_bytes(self) -> int:
        return 0

    @property
    def is_ready(self) -> bool:
        return True

    def send(self, outgoing: Outgoing) -> None:
        if not self._is_closed:
            asyncio.get_running_loop().call_soon(self._client._receive, outgoing)

    def take_queued(self) -> list[Outgoing]:
        return []

    def close(self, code: CloseCode, farewell: Outgoing = CLOSE, *, linger: bool = False) -> None:
        if not self._is_closed:
            self._is_closed = True
            asyncio.get_running_loop().call_soon(self._client._end, "transport close")

    def abort(self) -> None:
        self.close(CloseCode.GOING_AWAY)


class InProcessClient:
    """One connection to one namespace. Made by `connect`."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.id: str | None = None
        """The socket's id, once connected."""
        self.recovered = False
        """Whether it is the socket from before, as the stock client sees it."""
        self.disconnect_reason: str | None = None
        """Why the connection ended: ``io server disconnect`` means stay away; None while it lives."""
        self.events: list[tuple[str, list[Any]]] = []
        """Every event so far: (name, arguments), without offsets."""
        self._pid: str | None = None
        self._offset: str | None = None
        self._unheard: defaultdict[str, deque[list[Any]]] = defaultdict(deque)
        self._news = asyncio.Event()
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}
        self._refusal: ConnectError | None = None
        self._decoder = Decoder(100_000_000)
        self._client: Client | None = None
        self._transport = MemoryTransport(self)

    @property
    def state(self) -> dict[str, Any]:
        """What the stock client shows when it comes back: ``pid`` and, once it has heard anything, ``offset``."""
        shown = {"pid": self._pid, "offset": self._offset}
        return {name: value for name, value in shown.items() if value is not None}

    def _resume(self, before: InProcessClient) -> None:
        self._pid, self._offset = before._pid, before._offset

    async def _open(self, io: Server, request: Request, auth: Any, timeout_s: float) -> None:
        await io.start()
        if self._pid is not None:
            auth = {**self.state, **(auth or {})}
        self._client, opening = io.open(self._transport, request)
        self._transport.send(opening)
        self._send(Packet(PacketType.CONNECT, self.namespace, auth))
        await self._until(lambda: self.id is not None or self._is_over, "an answer to CONNECT", timeout_s)
        if self._refusal is not None:
            self.drop()
            raise self._refusal
        if self.id is None:
            raise DisconnectedError(self.disconnect_reason or "unknown")

    @property
    def _is_over(self) -> bool:
        return self.disconnect_reason is not None or self._refusal is not None

    def emit(self, event: str, *args: Any) -> None:
        """Send an event. Raises `DisconnectedError` once the connection has ended."""
        self._send(Packet(PacketType.EVENT, self.namespace, [event, *args]))

    async def call(self, event: str, *args: Any, timeout_s: float = 5.0) -> Any:
        """Send an event and wait for its acknowledgement; its first value.

        Raises `AckTimeoutError` or `DisconnectedError`.
        """
        ack_id = len(self._answers)
        self._answers[ack_id] = answer = asyncio.get_running_loop().create_future()
        self._send(Packet(PacketType.EVENT, self.namespace, [event, *args], ack_id))
        try:
            answers = await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            raise AckTimeoutError(f'no acknowledgement of "{event}" within {timeout_s} s') from None
        return answers[0] if answers else None

    async def heard(self, event: str, timeout_s: float = 5.0) -> list[Any]:
        """The arguments of the next ``event`` that was not asked for yet. Raises `TimeoutError`."""
        await self._until(lambda: bool(self._unheard[event]), f'"{event}"', timeout_s)
        return self._unheard[event].popleft()

    async def disconnected(self, timeout_s: float = 5.0) -> str:
        """Wait for the end; the reason. Raises `TimeoutError`."""
        await self._until(lambda: self.disconnect_reason is not None, "the end", timeout_s)
        return self.disconnect_reason or ""

    async def disconnect(self) -> None:
        """Say DISCONNECT and leave."""
        if not self._is_over:
            self._send(Packet(PacketType.DISCONNECT, self.namespace))
            await self.disconnected()

    def drop(self) -> None:
        """Vanish without a word, as a laptop does whose lid is closed."""
        if self._client is not None:
            self._client.transport_lost(self._transport)
        self._end("transport close")

    async def _until(self, condition: Any, what: str, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"{what} did not come within {timeout_s} s") from None

    def _send(self, packet: Packet) -> None:
        if self._client is None or self._is_over:
            raise DisconnectedError(self.disconnect_reason or "it was refused")
        for part in encode(packet).packets:
            self._client.receive(part.encoded, self._transport)

    def _receive(self, outgoing: Outgoing) -> None:
        for part in outgoing.packets:
            if part.type is engineio.PacketType.PING and self._client is not None:
                self._client.receive("3", self._transport)
            elif part.type is engineio.PacketType.MESSAGE:
                packet = self._decoder.feed(part.data)
                if packet is not None:
                    self._take(packet)
        self._news.set()

    def _take(self, packet: Packet) -> None:
        if packet.type is PacketType.CONNECT:
            self.id = packet.data["sid"]
            pid = packet.data.get("pid")
            self.recovered = pid is not None and pid == self._pid
            self._pid = pid
        elif packet.type is PacketType.CONNECT_ERROR:
            self._refusal = ConnectError(packet.data["message"], packet.data.get("data"))
        elif packet.type is PacketType.DISCONNECT:
            self._end("io server disconnect")
        elif packet.type is PacketType.ACK and packet.id in self._answers:
            answer = self._answers[packet.id]
            if not answer.done():
                answer.set_result(packet.data)
        elif packet.type is PacketType.EVENT:
            if self._pid is not None and packet.id is None and isinstance(packet.data[-1], str):
                self._offset = packet.data[-1]
                if self._offset.startswith("~"):
                    packet.data.pop()
            name, *args = packet.data
            if packet.id is not None:
                self._send(Packet(PacketType.ACK, self.namespace, args, packet.id))
            self.events.append((name, args))
            self._unheard[name].append(args)

    def _end(self, reason: str) -> None:
        if self.disconnect_reason is None:
            self.disconnect_reason = reason
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DisconnectedError(reason))
        self._news.set()


@asynccontextmanager
async def connect(
    io: Server,
    *,
    auth: dict[str, Any] | None = None,
    namespace: str = MAIN_NAMESPACE,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    address: str = "127.0.0.1",
    timeout_s: float = 5.0,
    resume: InProcessClient | None = None,
) -> AsyncIterator[InProcessClient]:
    """A connected client, which disconnects at the end of the block; it acknowledges events with their arguments.

    ``resume``: an earlier one, of which it is the return; `InProcessClient.recovered` says what came of it.

    Raises `ConnectError` when a middleware refuses it.
    """
    request = Request(
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()],
        query.encode(),
        address,
        secure=False,
        time=io.clock.now(),
    )
    client = InProcessClient(namespace)
    if resume is not None:
        client._resume(resume)
    await client._open(io, request, auth, timeout_s)
    try:
        yield client
    finally:
        await client.disconnect()
