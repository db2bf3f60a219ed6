"""The end of a turn of the loop."""

from __future__ import annotations

import asyncio

import pytest

from steinmetz.realtime.server.turn import Turn

pytestmark = pytest.mark.anyio


async def test_broadcasts_are_written_before_what_was_gathered_for_single_clients() -> None:
    written: list[str] = []
    turn = Turn(asyncio.get_running_loop)
    turn.then_single(lambda: written.append("single"))
    turn.then_broadcast(lambda: written.append("broadcast"))
    assert written == []
    await asyncio.sleep(0)
    assert written == ["broadcast", "single"]


async def test_what_a_broadcast_leaves_to_single_clients_goes_in_the_same_turn() -> None:
    written: list[str] = []
    turn = Turn(asyncio.get_running_loop)

    def broadcast() -> None:
        turn.then_single(lambda: written.append("single"))
        turn.then_broadcast(lambda: written.append("rest"))

    turn.then_broadcast(broadcast)
    await asyncio.sleep(0)
    assert written == ["single"]
    await asyncio.sleep(0)
    assert written == ["single", "rest"]


async def test_one_that_fails_costs_the_others_nothing() -> None:
    written: list[str] = []
    turn = Turn(asyncio.get_running_loop)

    def broken() -> None:
        raise RuntimeError("a stream that is closed")

    for write in (broken, lambda: written.append("a")):
        turn.then_broadcast(write)
        turn.then_single(write)
    await asyncio.sleep(0)
    assert written == ["a", "a"]


def test_what_comes_in_slices_can_be_finished_at_once() -> None:
    written: list[int] = []
    turn = Turn(lambda: None)

    def write() -> None:
        written.append(len(written))
        if len(written) < 5:
            turn.then_broadcast(write)

    turn.then_broadcast(write)
    turn.finish()
    assert written == [0, 1, 2, 3, 4]


def test_without_a_loop_it_waits() -> None:
    written: list[str] = []
    turn = Turn(lambda: None)
    turn.then_broadcast(lambda: written.append("a"))
    assert written == []
    turn.end()
    assert written == ["a"]
