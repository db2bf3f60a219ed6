"""Who stands behind a socket: asked once, and again when a commit concerns the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from steinmetz.cache import Principal
from steinmetz.live import rights as module
from steinmetz.live.rights import Rights, anybody
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.scope import current_scope

pytestmark = pytest.mark.anyio

USERS = Relation("main", "users")
CONCERNING, OTHER = WriteSet(frozenset({USERS})), WriteSet(frozenset({Relation("main", "invoices")}))
CLERK, ADMIN = Principal("user:1", "clerk"), Principal("user:1", "admin")


class Socket:
    connected = True


class Company:
    """Everybody is ``principal``; finding out reads the users."""

    def __init__(self) -> None:
        self.principal: Principal | None = ADMIN
        self.asked: list[int] = []
        self.changed: list[Any] = []
        self.gate: asyncio.Event | None = None

    async def principals(self, sockets: Sequence[Any]) -> Sequence[Principal | None]:
        self.asked.append(len(sockets))
        scope = current_scope()
        assert scope is not None
        scope.replay(ReadSet(frozenset({USERS})))
        found = [self.principal for _ in sockets]
        if self.gate is not None:
            await self.gate.wait()
        return found

    def note(self, socket: Any, principal: Principal | None) -> None:
        self.changed.append(principal)


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)
    return Company()


@pytest.fixture
async def rights(company: Company) -> AsyncIterator[Rights]:
    rights = Rights(company.principals, company.note)
    running = asyncio.create_task(rights.run())
    yield rights
    running.cancel()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_without_an_application_s_word_everybody_is_a_stranger() -> None:
    assert await anybody([Socket(), Socket()]) == [None, None]  # type: ignore[list-item]


async def test_a_socket_is_asked_about_once(company: Company, rights: Rights) -> None:
    socket: Any = Socket()
    assert [await rights.of(socket) for _ in range(3)] == [ADMIN] * 3
    assert company.asked == [1]
    assert rights.is_certain(socket, ADMIN)
    assert not rights.is_certain(socket, CLERK)


async def test_those_who_come_at_once_are_asked_about_in_one_question(company: Company, rights: Rights) -> None:
    sockets: list[Any] = [Socket() for _ in range(700)]
    await asyncio.gather(*(rights.of(socket) for socket in sockets))
    assert company.asked == [500, 200]


async def test_a_commit_that_concerns_nobody_s_rights_asks_nothing(company: Company, rights: Rights) -> None:
    await rights.of(Socket())  # type: ignore[arg-type]
    rights.committed(OTHER)
    await turns()
    assert company.asked == [1]


async def test_t33_a_right_that_a_commit_has_taken_is_told_at_once(company: Company, rights: Rights) -> None:
    socket: Any = Socket()
    await rights.of(socket)
    company.principal = CLERK
    rights.committed(CONCERNING)
    assert not rights.is_certain(socket, ADMIN)
    await turns()
    assert company.changed == [CLERK]
    assert rights.is_certain(socket, CLERK)
    rights.committed(CONCERNING)
    await turns()
    assert company.changed == [CLERK]


async def test_an_answer_that_a_commit_has_overtaken_is_not_certain(company: Company, rights: Rights) -> None:
    """The question has read the state before; the commit comes before its answer does."""
    socket: Any = Socket()
    company.gate = asyncio.Event()
    asking = asyncio.create_task(rights.of(socket))
    while not company.asked:
        await asyncio.sleep(0)
    company.principal = CLERK
    rights.committed(CONCERNING)
    company.gate.set()
    assert await asking == ADMIN
    assert not rights.is_certain(socket, ADMIN)
    await turns()
    assert company.changed == [CLERK]


async def test_a_question_that_fails_fails_those_who_wait_and_is_put_again(
    company: Company, rights: Rights
) -> None:
    socket: Any = Socket()

    async def fail(sockets: Sequence[Any]) -> Sequence[Principal | None]:
        raise OSError("no database")

    right, rights._ask = rights._ask, fail
    with pytest.raises(OSError, match="no database"):
        await rights.of(socket)
    rights._ask = right
    assert await rights.of(socket) == ADMIN


async def test_nothing_is_left_of_those_who_have_gone(company: Company, rights: Rights) -> None:
    gone: Any = Socket()
    gone.connected = False
    await rights.of(gone)
    stayed: Any = Socket()
    await rights.of(stayed)
    assert len(rights) == 1
    rights.forget(stayed)
    assert (len(rights), rights._reads) == (0, ReadSet())
