"""One small cached application behind uvicorn, through ASGI and natively, and a client that speaks raw bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from steinmetz.cache import Admission, Admitted, CacheConfig, Principal, Refused, ResponseCache, cached
from steinmetz.cache.hits.native import NativeHits, Ready
from steinmetz.cache.testing import FakeHook
from steinmetz.clock import FakeClock
from steinmetz.live.native import protocol_class

WITHIN_S = 10.0
BODY_BYTES = 4_000
HOST = b"Host: erp.example\r\n"


@dataclass(frozen=True)
class Route:
    path: str
    endpoint: Any
    methods: frozenset[str] = frozenset({"GET"})


class Company:
    """Routes that say how often they were computed. ``/mine`` is a user's own, ``/roles`` a role's."""

    def __init__(self, hook: FakeHook) -> None:
        self.hook = hook
        self.computed = 0
        self.seen: list[tuple[str, str]] = []
        self.holding, self._gate = asyncio.Event(), asyncio.Event()
        public, of_role, own = cached(public=True, ttl=60), cached(vary_on="role"), cached(vary_on="user")
        self.routes = [
            Route("/public", public(self._endpoint())),
            Route("/large", public(self._endpoint(b"x" * BODY_BYTES))),
            Route("/lingual", public(self._endpoint(b"", (b"vary", b"accept-language")))),
            Route("/roles", of_role(self._endpoint())),
            Route("/mine", own(self._endpoint())),
            Route("/plain", self._endpoint(b"plain ")),
            Route("/held", self._held),
        ]

    def _endpoint(self, body: bytes = b"", *headers: tuple[bytes, bytes]) -> Any:
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            self.hook.read("invoices")
            self.computed += 1
            if scope["path"] != "/plain":
                await asyncio.sleep(0)
            await answer(send, 200, body + b"#%d" % self.computed, *headers)

        return endpoint

    def hold(self) -> asyncio.Event:
        """``/held`` is answered when the event is set; ``holding`` says that it has been asked for."""
        return self._gate

    async def _held(self, scope: Any, receive: Any, send: Any) -> None:
        self.holding.set()
        await self._gate.wait()
        await answer(send, 200, b"held")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append((scope["method"], scope["path"]))
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        for route in self.routes:
            if (
                scope["path"].removeprefix(scope["root_path"]) == route.path
                and scope["method"] in {"GET", "HEAD"}
                and not body
            ):
                await route.endpoint(scope, receive, send)
                return
        await answer(send, 200 if body else 404, b"%d bytes" % len(body))


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


class Callers:
    """Bearer tokens that are ``subject:role``; what is asked of them reads ``sessions``."""

    def __init__(self) -> None:
        self.hook: FakeHook | None = None
        self.refused: set[bytes] = set()
        self.asked = 0
        self.lifetime_s: float | None = None
        self.clock: FakeClock | None = None

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        return dict(headers).get(b"authorization")

    async def authenticate(self, credential: bytes) -> Admission:
        self.asked += 1
        assert self.hook is not None
        self.hook.read("sessions")
        subject, _, role = credential.decode().partition(":")
        expires_at = None
        if self.lifetime_s is not None and self.clock is not None:
            expires_at = self.clock.now() + timedelta(seconds=self.lifetime_s)
        refused = credential in self.refused
        return Refused("revoked") if refused else Admitted(Principal(subject, role, expires_at))


@dataclass
class Counted:
    """What stands before the cache has heard."""

    finished: int = 0
    admitted: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)


class House:
    """A server on a free port of this machine. ``door`` is one of `DOORS`."""

    def __init__(self, door: str, **options: Any) -> None:
        self.door = door
        self.clock, self.counted = FakeClock(), Counted()
        callers = Callers()
        self.callers, callers.clock = callers, self.clock
        self.cache = ResponseCache(
            CacheConfig(),
            clock=self.clock,
            authenticator=callers,
            version="doors",
            finish=self._finish,
            on_admitted=self._admitted,
        )
        self.hook = callers.hook = FakeHook(self.cache.observer)
        self.company = Company(self.hook)
        self.front = self.cache.wrap(self.company)
        self.hits = NativeHits(self.front)
        self.is_rejecting = False
        self.received = 0
        """Bytes that the server has read."""
        http: Any = {"h11": "h11", "httptools": "httptools"}.get(door)
        if http is None:
            http = protocol_class(None, hits=self.hits)
        self.config = uvicorn.Config(
            self.front, http=http, log_config=None, access_log=False, **{"proxy_headers": False, **options}
        )
        self.config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Mon, 02 Mar 2026 09:00:00 GMT")]
        self.protocols: list[Any] = []
        self.peers: list[Peer] = []

    def _finish(self, scope: Any, status: int, headers: Any) -> Any:
        self.counted.finished += 1
        self.counted.clients.append(f"{scope['client'][0]} {scope['scheme']}")
        return [*headers, (b"x-request-id", b"%d" % self.counted.finished)]

    def _admitted(self, scope: Any, principal: Principal) -> None:
        if self.is_rejecting:
            raise PermissionError("too much")
        self.counted.admitted.append(principal.subject)

    async def open(self) -> None:
        def protocol() -> Any:
            made = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.state, app_state={}
            )
            self.protocols.append(made)
            made.data_received = self._counting(made.data_received)
            return made

        self._listener = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1")
        self.port: int = self._listener.sockets[0].getsockname()[1]

    def _counting(self, data_received: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def counting(data: bytes) -> None:
            data_received(data)
            self.received += len(data)

        return counting

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something in the server."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                await asyncio.sleep(0.002)

    async def close(self) -> None:
        for peer in self.peers:
            peer.leave()
        self._listener.close()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await self.cache.aclose()
        await asyncio.gather(*self.state.tasks, return_exceptions=True)

    async def peer(self) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self.peers.append(peer)
        return peer

    async def warm(self, path: bytes = b"/public", *lines: bytes) -> None:
        """Have the answer of ``path`` kept."""
        peer = await self.peer()
        assert (await peer.ask(get(path, *lines))).cache == "MISS"

    def remembered(self) -> list[Ready]:
        """What the native door knows of the requests it saw."""
        return [ready for known in self.hits.known() for ready in known.by_bytes]

    def stats(self) -> dict[str, Any]:
        found = self.cache.stats()
        return {name: found[name] for name in ("hits", "misses", "bypasses", "notModified")}


DOORS = ("h11", "httptools", "native")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "-")


class Peer:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    async def ask(self, request: bytes) -> Answer:
        self.say(request)
        return await self.answer(request)

    async def answer(self, to: bytes = b"GET") -> Answer:
        """The next response; ``to`` is the request or its method."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WITHIN_S)
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        fields = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in fields}
        assert len(headers) == len(fields), "no field comes twice"
        status, body = int(first.split()[1]), b""
        if status not in {204, 304} and not to.startswith(b"HEAD"):
            body = await asyncio.wait_for(self.reader.readexactly(int(headers["content-length"])), WITHIN_S)
        return Answer(status, headers, body)

    async def rest(self) -> bytes:
        """Everything until the server has closed."""
        return await asyncio.wait_for(self.reader.read(), WITHIN_S)

    def leave(self) -> None:
        self.writer.transport.abort()


def get(path: bytes = b"/public", *lines: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    more = b"".join(line + b"\r\n" for line in lines)
    return b"%b %b HTTP/%b\r\n%b%b\r\n" % (method, path, version, HOST, more)
