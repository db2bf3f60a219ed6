"""Races, held open by gates: what is kept, and who may join whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.cache import CacheConfig, cached

pytestmark = pytest.mark.anyio


class Gate:
    """A point in a computation where it stops until it is let on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_through(self) -> None:
        self.reached.set()
        await self.open.wait()


class Ledger:
    """A cached route over one value, with a gate between its SELECT and its answer."""

    def __init__(self, rig: Any, reply: Any, *headers: tuple[bytes, bytes], reads_first: bool = True) -> None:
        self.rig = rig
        self.value = b"old"
        self.gates: list[Gate] = []
        self.computed = 0

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            self.computed += 1
            if not reads_first and self.gates:
                await self.gates.pop(0).pass_through()
            rig.hook.read("ledger")
            value = self.value
            if reads_first and self.gates:
                await self.gates.pop(0).pass_through()
            await reply(send, value, *headers)

        rig.app.add("/a", endpoint)

    def gate(self) -> Gate:
        gate = Gate()
        self.gates.append(gate)
        return gate

    def ask(self) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.rig.ask("/a"))

    def write(self, value: bytes) -> None:
        """A whole write, acknowledged."""
        transaction = self.rig.hook.transaction()
        transaction.write("ledger")
        transaction.mark()
        self.value = value
        transaction.bump()


async def turns(count: int = 10) -> None:
    """Let everything that can run, run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_r1_what_was_computed_before_an_acknowledged_write_is_not_kept_after_it(
    rig: Any, reply: Any
) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    reader = ledger.ask()
    await gate.reached.wait()
    ledger.write(b"new")
    gate.open.set()
    first = await reader
    assert first.body == b"old"
    assert first.headers["cache-status"].endswith('detail="something it read was written meanwhile"')
    assert (await ledger.ask()).body == b"new"
    assert rig.cache.stats()["staleRefused"] == 1


async def test_r1_also_while_the_commit_is_still_under_way(make_rig: Any, reply: Any) -> None:
    rig = make_rig(CacheConfig(wait_s=0))
    ledger = Ledger(rig, reply)
    transaction = rig.hook.transaction()
    transaction.write("ledger")
    transaction.mark()
    assert (await ledger.ask()).body == b"old"
    ledger.value = b"new"
    transaction.bump()
    assert (await ledger.ask()).body == b"new"


async def test_r2_nobody_who_asks_after_the_acknowledgement_joins_a_flight_from_before(
    rig: Any, reply: Any
) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    before = ledger.ask()
    await gate.reached.wait()
    ledger.write(b"new")
    after = ledger.ask()
    await turns()
    assert after.done()
    assert after.result().body == b"new"
    gate.open.set()
    assert (await before).body == b"old"
    assert (await ledger.ask()).body == b"new"


async def test_r2_a_flight_that_had_read_nothing_yet_is_joined_and_asked_again_at_the_landing(
    rig: Any, reply: Any
) -> None:
    ledger = Ledger(rig, reply, reads_first=False)
    gate = ledger.gate()
    before = ledger.ask()
    await gate.reached.wait()
    ledger.write(b"new")
    after = ledger.ask()
    await turns()
    assert not after.done()
    gate.open.set()
    assert (await after).body == b"new"
    assert (await before).body == b"new"
    assert ledger.computed == 2


async def test_who_joined_before_the_write_may_have_what_was_true_then(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    leader, follower = ledger.ask(), ledger.ask()
    await gate.reached.wait()
    await turns()
    ledger.write(b"new")
    gate.open.set()
    assert [(await leader).body, (await follower).body] == [b"old", b"old"]
    assert ledger.computed == 1
    assert (await ledger.ask()).body == b"new"


async def test_fifty_who_miss_at_once_cause_one_computation(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    readers = [ledger.ask() for _ in range(50)]
    await gate.reached.wait()
    await turns()
    gate.open.set()
    answers = await asyncio.gather(*readers)
    assert ledger.computed == 1
    assert {answer.cache for answer in answers} == {"MISS"}
    assert sum("collapsed" in answer.headers["cache-status"] for answer in answers) == 49
    assert rig.cache.stats()["collapsed"] == 49


async def test_two_hundred_across_a_commit_cause_two_computations(make_rig: Any, reply: Any) -> None:
    rig = make_rig(CacheConfig(wait_s=30))
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    readers = [ledger.ask() for _ in range(100)]
    await gate.reached.wait()
    transaction = rig.hook.transaction()
    transaction.write("ledger")
    transaction.mark()
    readers += [ledger.ask() for _ in range(100)]
    await turns()
    ledger.value = b"new"
    transaction.bump()
    await turns(20)
    gate.open.set()
    answers = await asyncio.gather(*readers)
    assert ledger.computed == 2
    assert {answer.body for answer in answers[:100]} == {b"old"}
    assert {answer.body for answer in answers[100:]} == {b"new"}


async def test_a_cancelled_leader_harms_nobody(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    leader = ledger.ask()
    await gate.reached.wait()
    followers = [ledger.ask() for _ in range(5)]
    await turns()
    leader.cancel()
    await turns()
    assert leader.cancelled()
    gate.open.set()
    answers = await asyncio.gather(*followers)
    assert {answer.body for answer in answers} == {b"old"}
    assert ledger.computed == 1
    assert rig.cache.stats()["adopted"] == 1
    await turns()
    assert len(rig.door.flights) == 0


async def test_a_cancelled_follower_harms_nobody(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply)
    gate = ledger.gate()
    leader, gone, other = ledger.ask(), ledger.ask(), ledger.ask()
    await gate.reached.wait()
    await turns()
    gone.cancel()
    await turns()
    gate.open.set()
    assert [(await leader).body, (await other).body] == [b"old", b"old"]
    assert ledger.computed == 1


async def test_the_cookie_of_the_leader_is_not_given_to_followers(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply, (b"set-cookie", b"a=b"))
    gate = ledger.gate()
    readers = [ledger.ask() for _ in range(5)]
    await gate.reached.wait()
    await turns()
    gate.open.set()
    await asyncio.gather(*readers)
    assert ledger.computed == 5


async def test_followers_do_not_wait_for_a_stream(rig: Any) -> None:
    gate, computed = Gate(), []

    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        computed.append(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        if len(computed) == 1:
            await gate.pass_through()
        await send({"type": "http.response.body", "body": b"two"})

    rig.app.add("/a", endpoint)
    leader, follower = (asyncio.ensure_future(rig.ask("/a")) for _ in range(2))
    await gate.reached.wait()
    assert (await follower).body == b"one two"
    assert not leader.done()
    gate.open.set()
    assert (await leader).body == b"one two"


async def test_no_cache_does_not_join_a_flight_and_others_join_it(rig: Any, reply: Any) -> None:
    ledger = Ledger(rig, reply)
    first, second = ledger.gate(), ledger.gate()
    leader = ledger.ask()
    await first.reached.wait()
    anew = asyncio.ensure_future(rig.ask("/a", headers=[("Cache-Control", "no-cache")]))
    await second.reached.wait()
    follower = ledger.ask()
    await turns()
    second.open.set()
    assert "collapsed" in (await follower).headers["cache-status"]
    await anew
    first.open.set()
    await leader
    assert ledger.computed == 2
