"""Two nodes of one cache over a real Redis: what each level promises, and what becomes of it in trouble."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable

import pytest

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import Change, Column, Kind
from tests.contract.cluster_world import Judge, Node, World

pytestmark = pytest.mark.anyio

Make = Callable[..., Node]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def make(redis_url: str, world: World) -> AsyncIterator[Make]:
    """Makes nodes on keys of their own."""
    prefix, nodes = secrets.token_hex(6), list[Node]()

    def make(url: str = redis_url, **options: object) -> Node:
        nodes.append(Node(url, world, prefix, **options))
        return nodes[-1]

    yield make
    for node in nodes:
        await node.aclose()


async def test_strong_an_answer_kept_at_one_node_does_not_survive_a_write_at_the_other(make: Make) -> None:
    one, two = make(), make()
    assert (await one.get("/strong/a")).cache == "MISS"
    assert (await one.get("/strong/a")).cache == "HIT"
    assert (await two.post("a")).value == 1
    answer = await one.get("/strong/a")
    assert (answer.cache, answer.value) == ("MISS", 1)
    assert (await one.get("/strong/b")).cache == "MISS"
    await two.post("a")
    assert (await one.get("/strong/b")).cache == "HIT"


async def test_an_answer_computed_at_one_node_is_given_by_the_other(make: Make) -> None:
    one, two = make(), make()
    await two.get("/strong/b")  # follows the log from now on
    await one.get("/strong/a")
    await until(lambda: one.cluster.offered == 1)
    answer = await two.get("/strong/a")
    assert (answer.cache, answer.value) == ("HIT", 0)
    assert (two.computed, two.cluster.fetched) == (1, 1)


async def test_what_was_offered_before_a_write_is_not_believed_after_it(make: Make) -> None:
    one, two = make(), make()
    await two.get("/strong/b")
    await one.get("/strong/a")
    await until(lambda: one.cluster.offered == 1)
    await two.post("a")
    answer = await two.get("/strong/a")
    assert (answer.cache, answer.value) == ("MISS", 1)


async def test_what_was_offered_before_a_node_joined_is_not_believed(make: Make) -> None:
    one = make()
    await one.get("/strong/a")
    await until(lambda: one.cluster.offered == 1)
    await one.post("b")
    late = make()
    assert (await late.get("/strong/a")).cache == "MISS"


async def test_session_own_writes_are_read_everywhere_with_the_token(make: Make) -> None:
    one, two = make(), make()
    await one.get("/session/a")
    token = (await two.post("a")).token
    assert token is not None
    assert (await one.get("/session/a", token)).value == 1


async def test_session_reads_are_monotonic_with_the_token_of_reads(make: Make, world: World) -> None:
    """H3: a write is visible but not told yet; who read it at one node reads nothing older at another."""
    one, two, writer = make(), make(), make()
    await two.get("/session/a")
    committed, go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        if world.committed["a"]:
            committed.set()
            await go_on.wait()

    world.pause = pause
    writing = asyncio.create_task(writer.post("a"))
    await committed.wait()
    new = await one.get("/session/a")
    assert new.value == 1
    assert (await two.get("/session/a", new.token)).value == 1
    go_on.set()
    await writing


@pytest.mark.parametrize(("route", "strict"), [("/strong", True), ("/session", False)])
async def test_random_reads_and_writes_keep_the_promise(
    make: Make, world: World, route: str, strict: bool
) -> None:
    nodes = [make(), make()]
    judge = Judge(world, nodes, route, strict, random.Random(7))
    await asyncio.gather(*(judge.client(150, write_every=25) for _ in range(8)))
    assert judge.faults == []
    assert judge.outcomes["HIT"] > 100, judge.outcomes


async def test_others_writes_come_by_themselves(make: Make) -> None:
    one, two = make(), make()
    await one.get("/session/a")
    await two.post("a")
    await until(lambda: one.cache.stats()["invalidated"] == 1)
    assert (await one.get("/session/a")).value == 1


async def test_t5_a_mark_from_a_thread_blocks_and_one_from_a_greenlet_awaits(make: Make) -> None:
    one, two = make(), make()
    await one.get("/strong/a")
    await asyncio.to_thread(two.hook.commit, "a")
    assert (await one.get("/strong/a")).cache == "MISS"
    assert two.cluster.telling.told == 2


async def test_t5_a_transaction_that_only_read_is_not_told(make: Make) -> None:
    one = make()
    await one.get("/strong/a")
    assert one.cluster.telling.told == 0


async def test_bounded_needs_no_question_while_it_has_just_heard(make: Make) -> None:
    one, two = make(), make()
    await one.get("/bounded/a")
    assert (await one.get("/bounded/a")).cache == "HIT"
    await two.post("a")
    async with asyncio.timeout(0.2 + 5):  # the bound, and what a busy machine needs
        while (await one.get("/bounded/a")).value == 0:
            await asyncio.sleep(0)


async def test_by_hand_all_nodes_forget(make: Make) -> None:
    one, two = make(), make()
    invalidations: list[Callable[[], int]] = [
        lambda: two.cache.invalidate("/strong/a"),
        lambda: two.cache.invalidate_relations(WriteSet(frozenset({Relation("main", "a")}))),
        two.cache.clear,
    ]
    for invalidate in invalidations:
        await one.get("/strong/a")
        assert (await one.get("/strong/a")).cache == "HIT"
        invalidate()
        assert (await one.get("/strong/a")).cache == "MISS"


async def test_others_writes_reach_whoever_listens_to_commits(make: Make) -> None:
    one, two = make(), make()
    heard: list[WriteSet] = []
    one.cache.on_bumped(heard.append)
    await one.get("/session/a")
    heard.clear()
    await two.post("a")
    await until(lambda: bool(heard))
    assert heard == [WriteSet(frozenset({Relation("main", "a")}))]
    assert one.cache.invalidations()[0]["cause"] == f"node {two.cluster.state()['node']}"


async def test_h16_own_writes_are_applied_once_and_hide_nobody_elses(make: Make) -> None:
    """Both write one cell within one turn of the loop; each hears of the other's, and not of its own again."""
    one, two = make(), make()
    heard: dict[str, int] = {"one": 0, "two": 0}
    for node, name in ((one, "one"), (two, "two")):
        await node.get("/session/a")
        node.cache.on_bumped(lambda writes, name=name: heard.__setitem__(name, heard[name] + 1))  # type: ignore[misc]
    heard.update(one=0, two=0)
    await asyncio.gather(one.post("a"), two.post("a"))
    await until(lambda: heard == {"one": 2, "two": 2})
    assert (await one.get("/session/a")).value == 2
    assert heard == {"one": 2, "two": 2}


async def test_h19_an_offer_is_stored_whole_or_not_at_all_and_never_over_a_newer_one(
    make: Make, redis_url: str
) -> None:
    one = make()
    await one.get("/strong/a")
    link, position = one.cluster._link, one.cluster.following.position
    assert position is not None
    await link.offer(b"k", position.boot, position.number + 5, b"newer", 10.0)
    await link.offer(b"k", position.boot, position.number, b"older", 10.0)
    await link.offer(b"other", b"another life", position.number, b"x", 10.0)
    found = await link.fetch(b"k")
    assert found is not None
    assert (found.number, found.packed) == (position.number + 5, b"newer")
    assert 9.0 < found.life_s <= 10.0
    assert await link.fetch(b"other") is None


async def test_t7_a_commit_whose_fate_is_open_keeps_its_mark_up_everywhere(make: Make, world: World) -> None:
    one, two = make(), make()
    await one.get("/strong/a")
    transaction = two.hook.transaction()
    transaction.write("a")
    transaction.mark()
    world.committed["a"] = 1  # the reply to COMMIT was lost
    for _ in range(3):
        answer = await one.get("/strong/a")
        assert (answer.cache, answer.value) == ("MISS", 1)
    transaction.bump()
    await one.get("/strong/a")
    assert (await one.get("/strong/a")).cache == "HIT"


async def test_a_rollback_gives_everybody_back_what_was_suspended(make: Make) -> None:
    one, two = make(), make()
    await one.get("/strong/a")
    transaction = two.hook.transaction()
    transaction.write("a")
    transaction.mark()
    assert (await one.get("/strong/a")).cache == "MISS"
    transaction.unmark()
    assert (await one.get("/strong/a")).cache == "HIT"


async def test_who_joins_learns_of_the_marks_that_are_up(make: Make, world: World) -> None:
    one = make()
    await one.get("/strong/a")
    transaction = one.hook.transaction()
    transaction.write("a")
    transaction.mark()
    late = make()
    await late.get("/strong/a")
    assert (await late.get("/strong/a")).cache == "MISS"  # not kept under a mark
    assert late.cluster.state()["marksOfOthers"] == 1
    world.committed["a"] = 1
    transaction.bump()
    assert (await late.get("/strong/a")).value == 1


async def test_another_realm_is_given_nothing(make: Make) -> None:
    one, two = make(realm="one"), make(realm="two")
    await two.get("/strong/b")
    await one.get("/strong/a")
    await until(lambda: one.cluster.offered == 1)
    assert (await two.get("/strong/a")).cache == "MISS"
    await one.post("a")
    assert (await two.get("/strong/a")).value == 1  # writes are heard in all


async def test_everything_strong_by_one_word(make: Make) -> None:
    one, two = make(consistency="strong"), make()
    await one.get("/session/a")
    looks = one.cluster.state()["looks"]
    await one.get("/session/a")
    assert one.cluster.state()["looks"] > looks
    await two.post("a")
    assert (await one.get("/session/a")).value == 1


async def test_a_write_of_very_many_rows_is_told_with_less(make: Make) -> None:
    one, two = make(), make()
    await one.get("/strong/a")
    relation, column = Relation("main", "a"), Column("id", Kind.TEXT)
    many = frozenset(f"{number:0200}" for number in range(60))
    for writes in (
        WriteSet(frozenset({relation}), changes={relation: (Change({column: many}),)}),
        WriteSet(frozenset(Relation("main", f"table {number} {'x' * 100}") for number in range(200)) | {relation}),
    ):
        await one.get("/strong/a")
        assert (await one.get("/strong/a")).cache == "HIT"
        two.cache.invalidate_relations(writes)
        assert (await one.get("/strong/a")).cache == "MISS"
