"""The door for uvicorn: one HTTP protocol class through which the sockets reach realtime below ASGI.

uvicorn takes a class for ``http=``. This is the only module that knows uvicorn on behalf of more than one part:
the realtime server's upgrades are chosen here (trap T22), and kept answers are given before anything is parsed.

    uvicorn.run(live, http=protocol_class(live.io, hits=live.native_hits()))

uvicorn itself sets no end to the head of a request, nor to the time that one takes to arrive; this class does.
"""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from steinmetz.clock import perf_ns

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from steinmetz.cache.hits.native import NativeHits
    from steinmetz.cache.hits.passage import Leaving
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


def protocol_class(
    io: Server | None, refusal: Refusal = plain_refusal, *, hits: NativeHits | None = None
) -> type[Any] | str:
    """What to give to uvicorn as ``http=``; ``refusal`` words the answer to what is not even a request, and
    ``hits`` answers requests from a cache.

    Without the fast parser httptools it is uvicorn's own choice (``"auto"``), and everything goes through ASGI:
    slower, and with uvicorn's own bounds and words.
    """
    try:
        from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
    except ImportError:
        return "auto"
    found = bounded(with_doors(*([NativeDoor(io)] if io is not None else [])), refusal)
    return found if hits is None else answering(found, hits)


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

        def on_header(self, name: bytes, value: bytes) -> None:
            super().on_header(name, value)
            # Not only when they are complete: until then ten thousand small ones would weigh 20 times as much.
            if len(self.headers) > MAX_HEAD_FIELDS:
                self._refusal = HEAD_TOO_LARGE
                raise _RefusedError

        def on_headers_complete(self) -> None:
            self._is_head = False
            headers = self.headers
            at_most = self._first_bytes + self._head_bytes + self._chunk_bytes
            if at_most > MAX_HEAD_BYTES and self._size() > MAX_HEAD_BYTES:
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


MOST_AT_ONCE_BYTES = 65_536
"""Answers written for one read; whoever has sent more requests than that waits for his turn (trap T19)."""
END = b"\r\n\r\n"


def answering(base: Any, hits: NativeHits) -> type[Any]:
    """``base``, made by `bounded`, that gives ``hits`` while nothing else is under way on a connection.

    A request is given to ``hits`` only as a whole: the bytes up to its first empty line, come in one read, with no
    request before it that is unanswered or incomplete. Everything else ``base`` gets as it came.
    """
    from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

    forwarding: WeakKeyDictionary[Any, _Forwarding] = WeakKeyDictionary()
    answer = hits.answer

    class AnsweringHttp(base):  # type: ignore[misc]  # mypy knows no computed base class
        _peer: Any = None
        _last_hit_ns = 0

        def connection_made(self, transport: Transport) -> None:
            super().connection_made(transport)
            config, forwarded = self.config, None
            if config.proxy_headers:
                proxies = forwarding.get(config)
                if proxies is None:
                    proxies = forwarding[config] = _Forwarding(config.forwarded_allow_ips)
                if proxies.trusts(self.client):
                    forwarded = proxies.told
            self._peer = hits.peer(
                scheme=self.scheme,
                client=self.client,
                server=self.server,
                root_path=self.root_path,
                forwarded=forwarded,
                log=self._log_access if self.access_log else None,
            )

        def data_received(self, data: bytes) -> None:
            cycle = self.cycle
            if (
                self._is_arriving
                or (cycle is not None and not cycle.response_complete)
                or self.flow.write_paused
                or self.transport.is_closing()
                or (self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency)
            ):
                super().data_received(data)
                return
            started_ns = perf_ns()
            whole = answer(data, self._peer, self.server_state.default_headers, started_ns)
            if whole is not None:
                self._give(whole, started_ns)
            elif rest := self._answer_several(data):
                super().data_received(rest)

        def _give(self, whole: bytes, started_ns: int) -> None:
            self.transport.write(whole)
            self.server_state.total_requests += 1
            self._last_hit_ns = started_ns
            if self.timeout_keep_alive_task is None:
                self._await_next(self.timeout_keep_alive)

        def _answer_several(self, data: bytes) -> bytes:
            """Give what may be given of the requests in ``data``, in their order; the rest is the parser's."""
            begin, end, written = 0, data.find(END) + len(END), 0
            if end == len(data):
                return data  # the one that was no hit
            while end >= len(END) and written < MOST_AT_ONCE_BYTES and not self.flow.write_paused:
                started_ns = perf_ns()
                whole = answer(data[begin:end], self._peer, self.server_state.default_headers, started_ns)
                if whole is None:
                    break
                self._give(whole, started_ns)
                written += len(whole)
                begin, end = end, data.find(END, end) + len(END)
            return data[begin:]

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.pipeline and not self.transport.is_closing():
                # uvicorn reads on after each answer, however many requests wait for theirs.
                self.flow.pause_reading()

        def _await_next(self, patience_s: float) -> None:
            self.timeout_keep_alive_task = self.loop.call_later(patience_s, self.timeout_keep_alive_handler)

        def timeout_keep_alive_handler(self) -> None:
            # A hit does not set the timer anew, which costs more than all its checks: it leaves the time it came.
            left_s = self.timeout_keep_alive - (perf_ns() - self._last_hit_ns) / 1e9
            if left_s > 0 and not self.transport.is_closing():
                self._await_next(left_s)
            else:
                super().timeout_keep_alive_handler()

        def _log_access(self, leaving: Leaving) -> None:
            scope: Any = leaving.scope
            self.access_logger.info(
                '%s - "%s %s HTTP/%s" %d',
                get_client_addr(scope),
                scope["method"],
                get_path_with_query_string(scope),
                scope["http_version"],
                leaving.status,
            )

    return AnsweringHttp


class _Forwarding:
    """What uvicorn's own middleware makes of a trusted proxy's header fields (trap T21)."""

    def __init__(self, trusted: list[str] | str) -> None:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        self._proxies = ProxyHeadersMiddleware(_nothing, trusted)

    def trusts(self, client: tuple[str, int] | None) -> bool:
        return (client[0] if client else None) in self._proxies.trusted_hosts

    def told(self, scope: MutableMapping[str, Any]) -> bool:
        """Put the client and the scheme that the proxy tells in ``scope``; whether it told of a client."""
        connected = scope["client"]
        # It only rewrites the scope and calls an application that does nothing: it never waits.
        coroutine: Any = self._proxies(cast("Any", scope), cast("Any", None), cast("Any", None))
        try:
            coroutine.send(None)
        except StopIteration:
            return scope["client"] is not connected
        coroutine.close()
        raise RuntimeError("uvicorn's proxy middleware waits for something; it did not when this was written")


async def _nothing(*_: Any) -> None:
    return None


def _answer(status: int, media_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
