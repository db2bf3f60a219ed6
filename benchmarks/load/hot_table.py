"""One contender of ``dev.py bench hot_table``: a key that is read and written all the time, in one event loop.

    python hot_table.py steinmetz|naive|cashews WRITES_PER_S SECONDS

Needs the standard library and the contender alone, so that a peer runs it in an environment of its own. Computing
is 20 ms of waiting, as for a database; a commit takes 2 ms. Reads and writes come at random, whether or not the
ones before have been answered. A read is stale if it is older than the last write acknowledged when it was asked.
Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

COMPUTE_S = 0.020
COMMIT_S = 0.002
READS_PER_S = 200


class Table:
    """The truth: ``value`` is what a SELECT finds, ``acknowledged`` what writers have been told."""

    def __init__(self) -> None:
        self.value = 0
        self.acknowledged = 0
        self.computed = 0

    async def compute(self) -> int:
        self.computed += 1
        found = self.value
        await asyncio.sleep(COMPUTE_S)
        return found


Read = Callable[[], Awaitable[int]]
Write = Callable[[], Awaitable[None]]


def steinmetz(table: Table) -> tuple[Read, Write]:
    from steinmetz.cache import ResponseCache, cached
    from steinmetz.cache.testing import FakeHook

    cache = ResponseCache()
    hook = FakeHook(cache.observer)

    class Route:
        path = "/hot"
        methods = frozenset({"GET"})

        @staticmethod
        @cached(ttl=60, public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            hook.read("hot")
            body = b"%d" % await table.compute()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

    class App:
        routes = (Route,)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await Route.endpoint(scope, receive, send)

    door = cache.wrap(App())

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def read() -> int:
        given = b""

        async def send(message: Any) -> None:
            nonlocal given
            given += message.get("body", b"")

        scope = {"type": "http", "method": "GET", "path": "/hot", "query_string": b"", "headers": []}
        await door(scope, receive, send)
        return int(given)

    async def write() -> None:
        transaction = hook.transaction()
        transaction.write("hot")
        transaction.mark()
        await asyncio.sleep(COMMIT_S / 2)
        table.value += 1
        await asyncio.sleep(COMMIT_S / 2)
        transaction.bump()

    return read, write


def naive(table: Table) -> tuple[Read, Write]:
    """Correct by a version that is looked at before storing, without waiting and without sharing computations."""
    kept: dict[str, int] = {}
    version, committing = [0], [0]

    async def read() -> int:
        if "hot" in kept and not committing[0]:
            return kept["hot"]
        before = version[0]
        found = await table.compute()
        if version[0] == before and not committing[0]:
            kept["hot"] = found
        return found

    async def write() -> None:
        committing[0] += 1
        await asyncio.sleep(COMMIT_S / 2)
        table.value += 1
        await asyncio.sleep(COMMIT_S / 2)
        version[0] += 1
        kept.pop("hot", None)
        committing[0] -= 1

    return read, write


def cashews(table: Table) -> tuple[Read, Write]:
    cache: Any = importlib.import_module("cashews").Cache()
    cache.setup("mem://")

    @cache(ttl="60s", key="hot")  # type: ignore[untyped-decorator]
    async def computed() -> int:
        return await table.compute()

    async def read() -> int:
        found: int = await computed()
        return found

    async def write() -> None:
        await asyncio.sleep(COMMIT_S / 2)
        table.value += 1
        await asyncio.sleep(COMMIT_S / 2)
        await cache.delete("hot")

    return read, write


async def run(contender: str, writes_per_s: float, seconds: float) -> dict[str, float]:
    table = Table()
    read, write = {"steinmetz": steinmetz, "naive": naive, "cashews": cashews}[contender](table)
    taken_s: list[float] = []
    stale = [0]
    under_way: set[asyncio.Task[None]] = set()

    async def one_read() -> None:
        floor, started_s = table.acknowledged, time.perf_counter()
        found = await read()
        taken_s.append(time.perf_counter() - started_s)
        stale[0] += found < floor

    one_writer = asyncio.Lock()  # as on SQLite

    async def one_write() -> None:
        async with one_writer:
            await write()
            table.acknowledged = table.value

    async def come(per_s: float, what: Callable[[], Any], seed: int) -> None:
        lots, due_s = random.Random(seed), time.perf_counter()
        end_s = due_s + seconds
        while (due_s := due_s + lots.expovariate(per_s)) < end_s:
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            task = asyncio.ensure_future(what())
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    cpu_s = time.process_time()
    await asyncio.gather(come(READS_PER_S, one_read, 1), come(writes_per_s, one_write, 2))
    await asyncio.gather(*under_way)
    taken_s.sort()
    return {
        "reads": len(taken_s),
        "computed": table.computed,
        "withoutComputing": 1 - table.computed / len(taken_s),
        "computingCores": table.computed * COMPUTE_S / seconds,
        "cpuCores": (time.process_time() - cpu_s) / seconds,
        "p50Ms": taken_s[len(taken_s) // 2] * 1e3,
        "p99Ms": taken_s[int(len(taken_s) * 0.99)] * 1e3,
        "stale": stale[0],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))))
