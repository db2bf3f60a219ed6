"""What the answers of one route may take of the store: who of them is to go when that is used up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from steinmetz.cache.policy.limits import Limits


class _Allotment:
    __slots__ = ("keys", "limits", "weight")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.keys: OrderedDict[bytes, int] = OrderedDict()
        self.weight = 0


class Allotments:
    """The limited routes that have something kept, by name. Not thread-safe.

    Within a route it is first in, first out, and who was used goes round once more for each use (CLOCK).
    """

    __slots__ = ("_of_route",)

    def __init__(self) -> None:
        self._of_route: dict[str, _Allotment] = {}

    def put(self, key: bytes, limits: Limits, weight: int) -> None:
        """``key``, new or not, weighs ``weight`` from now on."""
        allotment = self._of_route.get(limits.route)
        if allotment is None:
            allotment = self._of_route[limits.route] = _Allotment(limits)
        allotment.limits = limits
        allotment.weight += weight - allotment.keys.get(key, 0)
        allotment.keys[key] = weight

    def discard(self, key: bytes, limits: Limits) -> None:
        allotment = self._of_route.get(limits.route)
        if allotment is None or key not in allotment.keys:
            return
        allotment.weight -= allotment.keys.pop(key)
        if not allotment.keys:
            del self._of_route[limits.route]

    def surplus(self, route: str, newest: bytes, spend_use: Callable[[bytes], bool]) -> bytes | None:
        """The key of ``route`` that is to go next, or None if its limits hold; ``newest`` only if it is alone.

        ``spend_use(key)`` takes one use from a key and tells whether there was one; there are finitely many.
        """
        allotment = self._of_route.get(route)
        if allotment is None or allotment.limits.hold(len(allotment.keys), allotment.weight):
            return None
        while True:
            key = next(iter(allotment.keys))
            if len(allotment.keys) == 1 or (key != newest and not spend_use(key)):
                return key
            allotment.keys.move_to_end(key)

    def __len__(self) -> int:
        return len(self._of_route)
