"""Rooms that are new to a node: who joined them is settled once they are heard, and never waited for in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from steinmetz.realtime.adapters.settling import Settling

pytestmark = pytest.mark.anyio


class Place:
    """The node, its log and its members in one; channels are named like their rooms."""

    def __init__(self) -> None:
        self.is_reachable = True
        self.rooms = {"red", "blue"}
        self.heard: set[str] = set()
        self.asked: list[list[str]] = []
        self.settled: list[tuple[str, list[str], bool]] = []
        self.goes_on = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, _name: str, work: Coroutine[Any, Any, None]) -> bool:
        self._tasks.add(asyncio.create_task(work))
        return True

    async def settle(self, channels: list[str]) -> None:
        self.asked.append(sorted(channels))
        if not self.is_reachable:
            raise OSError("away")
        await self.goes_on.wait()
        self.goes_on.clear()

    def hears(self, channel: str) -> bool:
        return channel in self.heard

    async def position(self) -> int:
        return 7

    def has_room(self, room: str) -> bool:
        return room in self.rooms

    def unsettle(self, sid: str) -> None:
        """Whether it is settled is asked of `settled`."""

    def settle_member(self, sid: str, rooms: list[str], position: int, *, wholly: bool) -> None:
        self.settled.append((sid, sorted(rooms), wholly))


class Members(Place):
    """The same for those who want to have a member settled."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def settle(self, sid: str, rooms: list[str], position: int, *, wholly: bool) -> None:  # type: ignore[override]
        self._place.settle_member(sid, rooms, position, wholly=wholly)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def settling(place: Place) -> Settling[str]:
    node: Any = place
    members: Any = Members(place)
    return Settling(node, node, members, lambda room: room)


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_joined_is_settled_once_its_rooms_are_heard(place: Place, settling: Settling[str]) -> None:
    settling.begin("anna", "red")
    settling.begin("anna", "blue")
    await turns()
    assert place.asked == [["blue", "red"]]
    place.heard = {"red"}
    place.goes_on.set()
    await turns()
    assert place.settled == [("anna", ["red"], False)]
    assert place.asked[1:] == [["blue"]]
    place.heard = {"red", "blue"}
    place.goes_on.set()
    await turns()
    assert place.settled[1:] == [("anna", ["blue"], True)]
    assert len(settling) == 0


async def test_a_room_that_was_left_meanwhile_holds_up_no_other(place: Place, settling: Settling[str]) -> None:
    settling.begin("anna", "red")
    settling.begin("ben", "blue")
    await turns()
    place.rooms.discard("red")
    place.heard = {"blue"}
    place.goes_on.set()
    await turns()
    assert sorted(place.settled) == [("anna", ["red"], True), ("ben", ["blue"], True)]
    settling.begin("carl", "blue")
    await turns()
    assert place.asked[-1] == ["blue"]


async def test_who_comes_and_goes_through_a_long_outage_leaves_nothing(
    place: Place, settling: Settling[str]
) -> None:
    place.is_reachable = False
    for number in range(100):
        settling.begin(f"guest {number}", "red")
        settling.begin(f"guest {number}", f"room {number}")
        settling.forget(f"guest {number}")
    assert len(settling) == 0
    settling.begin("anna", "red")
    place.is_reachable = True
    settling.run()
    await turns()
    place.heard = {"red"}
    place.goes_on.set()
    await turns()
    assert place.settled == [("anna", ["red"], True)]
