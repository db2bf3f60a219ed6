"""What the memory over Redis does when Redis does not do what it should; the rest is in `tests/contract`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery import redis
from steinmetz.realtime.recovery.redis import RedisSessions, RedisStore
from steinmetz.realtime.socketio.recovery import History, Session

pytestmark = pytest.mark.anyio


def session(sid: str) -> Session:
    return Session(sid, "epoch", "anna", 1, 5, History())


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    """Nobody listens there, and nobody is asked."""
    store = RedisStore("redis://127.0.0.1:1", ConnectionStateRecovery(), secret=b"s" * 16)
    yield store
    await store.aclose()


@pytest.fixture
def sessions(store: RedisStore) -> RedisSessions:
    return store.open("/")[1]


async def test_an_end_does_not_wait_for_a_redis_that_never_answers(
    store: RedisStore, sessions: RedisSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_batch: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(redis, "FAREWELL_S", 0.01)
    monkeypatch.setattr(sessions, "_write_all", never)
    sessions.save(session("anna"), "owner")
    async with asyncio.timeout(5):
        await store.aclose()


async def test_what_it_does_not_take_is_counted_and_the_rest_is_tried(
    sessions: RedisSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def write(batch: list[tuple[Any, ...]]) -> None:
        [(_, key, *_)] = batch
        if key.endswith("anna"):
            raise TypeError
        written.append(key.rpartition(":")[2])

    monkeypatch.setattr(redis, "SAVED_AT_ONCE", 1)
    monkeypatch.setattr(sessions, "_write_all", write)
    sessions.save(session("anna"), "owner")
    sessions.save(session("ben"), "owner")
    await sessions.saved()
    assert (sessions.lost, written) == (1, ["ben"])


async def test_whoever_asks_hears_of_it_whatever_goes_wrong(
    store: RedisStore, sessions: RedisSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise LookupError

    monkeypatch.setattr(store._client, "pipeline", fail)
    with pytest.raises(OSError, match="LookupError"):
        await sessions.take("anna")
