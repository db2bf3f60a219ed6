"""What a commit drops is computed again if many ask for it: once, for the right people, and for nobody else."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from steinmetz.cache import Principal, cached
from steinmetz.cache.policy.worth import SPOILT
from steinmetz.cache.warming.renewing import MAX_TRIES, MAX_WAITING

pytestmark = pytest.mark.anyio

REQUEST = contextvars.ContextVar("request", default="none")


def somebody(role: str | None) -> Principal | None:
    return None if role == "admin" else Principal("system:warming", role or "clerk")


@pytest.fixture
def rig(make_rig: Any) -> Any:
    return make_rig(renew_as=somebody)


@pytest.fixture
def computed(rig: Any, reply: Any) -> list[tuple[str, str]]:
    """Path, and the request in whose context it was, of each computation."""
    done: list[tuple[str, str]] = []

    def route(path: str, **policy: Any) -> None:
        @cached(**policy)
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            done.append((scope["path"], REQUEST.get()))
            rig.hook.read("invoices")
            await reply(send, f"{len(done)}".encode())

        rig.app.add(path, answer)

    route("/shared", shared=True)
    route("/public", public=True)
    route("/role", vary_on="role")
    route("/mine", vary_on="user")
    return done


async def asked(rig: Any, path: str, times: int, user: str | None = "anna") -> None:
    for _ in range(times):
        await rig.ask(path, user=user)


async def settled(rig: Any) -> None:
    async with asyncio.timeout(10):
        while not rig.door.renewing.is_idle:
            await asyncio.sleep(0.001)


async def written(rig: Any) -> None:
    rig.hook.commit("invoices")
    await settled(rig)


async def test_an_answer_in_demand_is_there_before_anybody_asks(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    await written(rig)
    assert len(computed) == 2
    first = await rig.ask("/shared", user="bert")
    assert (first.cache, first.body) == ("HIT", b"2")
    stats = rig.cache.stats()
    assert (stats["renewed"], stats["misses"], stats["hits"]) == (1, 1, 4)


async def test_an_answer_that_was_given_once_or_twice_waits_for_its_caller(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 3)
    await written(rig)
    assert (await rig.ask("/shared", user="anna")).cache == "MISS"


async def test_what_nobody_asks_for_any_more_is_renewed_once(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 10)
    for _ in range(5):
        await written(rig)
    assert len(computed) == 2


async def test_renewing_in_vain_does_not_speak_against_a_route(rig: Any, computed: list[Any]) -> None:
    rig.cache._statistics.of("/shared").worth._spoilt = SPOILT - 1
    await asked(rig, "/shared", 4)
    await written(rig)
    await written(rig)  # what was renewed is dropped before anybody had it
    assert (await rig.ask("/shared", user="anna")).cache == "MISS"


async def test_each_role_has_its_own_and_a_role_without_a_name_none(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/role", 4, "anna")
    await asked(rig, "/role", 4, "carl")
    await written(rig)
    assert (await rig.ask("/role", user="bert")).cache == "HIT"
    assert (await rig.ask("/role", user="carl")).cache == "MISS"


async def test_a_users_own_answer_is_nobody_elses_to_ask_for(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/mine", 9)
    await written(rig)
    assert len(computed) == 1


async def test_public_answers_are_asked_for_by_nobody_in_particular(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/public", 4, user=None)
    await written(rig)
    assert (await rig.ask("/public")).cache == "HIT"


async def test_it_is_computed_in_nobodys_context(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    REQUEST.set("the writer's")
    await written(rig)
    assert computed[-1] == ("/shared", "none")


async def test_what_is_not_dropped_by_a_write_is_not_renewed(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    rig.cache.clear()
    await settled(rig)
    await asked(rig, "/shared", 4)
    rig.clock.advance(301)
    await asked(rig, "/shared", 1)
    await settled(rig)
    assert len(computed) == 3


async def test_a_write_by_hand_counts_as_well(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    rig.cache.invalidate("/shared")
    await settled(rig)
    assert (await rig.ask("/shared", user="anna")).cache == "HIT"


async def test_a_caller_who_comes_meanwhile_joins(rig: Any, reply: Any) -> None:
    entered, go = asyncio.Event(), asyncio.Event()
    go.set()
    done = 0

    @cached(shared=True)
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal done
        done += 1
        rig.hook.read("invoices")
        entered.set()
        await go.wait()
        await reply(send, b"new")

    rig.app.add("/slow", slow)
    await asked(rig, "/slow", 4)
    entered.clear()
    go.clear()
    rig.hook.commit("invoices")
    await entered.wait()
    caller = asyncio.ensure_future(rig.ask("/slow", user="anna"))
    await asyncio.sleep(0)
    go.set()
    assert (await caller).body == b"new"
    await settled(rig)
    assert (done, rig.cache.stats()["collapsed"]) == (2, 1)


async def test_a_commit_during_the_computation_has_it_tried_again_but_not_for_ever(rig: Any, reply: Any) -> None:
    done = 0
    writes = 1

    @cached(shared=True)
    async def overtaken(scope: Any, receive: Any, send: Any) -> None:
        nonlocal done
        done += 1
        rig.hook.read("invoices")
        if 1 < done <= 1 + writes:
            rig.hook.commit("invoices")
        await reply(send, f"{done}".encode())

    rig.app.add("/hot", overtaken)
    await asked(rig, "/hot", 4)
    await written(rig)
    assert (await rig.ask("/hot", user="anna")).cache == "HIT"
    assert done == 3
    writes, done = 1_000, 0
    await asked(rig, "/hot", 4)
    done = 1
    await written(rig)
    assert done == 1 + MAX_TRIES


async def test_a_route_that_fails_harms_nobody(rig: Any, computed: list[Any], reply: Any) -> None:
    is_broken = False

    @cached(shared=True)
    async def fragile(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        if is_broken:
            raise RuntimeError("no database")
        await reply(send, b"fine")

    rig.app.add("/fragile", fragile)
    await asked(rig, "/fragile", 9)
    await asked(rig, "/shared", 4)
    is_broken = True
    await written(rig)
    assert (await rig.ask("/shared", user="anna")).cache == "HIT"
    assert rig.cache.stats()["renewed"] == 1


async def test_the_most_wanted_comes_first_and_the_crowd_is_bounded(rig: Any, reply: Any) -> None:
    order: list[str] = []

    @cached(shared=True)
    async def listed(scope: Any, receive: Any, send: Any) -> None:
        order.append(scope["query_string"].decode())
        rig.hook.read("invoices")
        await reply(send, b"x")

    rig.app.add("/list", listed)
    for page in range(MAX_WAITING + 10):
        await asked(rig, f"/list?page={page}", 4)
    await asked(rig, "/list?page=7", 3)
    order.clear()
    await written(rig)
    assert order[0] == "page=7"
    assert len(order) == MAX_WAITING


async def test_whoever_listens_takes_it_over(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    viewpoint = rig.door.within.bound("/shared", somebody(None))
    rig.hook.commit("invoices")
    await rig.door.within.answer(viewpoint, keep=False)
    await settled(rig)
    assert len(computed) == 2
    assert (await rig.ask("/shared", user="anna")).cache == "HIT"
    for _ in range(3):  # nobody but the listener asks any more
        rig.hook.commit("invoices")
        await rig.door.within.answer(viewpoint, keep=False)
    assert (await rig.ask("/shared", user="anna")).cache == "MISS"


async def test_what_no_url_has_is_not_asked_for_again_and_harms_nobody(rig: Any, computed: list[Any]) -> None:
    for _ in range(4):
        await rig.ask("/shared?q=\u00e9".encode().decode("latin-1"), user="anna")
    await asked(rig, "/public", 4, user=None)
    await written(rig)
    assert (await rig.ask("/public")).cache == "HIT"
    assert rig.cache.wanted() == [one for one in rig.cache.wanted() if one.query.isascii()]


async def test_a_cache_that_is_switched_off_renews_nothing(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    rig.cache.enabled = False
    await written(rig)
    assert len(computed) == 1


async def test_after_the_end_nothing_is_begun(rig: Any, computed: list[Any]) -> None:
    await asked(rig, "/shared", 4)
    await rig.cache.aclose()
    rig.hook.commit("invoices")
    await asyncio.sleep(0)
    assert len(computed) == 1


def test_a_loop_that_was_closed_is_no_error(rig: Any, computed: list[Any]) -> None:
    asyncio.run(asked(rig, "/shared", 4))
    rig.hook.commit("invoices")
    assert len(computed) == 1


async def test_without_a_name_to_ask_in_nothing_is_renewed(make_rig: Any) -> None:
    assert make_rig().door.renewing is None
