"""Twenty thousand random reads and writes: none older than an acknowledged write; five broken caches are found.

The full run, over more databases and processes, is ``dev.py bench staleness``; the harness is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from sqlalchemy.util import await_only

from benchmarks.stale.clients import Client, InProcess, Notes, run, truth
from benchmarks.stale.histories import LINEARIZABLE, SESSION, Fault, Verdict, judge, lost
from benchmarks.stale.shop import Callers, Shop, fill
from steinmetz.cache import Principal, ResponseCache
from steinmetz.cache.asgi.admission import Admission, Admitted
from steinmetz.cache.policy.epochs import Epochs, Mark, Moment
from steinmetz.sql.effects import ReadSet, WriteSet

pytestmark = pytest.mark.anyio

OPERATIONS = 20_000
CLIENTS = 16
AT_ONCE = 200
"""Operations after which a broken cache is looked at."""


async def _clients(shop: Shop, notes: Notes, *, write_shares: Sequence[float], **options: Any) -> list[Client]:
    await fill(shop.engine)
    await shop.live.start()
    door = InProcess(shop.app)
    return [
        Client(number, door, notes, seed=5, write_share=share, **options)
        for number, share in enumerate(write_shares)
    ]


async def _judged(shop: Shop, notes: Notes) -> list[Verdict]:
    known = await truth(shop.engine, notes)
    verdicts = [judge(known.states, notes.reads, level) for level in (LINEARIZABLE, SESSION)]
    verdicts[0].violations += [*notes.foreign, *lost(known.acknowledged, known.committed, 0)]
    return verdicts


async def _end(shop: Shop) -> None:
    await shop.live.stop()
    await shop.close()


def _renewing(callers: Callers) -> ResponseCache:
    """Public answers in demand are renewed, in nobody's name."""
    return ResponseCache(authenticator=callers, renew_as=lambda role: None)


async def _shows_nothing_stale(shop: Shop, operations: int, *, renews: bool = False) -> None:
    notes = Notes()
    clients = await _clients(shop, notes, write_shares=[0.012] * CLIENTS, cancel_share=0.01)
    await run(clients, operations, notes=notes)
    verdicts = await _judged(shop, notes)
    await _end(shop)
    assert [verdict.violations for verdict in verdicts] == [[], []]
    assert notes.operations >= operations
    assert notes.errors == 0
    # A cache that never hits would be right as well, and one that never renews.
    assert notes.hits / notes.answers >= 0.3
    assert bool(shop.cache.stats()["renewed"]) == renews


async def test_no_read_is_older_than_an_acknowledged_write_on_sqlite(tmp_path: Path) -> None:
    await _shows_nothing_stale(Shop(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"), OPERATIONS)


async def test_no_renewed_answer_is_older_than_an_acknowledged_write(tmp_path: Path) -> None:
    shop = Shop(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", cache=_renewing)
    await _shows_nothing_stale(shop, OPERATIONS // 2, renews=True)


async def test_no_read_is_older_than_an_acknowledged_write_on_postgresql(empty_postgres_url: str) -> None:
    await _shows_nothing_stale(Shop(empty_postgres_url), OPERATIONS // 10)


# -- caches that are broken on purpose

TWICE = {"item": 2, "view": 2, "mine": 1}
"""Each row is shown by several answers, one of which may be new while another is old."""


class KeepsWithoutAsking(Epochs):
    def unmoved_since(self, sequence: int, reads: ReadSet) -> bool:
        return True


class JoinsWithoutAsking(Epochs):
    def unmoved_until(self, sequence: int, reads: ReadSet, moment: Moment) -> bool:
        return True

    def unmoved_since(self, sequence: int, reads: ReadSet) -> bool:
        return Epochs.unmoved_until(self, sequence, reads, self.moment())


class DropsBeforeTheCommit(Epochs):
    """What is marked counts as done."""

    def mark(self, writes: WriteSet, now_s: float, lease_s: float | None = None) -> Mark:
        self.move(writes)
        return Mark(writes, now_s)

    def bump(self, mark: Mark) -> None:
        pass


class NeverMarks(Epochs):
    def suspends(self, reads: ReadSet) -> bool:
        return False

    def moment(self) -> Moment:
        return Moment(self.sequence)


class OneForAll(Callers):
    """Whoever comes with a credential is taken for the same user."""

    async def authenticate(self, credential: bytes) -> Admission:
        admission = await super().authenticate(credential)
        assert isinstance(admission, Admitted)
        return Admitted(Principal("0", "user", detail=admission.principal.detail))


def _with(epochs: type[Epochs]) -> Callable[[Callers], ResponseCache]:
    def made(callers: Callers) -> ResponseCache:
        cache = ResponseCache(authenticator=callers)
        cache._coherence.epochs = epochs()
        return cache

    return made


def _one_for_all(callers: Callers) -> ResponseCache:
    return ResponseCache(authenticator=OneForAll(callers._sessions, callers._pauses))


class Meanwhile:
    """A failpoint: whoever commits waits until others have done `READ_MEANWHILE` operations, however long a busy
    machine takes for them; no longer than to the end of the operations that are under way."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.end = 0

    def __call__(self, point: str) -> None:
        until, given_up_s = self._notes.operations + READ_MEANWHILE, monotonic() + GIVEN_UP_S
        while self._notes.operations < min(until, self.end) and monotonic() < given_up_s:
            await_only(asyncio.sleep(0))


class Slow(Enum):
    """Where one waits long enough for a whole request to happen meanwhile."""

    READING = "between reading and answering"
    WRITING = "around the commit"


WRITERS = 2
"""Where writing is slow: if all wrote, all would soon wait for each other, and nobody would read meanwhile."""
READ_MEANWHILE = 40
GIVEN_UP_S = 5.0
BROKEN: dict[str, tuple[Callable[[Callers], ResponseCache], Slow, set[Fault]]] = {
    "kept without asking": (_with(KeepsWithoutAsking), Slow.READING, {Fault.STALE}),
    "joined without asking": (_with(JoinsWithoutAsking), Slow.READING, {Fault.STALE, Fault.BACKWARDS}),
    "dropped before the commit": (_with(DropsBeforeTheCommit), Slow.WRITING, {Fault.STALE}),
    "not marked": (_with(NeverMarks), Slow.WRITING, {Fault.BACKWARDS}),
    "another user's answers": (_one_for_all, Slow.READING, {Fault.FOREIGN}),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_broken_cache_is_found_within_the_same_number_of_operations(how: str, tmp_path: Path) -> None:
    cache, slow, expected = BROKEN[how]
    shop: Any = Shop(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", chance=0.5, longest_s=0.2, cache=cache)
    notes, found = Notes(), set[Fault]()
    meanwhile = Meanwhile(notes)
    shop.live.hook.failpoint = meanwhile if slow is Slow.WRITING else None
    if slow is Slow.WRITING:
        shop.pauses.chance = 0
    shares = [0.05] * CLIENTS if slow is Slow.READING else [0.5] * WRITERS + [0.0] * (CLIENTS - WRITERS)
    clients = await _clients(shop, notes, write_shares=shares, reads=TWICE, kinds=["core", "autocommit"])
    while not found & expected and notes.operations < OPERATIONS:
        meanwhile.end = min(notes.operations + AT_ONCE, OPERATIONS)
        await run(clients, meanwhile.end, notes=notes)
        found = {violation.fault for violation in (await _judged(shop, notes))[0].violations}
    await _end(shop)
    assert found & expected
