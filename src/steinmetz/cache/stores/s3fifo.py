"""S3-FIFO weighed in bytes: which key to give up (Yang et al., "FIFO queues are all you need for cache eviction",
SOSP 2023).

Three queues: *small* (a tenth of the budget) takes newcomers; who is used again there moves to *main*; who is not
falls out and leaves a *ghost*, and a ghost that comes back goes to main at once. So one pass of keys that nobody
asks for twice cannot push out what is in use.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")

SMALL_SHARE = 10
MAX_USES = 3
_MIN_GHOSTS = 64


class _Node(Generic[V]):
    __slots__ = ("uses", "value", "weight")

    def __init__(self, value: V, weight: int) -> None:
        self.value = value
        self.weight = weight
        self.uses = 0


class S3Fifo(Generic[V]):
    """A mapping from keys to weighed values that never weighs more than ``budget``.

    `get` changes no structure and is safe beside one writer in another thread. Ghosts are hashes of keys, as many
    as there are values.
    """

    __slots__ = ("_ghosts", "_main", "_nodes", "_small", "budget", "small_weight", "weight")

    def __init__(self, budget: int) -> None:
        if budget <= 0:
            raise ValueError(f"the budget must be positive, in bytes; got {budget}")
        self.budget = budget
        self.weight = 0
        self.small_weight = 0
        self._nodes: dict[bytes, _Node[V]] = {}
        self._small: OrderedDict[bytes, _Node[V]] = OrderedDict()
        self._main: OrderedDict[bytes, _Node[V]] = OrderedDict()
        self._ghosts: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, key: bytes) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[V]:
        for node in list(self._nodes.values()):
            yield node.value

    @property
    def ghosts(self) -> int:
        return len(self._ghosts)

    def get(self, key: bytes) -> V | None:
        """The value under ``key``; counts as a use."""
        node = self._nodes.get(key)
        if node is None:
            return None
        if node.uses < MAX_USES:
            node.uses += 1
        return node.value

    def peek(self, key: bytes) -> V | None:
        """The value under ``key``, without counting a use."""
        node = self._nodes.get(key)
        return None if node is None else node.value

    def put(self, key: bytes, value: V, weight: int) -> list[V] | None:
        """Keep ``value``; returns the values that had to go for it, or None if it is heavier than the budget.

        What had the key before is replaced in its place; if the new value is too heavy, nothing is kept under it.
        """
        if weight > self.budget:
            self.remove(key)
            return None
        before = self._nodes.get(key)
        if before is None:
            self._admit(key, _Node(value, weight))
        else:
            self._reweigh(key, before, weight)
            before.value = value
        return self._shrink()

    def remove(self, key: bytes) -> V | None:
        """Forget ``key``: it was not given up, it became untrue. What was in *main* is let into main again."""
        node = self._nodes.pop(key, None)
        if node is None:
            return None
        self.weight -= node.weight
        if self._small.pop(key, None) is not None:
            self.small_weight -= node.weight
        else:
            del self._main[key]
            self._haunt(key)
        return node.value

    def clear(self) -> None:
        self._nodes.clear()
        self._small.clear()
        self._main.clear()
        self._ghosts.clear()
        self.weight = self.small_weight = 0

    def _admit(self, key: bytes, node: _Node[V]) -> None:
        self._nodes[key] = node
        self.weight += node.weight
        if hash(key) in self._ghosts:
            del self._ghosts[hash(key)]
            self._main[key] = node
        else:
            self._small[key] = node
            self.small_weight += node.weight

    def _reweigh(self, key: bytes, node: _Node[V], weight: int) -> None:
        self.weight += weight - node.weight
        if key in self._small:
            self.small_weight += weight - node.weight
        node.weight = weight

    def _shrink(self) -> list[V]:
        gone: list[V] = []
        while self.weight > self.budget:
            # A single newcomer heavier than the share of *small* gets its chance at the cost of *main*.
            crowded = len(self._small) > 1 and self.small_weight * SMALL_SHARE >= self.budget
            if crowded or not self._main:
                self._leave_small(gone)
            else:
                self._leave_main(gone)
        return gone

    def _leave_small(self, gone: list[V]) -> None:
        key, node = self._small.popitem(last=False)
        self.small_weight -= node.weight
        if node.uses > 1:
            node.uses = 0
            self._main[key] = node
        else:
            self._evict(key, node, gone)
            self._haunt(key)

    def _leave_main(self, gone: list[V]) -> None:
        key, node = self._main.popitem(last=False)
        if node.uses > 0:
            node.uses -= 1
            self._main[key] = node
        else:
            self._evict(key, node, gone)

    def _evict(self, key: bytes, node: _Node[V], gone: list[V]) -> None:
        del self._nodes[key]
        self.weight -= node.weight
        gone.append(node.value)

    def _haunt(self, key: bytes) -> None:
        self._ghosts[hash(key)] = None
        while len(self._ghosts) > max(_MIN_GHOSTS, len(self._nodes)):
            self._ghosts.popitem(last=False)
