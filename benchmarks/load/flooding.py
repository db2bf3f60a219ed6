"""One flood of keys in a process of its own: ``python -m benchmarks.load.flooding NAME BUDGET_BYTES``.

Prints one JSON line: by how much resident memory has grown when three times the budget has been offered, beside
what the store itself says that it holds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from random import Random
from typing import Any

from steinmetz.cache import Admission, Admitted, CacheConfig, Principal, ResponseCache, cached
from steinmetz.cache.asgi.protocol import ASGIApp
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.tags import path_reads
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.stores.memory import MemoryStore
from steinmetz.cache.testing import FakeHook
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Column, Kind, Rows

TIMES = 3
"""So many budgets are offered."""
WARM_REQUESTS = 500
SEED = 20260302

_RANDOM = Random(SEED)
_WORDS = [bytes(_RANDOM.choices(b"abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(500)]

Request = Callable[[int], tuple[str, bytes, list[tuple[bytes, bytes]]]]
"""The number of a request -> its path, query and header lines."""

BROWSER = [
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"de-DE,de;q=0.9"),
]


def text(number: int, length: int) -> bytes:
    """Text that differs from number to number and is as compressible as that of an API."""
    random = Random(number)
    return b"%d " % number + b" ".join(random.choices(_WORDS, k=length // 8))


class Callers:
    """Everybody is who he says that he is, in a session of his own."""

    def __init__(self, hook: FakeHook) -> None:
        self._hook = hook

    def credential(self, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        return dict(headers).get(b"authorization")

    async def authenticate(self, credential: bytes) -> Admission:
        self._hook.read("sessions", "users", "roles")
        return Admitted(Principal(credential.decode(), "clerk"))


class Route:
    """What the cache's route table wants of a route."""

    def __init__(self, path: str, endpoint: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.methods = frozenset({"GET"})
        self.param_convertors: dict[str, Any] = {}


class App:
    """One route that answers so many bytes, whatever is asked."""

    def __init__(self, flood: Flood, hook: FakeHook) -> None:
        asked = 0

        @cached(**flood.terms)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            nonlocal asked
            asked += 1
            hook.read("invoices", "invoice_lines", "customers")
            headers = [(b"content-type", b"application/json"), *flood.lines]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": text(asked, flood.length)})

        self.routes = [Route(flood.template, endpoint)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.routes[0].endpoint(scope, receive, send)


class Flood:
    """A route whose answers have ``length`` bytes, and requests for it."""

    def __init__(self, template: str, request: Request, *, length: int = 300, **terms: Any) -> None:
        self.template = template
        self.request = request
        self.length = length
        self.lines: tuple[tuple[bytes, bytes], ...] = terms.pop("lines", ())
        self.terms = terms or {"public": True}


FLOODS: dict[str, Flood] = {
    "unique queries": Flood("/api/invoices", lambda n: ("/api/invoices", b"page=%d&q=x" % n, BROWSER)),
    "unique paths": Flood(
        "/api/invoices/{id}/lines/{line}", lambda n: (f"/api/invoices/{n}/lines/{n}", b"", BROWSER)
    ),
    "long keys": Flood("/api/invoices", lambda n: ("/api/invoices", b"q=%d" % n + b"x" * 3_000, BROWSER)),
    "bodies of 4 kB": Flood("/api/invoices", lambda n: ("/api/invoices", b"page=%d" % n, BROWSER), length=4_000),
    "bodies of 40 kB": Flood("/api/invoices", lambda n: ("/api/invoices", b"page=%d" % n, BROWSER), length=40_000),
    "bodies of 4 kB as zstd and gzip": Flood(
        "/api/invoices",
        lambda n: (
            "/api/invoices",
            b"page=%d" % (n // 5),
            BROWSER if n % 2 else [(b"accept-encoding", b"gzip")],
        ),
        length=4_000,
    ),
    "users": Flood(
        "/api/invoices",
        lambda n: ("/api/invoices", b"", [*BROWSER, (b"authorization", b"Bearer %064d" % n)]),
        vary_on="user",
    ),
    "one key, ever other Vary": Flood(
        "/api/invoices",
        lambda n: ("/api/invoices", b"", [(b"accept-language", b"x-%d" % n)]),
        lines=((b"vary", b"Accept-Language"),),
        public=True,
    ),
}
STORE_FLOODS = ("answers of 16 rows", "answers of 20 tables")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


async def through_the_door(flood: Flood, budget_bytes: int) -> dict[str, float]:
    config = CacheConfig(budget_bytes=budget_bytes, admission_bytes=budget_bytes // 8)
    hook = FakeHook(None)  # type: ignore[arg-type]  # it only reads here
    cache = ResponseCache(config, authenticator=Callers(hook))
    door = cache.wrap(App(flood, hook))
    for number in range(WARM_REQUESTS):
        await ask(door, flood.request(-1 - number))
    cache.clear()
    gc.collect()
    before, offered, number = resident_bytes(), 0.0, 0
    while offered < TIMES * budget_bytes:
        for _ in range(200):
            await ask(door, flood.request(number))
            number += 1
        stats = cache.stats()
        offered = stats["stored"] * stats["bytes"] / max(1, stats["entries"])
        if stats["entries"] <= 1 and number > 20_000:
            break
    await cache.aclose()
    stats = cache.stats()
    return {
        "grown_bytes": resident_bytes() - before,
        "weight_bytes": stats["bytes"],
        "entries": stats["entries"],
        "admissions": stats["admissions"],
        "limit_bytes": budget_bytes + (budget_bytes // 8 if stats["admissions"] else 0),
        "requests": number,
    }


async def ask(door: ASGIApp, request: tuple[str, bytes, list[tuple[bytes, bytes]]]) -> None:
    path, query, headers = request
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "query_string": query,
        # A server makes its own for each request; none is shared with what is kept.
        "headers": [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in headers],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    await door(scope, receive, send)


def into_the_store(name: str, budget_bytes: int) -> dict[str, float]:
    store: MemoryStore[Entry] = MemoryStore(budget_bytes)
    for number in range(WARM_REQUESTS):
        store.put(an_answer(name, -1 - number))
    store.clear()
    gc.collect()
    before, offered, number = resident_bytes(), 0, 0
    while offered < TIMES * budget_bytes:
        entry = an_answer(name, number)
        offered += entry.weight
        store.put(entry)
        number += 1
    return {
        "grown_bytes": resident_bytes() - before,
        "weight_bytes": store.weight_bytes,
        "entries": len(store),
        "admissions": 0,
        "limit_bytes": budget_bytes,
        "requests": number,
    }


ID = Column("id", Kind.INTEGER)
LINES = Relation("main", "lines")
TABLES = frozenset(Relation("main", f"table {number}") for number in range(20))


def an_answer(name: str, number: int) -> Entry:
    path = f"/api/invoices/{number}"
    if name == "answers of 16 rows":
        rows = {LINES: tuple(Rows({ID: frozenset({number * 16 + row})}) for row in range(16))}
        reads = ReadSet(frozenset({LINES}) | path_reads(path), rows=rows)
    else:
        reads = ReadSet(TABLES | path_reads(path))
    return Entry(
        key=b"cache:1:" + path.encode(),
        path=path,
        route="/api/invoices/{id}",
        headers=((b"content-type", b"application/json"),),
        body=text(number, 300),
        read_set=reads,
        sequence=0,
        stored_at_s=0.0,
        terms=Terms(300),
    )


if __name__ == "__main__":
    asked, room = sys.argv[1], int(sys.argv[2])
    flood = FLOODS.get(asked)
    print(json.dumps(into_the_store(asked, room) if flood is None else asyncio.run(through_the_door(flood, room))))
