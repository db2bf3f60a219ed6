"""One request as the gateway sees it: what it is for, and what it demands of a cache."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from steinmetz.cache.asgi.protocol import HeaderList, Message, Receive, Scope, Send
from steinmetz.cache.policy.groups import url_of
from steinmetz.cache.policy.headers import Headers
from steinmetz.cache.policy.lookup import NO_DEMANDS, demands

_READ = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"content-length",
        b"cookie",
        b"expect",
        b"host",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"pragma",
        b"range",
        b"transfer-encoding",
        b"upgrade",
    }
)
# A condition or a range makes a request's answer its own.
_OWN = (b"range", b"if-none-match", b"if-modified-since", b"authorization")

_OF_ONE_CLIENT = frozenset(
    {b"range", b"if-range", b"if-none-match", b"if-modified-since", b"cache-control", b"pragma"}
)


class Demanded:
    """``url`` is the key of what is asked for; ``fields`` are those that matter, repeated ones as a list."""

    __slots__ = (
        "counted",
        "demands",
        "fields",
        "headers",
        "method",
        "origin",
        "receive",
        "scope",
        "send",
        "url",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.headers = headers
        self.fields: dict[bytes, bytes] = {}
        for name, value in headers:
            if name in _READ:
                self.fields[name] = self.fields[name] + b", " + value if name in self.fields else value
        self.demands = demands(self.fields.get(b"cache-control"), self.fields.get(b"pragma"))
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        query = scope.get("query_string") or b""
        target = b"%b?%b" % (path, query) if query else path
        self.url, self.origin = url_of(scope.get("scheme", "http"), self.fields.get(b"host", b""), target)
        self.counted = False

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> Demanded:
        return cls(scope, receive, send, [(name.lower(), value) for name, value in scope["headers"]])

    @property
    def wants_part(self) -> bool:
        # "A server MUST ignore a Range header field received with a request method that is unrecognized or for
        # which range handling is not defined": it is for GET alone (RFC 9110, 14.2).
        return self.method == "GET" and b"range" in self.fields

    @property
    def is_plain(self) -> bool:
        """Whether the answer would be the same for anybody who asks for the same URL."""
        return self.method == "GET" and not any(name in self.fields for name in _OWN)

    def behind(self) -> Demanded:
        """The same question, asked by nobody: for a refresh behind a stale answer."""
        headers: HeaderList = [(name, value) for name, value in self.headers if name not in _OF_ONE_CLIENT]
        asked = Demanded({**self.scope, "method": "GET", "headers": headers}, _nothing_more(), _nowhere, headers)
        assert asked.demands is NO_DEMANDS
        asked.counted = True
        return asked


def _nothing_more() -> Receive:
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


async def _nowhere(message: Message) -> None:
    """The send of a question that nobody waits for."""
