"""Which channels a bus is to hear, which of them it hears for certain, and who waits for that."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from itertools import chain

OUT_OF_REACH = "the bus is out of reach"


class Subscriptions:
    """Bound: one entry a channel, and one a channel for each who waits."""

    def __init__(self) -> None:
        self._wanted: dict[str, None] = {}
        self._more: frozenset[str] = frozenset()
        self._is_connected = False
        self._changes: dict[str, bool] = {}
        """Of the connection that there is."""
        self._standing: set[str] = set()
        self._unconfirmed: Counter[str] = Counter()
        self._settling: dict[str, list[tuple[set[str], asyncio.Future[None]]]] = {}
        """By channel, who waits for it: the channels he waits for, and what he awaits."""

    @property
    def all_stand(self) -> bool:
        return self._standing.issuperset(self._wanted)

    def want(self, channel: str) -> None:
        """It is to be heard from now on."""
        self._wanted[channel] = None
        self._change(channel, wanted=True)

    def leave(self, channel: str) -> None:
        """... and not any more: nobody need wait for it."""
        self._wanted.pop(channel, None)
        self._change(channel, wanted=False)
        self._wake(channel)

    def _change(self, channel: str, *, wanted: bool) -> None:
        self._standing.discard(channel)
        if self._is_connected:
            self._changes[channel] = wanted

    def begin(self, *more: str) -> list[str]:
        """A connection begins: what is to be asked for, ``more`` first."""
        self._is_connected = True
        self._more = frozenset(more)
        self._changes.clear()
        channels = [*more, *self._wanted]
        self._unconfirmed.update(channels)
        return channels

    def take_changes(self) -> tuple[list[str], list[str]]:
        """What is to be asked for and what to be left, and nothing of what was wanted for a moment only."""
        changes, self._changes = self._changes, {}
        wanted = [channel for channel, is_wanted in changes.items() if is_wanted]
        self._unconfirmed.update(wanted)
        return wanted, [channel for channel, is_wanted in changes.items() if not is_wanted]

    def confirmed(self, channel: str) -> None:
        """It stands, unless it was left and asked for again meanwhile."""
        self._unconfirmed[channel] -= 1
        if self._unconfirmed[channel] > 0:
            return
        del self._unconfirmed[channel]
        if channel in self._changes:
            return
        if channel in self._wanted or channel in self._more:
            self._standing.add(channel)
        self._wake(channel)

    def _wake(self, channel: str) -> None:
        for missing, settled in self._settling.pop(channel, ()):
            missing.discard(channel)
            if not missing and not settled.done():
                settled.set_result(None)

    def stands(self, channel: str) -> bool:
        """Whether it is heard for certain."""
        return channel in self._standing

    async def settle(self, channels: Collection[str]) -> None:
        """Wait until each of ``channels`` stands, or is not wanted any more. Raises `OSError` once they fall."""
        missing = set(channels) - self._standing
        if missing:
            settled = asyncio.get_running_loop().create_future()
            for channel in missing:
                self._settling.setdefault(channel, []).append((missing, settled))
            await settled

    def fall(self) -> None:
        """The connection is gone: nothing stands any more, and what is wanted is asked for when it is back."""
        self._is_connected = False
        self._changes.clear()
        self._standing.clear()
        self._unconfirmed.clear()
        settling, self._settling = self._settling, {}
        for _, settled in chain.from_iterable(settling.values()):
            if not settled.done():
                settled.set_exception(OSError(OUT_OF_REACH))
