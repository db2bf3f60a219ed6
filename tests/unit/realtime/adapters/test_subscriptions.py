"""Which channels stand, and that nobody waits for one that is not wanted any more."""

from __future__ import annotations

import asyncio

import pytest

from steinmetz.realtime.adapters.subscriptions import Subscriptions

pytestmark = pytest.mark.anyio


@pytest.fixture
def subscriptions() -> Subscriptions:
    """Of a connection that has just begun, and hears its echo."""
    subscriptions = Subscriptions()
    for channel in subscriptions.begin("echo"):
        subscriptions.confirmed(channel)
    return subscriptions


async def waiting(subscriptions: Subscriptions, *channels: str) -> asyncio.Task[None]:
    task = asyncio.create_task(subscriptions.settle(channels))
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_who_waits_goes_on_once_all_of_his_channels_stand(subscriptions: Subscriptions) -> None:
    for channel in ("a", "b"):
        subscriptions.want(channel)
    assert subscriptions.take_changes() == (["a", "b"], [])
    both, one = await waiting(subscriptions, "a", "b"), await waiting(subscriptions, "b")
    subscriptions.confirmed("b")
    await one
    assert not both.done()
    subscriptions.confirmed("a")
    await both
    await subscriptions.settle(["a", "b", "echo"])
    assert subscriptions.all_stand


@pytest.mark.parametrize("left", ["before it was asked for", "before it was confirmed", "and that was said"])
async def test_nobody_waits_for_a_channel_that_was_left(subscriptions: Subscriptions, left: str) -> None:
    subscriptions.want("a")
    if left != "before it was asked for":
        subscriptions.take_changes()
    task = await waiting(subscriptions, "a")
    subscriptions.leave("a")
    await asyncio.wait_for(task, 5)
    if left == "and that was said":
        assert subscriptions.take_changes() == ([], ["a"])
    if left != "before it was asked for":
        subscriptions.confirmed("a")
    assert not subscriptions.stands("a"), "nor is it remembered"


async def test_one_that_is_wanted_again_stands_with_its_second_confirmation(subscriptions: Subscriptions) -> None:
    for step in (subscriptions.want, subscriptions.leave, subscriptions.want):
        step("a")
        subscriptions.take_changes()
    task = await waiting(subscriptions, "a")
    subscriptions.confirmed("a")
    assert not subscriptions.stands("a")
    subscriptions.confirmed("a")
    await asyncio.wait_for(task, 5)
    assert subscriptions.stands("a")


async def test_an_outage_ends_all_waiting_and_what_comes_and_goes_in_it_is_not_kept(
    subscriptions: Subscriptions,
) -> None:
    subscriptions.want("a")
    task = await waiting(subscriptions, "a")
    subscriptions.fall()
    with pytest.raises(OSError, match="out of reach"):
        await asyncio.wait_for(task, 5)
    for number in range(1_000):
        subscriptions.want(f"room {number}")
        subscriptions.leave(f"room {number}")
    assert subscriptions.take_changes() == ([], [])
    assert subscriptions.begin("echo") == ["echo", "a"]
