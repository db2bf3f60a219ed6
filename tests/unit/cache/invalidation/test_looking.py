from __future__ import annotations

import asyncio

import pytest

from steinmetz.cache.invalidation.looking import SharedLook

pytestmark = pytest.mark.anyio


class Question:
    def __init__(self) -> None:
        self.begun = 0
        self.answer: bool | Exception = True
        self.go_on = asyncio.Event()

    async def ask(self) -> bool:
        self.begun += 1
        await self.go_on.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_all_who_come_before_it_is_asked_share_one_question() -> None:
    question = Question()
    look = SharedLook(question.ask)
    waiting = [asyncio.create_task(look.look()) for _ in range(16)]
    await turns()
    assert question.begun == 1
    question.go_on.set()
    assert await asyncio.gather(*waiting) == [True] * 16
    assert (look.asked, look.shared) == (1, 16)


async def test_h14_who_comes_after_it_was_asked_waits_for_the_next() -> None:
    question = Question()
    look = SharedLook(question.ask)
    first = asyncio.create_task(look.look())
    await turns()
    late = [asyncio.create_task(look.look()) for _ in range(3)]
    await turns()
    assert question.begun == 1
    question.go_on.set()
    assert await first
    assert await asyncio.gather(*late) == [True] * 3
    assert question.begun == 2


async def test_who_gives_up_waiting_harms_nobody() -> None:
    question = Question()
    look = SharedLook(question.ask)
    one, two = asyncio.create_task(look.look()), asyncio.create_task(look.look())
    await turns()
    one.cancel()
    question.go_on.set()
    assert await two


async def test_a_fault_is_a_false_and_the_next_question_is_asked() -> None:
    question = Question()
    look = SharedLook(question.ask)
    question.answer = KeyError("a fault")
    question.go_on.set()
    assert await look.look() is False
    question.answer = True
    assert await look.look() is True


async def test_at_the_end_who_waits_is_told_no() -> None:
    look = SharedLook(Question().ask)
    waiting = [asyncio.create_task(look.look()) for _ in range(2)]
    await turns()
    late = asyncio.create_task(look.look())
    await turns()
    await look.aclose()
    assert await asyncio.gather(*waiting, late) == [False] * 3
