"""Several nodes of one cache in one process: a played database, a tiny application each, a real Redis."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.util import greenlet_spawn

from steinmetz.cache import Bounded, ResponseCache, cached
from steinmetz.cache.asgi.protocol import Message, Receive, Scope, Send
from steinmetz.cache.invalidation.node import ClusterNode
from steinmetz.cache.stores.redis import redis_cluster
from steinmetz.cache.testing import FakeHook

TOKEN = "x-consistency-token"
ROUTES = {"/strong": "strong", "/session": "session", "/bounded": Bounded(200)}


class World:
    """The database: whole numbers that only grow. ``pause`` is awaited between COMMIT's sending and its coming."""

    def __init__(self) -> None:
        self.committed: dict[str, int] = {"a": 0, "b": 0}
        self.pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "-")

    @property
    def token(self) -> str | None:
        return self.headers.get(TOKEN)

    @property
    def value(self) -> int:
        assert self.status == 200, self
        return int(self.body)


@dataclass
class TinyRoute:
    path: str
    endpoint: Any
    methods: frozenset[str]


class Node:
    """One process: ``GET /strong/a`` and the like are cached, ``POST /a`` adds one to the cell ``a``."""

    def __init__(self, url: str, world: World, prefix: str, **options: Any) -> None:
        self.world = world
        self.cluster: ClusterNode = redis_cluster(url, prefix=prefix, **options)
        self.cache = ResponseCache(cluster=self.cluster)
        self.hook = FakeHook(self.cache.observer)
        self.computed = 0
        self.after_read: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
        self.routes: list[TinyRoute] = []
        for place, consistency in ROUTES.items():
            for cell in world.committed:
                self._add(f"{place}/{cell}", self._reading(cell, consistency), "GET")
        for cell in world.committed:
            self._add(f"/{cell}", self._writing(cell), "POST")
        self.door = self.cache.wrap(self._app, routes=self)

    def _add(self, path: str, endpoint: Any, method: str) -> None:
        self.routes.append(TinyRoute(path, endpoint, frozenset({method})))

    def _reading(self, cell: str, consistency: Any) -> Any:
        @cached(public=True, vary_on="none", consistency=consistency)
        async def read(scope: Scope, receive: Receive, send: Send) -> None:
            self.computed += 1
            self.hook.read(cell)
            value = self.world.committed[cell]
            await self.after_read()
            await _reply(send, b"%d" % value)

        return read

    def _writing(self, cell: str) -> Any:
        async def write(scope: Scope, receive: Receive, send: Send) -> None:
            transaction = self.hook.transaction()
            transaction.write(cell)
            await greenlet_spawn(transaction.mark)
            await self.world.pause()
            self.world.committed[cell] += 1
            await self.world.pause()
            await greenlet_spawn(transaction.bump)
            await _reply(send, b"%d" % self.world.committed[cell])

        return write

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self.routes:
            if route.path == scope["path"] and scope["method"] in route.methods:
                await route.endpoint(scope, receive, send)
                return
        raise LookupError(scope["path"])

    async def ask(self, path: str, method: str = "GET", token: str | None = None) -> Reply:
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": "",
            "query_string": b"",
            "headers": [] if token is None else [(TOKEN.encode(), token.encode())],
        }
        answer = Reply()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self.door(scope, receive, send)
        return answer

    async def get(self, path: str, token: str | None = None) -> Reply:
        return await self.ask(path, "GET", token)

    async def post(self, cell: str) -> Reply:
        return await self.ask(f"/{cell}", "POST")

    async def aclose(self) -> None:
        await self.cache.aclose()


async def _reply(send: Send, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Judge:
    """Writers and readers at random; keeps what each read must at least have seen.

    ``strict``: no read older than any acknowledged write. Otherwise each client's own writes and its own reads.
    """

    world: World
    nodes: list[Node]
    route: str
    strict: bool
    random: random.Random
    faults: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    over: bool = False

    async def write(self) -> None:
        cell = self.random.choice(list(self.world.committed))
        reply = await self.random.choice(self.nodes).post(cell)
        self.refused += reply.status >= 500
        self.acknowledged[cell] = max(self.acknowledged.get(cell, 0), reply.value)

    async def client(self, reads: int, write_every: int = 0) -> None:
        """Reads from any node in turn; brings back the newest token it was given, as the contract says."""
        token: str | None = None
        seen: dict[str, int] = {}
        for number in range(reads):
            if self.over:
                return
            cell = self.random.choice(list(self.world.committed))
            node = self.random.choice(self.nodes)
            if write_every and number % write_every == 0:
                reply = await node.post(cell)
                self.acknowledged[cell] = max(self.acknowledged.get(cell, 0), reply.value)
                seen[cell] = max(seen.get(cell, 0), reply.value)
            else:
                least = max(seen.get(cell, 0), self.acknowledged.get(cell, 0) if self.strict else 0)
                reply = await node.get(f"{self.route}/{cell}", token)
                self.outcomes[reply.cache] = self.outcomes.get(reply.cache, 0) + 1
                if reply.value < least:
                    self.faults.append(f"{reply.cache} of {cell} was {reply.value} after {least}")
                seen[cell] = max(seen.get(cell, 0), reply.value)
            self.refused += reply.status >= 500
            token = reply.token or token
