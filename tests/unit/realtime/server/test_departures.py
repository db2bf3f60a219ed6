"""A few ends are dealt with at once, thousands in slices, each once and in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, Server, Socket
from steinmetz.realtime.server.departures import SLICE, Departures
from steinmetz.realtime.server.handshake import Request
from steinmetz.realtime.server.memory_transport import MemoryTransport
from steinmetz.realtime.server.reasons import Reason


class Guest:
    def __init__(self, number: int, gone: list[tuple[int, bool]]) -> None:
        self.number = number
        self._gone = gone

    def transport_lost(self, error: bool) -> None:
        self._gone.append((self.number, error))


class Loop:
    """Keeps what is to be called soon."""

    def __init__(self, turns: list[Callable[[], None]]) -> None:
        self.call_soon = turns.append


@pytest.fixture
def turns() -> list[Callable[[], None]]:
    return []


@pytest.fixture
def gone() -> list[tuple[int, bool]]:
    return []


def lose(departures: Departures, numbers: range, gone: list[tuple[int, bool]]) -> None:
    for number in numbers:
        departures.add(Guest(number, gone).transport_lost, number % 2 == 1)


def test_a_crowd_goes_in_slices_and_in_order(
    turns: list[Callable[[], None]], gone: list[tuple[int, bool]]
) -> None:
    departures = Departures(lambda: Loop(turns))
    lose(departures, range(2 * SLICE + 1), gone)
    assert (len(gone), len(turns)) == (SLICE, 1)
    turns.pop()()
    assert (len(gone), len(turns)) == (2 * SLICE, 1)
    lose(departures, range(2 * SLICE + 1, 2 * SLICE + 2), gone)
    turns.pop()()
    assert gone == [(number, number % 2 == 1) for number in range(2 * SLICE + 2)]
    assert not turns


def test_each_turn_of_the_loop_has_its_own_slice(
    turns: list[Callable[[], None]], gone: list[tuple[int, bool]]
) -> None:
    departures = Departures(lambda: Loop(turns))
    lose(departures, range(SLICE), gone)
    turns.pop()()
    lose(departures, range(SLICE, 2 * SLICE), gone)
    assert len(gone) == 2 * SLICE


def test_a_hurry_waits_for_no_turn(turns: list[Callable[[], None]], gone: list[tuple[int, bool]]) -> None:
    departures = Departures(lambda: Loop(turns))
    lose(departures, range(3 * SLICE), gone)
    departures.finish()
    assert len(gone) == 3 * SLICE
    turns.clear()  # the loop was closed before its next turn
    lose(departures, range(3 * SLICE, 5 * SLICE), gone)
    assert (len(gone), len(turns)) == (4 * SLICE, 1)


def test_after_the_shutdown_nobody_waits(gone: list[tuple[int, bool]]) -> None:
    departures = Departures(lambda: None)
    lose(departures, range(2 * SLICE), gone)
    assert len(gone) == 2 * SLICE


@pytest.mark.anyio
async def test_who_waits_to_be_seen_off_hears_no_broadcast_and_is_told_as_gone_once(
    turns: list[Callable[[], None]],
) -> None:
    io = Server(Config(require_auth=False), clock=FakeClock())
    told: list[str] = []
    io.on("disconnect", lambda socket, reason: told.append(reason))
    await io.start()
    departures = Departures(lambda: Loop(turns))
    lost = []
    for _ in range(SLICE + 1):
        transport = MemoryTransport(lambda _outgoing: None, lambda: None)
        client, _opening = io.open(transport, Request([], b"", "", secure=False, time=io.clock.now()))
        client.receive("40", transport)
        lost.append((client, transport))
    for client, transport in lost:
        departures.add(client.transport_lost, transport)
    assert len(io.clients) == 1
    [left] = io.of("/").sockets.values()
    assert isinstance(left, Socket)
    left.client.close(Reason.TRANSPORT_CLOSE)
    turns.pop()()
    assert len(told) == SLICE + 1
    await io.shutdown()


def test_one_that_fails_holds_up_nobody(turns: list[Callable[[], None]], gone: list[tuple[int, bool]]) -> None:
    def fail() -> None:
        raise RuntimeError

    departures = Departures(lambda: Loop(turns))
    departures.add(fail)
    lose(departures, range(SLICE), gone)
    departures.add(fail)
    lose(departures, range(SLICE, SLICE + 1), gone)
    while turns:
        turns.pop()()
    assert len(gone) == SLICE + 1
