"""Which answers are asked for so often that a commit that drops one should have it computed again at once; pure.

An answer lives from its computing to the commit that drops it. Demand is how often it was given in that life, and
half of the demand of the lives before. Where it is high, whoever asks next would compute the answer anyway:
computing it for him costs the same and spares him the waiting. Where nobody asked in the last life, nobody is
expected to ask in the next.
"""

from __future__ import annotations

from collections import OrderedDict

FADING = 0.5
RENEWED_FROM = 3.0
"""One hit in each life comes to 2 at most, and is not worth it: one life in three then ends without a hit."""
REMEMBERED = 1_024
"""What is in demand is dropped again and again, and so stays among them."""


class Demand:
    """The demand for the last `REMEMBERED` answers that were dropped, by their keys."""

    __slots__ = ("_of", "_remembered")

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._of: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def dropped(self, key: bytes, hits: int) -> float:
        """A life with so many hits has ended; returns the demand, 0.0 if nobody asked in this life."""
        demand = hits + FADING * self._of.pop(key, 0.0)
        self._of[key] = demand
        if len(self._of) > self._remembered:
            self._of.popitem(last=False)
        return demand if hits else 0.0
