"""Who is meant, and in which order it leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steinmetz.realtime.adapters.base import RELIABLE, Flags
from steinmetz.realtime.engineio.packet import Outgoing, Packet, PacketType
from steinmetz.realtime.server.delivery import MAX_WAITING, SLICE, Delivery

pytestmark = pytest.mark.anyio


class Listener:
    """As much of a socket as a delivery needs."""

    connected = True

    def __init__(self) -> None:
        self.client = self
        self.heard: list[Outgoing] = []

    def send(self, outgoing: Outgoing) -> None:
        self.heard.append(outgoing)

    def send_flagged(self, outgoing: Outgoing, flags: Flags) -> None:
        self.heard.append(outgoing)


def message(number: int) -> Outgoing:
    return Outgoing(Packet(PacketType.MESSAGE, f"2[{number}]"))


def delivery() -> Any:
    return Delivery(asyncio.get_running_loop)


async def settled(waiting: Any) -> None:
    while waiting._waiting:
        await asyncio.sleep(0)


async def test_a_small_broadcast_leaves_at_once() -> None:
    listeners = [Listener() for _ in range(SLICE)]
    delivery().send(listeners, hello := message(1), RELIABLE)
    assert all(listener.heard == [hello] for listener in listeners)


async def test_t25_a_large_one_leaves_in_slices() -> None:
    listeners = [Listener() for _ in range(SLICE * 2 + 1)]
    waiting = delivery()
    waiting.send(listeners, message(1), RELIABLE)
    reached = []
    while waiting._waiting:
        await asyncio.sleep(0)
        reached.append(sum(len(listener.heard) for listener in listeners))
    assert reached == [SLICE, SLICE * 2, SLICE * 2 + 1]


async def test_t25_every_pair_of_emissions_keeps_its_order() -> None:
    crowd = [Listener() for _ in range(SLICE + 500)]
    waiting = delivery()
    emissions = [message(number) for number in range(6)]
    waiting.send(crowd, emissions[0], RELIABLE)
    waiting.send(crowd[-1:], emissions[1], RELIABLE)
    waiting.send(crowd, emissions[2], Flags(volatile=True))
    waiting.send(crowd[:1], emissions[3], RELIABLE)
    await settled(waiting)
    waiting.send(crowd[:1], emissions[4], RELIABLE)
    assert crowd[0].heard == [emissions[number] for number in (0, 2, 3, 4)]
    assert crowd[-1].heard == [emissions[number] for number in (0, 1, 2)]


async def test_whoever_emits_faster_than_it_can_leave_is_slowed_down_and_nothing_is_lost() -> None:
    listener = Listener()
    waiting = delivery()
    waiting.send([Listener() for _ in range(SLICE + 1)], message(0), RELIABLE)
    for number in range(MAX_WAITING + 2_000):
        waiting.send([listener], message(number), RELIABLE)
    assert len(waiting._waiting) <= MAX_WAITING + 1
    await settled(waiting)
    assert len(listener.heard) == MAX_WAITING + 2_000


async def test_who_has_gone_meanwhile_is_passed_over() -> None:
    gone = Listener()
    gone.connected = False
    delivery().send([gone], message(1), RELIABLE)  # type: ignore[list-item]
    assert gone.heard == []
