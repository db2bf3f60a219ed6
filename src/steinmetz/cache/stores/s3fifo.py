"""S3-FIFO weighed in bytes and in what it costs to compute anew: which key to give up (Yang et al., "FIFO queues
are all you need for cache eviction", SOSP 2023).

Three queues: *small* (a tenth of the budget) takes newcomers; who is used again there moves to *main*; who is not
falls out and leaves a *ghost*, and a ghost that comes back goes to main at once. So one pass of keys that nobody
asks for twice cannot push out what is in use.

Room is made by bytes. Who gets another round is decided by use and by cost: the *rank* of a value tells by how
many doublings its cost per byte lies above or below the usual one. A dear value (rank 2 and more) moves to main
unused, and after its last use it stays there 2^rank - 1 rounds longer, about as long as its cost is greater, which
is what GreedyDual-Size does with a heap. A cheap one needs as many more uses as its rank is below 0. Without costs
all ranks are 0, and it is S3-FIFO.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

V = TypeVar("V")

SMALL_SHARE = 10
MAX_USES = 3
MAX_RANK = 6
DEAR = 2
PATIENCE = 64
"""So many values at most go round for one that goes: no request waits for a whole queue to turn."""
_MIN_GHOSTS = 64
# The usual cost per byte is a moving average over about so many newcomers, of its binary logarithm.
_REMEMBERED = 256


class _Node(Generic[V]):
    __slots__ = ("grace", "rank", "uses", "value", "weight")

    def __init__(self, value: V, weight: int, rank: int) -> None:
        self.value = value
        self.weight = weight
        self.uses = 0
        self.is_worth(rank)

    def is_worth(self, rank: int) -> None:
        """Its rank from now on, and the rounds that this gives it after its last use."""
        self.rank = rank
        self.grace = (1 << rank) - 1 if rank > 0 else 0


class S3Fifo(Generic[V]):
    """A mapping from keys to weighed values that never weighs more than ``budget``.

    `get` changes no structure and is safe beside one writer in another thread. Ghosts are hashes of keys, as many
    as there are values. Every step is O(1): see `PATIENCE`.
    """

    __slots__ = (
        "_costs_seen",
        "_ghosts",
        "_main",
        "_nodes",
        "_small",
        "_usual",
        "budget",
        "small_weight",
        "weight",
    )

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
        self._usual = 0.0
        self._costs_seen = 0

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

    def weight_of(self, key: bytes) -> int:
        """What the value under ``key`` was last said to weigh; 0 if there is none."""
        node = self._nodes.get(key)
        return 0 if node is None else node.weight

    def spend_use(self, key: bytes) -> bool:
        """Take one use from ``key``, which must be there; False if it had none left."""
        node = self._nodes[key]
        if node.uses == 0:
            return False
        node.uses -= 1
        return True

    def put(self, key: bytes, value: V, weight: int, cost_ns: int = 0) -> list[V] | None:
        """Keep ``value``; returns the values that had to go for it, or None if it is heavier than the budget.

        What had the key before is replaced in its place; if the new value is too heavy, nothing is kept under it.
        """
        if weight > self.budget:
            self.remove(key)
            return None
        rank = self._rank(weight, cost_ns)
        before = self._nodes.get(key)
        if before is None:
            self._admit(key, _Node(value, weight, rank))
        else:
            self._weigh(key, before, weight)
            before.value = value
            before.is_worth(rank)
        return self._shrink()

    def reweigh(self, key: bytes, weight: int) -> list[V]:
        """The value under ``key``, which must be there, weighs ``weight`` from now on; returns what had to go.

        That may be the value itself, if it is heavier than the budget now.
        """
        node = self._nodes[key]
        self._weigh(key, node, weight)
        if weight > self.budget:
            return [value for value in [self.remove(key)] if value is not None]
        return self._shrink()

    def remove(self, key: bytes, *, became_untrue: bool = True) -> V | None:
        """Forget ``key``. If that is because it became untrue, what was in *main* is let into main again."""
        node = self._nodes.pop(key, None)
        if node is None:
            return None
        self.weight -= node.weight
        if self._small.pop(key, None) is not None:
            self.small_weight -= node.weight
        else:
            del self._main[key]
            if became_untrue:
                self._haunt(key)
        return node.value

    def clear(self) -> None:
        self._nodes.clear()
        self._small.clear()
        self._main.clear()
        self._ghosts.clear()
        self.weight = self.small_weight = 0

    def _rank(self, weight: int, cost_ns: int) -> int:
        """By how many doublings ``cost_ns`` per byte is above or below the usual; 0 if it is not known."""
        if cost_ns <= 0:
            return 0
        level = float((cost_ns * 256 // max(weight, 1)).bit_length())
        self._costs_seen = min(self._costs_seen + 1, _REMEMBERED)
        self._usual += (level - self._usual) / self._costs_seen
        return max(-MAX_RANK, min(MAX_RANK, round(level - self._usual)))

    def _admit(self, key: bytes, node: _Node[V]) -> None:
        self._nodes[key] = node
        self.weight += node.weight
        if hash(key) in self._ghosts:
            del self._ghosts[hash(key)]
            self._main[key] = node
        else:
            self._small[key] = node
            self.small_weight += node.weight

    def _weigh(self, key: bytes, node: _Node[V], weight: int) -> None:
        self.weight += weight - node.weight
        if key in self._small:
            self.small_weight += weight - node.weight
        node.weight = weight

    def _shrink(self) -> list[V]:
        gone: list[V] = []
        patience = PATIENCE
        while self.weight > self.budget:
            # A single newcomer heavier than the share of *small* gets its chance at the cost of *main*.
            crowded = len(self._small) > 1 and self.small_weight * SMALL_SHARE >= self.budget
            had = len(gone)
            if crowded or not self._main:
                self._leave_small(gone)
            else:
                self._leave_main(gone, spared=patience > 0)
            patience = PATIENCE if len(gone) > had else patience - 1
        return gone

    def _leave_small(self, gone: list[V]) -> None:
        key, node = self._small.popitem(last=False)
        self.small_weight -= node.weight
        if node.uses > 0 or node.rank >= DEAR:
            node.uses = 0
            self._main[key] = node
        else:
            self._evict(key, node, gone)
            self._haunt(key)

    def _leave_main(self, gone: list[V], *, spared: bool) -> None:
        key, node = self._main.popitem(last=False)
        if spared and node.uses > 0 and node.uses + node.rank > 0:
            node.uses -= 1
            node.is_worth(node.rank)
            self._main[key] = node
        elif spared and node.grace > 0:
            node.grace -= 1
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
