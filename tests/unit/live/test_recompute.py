"""One recomputation a commit, for those who listen, past the cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from steinmetz.cache import Principal
from steinmetz.clock import FakeClock
from steinmetz.live.bindings import Binding, Emission
from steinmetz.live.recompute import LONGEST_WAIT_S, Recomputer
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

pytestmark = pytest.mark.anyio

INVOICES = Relation("main", "invoices")
CONCERNING = WriteSet(frozenset({INVOICES}))
OTHER = WriteSet(frozenset({Relation("main", "users")}))


class Recording:
    valid_until = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)

    def read_set(self) -> ReadSet:
        return ReadSet(frozenset({INVOICES}))


class Company:
    """An ASGI application with one number, and one room that may be empty."""

    def __init__(self) -> None:
        self.number = 1
        self.status = 200
        self.computed = 0
        self.is_heard = True
        self.said: list[Any] = []
        self.gate: asyncio.Event | None = None
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.computed += 1
        self.scopes.append(scope)
        number = self.number
        if self.gate is not None:
            await self.gate.wait()
        scope["steinmetz.recording"] = Recording()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"data": number})})

    def has_listeners(self, room: str) -> bool:
        return self.is_heard

    def say(self, emission: Emission) -> None:
        self.said.append(emission.payload)


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def recomputer(company: Company) -> AsyncIterator[Recomputer]:
    def describe(previous: Any, body: Any) -> list[Emission]:
        return [Emission("dashboard:update", body["data"], "dashboard-room")]

    principal = Principal("system:live", "clerk", None)
    recomputer = Recomputer(
        company, Binding("/overview?x=1", "dashboard-room", principal, describe), company, FakeClock()
    )
    running = asyncio.create_task(recomputer.run())
    yield recomputer
    running.cancel()


async def test_a_commit_is_computed_once_and_said_once(company: Company, recomputer: Recomputer) -> None:
    recomputer.listened()
    await recomputer.settled()
    company.number = 2
    recomputer.committed(CONCERNING)
    await recomputer.settled()
    assert (company.computed, company.said) == (2, [2])


async def test_commits_while_nobody_listens_cost_nothing_and_are_no_news_later(
    company: Company, recomputer: Recomputer
) -> None:
    company.is_heard = False
    recomputer.committed(CONCERNING)
    await recomputer.settled()
    assert company.computed == 0
    company.is_heard = True
    recomputer.listened()
    await recomputer.settled()
    assert (company.computed, company.said) == (1, [])


async def test_a_commit_between_joining_and_the_first_computation_is_said(
    company: Company, recomputer: Recomputer
) -> None:
    recomputer.listened()
    recomputer.committed(OTHER)
    await recomputer.settled()
    assert company.said == [1]


async def test_t34_many_commits_during_a_computation_make_one_trailing_one(
    company: Company, recomputer: Recomputer
) -> None:
    recomputer.listened()
    await recomputer.settled()
    company.gate = asyncio.Event()
    company.number = 2
    recomputer.committed(CONCERNING)
    while company.computed < 2:
        await asyncio.sleep(0)
    for company.number in range(3, 50):
        recomputer.committed(CONCERNING)
    company.gate.set()
    await recomputer.settled()
    assert (company.computed, company.said) == (3, [2, 49])


async def test_an_answer_that_fails_is_not_said_and_is_computed_again(
    company: Company, recomputer: Recomputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steinmetz.live.recompute.RETRY_AFTER_S", 0.0)
    recomputer.listened()
    await recomputer.settled()
    company.status, company.number = 503, 2
    recomputer.committed(CONCERNING)
    while company.computed < 3:
        await asyncio.sleep(0)
    assert company.said == []
    company.status = 200
    await recomputer.settled()
    assert company.said == [2]


async def test_t33_the_request_enters_by_objects_that_no_client_can_send(
    company: Company, recomputer: Recomputer
) -> None:
    recomputer.listened()
    await recomputer.settled()
    (scope,) = company.scopes
    assert (scope["path"], scope["query_string"]) == ("/overview", b"x=1")
    assert scope["steinmetz.admission"].principal.subject == "system:live"
    assert not [name for name, _ in scope["headers"] if name == b"authorization"]


async def test_t14_an_answer_that_time_has_made_untrue_is_computed_and_said_again(
    company: Company, recomputer: Recomputer
) -> None:
    recomputer.listened()
    await recomputer.settled()
    company.number = 2
    recomputer.expired()
    await recomputer.settled()
    assert company.said == [2]


async def test_a_computation_waits_for_the_end_of_its_answer_s_validity(
    company: Company, recomputer: Recomputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[tuple[float, object]] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def noting(delay_s: float, callback: Any, *arguments: Any) -> asyncio.TimerHandle:
        waited.append((delay_s, callback))
        return call_later(delay_s, callback, *arguments)

    monkeypatch.setattr(loop, "call_later", noting)
    recomputer.listened()
    await recomputer.settled()
    # Midnight is fourteen hours away, and timers do not sleep that long.
    assert (LONGEST_WAIT_S, recomputer.expired) in waited


async def test_a_commit_after_a_failure_is_not_kept_waiting_for_the_retry(
    company: Company, recomputer: Recomputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steinmetz.live.recompute.RETRY_AFTER_S", 30)
    recomputer.listened()
    await recomputer.settled()
    company.status, company.number = 503, 2
    recomputer.committed(CONCERNING)
    while company.computed < 2:
        await asyncio.sleep(0)
    company.status = 200
    async with asyncio.timeout(15):
        await asyncio.sleep(0.01)
        recomputer.committed(CONCERNING)
        await recomputer.settled()
    assert company.said == [2]


async def test_a_first_slow_computation_does_not_hold_the_next_event_back(
    company: Company, recomputer: Recomputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    times_ns = iter([0, 900_000_000, 0, 1_000_000, 0, 900_000_000])
    monkeypatch.setattr("steinmetz.live.recompute.perf_ns", lambda: next(times_ns))
    recomputer.listened()
    async with asyncio.timeout(2):  # held back for its cost, it would come after 2.7 s
        await recomputer.settled()
        for company.number in (2, 3):
            recomputer.committed(CONCERNING)
            await recomputer.settled()
    assert company.said == [2, 3]
