from __future__ import annotations

import asyncio

import pytest

from steinmetz.erp.errors import Unavailable
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.settings import load_settings

pytestmark = pytest.mark.anyio

CHEAP = load_settings(argon2_memory_kib=8, argon2_time_cost=1)


async def test_only_the_right_password_matches() -> None:
    hasher = PasswordHasher(CHEAP)
    kept = await hasher.hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert hasher.matches(kept, "correct horse")
    assert not hasher.matches(kept, "Correct horse")
    assert kept != hasher.hash_now("correct horse"), "every hash has a salt of its own"


async def test_nobody_has_any_password() -> None:
    hasher = PasswordHasher(CHEAP)
    assert not hasher.matches(None, "nobody has this password")
    assert not hasher.matches("no hash at all", "x")


async def test_few_work_at_once_few_wait_and_the_rest_are_told_to_come_again() -> None:
    hasher = PasswordHasher(CHEAP, at_once=1, max_waiting=1)
    async with hasher.turn():
        waiting = asyncio.create_task(hasher.hash("correct horse"))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await hasher.hash("correct horse")
        assert not waiting.done()
    assert (await waiting).startswith("$argon2id$")
