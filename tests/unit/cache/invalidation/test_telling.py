"""Trap T5 (two worlds) and what becomes of a commit that Redis could not be told of."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy.util import greenlet_spawn

from steinmetz.cache.invalidation.link import UnreachableError
from steinmetz.cache.invalidation.telling import Telling
from steinmetz.cache.policy.change_log import Op
from steinmetz.cache.policy.consistency import Token
from steinmetz.clock import FakeClock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation

pytestmark = pytest.mark.anyio
WRITES = WriteSet(frozenset({Relation("main", "t")}))


@dataclass
class PlayedLink:
    """Answers unless it is ``down``; each failing attempt takes ``costs_s`` on the clock."""

    clock: FakeClock
    down: bool = False
    costs_s: float = 0.25
    told: list[tuple[Op, int]] = field(default_factory=list)
    attempts: int = 0
    threads: set[int] = field(default_factory=set)

    def tell(self, op: Op, mark: int, writes: WriteSet) -> Token:
        self.attempts += 1
        self.threads.add(threading.get_ident())
        if self.down:
            self.clock.advance(self.costs_s)
            raise UnreachableError("ConnectionError")
        self.told.append((op, mark))
        return Token(b"boot", len(self.told))

    def close(self) -> None:
        pass


@pytest.fixture
def link() -> PlayedLink:
    return PlayedLink(FakeClock())


@pytest.fixture
def telling(link: PlayedLink) -> Telling:
    played: Any = link
    return Telling(played, link.clock)


def test_a_commit_is_told_before_and_after(telling: Telling, link: PlayedLink) -> None:
    one, two = telling.mark(WRITES), telling.mark(WRITES)
    telling.bump(one)
    telling.unmark(two)
    assert link.told == [(Op.MARK, 1), (Op.MARK, 2), (Op.BUMP, 1), (Op.UNMARK, 2)]
    assert telling.last == Token(b"boot", 4)


async def test_t5_from_a_greenlet_the_loop_goes_on_and_from_a_thread_it_blocks(
    telling: Telling, link: PlayedLink
) -> None:
    here = threading.get_ident()
    await greenlet_spawn(telling.mark, WRITES)
    assert here not in link.threads
    link.threads.clear()
    await asyncio.to_thread(telling.mark, WRITES)
    assert len(link.threads) == 1
    assert here not in link.threads
    link.threads.clear()
    telling.mark(WRITES)  # a synchronous engine on the loop's own thread
    assert link.threads == {here}
    await asyncio.to_thread(telling.close)


def test_a_mark_that_cannot_be_told_lets_the_commit_go_on_and_spares_the_next_the_wait(
    telling: Telling, link: PlayedLink
) -> None:
    link.down = True
    telling.mark(WRITES)
    telling.mark(WRITES)
    assert link.attempts == 1
    assert not telling.owes  # nothing stands yet


def test_a_bump_that_cannot_be_told_is_held_and_owed(telling: Telling, link: PlayedLink) -> None:
    token = telling.mark(WRITES)
    link.down = True
    began_s = link.clock.monotonic_s()
    telling.bump(token)
    assert telling.owes
    assert link.clock.monotonic_s() - began_s >= 1.25
    # A bump is always attempted, and while all is lost once only.
    attempts = link.attempts
    telling.bump(telling.mark(WRITES))
    assert link.attempts == attempts + 1


async def test_what_is_owed_is_told_first_as_anything(telling: Telling, link: PlayedLink) -> None:
    token = telling.mark(WRITES)
    link.down = True
    telling.bump(token)
    link.down = False
    link.told.clear()
    await telling.pay()
    assert not telling.owes
    assert link.told == [(Op.CLEAR, 0)]
    link.told.clear()
    await telling.pay()
    assert link.told == []
    telling.bump(telling.mark(WRITES))
    assert link.told == [(Op.MARK, 2), (Op.BUMP, 2)]
    await asyncio.to_thread(telling.close)


def test_when_redis_is_back_within_the_hold_the_write_is_told_after_all(
    telling: Telling, link: PlayedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = telling.mark(WRITES)
    link.down = True

    def wait(timeout_s: float) -> bool:
        link.down = False
        return False

    monkeypatch.setattr(telling._closed, "wait", wait)
    telling.bump(token)
    assert not telling.owes
    assert link.told[-1] == (Op.CLEAR, 0)


def test_an_unmark_that_cannot_be_told_is_left_to_the_lease(telling: Telling, link: PlayedLink) -> None:
    token = telling.mark(WRITES)
    link.down = True
    telling.unmark(token)
    assert not telling.owes


async def test_by_hand(telling: Telling, link: PlayedLink) -> None:
    await telling.moved(WRITES)
    telling.move(WRITES)
    telling.clear()
    assert link.told == [(Op.MOVE, 0), (Op.MOVE, 0), (Op.CLEAR, 0)]
    await asyncio.to_thread(telling.close)
