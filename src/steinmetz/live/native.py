"""The door for uvicorn: one HTTP protocol class through which the sockets reach realtime below ASGI.

uvicorn takes a class for ``http=``. This is the only module that knows uvicorn on behalf of more than one part:
the realtime server's upgrades are chosen here (trap T22), and so will be answers from the parser's callback.

    uvicorn.run(live, http=protocol_class(live.io))

uvicorn itself sets no end to the head of a request, nor to the time that one takes to arrive; this class does.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steinmetz.realtime import Server

MAX_HEAD_BYTES = 65_536
MAX_HEAD_FIELDS = 100
PATIENCE_S = 20.0
"""How often a connection is looked at: whoever owes the rest of a request is closed at the second look."""
SLOWEST_BYTES_A_SECOND = 500

NOT_HTTP = (400, "This is not a request of HTTP/1.1 (RFC 9112). The connection is closed.")
HEAD_TOO_LARGE = (431, f"The head of a request has at most {MAX_HEAD_BYTES} bytes and {MAX_HEAD_FIELDS} fields.")
NOT_ONE_HOST = (400, "A request needs one Host field, and only one.")
TOO_SLOW = (408, "The request did not arrive in time. The connection is closed; send it again.")

Refusal = Callable[[int, str], tuple[str, bytes]]
"""(status, what is wrong) -> media type and body of the answer."""


def plain_refusal(status: int, detail: str) -> tuple[str, bytes]:
    return "text/plain; charset=utf-8", detail.encode()


def protocol_class(io: Server | None, refusal: Refusal = plain_refusal) -> type[Any] | str:
    """What to give to uvicorn as ``http=``; ``refusal`` words the answer to what is not even a request.

    Without the fast parser httptools it is uvicorn's own choice (``"auto"``), and everything goes through ASGI:
    slower, and with uvicorn's own bounds and words.
    """
    try:
        from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
    except ImportError:
        return "auto"
    return bounded(with_doors(*([NativeDoor(io)] if io is not None else [])), refusal)


class _RefusedError(Exception):
    """Raised in a callback of the parser, so that it stops."""


def bounded(base: Any, refusal: Refusal) -> type[Any]:
    """``base``, a protocol class of uvicorn on httptools, with bounds for what a client sends and how slowly."""

    class BoundedHttp(base):  # type: ignore[misc]  # mypy knows no computed base class
        _is_arriving = False
        """A request has begun to arrive and is not complete."""
        _is_head = False
        _is_head_new = False
        """It began in the read that is being parsed."""
        _head_bytes = 0
        """What came of an unfinished head in reads of its own."""
        _first_bytes = 0
        """The read in which it began, which may hold other requests before it."""
        _chunk_bytes = 0
        _received_bytes = 0
        _received_at_last_look = 0
        _owed_at_last_look = False
        _completed = 0
        _completed_at_last_look = 0
        _refusal = NOT_HTTP
        _patience: Any = None
        _answering: Any = None
        """The exchange that is being answered; with pipelining, uvicorn only remembers the one read last."""

        def connection_made(self, transport: Transport) -> None:
            super().connection_made(transport)
            self._patience = self.loop.call_later(PATIENCE_S, self._look)

        def connection_lost(self, exc: Exception | None) -> None:
            self._patience.cancel()
            answering, self._answering = self._answering, None
            if answering is not None and not answering.response_complete:
                answering.disconnected = True
                answering.message_event.set()
            super().connection_lost(exc)

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            self._answering = cycle
            super()._start_asgi_task(cycle, app)

        def handle_websocket_upgrade(self) -> None:
            self._patience.cancel()
            self._answering = None
            super().handle_websocket_upgrade()

        # -- how much

        def data_received(self, data: bytes) -> None:
            self._chunk_bytes = len(data)
            self._received_bytes += self._chunk_bytes
            super().data_received(data)
            if not self._is_head:
                return
            if self._is_head_new:
                self._is_head_new, self._first_bytes = False, self._chunk_bytes
                return
            self._head_bytes += self._chunk_bytes
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(*HEAD_TOO_LARGE)

        def on_message_begin(self) -> None:
            self._is_arriving = self._is_head = self._is_head_new = True
            self._head_bytes = self._first_bytes = 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._is_head = False
            headers = self.headers
            at_most = self._first_bytes + self._head_bytes + self._chunk_bytes
            if (at_most > MAX_HEAD_BYTES and self._size() > MAX_HEAD_BYTES) or len(headers) > MAX_HEAD_FIELDS:
                self._refusal = HEAD_TOO_LARGE
                raise _RefusedError
            # "A server MUST respond with a 400 status code to any HTTP/1.1 request message that lacks a Host
            # header field and to any request message that contains more than one" (RFC 9112, 3.2): two servers in
            # a row might each believe another one.
            hosts = [name for name, _ in headers if name == b"host"]
            if len(hosts) != 1 and (hosts or self.parser.get_http_version() == "1.1"):
                self._refusal = NOT_ONE_HOST
                raise _RefusedError
            super().on_headers_complete()

        def _size(self) -> int:
            return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

        def on_message_complete(self) -> None:
            self._is_arriving = False
            self._completed += 1
            super().on_message_complete()

        # -- how long

        def _look(self) -> None:
            if self.transport is None or self.transport.is_closing():
                return
            came = self._received_bytes - self._received_at_last_look
            is_stalled = self._completed == self._completed_at_last_look and (
                came < PATIENCE_S * SLOWEST_BYTES_A_SECOND
            )
            owes = self._client_owes()
            if owes and self._owed_at_last_look and is_stalled:
                self._refuse(*TOO_SLOW)
                return
            self._owed_at_last_look = owes
            self._received_at_last_look = self._received_bytes
            self._completed_at_last_look = self._completed
            self._patience = self.loop.call_later(PATIENCE_S, self._look)

        def _client_owes(self) -> bool:
            """Whether we wait for the client, without uvicorn's own timer between two requests."""
            if self.flow.read_paused or self.timeout_keep_alive_task is not None:
                return False
            is_our_turn = self.cycle is not None and not self.cycle.response_complete
            return self._is_arriving or not is_our_turn

        # -- no

        def send_400_response(self, msg: str) -> None:
            self._refuse(*self._refusal)

        def _refuse(self, status: int, detail: str) -> None:
            """Say so and close; where an answer is half-way out only close: nobody could tell the two apart."""
            if self.transport.is_closing():
                return
            if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
                self.transport.write(_answer(status, *refusal(status, detail)))
            self.transport.close()

    return BoundedHttp


def _answer(status: int, media_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
