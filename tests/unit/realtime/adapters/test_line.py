"""What a node has said to a log, until it returns: told in its place, or at once when it does not return."""

from __future__ import annotations

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime.adapters import line as module
from steinmetz.realtime.adapters.line import REFUSED_S, STALL_S, Line
from steinmetz.realtime.recovery.record import Record, Stamp


class Said:
    def __init__(self, name: str, told: list[str]) -> None:
        self.name = name
        self.told = told

    def tell(self, number: int, stamp: Stamp | None, but: frozenset[str]) -> None:
        assert str(number) == self.name
        place = "-" if stamp is None else str(stamp.position)
        self.told.append(f"{self.name}@{place}" + "".join(f" not {sid}" for sid in sorted(but)))

    def tell_one(self, sid: str, number: int) -> bool:
        if sid == "stranger":
            return False
        self.told.append(f"{self.name} to {sid}")
        return True


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.line = Line(self.clock)
        self.told: list[str] = []

    def say(self, number: int, size: int = 10) -> list[Record]:
        record = Record("/", "node", number, (None,), (), ("own", b""), b"", b"x" * size, 60.0)
        return self.line.add(record, Said(str(number), self.told))

    def returned(self, number: int) -> None:
        self.line.returned(number, Stamp(b"life", 100 + number))


@pytest.fixture
def world() -> World:
    return World()


def test_what_returns_is_told_in_its_place_and_what_was_said_behind_it_after_that(world: World) -> None:
    world.line.then(lambda: world.told.append("first"))
    world.say(1)
    world.line.then(lambda: world.told.append("volatile"))
    world.say(2)
    assert world.told == ["first"]
    assert not world.line.is_heard
    world.returned(1)
    assert world.told == ["first", "1@101", "volatile"]
    world.returned(2)
    assert world.told[3:] == ["2@102"]
    assert world.line.is_heard
    assert world.line.is_sure


def test_what_does_not_return_is_told_once_and_nobody_is_sure_until_it_has(world: World) -> None:
    world.say(1)
    world.line.then(lambda: world.told.append("volatile"))
    world.clock.advance(STALL_S - 0.01)
    world.line.tick()
    assert world.told == []
    world.clock.advance(0.01)
    world.line.tick()
    assert world.told == ["1@-", "volatile"]
    world.say(2)
    assert world.told[2:] == ["2@-"], "nobody waits any more"
    assert not world.line.is_sure
    assert [record.number for record in world.line.resume()] == [1, 2]
    world.returned(1)
    world.say(3)
    assert not world.line.is_sure
    world.returned(2)
    assert world.line.is_sure
    world.returned(3)
    assert world.told == ["1@-", "volatile", "2@-", "3@103"]


def test_one_who_leaves_is_told_before_and_not_again(world: World) -> None:
    world.say(1)
    world.line.catch_up("anna")
    world.line.catch_up("anna")
    world.say(2)
    world.returned(1)
    world.returned(2)
    assert world.told == ["1 to anna", "1@101 not anna", "2@102"]
    world.line.catch_up("anna")
    assert len(world.told) == 3


def test_who_comes_back_under_the_same_id_is_told_what_its_old_connection_was_told_in_vain(world: World) -> None:
    world.say(1)
    world.line.catch_up("anna")
    world.line.forget("anna")
    world.returned(1)
    assert world.told == ["1 to anna", "1@101"]


def test_who_was_not_meant_when_caught_up_may_be_when_it_returns(world: World) -> None:
    world.say(1)
    world.line.catch_up("stranger")
    world.returned(1)
    assert world.told == ["1@101"]


def test_what_is_said_while_something_is_told_comes_after_it(world: World) -> None:
    world.say(1)
    world.say(2)
    world.line.stall()
    world.line.then(lambda: world.say(3) and None)
    assert world.told == ["1@-", "2@-", "3@-"]


def test_more_than_is_kept_tears_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2_000)
    assert world.say(1, 1_000) == []
    [given_up] = world.say(2, 1_000)
    assert given_up.number == 1
    assert world.told == ["1@-", "2@-"]
    assert world.line.is_torn
    assert [record.number for record in world.line.under_way()] == [2]


def test_a_log_that_refuses_is_left_alone_for_a_while(world: World) -> None:
    world.say(1)
    world.say(2)
    record = world.line.refused(1)
    assert record is not None
    assert record.number == 1
    assert world.told == ["1@-"]
    assert world.line.is_torn
    assert not world.line.may_record()
    world.returned(2)
    assert world.told == ["1@-", "2@102"]
    world.clock.advance(REFUSED_S)
    assert world.line.may_record()
    assert world.line.refused(7) is None
