from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.cache import Principal, cached
from steinmetz.cache.warming.wanted import Wanted
from steinmetz.cache.warming.warmer import Warmer

pytestmark = pytest.mark.anyio


def somebody(role: str | None) -> Principal | None:
    return None if role == "admin" else Principal("system:warming", role or "clerk")


def one(path: str, query: str = "", role: str | None = None, **headers: str) -> Wanted:
    return Wanted(path, query, role, tuple(headers.items()), 1.0)


@pytest.fixture
def computed(rig: Any, reply: Any) -> list[str]:
    """Paths of computations at ``/shared``, ``/role`` and ``/broken``, in their order."""
    done: list[str] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        done.append(f"{scope['path']}?{scope['query_string'].decode()}")
        rig.hook.read("invoices")
        await reply(send, scope["path"].encode())

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no database")

    rig.app.add("/shared", cached(shared=True)(answer))

    async def of_role(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send)

    rig.app.add("/role", cached(vary_on="role")(of_role))
    rig.app.add("/broken", cached(shared=True)(broken))
    rig.app.add("/plain", lambda scope, receive, send: reply(send, b"not cached"))
    return done


async def test_what_was_warmed_is_a_hit_for_those_whose_it_is(rig: Any, computed: list[str]) -> None:
    warmer = Warmer(rig.door, somebody, rig.clock)
    progress = await warmer.warm([one("/shared", "b=2&a=1"), one("/role", role="clerk")])
    assert (progress.total, progress.kept, progress.failed, progress.ended) == (2, 2, 0, True)
    assert (await rig.ask("/shared?a=1&b=2", user="carl")).cache == "HIT"
    assert (await rig.ask("/role", user="anna")).cache == "HIT"
    assert (await rig.ask("/role", user="carl")).cache == "MISS"
    assert (await rig.ask("/shared?a=1&b=2")).cache == "BYPASS"


async def test_what_cannot_be_warmed_harms_nothing(rig: Any, computed: list[str]) -> None:
    warmer = Warmer(rig.door, somebody, rig.clock)
    progress = await warmer.warm(
        [one("/broken"), one("/plain"), one("/nowhere"), one("/role", role="admin"), one("/shared")]
    )
    assert (progress.kept, progress.failed) == (1, 4)
    assert computed == ["/shared?"]


async def test_what_is_there_already_is_not_computed_again(rig: Any, computed: list[str]) -> None:
    await rig.ask("/shared", user="anna")
    assert (await Warmer(rig.door, somebody, rig.clock).warm([one("/shared")])).kept == 1
    assert computed == ["/shared?"]


async def test_one_run_at_a_time_and_it_can_be_ended(rig: Any, reply: Any) -> None:
    entered, never = asyncio.Event(), asyncio.Event()

    @cached(shared=True)
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await never.wait()

    rig.app.add("/slow", slow)
    warmer = Warmer(rig.door, somebody, rig.clock)
    run = asyncio.ensure_future(warmer.warm([one("/slow")]))
    await entered.wait()
    assert warmer.is_running
    with pytest.raises(RuntimeError, match="being warmed already"):
        await warmer.warm([one("/shared")])
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not warmer.is_running


async def test_nothing_wanted_is_done_at_once(rig: Any) -> None:
    assert (await Warmer(rig.door, somebody, rig.clock).warm([])).done == 0
