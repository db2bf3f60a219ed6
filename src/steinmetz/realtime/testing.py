"""A client inside the test: no port, no server process, the same cores on both sides.

>>> async with connect(io, auth={"token": token}) as client:
...     answer = await client.call("chat:message", {"text": "Hallo"})
...     [message] = await client.heard("chat:message")

How to use it: docs/howto/test-realtime.md.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from steinmetz.realtime.engineio import packet as engineio
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.errors import AckTimeoutError, ConnectError, DisconnectedError
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.memory_transport import MemoryTransport
from steinmetz.realtime.server.server import Server
from steinmetz.realtime.socketio.packet import MAIN_NAMESPACE, Packet, PacketType
from steinmetz.realtime.socketio.parser import Decoder, encode

CLIENT_DISCONNECT = "io client disconnect"
SERVER_DISCONNECT = "io server disconnect"
TRANSPORT_CLOSE = "transport close"
"""Why a connection ended, in the stock client's words."""
OFFSET_MARK = "~"
"""How an offset of connection state recovery begins; the stock client keeps any text that comes last."""


def silent(*_args: Any) -> None:
    """What to give to `InProcessClient.on` for an event that is never acknowledged."""


class InProcessClient:
    """One connection to one namespace, made by `connect`; `of` makes further ones that share the connection."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.id: str | None = None
        """The socket's id, once connected."""
        self.disconnect_reason: str | None = None
        """Why the connection ended: ``io server disconnect`` means stay away; None while it lives."""
        self.recovered = False
        """Whether the last `reconnect` has continued the connection before it, with all that was missed."""
        self.events: list[tuple[str, list[Any]]] = []
        """Every event so far: (name, arguments), without the offsets of connection state recovery."""
        self._unheard: defaultdict[str, deque[list[Any]]] = defaultdict(deque)
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._news = asyncio.Event()
        self._next_ack_id = 0
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}
        self._refusal: ConnectError | None = None
        self._auth: dict[str, Any] | None = None
        self._pid: str | None = None
        self._offset: str | None = None
        self._decoder = Decoder(100_000_000)
        self._client: Client | None = None
        self._transport = self._line()
        self._io: Server | None = None
        self._request: Request | None = None
        self._family: dict[str, InProcessClient] = {namespace: self}
        """The namespaces that share the connection; the first of them owns it."""

    def __repr__(self) -> str:
        return f"<InProcessClient {self.id} in {self.namespace}>"

    # -- connecting ---------------------------------------------------------------------------------------------

    async def _open(self, io: Server, request: Request, auth: Any, timeout_s: float) -> None:
        await io.start()
        self._io, self._request = io, request
        self._client, opening = io.open(self._transport, request)
        self._transport.send(opening)
        await self._connect(auth, timeout_s)

    async def _connect(self, auth: Any, timeout_s: float) -> None:
        self._auth = auth
        self.id, self.disconnect_reason, self._refusal = None, None, None
        shown = {**self.state, **(auth or {})} if self._pid is not None else auth
        self._send(Packet(PacketType.CONNECT, self.namespace, shown))
        await self._until(lambda: self.id is not None or self._is_over, "an answer to CONNECT", timeout_s)
        if self._refusal is not None:
            if len(self._family) == 1:
                self.drop()
            raise self._refusal
        if self.id is None:
            raise DisconnectedError(self.disconnect_reason or "unknown")

    @property
    def state(self) -> dict[str, Any]:
        """What the stock client shows when it comes back: ``pid`` and, once it has heard anything, ``offset``."""
        shown = {"pid": self._pid, "offset": self._offset}
        return {name: value for name, value in shown.items() if value is not None}

    def _resume(self, before: InProcessClient) -> None:
        self._pid, self._offset = before._pid, before._offset

    async def of(
        self, namespace: str, *, auth: dict[str, Any] | None = None, timeout_s: float = 5.0
    ) -> InProcessClient:
        """Connect to another namespace over the same connection.

        Raises `ConnectError` when it is refused, `DisconnectedError` once the connection has ended.
        """
        if namespace in self._family:
            raise ValueError(f"this connection is in {namespace} already")
        first = next(iter(self._family.values()))
        other = InProcessClient(namespace)
        other._family, other._client, other._transport = self._family, first._client, first._transport
        self._family[namespace] = other
        try:
            await other._connect(auth, timeout_s)
        except BaseException:
            del self._family[namespace]
            raise
        return other

    async def reconnect(self, *, auth: dict[str, Any] | None = None, timeout_s: float = 5.0) -> None:
        """Come back over a new connection, as the stock client does when it was cut off; all its namespaces do.

        With the same ``auth`` unless another one is given for this namespace. A server with connection state
        recovery is shown what it needs to continue, and `recovered` says whether it did. Raises as `connect`.
        """
        first = next(iter(self._family.values()))
        first.drop()
        if first._io is None or first._request is None:
            raise DisconnectedError("it was never connected")
        await asyncio.sleep(0)  # what the old connection still said is not of the new one
        first._transport, first._decoder = first._line(), Decoder(100_000_000)
        first._client, opening = first._io.open(first._transport, first._request)
        first._transport.send(opening)
        for client in tuple(self._family.values()):
            client._client, client._transport = first._client, first._transport
            await client._connect(auth if client is self and auth is not None else client._auth, timeout_s)

    @property
    def _is_over(self) -> bool:
        return self.disconnect_reason is not None or self._refusal is not None

    # -- speaking and hearing -----------------------------------------------------------------------------------

    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Any:
        """Answer ``event`` with ``handler(*args)``, a plain function: what it returns is the acknowledgement, a
        tuple is several values, and `silent` never acknowledges. Usable as a decorator.

        An event without a handler is acknowledged with its own arguments.
        """
        if handler is None:
            return partial(self.on, event)
        self._handlers[event] = handler
        return handler

    def emit(self, event: str, *args: Any) -> None:
        """Send an event. Raises `DisconnectedError` once the connection has ended."""
        self._send(Packet(PacketType.EVENT, self.namespace, [event, *args]))

    async def call(self, event: str, *args: Any, timeout_s: float = 5.0) -> Any:
        """Send an event and wait for its acknowledgement; its first value.

        Raises `AckTimeoutError` or `DisconnectedError`.
        """
        self._next_ack_id += 1
        ack_id = self._next_ack_id
        self._answers[ack_id] = answer = asyncio.get_running_loop().create_future()
        try:
            self._send(Packet(PacketType.EVENT, self.namespace, [event, *args], ack_id))
            answers = await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            raise AckTimeoutError(f'no acknowledgement of "{event}" within {timeout_s} s') from None
        finally:
            del self._answers[ack_id]
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
        """Say DISCONNECT and leave the namespace; the last one to leave ends the connection."""
        if not self._is_over:
            self._send(Packet(PacketType.DISCONNECT, self.namespace))
            self._leave(CLIENT_DISCONNECT)
            if all(client._is_over for client in self._family.values()):
                self.drop()
            await asyncio.sleep(0)

    def drop(self) -> None:
        """Vanish without a word, as a laptop does whose lid is closed."""
        if self._client is not None:
            self._client.transport_lost(self._transport)
        self._end(TRANSPORT_CLOSE)

    def stall(self) -> None:
        """Read nothing any more: what the server sends piles up, until it drops it or gives this client up."""
        self._transport.stall()

    def resume(self) -> None:
        """Read what has piled up, and go on."""
        self._transport.resume()

    def _line(self) -> MemoryTransport:
        return MemoryTransport(lambda outgoing: self._receive(outgoing), partial(self._end, TRANSPORT_CLOSE))

    # -- the wire -----------------------------------------------------------------------------------------------

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
        self._put(packet)

    def _put(self, packet: Packet) -> None:
        if self._client is None:
            return
        for part in encode(packet).packets:
            self._client.receive(part.encoded, self._transport)

    def _receive(self, outgoing: Outgoing) -> None:
        for part in outgoing.packets:
            if part.type is engineio.PacketType.PING and self._client is not None:
                self._client.receive("3", self._transport)
            elif part.type is engineio.PacketType.MESSAGE:
                packet = self._decoder.feed(part.data)
                client = self._family.get(packet.namespace) if packet is not None else None
                if packet is not None and client is not None:
                    client._take(packet)
                    client._news.set()

    def _take(self, packet: Packet) -> None:
        if packet.type is PacketType.CONNECT:
            self.id = packet.data["sid"]
            before, self._pid = self._pid, packet.data.get("pid")
            self.recovered = self._pid is not None and before == self._pid
        elif packet.type is PacketType.CONNECT_ERROR:
            self._refusal = ConnectError(packet.data["message"], packet.data.get("data"))
        elif packet.type is PacketType.DISCONNECT:
            self._leave(SERVER_DISCONNECT)
        elif packet.type is PacketType.ACK and packet.id in self._answers:
            answer = self._answers[packet.id]
            if not answer.done():
                answer.set_result(packet.data)
        elif packet.type is PacketType.EVENT:
            self._hear(packet)

    def _hear(self, packet: Packet) -> None:
        name, *args = packet.data
        if self._pid is not None and packet.id is None and args and isinstance(args[-1], str):
            self._offset = args[-1]
            if self._offset.startswith(OFFSET_MARK):
                args.pop()
        self.events.append((name, args))
        self._unheard[name].append(args)
        handler = self._handlers.get(name)
        if handler is None:
            answers = args
        else:
            answer = handler(*args)
            answers = [] if answer is None else list(answer) if isinstance(answer, tuple) else [answer]
        if packet.id is not None and handler is not silent and not self._is_over:
            self._put(Packet(PacketType.ACK, self.namespace, answers, packet.id))

    def _leave(self, reason: str) -> None:
        if self.disconnect_reason is None:
            self.disconnect_reason = reason
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DisconnectedError(reason))
        self._news.set()

    def _end(self, reason: str) -> None:
        for client in self._family.values():
            client._leave(reason)


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

    ``headers``, ``query`` ("a=1&b=2") and ``address`` are those of the handshake. ``resume``: an earlier one, of
    which it is the return; `InProcessClient.recovered` says what came of it. Raises `ConnectError` when a
    middleware refuses it; its ``data`` is what the client is told.
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
        for each in tuple(client._family.values()):
            await each.disconnect()
