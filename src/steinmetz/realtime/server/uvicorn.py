"""The fast door: WebSockets of this endpoint on a protocol of our own, below uvicorn's ASGI layer.

No ASGI task, no queue, no writer: a frame that was built once is written to the socket as it is. What is not for
this endpoint goes to uvicorn's own class. Whoever owns uvicorn's HTTP protocol class calls `NativeDoor.upgrade`
from an overridden `handle_websocket_upgrade` (trap T22: uvicorn would set a delegate's protocol too late, and drop
what the client sent behind its request); `with_doors` makes such a class of uvicorn's.
"""

from __future__ import annotations

import binascii
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from steinmetz.realtime.engineio import deflate
from steinmetz.realtime.engineio.frames import accept_key
from steinmetz.realtime.engineio.handshake import read_wish
from steinmetz.realtime.errors import HandshakeError
from steinmetz.realtime.server.asgi import (
    as_request,
    count,
    header,
    join,
    peer_of,
    refusal_body,
    refusal_of,
    request_of,
    retry_after,
)
from steinmetz.realtime.server.native import NativeWebSocket

if TYPE_CHECKING:
    from steinmetz.realtime.server.handshake import Request
    from steinmetz.realtime.server.server import Server

MAX_HEAD_BYTES = 131_072
"""Of the head of any request; the parser has no bound of its own. A class that derives may be stricter."""


class NativeDoor:
    """Turns upgrade requests for a realtime server into `NativeWebSocket` connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._proxy: ProxyHeadersMiddleware | None = None

    def takes(self, path: str) -> bool:
        """Whether an upgrade request for ``path`` is for this door."""
        return self._server.takes(path)

    def takes_url(self, url: bytes) -> bool:
        """The same for a raw request target."""
        return url.startswith(b"/") and self.takes(url.partition(b"?")[0].decode("latin-1"))

    def begin_shutdown(self) -> None:
        """uvicorn has begun to shut down: polls that wait would hold it up until their next ping."""
        self._server.begin_shutdown()

    def upgrade(self, http: HttpToolsProtocol, trailing: bytes) -> None:
        """Take the connection over from ``http``, whose parser has just seen an upgrade request for this door.

        ``trailing`` is what the client has sent behind that request.
        """
        transport = http.transport
        http._unset_keepalive_if_required()
        http.connections.discard(http)
        http.server_state.total_requests += 1
        deflates = self._deflates(http.scope["headers"])
        over_tls = http.scheme == "https"
        websocket = NativeWebSocket(
            self._server, transport, http.connections, deflates=deflates, over_tls=over_tls
        )
        try:
            answer = self._answer(http, websocket)
        except HandshakeError as refusal:
            count(self._server, refusal)
            self._server.engine.refused(refusal, lambda: self._request(http))
            transport.write(_refusal(refusal))
            transport.close()
        else:
            cast("set[Any]", http.connections).add(websocket)
            transport.write(answer)
            transport.set_protocol(websocket)
            _unlink(http)
            if trailing:
                websocket.data_received(trailing)

    def _deflates(self, headers: Any) -> bool:
        """Whether permessage-deflate is offered in a form that is used here (RFC 7692)."""
        if self._server.config.deflate_threshold is None:
            return False
        # RFC 6455 9.1: the field "MAY appear multiple times", which is the same as once with all of its values.
        offers = [value.decode("latin-1") for name, value in headers if name == b"sec-websocket-extensions"]
        return deflate.accepts(", ".join(offers))

    def _answer(self, http: HttpToolsProtocol, websocket: NativeWebSocket) -> bytes:
        """101 and, for a new session, the OPEN packet in the same write. Raises `HandshakeError`."""
        if http.cycle is not None and not http.cycle.response_complete:
            raise HandshakeError(3, "An upgrade waits for the answer to the request before it")
        headers = cast("list[tuple[bytes, bytes]]", http.scope["headers"])
        accept = accept_key(_key(http.scope["method"], headers))
        query = http.url.partition(b"?")[2]
        wish = read_wish(query, "GET", is_upgrade=True)
        self._server.serve()
        refusal = refusal_of(self._server, headers)
        opening = b""
        scope = self._scope(http, query)
        if wish.sid is None:
            request = request_of(scope, self._server)
            websocket.client, outgoing = self._server.open(websocket, request, refusal)
            opening = outgoing.frames
        else:
            address = peer_of(scope, self._server).address
            websocket.client = join(self._server, wish.sid, websocket, address, refusal)
            if websocket.client is None:
                opening = websocket.end_before_it_began()
        extensions = b"\r\nSec-WebSocket-Extensions: " + deflate.ACCEPTED if websocket.deflates else b""
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + extensions + b"\r\n\r\n" + opening
        )

    def _request(self, http: HttpToolsProtocol) -> Request:
        return as_request(self._scope(http, http.url.partition(b"?")[2]), self._server)

    def _scope(self, http: HttpToolsProtocol, query: bytes) -> dict[str, Any]:
        """What uvicorn would tell an application, its trust in proxies included (trap T21)."""
        scope: dict[str, Any] = {
            "type": "websocket",
            "headers": http.scope["headers"],
            "query_string": query,
            "client": http.client,
            "scheme": "wss" if http.scheme == "https" else "ws",
        }
        if http.config.proxy_headers:
            if self._proxy is None:
                self._proxy = ProxyHeadersMiddleware(cast("Any", _nothing), http.config.forwarded_allow_ips)
            # It only rewrites the scope and calls an application that does nothing: it never waits.
            _run_through(self._proxy(cast("Any", scope), cast("Any", None), cast("Any", None)))
        return scope


async def _nothing(*_args: Any) -> None:
    return None


def _run_through(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("uvicorn's proxy middleware waits for something; it did not when this was written")


def _key(method: str, headers: Any) -> bytes:
    """The valid ``Sec-WebSocket-Key`` of a valid request (section 4.2.1). Raises `HandshakeError`."""
    if header(headers, b"sec-websocket-version") != "13":
        raise HandshakeError(3, "WebSocket version 13 is needed", 426)
    key = (header(headers, b"sec-websocket-key") or "").encode("latin-1")
    try:
        is_valid = method == "GET" and len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except binascii.Error:
        is_valid = False
    if not is_valid:
        raise HandshakeError(3, "Bad request")
    return key


def _refusal(refusal: HandshakeError) -> bytes:
    body = refusal_body(refusal)
    more = "Sec-WebSocket-Version: 13\r\n" if refusal.status == 426 else ""
    more += "".join(f"Retry-After: {seconds.decode()}\r\n" for _, seconds in retry_after(refusal))
    return (
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    ).encode() + body


def _unlink(http: HttpToolsProtocol) -> None:
    """Trap T23: each upgrade would leave 29 objects in cycles until the collector comes."""
    left = cast("Any", http)
    left.parser = left.cycle = left.scope = left.headers = left.flow = left.transport = None
    http.pipeline.clear()


def with_doors(*doors: NativeDoor, base: type[HttpToolsProtocol] = HttpToolsProtocol) -> type[HttpToolsProtocol]:
    """A class for uvicorn's ``http=`` that sends an upgrade request through the first door that takes it."""

    class HttpWithDoors(base):  # type: ignore[valid-type, misc]  # mypy knows no computed base class
        _received = b""
        _is_head = False
        _head_bytes = 0

        def data_received(self, data: bytes) -> None:
            self._received = data
            super().data_received(data)
            self._received = b""
            if self._is_head:
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD_BYTES:
                    self.transport.write(_refusal(HandshakeError(3, "Request header fields too large", 431)))
                    self.transport.close()

        def on_message_begin(self) -> None:
            self._is_head, self._head_bytes = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._is_head = False
            super().on_headers_complete()

        def handle_websocket_upgrade(self) -> None:
            trailing = trailing_bytes(self._received)
            for door in doors:
                if door.takes_url(self.url):
                    door.upgrade(self, trailing)
                    return
            super().handle_websocket_upgrade()
            if trailing:
                self.transport.get_protocol().data_received(trailing)

        def shutdown(self) -> None:
            for door in doors:
                door.begin_shutdown()
            super().shutdown()

    return HttpWithDoors


def trailing_bytes(received: bytes) -> bytes:
    """What came behind the upgrade request in the same read.

    To be called inside `handle_websocket_upgrade`: uvicorn calls that while it handles the parser's
    ``HttpParserUpgrade``, which knows where the request ended.
    """
    error = sys.exc_info()[1]
    if error is None or not error.args or not isinstance(error.args[0], int):
        return b""
    return received[error.args[0] :]
