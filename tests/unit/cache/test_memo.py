"""Trap T2: data kept between requests is no older than an acknowledged write, nor is an answer made with it."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from steinmetz.cache import CacheConfig, cached, valid_until
from steinmetz.sql.scope import ScopeKind, open_scope

pytestmark = pytest.mark.anyio


class Rates:
    """A table of rates; `asynchronous` and `plain` read it and count how often they did."""

    def __init__(self, rig: Any, **terms: Any) -> None:
        self.rig = rig
        self.value = 1
        self.computed = 0
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()

        @rig.cache.memo(**terms)
        async def asynchronous(currency: str) -> int:
            self.computed += 1
            rig.hook.read("rates")
            value = self.value
            if self.gate is not None:
                self.reached.set()
                await self.gate.wait()
            return value

        @rig.cache.memo(**terms)
        def plain(currency: str) -> int:
            self.computed += 1
            rig.hook.read("rates")
            return self.value

        self.asynchronous = asynchronous
        self.plain = plain

    def write(self, value: int) -> None:
        transaction = self.rig.hook.transaction()
        transaction.write("rates")
        transaction.mark()
        self.value = value
        transaction.bump()


@pytest.fixture
def rates(rig: Any) -> Rates:
    return Rates(rig)


async def test_it_is_computed_once_for_each_call_until_a_write(rates: Rates) -> None:
    assert [await rates.asynchronous("EUR"), await rates.asynchronous("EUR")] == [1, 1]
    assert [rates.plain("EUR"), rates.plain("EUR")] == [1, 1]
    assert rates.computed == 2
    assert await rates.asynchronous("USD") == 1
    assert rates.computed == 3
    rates.write(2)
    assert [await rates.asynchronous("EUR"), rates.plain("EUR")] == [2, 2]
    assert rates.asynchronous.__name__ == "asynchronous"


@pytest.mark.parametrize("kind", ["asynchronous", "plain"])
async def test_t2_an_answer_made_with_it_is_dropped_with_it(rig: Any, reply: Any, rates: Rates, kind: str) -> None:
    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        found = getattr(rates, kind)("EUR")
        await reply(send, b"%d" % (await found if kind == "asynchronous" else found))

    rig.app.add("/a", endpoint)
    rig.app.add("/b", endpoint)
    await rig.ask("/a")
    assert (await rig.ask("/b")).cache == "MISS"  # the memo is found; the answer has read no statement of its own
    assert rates.computed == 1
    assert [(await rig.ask(path)).cache for path in ("/a", "/b")] == ["HIT", "HIT"]
    rates.write(2)
    assert [(await rig.ask(path)).body for path in ("/a", "/b")] == [b"2", b"2"]


async def test_while_a_write_is_under_way_it_is_not_given(rig: Any, rates: Rates) -> None:
    await rates.asynchronous("EUR")
    transaction = rig.hook.transaction()
    transaction.write("rates")
    transaction.mark()
    rates.value = 2
    assert await rates.asynchronous("EUR") == 2
    transaction.bump()
    assert await rates.asynchronous("EUR") == 2
    assert rates.computed == 3


async def test_r1_what_a_write_has_overtaken_is_not_kept(rates: Rates) -> None:
    rates.gate = asyncio.Event()
    before = asyncio.ensure_future(rates.asynchronous("EUR"))
    await rates.reached.wait()
    rates.write(2)
    rates.gate.set()
    assert await before == 1
    assert await rates.asynchronous("EUR") == 2


async def test_two_hundred_at_once_cause_one_computation_and_two_across_a_write(rates: Rates) -> None:
    rates.gate = asyncio.Event()
    callers = [asyncio.ensure_future(rates.asynchronous("EUR")) for _ in range(200)]
    await rates.reached.wait()
    rates.gate.set()
    assert set(await asyncio.gather(*callers)) == {1}
    assert rates.computed == 1
    rates.gate = asyncio.Event()
    rates.reached.clear()
    rates.write(2)
    callers = [asyncio.ensure_future(rates.asynchronous("EUR")) for _ in range(100)]
    await rates.reached.wait()
    rates.write(3)
    callers += [asyncio.ensure_future(rates.asynchronous("EUR")) for _ in range(100)]
    rates.gate.set()
    found = await asyncio.gather(*callers)
    assert set(found[100:]) == {3}
    assert rates.computed == 3


async def test_a_caller_that_is_cancelled_leaves_its_place_to_the_next(rates: Rates) -> None:
    rates.gate = asyncio.Event()
    callers = [asyncio.ensure_future(rates.asynchronous("EUR")) for _ in range(5)]
    await rates.reached.wait()
    callers[0].cancel()
    rates.gate.set()
    assert await asyncio.gather(*callers[1:]) == [1, 1, 1, 1]
    assert rates.computed == 2


async def test_threads_compute_once(make_rig: Any) -> None:
    rig = make_rig(CacheConfig(wait_s=30))
    gate, computed = threading.Event(), list[int]()

    @rig.cache.memo()
    def slow() -> int:
        computed.append(1)
        rig.hook.read("rates")
        gate.wait(30)
        return 7

    callers = [asyncio.ensure_future(asyncio.to_thread(slow)) for _ in range(4)]
    while not computed:
        await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*callers) == [7, 7, 7, 7]
    assert len(computed) == 1


async def test_an_error_is_not_kept_and_goes_to_its_caller(rig: Any) -> None:
    tries: list[int] = []

    @rig.cache.memo()
    async def failing() -> int:
        tries.append(1)
        rig.hook.read("rates")
        if len(tries) == 1:
            raise RuntimeError("no")
        return 7

    with pytest.raises(RuntimeError, match="no"):
        await failing()
    assert await failing() == 7


async def test_h8_after_its_own_write_a_caller_computes_and_nothing_of_it_is_kept(rig: Any, rates: Rates) -> None:
    await rates.asynchronous("EUR")
    with open_scope(ScopeKind.REQUEST, "POST /rates"):
        transaction = rig.hook.transaction()
        transaction.write("rates")
        rates.value = 2
        assert [await rates.asynchronous("EUR"), rates.plain("EUR")] == [2, 2]
    assert await rates.asynchronous("EUR") == 1


async def test_what_wrote_or_may_have_read_anything_is_not_kept(rig: Any) -> None:
    computed: list[str] = []

    @rig.cache.memo()
    async def writing() -> None:
        computed.append("writing")
        rig.hook.commit("log")

    @rig.cache.memo()
    async def unknown() -> None:
        computed.append("unknown")
        rig.hook.read_unknown()

    with open_scope(ScopeKind.REQUEST, "GET /") as scope:
        for _ in range(2):
            await unknown()
        assert not scope.read_set().is_certain
        assert not scope.wrote
        for _ in range(2):
            await writing()
        assert scope.wrote
    assert computed == ["unknown", "unknown", "writing", "writing"]


async def test_it_ends_with_its_time_or_when_it_says(rig: Any, reply: Any) -> None:
    rates, computed = Rates(rig, ttl=timedelta(seconds=60)), list[int]()
    rates.plain("EUR")
    rig.clock.advance(60)
    rates.plain("EUR")
    assert rates.computed == 2
    midnight = rig.clock.now() + timedelta(seconds=10)

    @rig.cache.memo()
    async def today() -> str:
        computed.append(1)
        rig.hook.read("days")
        if len(computed) == 1:
            valid_until(midnight)
        return "today"

    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await today()
        await reply(send, b"%d" % len(computed))

    rig.app.add("/a", endpoint)
    rig.app.add("/b", endpoint)
    await rig.ask("/a")
    await rig.ask("/b")
    rig.clock.advance(10)
    assert [(await rig.ask(path)).body for path in ("/a", "/b")] == [b"2", b"2"]


async def test_it_is_bounded(make_rig: Any) -> None:
    rig = make_rig(CacheConfig(memo_entries=50))
    rates = Rates(rig)
    for number in range(500):
        await rates.asynchronous(str(number))
    assert 0 < rig.cache.stats()["memoized"] <= 50


async def test_a_key_of_its_own_tells_calls_apart(rig: Any) -> None:
    computed: list[object] = []

    @rig.cache.memo(key=lambda session, number: number)
    def named(session: object, number: int) -> int:
        computed.append(session)
        rig.hook.read("rates")
        return number

    assert [named(object(), 1), named(object(), 1), named(object(), 2)] == [1, 1, 2]
    assert len(computed) == 2


async def test_two_functions_of_one_name_are_two(rig: Any) -> None:
    def made(number: int) -> Any:
        @rig.cache.memo()
        def same() -> int:
            rig.hook.read("rates")
            return number

        return same

    assert [made(1)(), made(2)()] == [1, 2]


async def test_bad_input_is_told(rig: Any, rates: Rates) -> None:
    for ttl in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="positive"):
            rig.cache.memo(ttl=ttl)
    with pytest.raises(TypeError, match=r"memo\(key="):
        rates.plain(object())  # type: ignore[arg-type]

    def rows() -> Any:
        yield 1

    with pytest.raises(ValueError, match="generator"):
        rig.cache.memo()(rows)
    with pytest.raises(ValueError, match="memo_entries"):
        CacheConfig(memo_entries=0)


def test_loops_do_not_wait_for_each_other(rig: Any) -> None:
    rates, left_behind = Rates(rig), list[Any]()

    async def abandoned() -> None:
        rates.gate = asyncio.Event()
        left_behind.append(asyncio.ensure_future(rates.asynchronous("EUR")))
        await rates.reached.wait()

    asyncio.run(abandoned())
    rates.gate = None
    assert asyncio.run(rates.asynchronous("EUR")) == 1


async def test_while_the_cache_is_switched_off_nothing_is_given_or_kept(rig: Any, rates: Rates) -> None:
    await rates.asynchronous("EUR")
    rig.cache.enabled = False
    assert [await rates.asynchronous("EUR") for _ in range(2)] == [1, 1]
    assert (rates.plain("USD"), rates.plain("USD")) == (1, 1)
    assert rates.computed == 5
    rig.cache.enabled = True
    await rates.asynchronous("EUR")
    assert rates.computed == 5


async def test_its_statements_are_those_of_the_request(rig: Any, rates: Rates) -> None:
    with open_scope(ScopeKind.REQUEST, "GET /rates") as scope:
        rig.hook.read("currencies")
        await rates.asynchronous("EUR")
    assert scope.statements == 2
    with open_scope(ScopeKind.REQUEST, "GET /rates") as scope:
        await rates.asynchronous("EUR")
    assert scope.statements == 0
