"""The endpoint as an ASGI application: handshakes, refusals and CORS, for any ASGI server."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import orjson

from steinmetz.realtime.engineio import handshake
from steinmetz.realtime.engineio.frames import CloseCode
from steinmetz.realtime.engineio.handshake import Wish, read_wish
from steinmetz.realtime.engineio.proxies import Peer
from steinmetz.realtime.errors import ConnectError, HandshakeError
from steinmetz.realtime.server.client import Client
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.polling import PollingTransport, poll, post
from steinmetz.realtime.server.websocket import WebSocketTransport

if TYPE_CHECKING:
    from steinmetz.realtime.server.server import Server

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ORIGIN_NOT_ALLOWED = "Origin not allowed"
MAX_HEADER_FIELDS = 100
MAX_HEADER_BYTES = 16_384
"""Of the request that opens a session: they are kept with it."""


class RealtimeApp:
    """Serves the endpoint; what is not for `Config.path` goes to ``other``, if there is one, or is not found.

    Mounted below another application it takes every path it is given. Without ``other`` it answers the lifespan.
    """

    def __init__(self, server: Server, other: App | None = None, *, mounted: bool = False) -> None:
        self._server = server
        self._other = other
        self._mounted = mounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        is_ours = kind != "lifespan" and (self._mounted or self._server.takes(scope["path"]))
        if is_ours and kind == "http":
            await self._http(scope, receive, send)
        elif is_ours and kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._other is not None:
            await self._other(scope, receive, send)
        elif kind == "http":
            await _respond(send, 404, b"Not found", [])
        else:
            await receive()
            await send({"type": "websocket.close", "code": int(CloseCode.POLICY_VIOLATION)})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._other is None:
            await receive()
            await self._server.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._server.shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return

        async def receive_and_close() -> MutableMapping[str, Any]:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._server.shutdown()
            return message

        await self._other(scope, receive_and_close, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        origin = header(headers, b"origin")
        if not self._server.origin_allowed(origin, header(headers, b"host")):
            self._server.statistics.refused[ORIGIN_NOT_ALLOWED] += 1
            refusal = handshake.forbidden(ORIGIN_NOT_ALLOWED)
            self._server.engine.refused(refusal, lambda: as_request(scope, self._server))
            await _refuse(send, refusal, [(b"vary", b"Origin")])
            return
        cors = _cors(origin, self._server.config.cors_origins)
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, b"", [*cors, *_PREFLIGHT])
            return
        try:
            wish = read_wish(scope["query_string"], scope["method"], is_upgrade=False)
            self._server.serve()
            body = await self._polling(scope, receive, wish)
        except HandshakeError as error:
            count(self._server, error)
            self._server.engine.refused(error, lambda: as_request(scope, self._server))
            await _refuse(send, error, cors)
        else:
            await _respond(send, 200, body.encode(), cors)

    async def _polling(self, scope: Scope, receive: Receive, wish: Wish) -> str:
        if wish.sid is None:
            transport = PollingTransport(self._server)
            client, opening = self._server.open(transport, request_of(scope, self._server))
            transport.sid = client.session.sid
            return opening.payload
        if scope["method"] == "GET" and (farewell := self._server.farewells.take(wish.sid)) is not None:
            return farewell
        client = self._server.sessions.client(wish.sid)
        if scope["method"] == "GET":
            return await poll(client, receive)
        await post(client, receive, _content_length(scope["headers"]))
        return "ok"

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        transport = WebSocketTransport(self._server, send)
        client: Client | None = None
        try:
            wish = read_wish(scope["query_string"], "GET", is_upgrade=True)
            self._server.serve()
            refusal = refusal_of(self._server, scope["headers"])
            if wish.sid is None:
                client, opening = self._server.open(transport, request_of(scope, self._server), refusal)
                await send({"type": "websocket.accept"})
                transport.send(opening)
            else:
                address = peer_of(scope, self._server).address
                client = join(self._server, wish.sid, transport, address, refusal)
                await send({"type": "websocket.accept"})
                if client is None:
                    await send({"type": "websocket.close", "code": int(CloseCode.POLICY_VIOLATION)})
                    return
            await transport.read(client, receive)
        except HandshakeError as error:
            count(self._server, error)
            self._server.engine.refused(error, lambda: as_request(scope, self._server))
            await _refuse_websocket(scope, send, error)
        except OSError:
            if client is not None:
                client.transport_lost(transport)


def header(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The first value of ``name`` (lower case)."""
    for found, value in headers:
        if found == name:
            return value.decode("latin-1")
    return None


def peer_of(scope: Scope, server: Server) -> Peer:
    """Where the request comes from, as far as the ASGI server and trusted proxies know."""
    client = scope.get("client")
    seen = Peer(client[0] if client else "", scope.get("scheme") in ("https", "wss"))
    return server.proxies.peer(seen, scope["headers"]) if server.proxies else seen


def request_of(scope: Scope, server: Server) -> Request:
    """What of the request is kept as long as its session. Raises `HandshakeError` for too much of it."""
    headers = scope["headers"]
    if len(headers) > MAX_HEADER_FIELDS or sum(len(n) + len(value) for n, value in headers) > MAX_HEADER_BYTES:
        server.statistics.refused["header fields"] += 1
        raise HandshakeError(3, "Request header fields too large", 431)
    return as_request(scope, server)


def as_request(scope: Scope, server: Server) -> Request:
    """The request as it is, for somebody who only looks at it."""
    headers, peer = scope["headers"], peer_of(scope, server)
    return Request(
        headers,
        scope["query_string"],
        peer.address,
        secure=peer.secure,
        time=server.clock.now(),
        path=server.config.path,
    )


def refusal_of(server: Server, headers: list[tuple[bytes, bytes]]) -> ConnectError | None:
    """A foreign page's WebSocket is accepted only to be told why it is refused: browsers show no HTTP body."""
    if server.origin_allowed(header(headers, b"origin"), header(headers, b"host")):
        return None
    server.statistics.refused[ORIGIN_NOT_ALLOWED] += 1
    return ConnectError(ORIGIN_NOT_ALLOWED)


def join(server: Server, sid: str, transport: Any, address: str, refusal: ConnectError | None) -> Client | None:
    """A WebSocket from ``address`` that wants to take a polling session over. Raises `HandshakeError`.

    None if the session has a WebSocket already: the reference server accepts the second one and closes it, and the
    public test suite takes nothing else. The address need not be that of the session: a device with two networks,
    or two versions of IP, changes it from one request to the next. It is the sid that nobody can guess; tries are
    counted against the address they come from.
    """
    if refusal is not None:
        raise handshake.forbidden(refusal.message)
    server.sessions.charge_upgrade(address)
    client = server.sessions.client(sid)
    return client if client.open_probe(transport) else None


def count(server: Server, refusal: HandshakeError) -> None:
    """Count a request that opens or joins nothing; the other refusals are counted by whoever makes them."""
    if refusal.status in (400, 413, 426):
        server.statistics.refused["bad request"] += 1


def _content_length(headers: list[tuple[bytes, bytes]]) -> int | None:
    value = header(headers, b"content-length")
    return int(value) if value is not None and value.isascii() and value.isdigit() else None


_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
]


def _cors(origin: str | None, allowed: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
    """The origin has been allowed already. Credentials only for origins that are listed by name."""
    if origin is None:
        return []
    if origin in allowed:
        credentials = [(b"access-control-allow-credentials", b"true")]
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin"), *credentials]
    if "*" in allowed:
        return [(b"access-control-allow-origin", b"*")]
    return [(b"vary", b"Origin")]


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    kind = b"application/json" if body.startswith(b"{") else b"text/plain; charset=UTF-8"
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def refusal_body(refusal: HandshakeError) -> bytes:
    return orjson.dumps({"code": refusal.code, "message": refusal.message})


def retry_after(refusal: HandshakeError) -> list[tuple[bytes, bytes]]:
    """The header of that name (RFC 9110, 10.2.3), in whole seconds, if it may be tried again."""
    if refusal.retry_after_s is None:
        return []
    return [(b"retry-after", str(math.ceil(refusal.retry_after_s)).encode())]


async def _refuse(send: Send, refusal: HandshakeError, headers: list[tuple[bytes, bytes]]) -> None:
    await _respond(send, refusal.status, refusal_body(refusal), [*headers, *retry_after(refusal)])


async def _refuse_websocket(scope: Scope, send: Send, refusal: HandshakeError) -> None:
    """The HTTP answer where the server can give one (ASGI extension), else a bare close."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": int(CloseCode.POLICY_VIOLATION)})
        return
    await send(
        {
            "type": "websocket.http.response.start",
            "status": refusal.status,
            "headers": [(b"content-type", b"application/json"), *retry_after(refusal)],
        }
    )
    await send({"type": "websocket.http.response.body", "body": refusal_body(refusal)})
