"""The memory of one process: what goes when there is no room, and what goes when its time is over."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime.engineio.packet import Packet, PacketType
from steinmetz.realtime.recovery.memory import ENTRY_BYTES, MAX_HOLES, MemoryLog, MemorySessions
from steinmetz.realtime.socketio.recovery import Epoch, History, Kind, Lane, Session

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def log_of(clock: FakeClock, max_bytes: int = 1_000_000) -> MemoryLog:
    return MemoryLog(Epoch(b"k" * 32, "/"), clock, max_bytes=max_bytes, retention_s=100)


def say(log: MemoryLog, *rooms: str, size: int = 10) -> int:
    return log.append(Kind.EMIT, rooms, (), (Packet(PacketType.MESSAGE, "x" * size),)).position


async def behind(log: MemoryLog, lane: Lane, position: int) -> list[int] | None:
    reading = await log.read({lane: position})
    return None if reading is None else [entry.position for entry in reading.lanes[lane]]


class TestALog:
    async def test_the_oldest_goes_when_there_is_no_room(self, clock: FakeClock) -> None:
        log = log_of(clock, max_bytes=3 * (ENTRY_BYTES + 100))
        given = [say(log, "a", size=60) for _ in range(10)]
        assert log.bytes <= 3 * (ENTRY_BYTES + 100)
        assert (len(log), log.lost) == (3, 7)
        assert await behind(log, "a", given[5]) is None
        assert await behind(log, "a", given[6]) == given[7:]

    async def test_one_that_is_larger_than_all_the_room_is_not_kept(self, clock: FakeClock) -> None:
        log = log_of(clock, max_bytes=1_000)
        position = say(log, "a", size=5_000)
        assert (len(log), log.bytes) == (0, 0)
        assert await behind(log, "a", position - 1) is None
        assert await behind(log, "a", position) == []

    async def test_a_room_that_lost_nothing_is_whole(self, clock: FakeClock) -> None:
        log = log_of(clock, max_bytes=20 * (ENTRY_BYTES + 60))
        first = say(log, "quiet")
        for _ in range(100):
            say(log, "loud")
        last = say(log, "quiet")
        assert await behind(log, "quiet", first) == [last]
        assert await behind(log, "quiet", first - 1) is None

    async def test_what_is_over_is_no_loss(self, clock: FakeClock) -> None:
        log = log_of(clock)
        first = say(log, "a")
        clock.advance(50)
        second = say(log, "a")
        clock.advance(60)
        third = say(log, "a")
        assert log.stale == first
        assert len(log) == 2
        assert await behind(log, "a", first - 1) == [second, third]
        clock.advance(500)
        assert await behind(log, "a", first - 1) == []
        assert (len(log), log.bytes, log.lost, third) == (0, 0, 0, log.stale)

    async def test_a_hole_closes_with_time(self, clock: FakeClock) -> None:
        log = log_of(clock, max_bytes=2 * (ENTRY_BYTES + 60))
        for _ in range(5):
            say(log, "a")
        assert await behind(log, "a", 0) is None
        clock.advance(2)
        say(log, "a")
        clock.advance(101)
        assert await behind(log, "a", 0) is not None

    async def test_of_too_many_rooms_with_holes_all_have_one(self, clock: FakeClock) -> None:
        log = log_of(clock, max_bytes=ENTRY_BYTES * 2)
        for number in range(MAX_HOLES + 10):
            say(log, f"room:{number}")
        assert await behind(log, "never:spoken:in", 0) is None
        assert await behind(log, "never:spoken:in", log.newest) == []


def session(sid: str, **fields: Any) -> Session:
    return Session(sid, "e", None, 0, 0, fields.pop("history", History()), **fields)


class TestABoxOfSessions:
    def box(self, clock: FakeClock, **bounds: int) -> MemorySessions:
        return MemorySessions(clock, **{"max_sessions": 10, "max_bytes": 100_000, "duration_s": 120, **bounds})

    async def test_holds_so_many(self, clock: FakeClock) -> None:
        box = self.box(clock, max_sessions=3)
        for number in range(5):
            box.save(session(str(number)), "o")
        assert (len(box), box.lost) == (3, 2)
        assert await box.take("1") is None
        assert await box.take("2") is not None

    async def test_and_so_many_bytes(self, clock: FakeClock) -> None:
        box = self.box(clock, max_bytes=10_000)
        for number in range(5):
            box.save(session(str(number), data={"text": "x" * 3_000, "deep": [{"a": {"b": ["c"]}}]}), "o")
        assert len(box) == 2
        assert box.bytes <= 10_000
        for number in range(5):
            box.forget(str(number))
        assert (len(box), box.bytes) == (0, 0)

    async def test_for_so_long(self, clock: FakeClock) -> None:
        box = self.box(clock)
        box.save(session("anna"), "o")
        clock.advance(119)
        box.save(session("ben"), "o")
        clock.advance(2)
        assert await box.take("anna") is None
        assert await box.take("ben") is not None

    async def test_and_knows_the_rooms_of_those_who_are_away(self, clock: FakeClock) -> None:
        box = self.box(clock)
        box.save(session("anna", history=History({"a": 1, "b": 1})), "o")
        box.save(session("ben", history=History({"b": 1})), "o")
        assert box.has_room("a")
        assert box.has_room("anna")
        assert not box.has_room("c")
        await box.take("anna")
        assert not box.has_room("a")
        assert box.has_room("b")
        clock.advance(121)
        assert not box.has_room("b")
