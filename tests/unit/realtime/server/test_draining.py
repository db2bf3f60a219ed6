"""Many clients are closed a slice a turn, or by rate; a hurry closes the rest at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.server.draining import SLICE, Draining
from steinmetz.realtime.server.reasons import Reason

pytestmark = pytest.mark.anyio


class Guest:
    """As much of a client as is sent away; a transport of itself, too."""

    def __init__(self, gone: list[Guest], name: TransportName = TransportName.WEBSOCKET) -> None:
        self.name = name
        self.why: Any = None
        self._gone = gone

    @property
    def transport(self) -> Guest:
        return self

    def send_away(self, why: Any, _code: Any) -> None:
        self.why = why
        self._gone.append(self)


class Turns:
    """A loop whose turns are taken by hand."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def call_soon(self, function: Callable[[], None]) -> None:
        self.soon.append(function)

    def call_later(self, delay_s: float, function: Callable[[], None]) -> None:
        self.later.append((delay_s, function))


class Hall:
    """Everything a draining needs, and who has gone."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.clock = FakeClock()
        self.gone: list[Guest] = []
        self.draining = Draining(lambda: cast("Any", self.turns), self.clock)

    def guests(self, count: int, name: TransportName = TransportName.WEBSOCKET) -> Any:
        return [Guest(self.gone, name) for _ in range(count)]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_crowd_leaves_in_slices(hall: Hall) -> None:
    hall.draining.add(hall.guests(SLICE + 1))
    hall.draining.add(hall.guests(1))
    assert (len(hall.turns.soon), len(hall.gone), len(hall.draining)) == (1, 0, SLICE + 2)
    hall.turns.soon.pop()()
    assert (len(hall.turns.soon), len(hall.gone)) == (1, SLICE)
    hall.turns.soon.pop()()
    assert (len(hall.turns.soon), len(hall.gone), len(hall.draining)) == (0, SLICE + 2, 0)


@pytest.mark.parametrize("by_rate", [False, True])
def test_one_whose_end_fails_holds_up_nobody(hall: Hall, by_rate: bool) -> None:
    class Stubborn(Guest):
        def send_away(self, why: Any, _code: Any) -> None:
            raise RuntimeError

    guests = [*hall.guests(1), Stubborn(hall.gone), *hall.guests(1)]
    if by_rate:
        hall.draining.begin(cast("Any", guests), per_s=9_999, within_s=1)
    else:
        hall.draining.add(cast("Any", guests))
    hall.turns.soon.pop()()
    assert (len(hall.gone), len(hall.draining)) == (2, 0)


def test_finishing_waits_for_no_turn(hall: Hall) -> None:
    hall.draining.add(hall.guests(2 * SLICE))
    hall.draining.begin(hall.guests(2 * SLICE), per_s=1, within_s=9_999)
    hall.draining.finish()
    assert len(hall.gone) == 4 * SLICE


class TestByRate:
    async def test_so_many_a_second_and_then_it_has_ended(self, hall: Hall) -> None:
        hall.draining.begin(hall.guests(250), per_s=1_000, within_s=20)
        hall.turns.soon.pop()()
        assert len(hall.gone) == 51
        for expected in (151, 250):
            [(pause_s, step)] = hall.turns.later
            assert 0.025 <= pause_s <= 0.075
            hall.turns.later.clear()
            hall.clock.advance(0.1)
            step()
            assert len(hall.gone) == expected
        assert not hall.turns.later
        await hall.draining.ended()
        assert {guest.why for guest in hall.gone} == {Reason.SERVER_SHUTTING_DOWN}

    def test_who_polls_goes_first_and_the_others_in_no_order(self, hall: Hall) -> None:
        sockets, polling = hall.guests(100), hall.guests(20, TransportName.POLLING)
        hall.draining.begin([*sockets, *polling], per_s=1e9, within_s=20)
        hall.turns.soon.pop()()
        assert set(hall.gone[:20]) == set(polling)
        assert hall.gone[20:] != sockets
        assert set(hall.gone[20:]) == set(sockets)

    def test_a_rate_above_a_slice_leaves_the_loop_its_turns(self, hall: Hall) -> None:
        hall.draining.begin(hall.guests(3 * SLICE), per_s=1e9, within_s=20)
        for _ in range(3):
            [step] = hall.turns.soon
            hall.turns.soon.clear()
            step()
        assert (len(hall.gone), hall.turns.soon, hall.turns.later) == (3 * SLICE, [], [])

    async def test_nobody_is_waited_for_where_nobody_is(self, hall: Hall) -> None:
        hall.draining.begin([], per_s=1, within_s=1)
        await hall.draining.ended()
