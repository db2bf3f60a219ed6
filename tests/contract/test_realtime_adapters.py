"""What every adapter does, whether its members are in one process, or at nodes of a cluster over some bus."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from steinmetz.realtime.adapters.base import EVERYBODY, RELIABLE, Flags, Selection, SocketDetails
from steinmetz.realtime.engineio.packet import Packet, PacketType
from tests.contract.realtime_world import World, cluster, one_process, said, to

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["one process", "memory bus", "redis"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Anna and Ben at the first place, Carl and Dora at the second."""
    if request.param == "one process":
        made = one_process()
    elif request.param == "redis":
        made = cluster(redis_url=request.getfixturevalue("redis_url"))
    else:
        made = cluster()
    async with made as world:
        yield world


class Four:
    """``finance``: Anna, Carl. ``hr``: Anna, Dora."""

    def __init__(self, world: World) -> None:
        self.anna = world.add("anna", 0, "finance", "hr")
        self.ben = world.add("ben", 0)
        self.carl = world.add("carl", 1, "finance")
        self.dora = world.add("dora", 1, "hr")
        self.all = (self.anna, self.ben, self.carl, self.dora)


@pytest.fixture
async def four(world: World) -> Four:
    four = Four(world)
    await world.settle()
    return four


async def heard(world: World, four: Four) -> list[list[str]]:
    return [await world.heard(sid) for sid in four.all]


async def test_a_room_hears_it_wherever_its_members_are(world: World, four: Four) -> None:
    world.places[0].adapter.broadcast(to("finance"), said("figures"), RELIABLE)
    assert await heard(world, four) == [["figures"], [], ["figures"], []]


async def test_everybody_hears_it(world: World, four: Four) -> None:
    world.places[1].adapter.broadcast(EVERYBODY, said("lunch"), RELIABLE)
    assert await heard(world, four) == [["lunch"]] * 4


async def test_who_is_in_several_of_the_rooms_hears_it_once(world: World, four: Four) -> None:
    world.places[1].adapter.broadcast(to("finance", "hr"), said("once"), RELIABLE)
    assert await heard(world, four) == [["once"], [], ["once"], ["once"]]


async def test_rooms_and_sockets_can_be_left_out(world: World, four: Four) -> None:
    world.places[0].adapter.broadcast(to("finance", "hr", without=("hr",)), said("finance only"), RELIABLE)
    world.places[0].adapter.broadcast(Selection(except_rooms=frozenset((four.carl,))), said("not Carl"), RELIABLE)
    assert await heard(world, four) == [["not Carl"], ["not Carl"], ["finance only"], ["not Carl"]]


async def test_a_single_socket_is_reached_by_its_id_from_anywhere(world: World, four: Four) -> None:
    for place in world.places:
        place.adapter.broadcast(to(four.dora), said("to Dora"), RELIABLE)
    assert await heard(world, four) == [[], [], [], ["to Dora", "to Dora"]]


async def test_volatile_and_keyed_events_arrive_while_nothing_is_in_their_way(world: World, four: Four) -> None:
    world.places[0].adapter.broadcast(to("finance"), said("typing"), Flags(volatile=True))
    world.places[0].adapter.broadcast(to("finance"), said("progress"), Flags(newest="job 1"))
    assert await world.heard(four.carl) == ["typing", "progress"]


async def test_the_words_of_one_place_keep_their_order(world: World, four: Four) -> None:
    words = [f"word {number}" for number in range(200)]
    for number, word in enumerate(words):
        where = (to("finance"), EVERYBODY, to("finance", "hr"), to(four.carl))[number % 4]
        world.places[0].adapter.broadcast(where, said(word), RELIABLE)
    assert await world.heard(four.carl) == words


async def test_local_stays_in_the_process(world: World, four: Four) -> None:
    if world.places[0] is not world.places[1]:
        world.places[0].adapter.broadcast(Selection(is_local=True), said("here"), RELIABLE)
        assert await heard(world, four) == [["here"], ["here"], [], []]


async def test_a_frame_with_attachments_arrives_whole(world: World, four: Four) -> None:
    outgoing = said("picture")
    outgoing = type(outgoing)(*outgoing.packets, Packet(PacketType.MESSAGE, b"\x00\xff" * 10))
    arrived = []
    world.places[1].deliver = lambda members, outgoing, flags, position=None: arrived.append(outgoing)  # type: ignore[assignment, misc]
    world.places[0].adapter.broadcast(to("finance"), outgoing, RELIABLE)
    await world.until(lambda: bool(arrived))
    assert arrived[0].frames == outgoing.frames


async def test_sockets_join_and_leave_rooms_wherever_they_are(world: World, four: Four) -> None:
    world.places[0].adapter.join_all(to("hr"), ("night shift",))
    await world.settle()
    await world.settle()
    world.places[0].adapter.broadcast(to("night shift"), said("tea"), RELIABLE)
    assert await heard(world, four) == [["tea"], [], [], ["tea"]]
    world.places[1].adapter.leave_all(to(four.anna), ("night shift", "hr"))
    await world.settle()
    world.places[0].adapter.broadcast(to("night shift", "hr"), said("coffee"), RELIABLE)
    assert await heard(world, four) == [["tea"], [], [], ["tea", "coffee"]]


async def test_sockets_are_disconnected_wherever_they_are(world: World, four: Four) -> None:
    world.places[0].adapter.disconnect_all(to("finance"), close=True)
    await world.settle()
    gone = {sid for place in world.places for sid, closed in place.dropped if closed}
    assert gone == {four.anna, four.carl}
    world.places[0].adapter.broadcast(to("finance"), said("nobody"), RELIABLE)
    assert await heard(world, four) == [[]] * 4


async def test_sockets_are_found_wherever_they_are(world: World, four: Four) -> None:
    async def found(selection: Selection) -> dict[str, frozenset[str] | None]:
        return {
            each.id if isinstance(each, SocketDetails) else each: each.rooms
            if isinstance(each, SocketDetails)
            else None
            for each in await fetched(world, 0, selection)
        }

    everywhere = await found(to("finance", "hr"))
    assert set(everywhere) == {four.anna, four.carl, four.dora}
    if world.nodes:
        assert everywhere[four.anna] is None
        assert everywhere[four.carl] == {four.carl, "finance"}
    assert set(await found(to("finance", without=(four.anna,)))) == {four.carl}


async def fetched(world: World, at: int, selection: Selection) -> list[str | SocketDetails]:
    import asyncio

    task = asyncio.ensure_future(world.places[at].adapter.fetch(selection))
    await world.until(task.done)
    return list(task.result())


async def test_rooms_are_those_of_the_process(world: World, four: Four) -> None:
    assert set(world.places[0].adapter.rooms()) == {"finance", "hr"}
    assert set(world.places[0].adapter.rooms_of(four.anna)) == {"finance", "hr"}
    assert world.places[0].adapter.has_members("finance", here=True)
    assert not world.places[0].adapter.has_members("nobody", here=True)


async def test_who_has_left_hears_nothing_more(world: World, four: Four) -> None:
    world.places[1].adapter.leave(four.carl, "finance")
    world.places[1].adapter.remove(four.dora)
    await world.settle()
    for room in ("finance", "hr", four.dora):
        world.places[0].adapter.broadcast(to(room), said(room), RELIABLE)
    assert await heard(world, four) == [["finance", "hr"], [], [], []]


async def test_a_place_without_members_hears_nothing_at_all(world: World, four: Four) -> None:
    if not world.nodes:
        return
    heard_before = [node.traffic.heard for node in world.nodes]
    world.places[0].adapter.join(four.ben, "secret")
    world.places[0].adapter.broadcast(to("secret"), said("psst"), RELIABLE)
    world.places[0].adapter.broadcast(to("nobody is here"), said("psst"), RELIABLE)
    await world.settle()
    assert world.nodes[1].traffic.heard - heard_before[1] == 1, "only the mark that settles"
