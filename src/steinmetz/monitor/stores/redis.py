"""Figures in Redis (or Valkey), for processes that share no database. They last as long as Redis keeps them.

All keys begin with one hash tag, so that they live on one node of a cluster: a hash of the rows, a sorted set of
when each was changed, a hash of statements' texts, a sorted set of when each process was last heard of.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from typing import Any

from redis.asyncio import Redis

from steinmetz.monitor.analysis.window import DAY, HOUR, Kind, Subject
from steinmetz.monitor.stores.shelf import (
    ARCHIVE,
    DEAD_AFTER_MS,
    HOURS_KEPT_MS,
    MINUTES_KEPT_MS,
    SILENT_AFTER_MS,
    WHOLE,
    Row,
    archived,
    caught_up,
)

PREFIX = "{steinmetz:monitor}"
BATCH = 1_000
TEXTS = 20_000
PRUNING_S = 60


class RedisShelf:
    """The `steinmetz.monitor.stores.shelf.Shelf` in Redis; ``prefix`` tells applications on one server apart."""

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        # Its annotations tell of every reply of every protocol; ours are bytes.
        self._redis: Any = Redis.from_url(url)
        self._rows = f"{prefix}:rows"
        self._changed = f"{prefix}:changed"
        self._texts = f"{prefix}:texts"
        self._seen = f"{prefix}:seen"
        self._cleared = f"{prefix}:cleared"
        self._pruning = f"{prefix}:pruning"
        self._texts_told: set[str] = set()

    async def open(self) -> None:
        """There is nothing to make."""

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def write(self, rows: Iterable[Row], now_ms: int) -> None:
        told = list(rows)
        if not told:
            return
        texts = {
            row.subject.key: row.subject.text
            for row in told
            if row.subject.text and row.subject.key not in self._texts_told
        }
        async with self._redis.pipeline(transaction=True) as pipeline:
            self._put(pipeline, told, now_ms)
            if texts:
                pipeline.hset(self._texts, mapping=texts)
            await pipeline.execute()
        if len(self._texts_told) < TEXTS:
            self._texts_told.update(texts)

    def _put(self, pipeline: Any, rows: Sequence[Row], now_ms: int) -> None:
        fields = {_field(row): row for row in rows}
        pipeline.hset(self._rows, mapping={field: _value(row) for field, row in fields.items()})
        pipeline.zadd(self._changed, dict.fromkeys(fields, now_ms))

    async def read(self, since_ms: int, now_ms: int) -> AsyncIterator[list[Row]]:
        oldest = now_ms // 60_000 - DAY
        fields = [
            field
            for field in await self._redis.zrangebyscore(self._changed, since_ms, "+inf")
            if (place := _place(field))[1] == WHOLE or place[2] >= oldest - HOUR
        ]
        for batch in _batches(fields):
            yield await self._rows_of(batch)

    async def _rows_of(self, fields: Sequence[bytes]) -> list[Row]:
        values = await self._redis.hmget(self._rows, list(fields))
        keys = sorted({_parts(field)[5] for field in fields if _parts(field)[3] == Kind.STATEMENT})
        texts = dict(zip(keys, await self._redis.hmget(self._texts, keys), strict=True)) if keys else {}
        return [
            _row(field, value, texts)
            for field, value in zip(fields, values, strict=True)
            if value is not None and _parts(field)[3] in _KINDS
        ]

    async def beat(self, process: str, now_ms: int, *, first: bool) -> bool:
        if not first and await self._redis.zscore(self._seen, process) is None:
            return False
        await self._redis.zadd(self._seen, {process: now_ms})
        return True

    async def cleared_ms(self) -> int:
        return int(await self._redis.get(self._cleared) or 0)

    async def clear(self, now_ms: int) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(self._rows, self._changed, self._texts)
            pipeline.set(self._cleared, now_ms)
            await pipeline.execute()
        self._texts_told.clear()

    async def forget(self, process: str) -> None:
        fields = [field for field in await self._redis.zrange(self._changed, 0, -1) if _place(field)[0] == process]
        await self._drop(fields)
        self._texts_told.clear()

    async def prune(self, now_ms: int) -> None:
        if not await self._redis.set(self._pruning, 1, nx=True, ex=PRUNING_S):
            return  # another process is at it
        try:
            fields = list(await self._redis.zrange(self._changed, 0, -1))
            await self._catch_up(fields, now_ms)
            await self._archive(fields, now_ms)
            oldest = {1: (now_ms - MINUTES_KEPT_MS) // 60_000, HOUR: (now_ms - HOURS_KEPT_MS) // 60_000}
            await self._drop([field for field in fields if _place(field)[2] < oldest.get(_place(field)[1], 0)])
            if await self._redis.hlen(self._texts) > TEXTS:
                await self._redis.delete(self._texts)  # who is still there tells it again with his next start
        finally:
            await self._redis.delete(self._pruning)

    async def _unheard(self, before_ms: int) -> set[str]:
        return {process.decode() for process in await self._redis.zrangebyscore(self._seen, 0, f"({before_ms}")}

    async def _catch_up(self, fields: list[bytes], now_ms: int) -> None:
        for process in await self._unheard(now_ms - SILENT_AFTER_MS):
            own = [field for field in fields if _place(field)[0] == process and _place(field)[1] in (WHOLE, 1)]
            rows = [row for batch in _batches(own) for row in await self._rows_of(batch)]
            await self.write(caught_up(rows, now_ms // 60_000), now_ms)

    async def _archive(self, fields: list[bytes], now_ms: int) -> None:
        dead = await self._unheard(now_ms - DEAD_AFTER_MS)
        if not dead:
            return
        gone = [field for field in await self._redis.zrange(self._changed, 0, -1) if _place(field)[0] in dead]
        wholes = [field for field in gone if _place(field)[1] == WHOLE]
        wholes += [field for field in fields if _place(field)[0] == ARCHIVE]
        rows = [row for batch in _batches(wholes) for row in await self._rows_of(batch)]
        sums = archived(rows, now_ms // 60_000)
        async with self._redis.pipeline(transaction=True) as pipeline:
            for batch in _batches([*gone, *wholes]):
                pipeline.hdel(self._rows, *batch)
                pipeline.zrem(self._changed, *batch)
            if sums:
                self._put(pipeline, sums, now_ms)
            pipeline.zrem(self._seen, *dead)
            await pipeline.execute()

    async def _drop(self, fields: Sequence[bytes]) -> None:
        for batch in _batches(fields):
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.hdel(self._rows, *batch)
                pipeline.zrem(self._changed, *batch)
                await pipeline.execute()


_KINDS = frozenset(Kind)


def _field(row: Row) -> bytes:
    subject = row.subject
    place = (row.process, row.span, row.start, subject.kind, int(subject.inside), subject.key)
    return "|".join(map(str, place)).encode(errors="replace")


def _parts(field: bytes) -> list[str]:
    return field.decode().split("|", 5)


def _place(field: bytes) -> tuple[str, int, int]:
    process, span, start, *_ = _parts(field)
    return process, int(span), int(start)


def _value(row: Row) -> bytes:
    return json.dumps([row.upto, row.subject.name]).encode() + b"\n" + row.packed


def _row(field: bytes, value: bytes, texts: dict[str, Any]) -> Row:
    process, span, start, kind, inside, key = _parts(field)
    head, _, packed = value.partition(b"\n")
    upto, name = json.loads(head)
    text = texts.get(key)
    subject = Subject(Kind(kind), key, name, text.decode() if text else "", inside == "1")
    return Row(process, int(span), int(start), subject, upto, packed)


def _batches(fields: Iterable[bytes]) -> Iterable[list[bytes]]:
    rest = iter(fields)
    while batch := list(islice(rest, BATCH)):
        yield batch
