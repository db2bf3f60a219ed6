"""One request and its answer, on their way through the edge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from steinmetz.clock import perf_ns
from steinmetz.erp.bodies import BodyReader
from steinmetz.erp.response_headers import ResponseHeaders, Scope, header

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

INTERESTING = frozenset({b"x-request-id", b"content-length", b"content-type", b"user-agent"})


def of_interest(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first value of each field that the edge looks at, found in one pass."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in INTERESTING and name not in found:
            found[name] = value
    return found


class Exchange:
    """One request on its way through: what came, what was answered, how large it was, how long it took."""

    __slots__ = (
        "_has_body",
        "_headers",
        "_scope",
        "_send",
        "_started_ns",
        "body",
        "cache",
        "given",
        "size",
        "status",
    )

    def __init__(self, scope: Scope, send: Send, headers: ResponseHeaders) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._started_ns = perf_ns()
        self._has_body = scope["method"] != "HEAD"
        self.given = of_interest(scope["headers"])
        self.body: BodyReader | None = None
        """What reads the request's body; None if it is not looked at."""
        self.status = 0
        self.size = 0
        self.cache = ""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = self._headers.finish(self._scope, self.status, list(message.get("headers", ())))
            self.cache = (header(headers, b"x-cache") or b"").decode("latin-1")
            message = {**message, "headers": headers}
        elif not self._has_body:
            message = {**message, "body": b""}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

    def duration_ms(self) -> float:
        return (perf_ns() - self._started_ns) / 1e6
