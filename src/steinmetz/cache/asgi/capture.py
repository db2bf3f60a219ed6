"""Looks over the shoulder of one response: holds a small one until it is whole, lets a stream pass as it comes.

The start of a response is held back until the first body message. If that is also the last, or as long as the
header says (middlewares pass whole answers on as streams), the whole answer is known before a byte goes out, and
its header can say what became of it. Otherwise the response streams: from then on every message passes at once,
while a copy is kept up to the limit (trap T13: the last body byte decides).
"""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.cache.asgi.protocol import HeaderList, Message, Send

Whole = Callable[[int, HeaderList, bytes], tuple[int, HeaderList, bytes]]
"""(status, headers, body) of a whole answer -> what is to be sent in its place."""
Starting = Callable[[int, HeaderList], HeaderList]
"""(status, headers) of a streaming answer -> the headers to send."""
Ended = Callable[[int, HeaderList, bytes | None], None]
"""(status, headers as the application gave them, body or None if it was above the limit): a stream has ended."""


class Capture:
    """The ``send`` that the application is given."""

    __slots__ = (
        "_chunks",
        "_ended",
        "_limit",
        "_send",
        "_size",
        "_start",
        "_started",
        "_starting",
        "_was_whole",
        "_whole",
        "is_over",
    )

    def __init__(self, send: Send, limit_bytes: int, whole: Whole, starting: Starting, ended: Ended) -> None:
        self._send = send
        self._limit = limit_bytes
        self._whole = whole
        self._starting = starting
        self._ended = ended
        self._start: Message | None = None
        self._started = False
        self._was_whole = False
        self._chunks: list[bytes] | None = []
        self._size = 0
        self.is_over = False
        """The last body byte has been seen."""

    @property
    def has_begun(self) -> bool:
        """Whether the client has been sent anything."""
        return self._started

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._start = message
            if message.get("trailers"):
                self._chunks = None
        elif kind == "http.response.body" and self._start is not None:
            await self._body(message)
        else:
            # Files sent by the server itself, trailers, pushes: nothing that could be kept.
            self._chunks = None
            await self.flush()
            await self._send(message)

    async def flush(self) -> None:
        """Let a held start go."""
        if self._start is not None and not self._started:
            self._started = True
            status, headers = self._start["status"], list(self._start.get("headers", ()))
            await self._send({**self._start, "headers": self._starting(status, headers)})

    async def _body(self, message: Message) -> None:
        assert self._start is not None
        if self._was_whole:
            return  # what a stream says after its last byte
        body, more = message.get("body", b""), message.get("more_body", False)
        status, headers = self._start["status"], list(self._start.get("headers", ()))
        if not self._started and self._chunks is not None and (not more or _is_all(headers, body)):
            self.is_over = self._started = self._was_whole = True
            status, headers, body = self._whole(status, headers, body)
            await self._send({**self._start, "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})
            return
        await self.flush()
        self._take(body)
        if not more and not self.is_over:
            self.is_over = True
            kept = None if self._chunks is None else b"".join(self._chunks)
            self._ended(status, headers, kept)
        await self._send(message)

    def _take(self, body: bytes) -> None:
        if self._chunks is None:
            return
        self._size += len(body)
        if self._size > self._limit:
            self._chunks = None
        else:
            self._chunks.append(bytes(body))


def _is_all(headers: HeaderList, body: bytes) -> bool:
    """Whether ``body``, though more may follow, is as long as the header says."""
    return any(name.lower() == b"content-length" and value == b"%d" % len(body) for name, value in headers)
