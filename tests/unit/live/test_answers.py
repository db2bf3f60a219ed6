"""One computation a commit, for those who listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import pytest

from steinmetz.cache import Principal
from steinmetz.cache.asgi.within import Answered, Place, Within
from steinmetz.cache.policy.entry import body_etag
from steinmetz.clock import FakeClock
from steinmetz.live import answers as module
from steinmetz.live.answers import LONGEST_WAIT_S, RETRY_S, Answers, CrowdedError, Heard, UnfitAnswerError
from steinmetz.live.audience import Audience
from steinmetz.live.bindings import Binding
from steinmetz.live.telling import Said
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

pytestmark = pytest.mark.anyio

INVOICES = Relation("main", "invoices")
CONCERNING = WriteSet(frozenset({INVOICES}))
OTHER = WriteSet(frozenset({Relation("main", "users")}))
MIDNIGHT = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
CLERK = Principal("user:3", "clerk")


class Company:
    """One number, computed within the process, and whoever listens to it."""

    def __init__(self) -> None:
        self.number: Any = 1
        self.status = 200
        self.computed = 0
        self.is_attended = True
        self.told: list[Any] = []
        self.news: list[Any] = []
        self.stale = 0
        self.ends: list[str] = []
        self.gate: asyncio.Event | None = None
        self.kept_now: Answered | None = None
        self.valid_until_s: float | None = None

    def bound(self, path: str, principal: Principal | None) -> Place:
        return place(path)

    def kept(self, place: Place) -> Answered | None:
        return self.kept_now

    async def answer(self, place: Place) -> Answered:
        self.computed += 1
        body, status = orjson.dumps(self.number), self.status
        if self.gate is not None:
            await self.gate.wait()
        return Answered(status, body_etag(body).decode(), body, ReadSet(frozenset({INVOICES})), self.valid_until_s)

    def is_heard(self, audience: Audience) -> bool:
        return self.is_attended

    def tell(self, heard: Heard, before: Said | None, now: Said, *, is_news: bool) -> None:
        self.told.append(now.value)
        if is_news:
            self.news.append(now.value)

    def tell_stale(self, heard: Heard) -> None:
        self.stale += 1

    def tell_end(self, heard: Heard, error: UnfitAnswerError) -> None:
        self.ends.append(str(error))
        self.is_attended = False


def place(path: str = "/overview", *, is_private: bool = False) -> Place:
    return Place(path, b"", path.encode(), b"", CLERK, is_private)


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def answers(company: Company) -> AsyncIterator[Answers]:
    answers = Answers(cast("Within", company), company, FakeClock())
    running = asyncio.create_task(answers.run())
    yield answers
    running.cancel()


@pytest.fixture
def bound(answers: Answers) -> Answers:
    """With one answer that a room hears of."""
    answers.bind(Binding("/overview", "room", CLERK, lambda previous, body: ()))
    return answers


async def test_a_commit_is_computed_once_and_told_once(company: Company, bound: Answers) -> None:
    bound.entered({"room"})
    await bound.settled()
    company.number = 2
    bound.committed(CONCERNING)
    await bound.settled()
    assert (company.computed, company.news) == (2, [2])


async def test_a_commit_that_does_not_concern_it_costs_nothing(company: Company, bound: Answers) -> None:
    bound.entered({"room"})
    await bound.settled()
    bound.committed(OTHER)
    await bound.settled()
    assert company.computed == 1


async def test_equal_answers_are_not_told_again(company: Company, bound: Answers) -> None:
    bound.entered({"room"})
    await bound.settled()
    bound.committed(CONCERNING)
    await bound.settled()
    assert (company.computed, company.news) == (2, [])


async def test_commits_while_nobody_listens_cost_nothing_and_are_no_news_later(
    company: Company, bound: Answers
) -> None:
    company.is_attended = False
    bound.committed(CONCERNING)
    await bound.settled()
    assert company.computed == 0
    company.is_attended = True
    bound.entered({"room"})
    await bound.settled()
    assert (company.computed, company.news) == (1, [])


async def test_a_commit_between_joining_and_the_first_computation_is_news(
    company: Company, bound: Answers
) -> None:
    bound.entered({"room"})
    bound.committed(OTHER)
    await bound.settled()
    assert company.news == [1]


async def test_t34_many_commits_during_a_computation_make_one_more(company: Company, bound: Answers) -> None:
    bound.entered({"room"})
    await bound.settled()
    company.gate = asyncio.Event()
    company.number = 2
    bound.committed(CONCERNING)
    while company.computed < 2:
        await asyncio.sleep(0)
    for company.number in range(3, 50):
        bound.committed(CONCERNING)
    company.gate.set()
    await bound.settled()
    assert (company.computed, company.news) == (3, [2, 49])


async def test_an_answer_that_fails_is_not_told_and_is_computed_again(
    company: Company, bound: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    bound.entered({"room"})
    await bound.settled()
    company.status, company.number = 503, 2
    bound.committed(CONCERNING)
    while company.computed < 3:
        await asyncio.sleep(0)
    assert company.news == []
    company.status = 200
    while not company.news:
        await asyncio.sleep(0)
    assert company.news == [2]


async def test_a_commit_after_a_failure_is_not_kept_waiting_for_the_retry(
    company: Company, bound: Answers
) -> None:
    bound.entered({"room"})
    await bound.settled()
    company.status, company.number = 503, 2
    bound.committed(CONCERNING)
    await bound.settled()
    company.status = 200
    async with asyncio.timeout(RETRY_S / 2):
        bound.committed(CONCERNING)
        await bound.settled()
    assert company.news == [2]


async def test_t14_an_answer_that_time_has_made_untrue_is_computed_and_told_again(
    company: Company, answers: Answers
) -> None:
    heard = answers.at(place())
    await answers.fresh(heard)
    company.number = 2
    answers.expired(heard)
    await answers.settled()
    assert company.told == [1, 2]


async def test_midnight_is_waited_for_an_hour_at_a_time_without_computing(
    company: Company, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """14 hours away, and timers do not sleep that long."""
    waited: list[tuple[float, Any, tuple[Any, ...]]] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def noting(delay_s: float, callback: Any, *arguments: Any) -> asyncio.TimerHandle:
        waited.append((delay_s, callback, arguments))
        return call_later(3_600.0, lambda: None)

    monkeypatch.setattr(loop, "call_later", noting)
    company.valid_until_s = MIDNIGHT.timestamp()
    heard = answers.at(place())
    await answers.fresh(heard)
    [(delay_s, look_again, arguments)] = waited
    assert delay_s == LONGEST_WAIT_S
    cast("FakeClock", answers._clock).advance(13.5 * 3_600)
    look_again(*arguments)
    assert waited[1][:2] == (1_800.0, answers.expired)
    assert company.computed == 1
    answers.release(heard)


async def test_who_asks_while_it_is_computed_waits_for_one_that_began_after_him(
    company: Company, answers: Answers
) -> None:
    heard = answers.at(place())
    company.gate = asyncio.Event()
    first = asyncio.create_task(answers.fresh(heard))
    while company.computed < 1:
        await asyncio.sleep(0)
    answers.committed(CONCERNING)
    company.number = 2
    others = [asyncio.create_task(answers.fresh(heard)) for _ in range(5)]
    await asyncio.sleep(0)
    company.gate.set()
    await asyncio.gather(first, *others)
    await answers.settled()
    assert (company.computed, heard.watch.said) == (2, Said.of(body_etag(b"2").decode(), b"2"))


async def test_who_asks_for_what_is_known_costs_nothing(company: Company, answers: Answers) -> None:
    heard = answers.at(place())
    for _ in range(10):
        await answers.fresh(heard)
    assert company.computed == 1


async def test_t32_a_private_answer_is_said_to_be_stale_and_not_computed(
    company: Company, answers: Answers
) -> None:
    heard = answers.at(place(is_private=True))
    await answers.fresh(heard)
    answers.committed(CONCERNING)
    answers.committed(OTHER)
    await answers.settled()
    assert (company.computed, company.stale, company.told) == (1, 1, [])


async def test_t32_a_private_answer_that_was_fetched_again_is_followed_by_what_it_read_then(
    company: Company, answers: Answers
) -> None:
    heard = answers.at(place(is_private=True))
    await answers.fresh(heard)
    answers.committed(CONCERNING)
    await answers.settled()
    company.kept_now = Answered(200, '"x"', b"2", ReadSet(OTHER.relations), None)
    answers.committed(WriteSet())
    await answers.settled()
    company.kept_now = None
    answers.committed(CONCERNING)
    await answers.settled()
    assert company.stale == 1
    answers.committed(OTHER)
    await answers.settled()
    assert (company.computed, company.stale) == (1, 2)


@pytest.mark.parametrize("body", [b"%PDF-1.7", b"x" * (module.MAX_BODY_BYTES + 1)])
async def test_what_cannot_be_sent_ends_the_subscriptions_to_it(
    company: Company, answers: Answers, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    heard = answers.at(place())
    await answers.fresh(heard)

    async def answer(place: Place) -> Answered:
        return Answered(200, '"x"', body, ReadSet(), None)

    monkeypatch.setattr(company, "answer", answer)
    answers.committed(CONCERNING)
    await answers.settled()
    assert len(company.ends) == 1


async def test_a_record_that_is_gone_ends_the_subscriptions_to_it(company: Company, answers: Answers) -> None:
    heard = answers.at(place())
    await answers.fresh(heard)
    company.status = 404
    answers.committed(CONCERNING)
    await answers.settled()
    answers.release(heard)
    assert (company.ends, len(answers)) == (["the answer is 404"], 0)


async def test_an_answer_that_nobody_listens_to_is_forgotten(company: Company, answers: Answers) -> None:
    heard = answers.at(place())
    await answers.fresh(heard)
    assert place() in answers
    company.is_attended = False
    answers.release(heard)
    assert (len(answers), len(answers._turns)) == (0, 0)


async def test_there_are_only_so_many_answers(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ANSWERS", 2)
    for path in ("/a", "/b", "/a"):
        answers.at(place(path))
    with pytest.raises(CrowdedError):
        answers.at(place("/c"))
