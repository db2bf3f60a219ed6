"""A tiny raw ASGI application behind a real cache, with a played database and a clock that stands still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from steinmetz.cache import Admission, Admitted, CacheConfig, Principal, Refused, ResponseCache
from steinmetz.cache.asgi.protocol import Message, Receive, Scope, Send
from steinmetz.cache.testing import FakeHook
from steinmetz.clock import FakeClock

Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class TinyRoute:
    path: str
    endpoint: Endpoint
    methods: frozenset[str] = frozenset({"GET"})


class TinyApp:
    """Exact paths only; everything else is 404."""

    def __init__(self) -> None:
        self.routes: list[TinyRoute] = []

    def add(self, path: str, endpoint: Endpoint, *methods: str) -> None:
        self.routes.append(TinyRoute(path, endpoint, frozenset(methods or ("GET",))))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self.routes:
            if route.path == scope["path"] and scope["method"] in route.methods:
                await route.endpoint(scope, receive, send)
                return
        await reply(send, b"not found", status=404)


async def reply(
    send: Send, body: bytes, *headers: tuple[bytes, bytes], status: int = 200, more: Iterable[bytes] = ()
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    chunks = [body, *more]
    for number, chunk in enumerate(chunks, 1):
        await send({"type": "http.response.body", "body": chunk, "more_body": number < len(chunks)})


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    starts: int = 0
    scope: dict[str, Any] = field(default_factory=dict)

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "-")


class Callers:
    """An authenticator whose credential is ``subject`` in ``x-user``; roles and refusals are set by the test."""

    def __init__(self, hook: FakeHook | None = None) -> None:
        self.roles = {"anna": "clerk", "bert": "clerk", "carl": "admin"}
        self.expires_at: dict[str, datetime] = {}
        self.hook = hook
        self.asked = 0
        self.fails = False

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        return dict(headers).get(b"x-user")

    async def authenticate(self, credential: bytes) -> Admission:
        self.asked += 1
        if self.hook is not None:
            self.hook.read("users", "sessions")
        if self.fails:
            raise RuntimeError("the database is down")
        subject = credential.decode()
        if subject not in self.roles:
            return Refused("unknown")
        return Admitted(Principal(subject, self.roles[subject], self.expires_at.get(subject)))


class Rig:
    """The application, the cache before it, and a client."""

    def __init__(self, config: CacheConfig | None = None, **options: Any) -> None:
        self.app = TinyApp()
        self.clock = FakeClock()
        self.callers = Callers()
        self.cache = ResponseCache(config, clock=self.clock, authenticator=self.callers, version="test", **options)
        self.hook = FakeHook(self.cache.observer)
        self.callers.hook = self.hook
        self.door = self.cache.wrap(self.app)

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        user: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        sent: Callable[[Message], None] | None = None,
        **scope_more: Any,
    ) -> Reply:
        """One request; ``sent`` sees each message as it goes to the client."""
        path, _, query = path.partition("?")
        lines = [(name.lower().encode(), value.encode()) for name, value in headers]
        if user is not None:
            lines.append((b"x-user", user.encode()))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": query.encode(),
            "headers": lines,
            **scope_more,
        }
        answer = Reply(scope=scope)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if sent is not None:
                sent(message)
            if message["type"] == "http.response.start":
                answer.starts += 1
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self.door(scope, receive, send)
        return answer


@pytest.fixture
def make_rig() -> type[Rig]:
    return Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture(name="reply")
def give_reply() -> Callable[..., Awaitable[None]]:
    return reply
