"""What waits for one client that is slower than what is said to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Backlog(Generic[Item]):
    """First in, first out; under a key only the newest waits, at the place where it came in.

    So what a client hears is always a part of what was said, in the order it was said. Whoever fills it asks
    ``bytes`` first: the bound is his.
    """

    __slots__ = ("_entries", "_serial", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        """Of all items, as they were weighed when they came."""
        self._serial = 0
        self._entries: OrderedDict[int | str, tuple[Item, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, item: Item, size: int, key: str | None = None) -> bool:
        """Let ``item`` of ``size`` bytes wait; whether it took the place of an older one under ``key``."""
        replaced = None
        if key is None:
            self._serial += 1
            self._entries[self._serial] = item, size
        else:
            replaced = self._entries.pop(key, None)
            self._entries[key] = item, size
        self.bytes += size if replaced is None else size - replaced[1]
        return replaced is not None

    def first(self) -> Item:
        """The oldest, which stays; `take` removes it. Raises `KeyError` if nothing waits."""
        return self._entries[next(iter(self._entries))][0]

    def take(self) -> Item:
        """The oldest. Raises `KeyError` if nothing waits."""
        item, size = self._entries.popitem(last=False)[1]
        self.bytes -= size
        return item

    def take_all(self) -> list[Item]:
        taken = [item for item, _ in self._entries.values()]
        self.clear()
        return taken

    def clear(self) -> None:
        self._entries.clear()
        self.bytes = 0
