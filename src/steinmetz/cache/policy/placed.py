"""Something kept that has a place: what a store goes by besides its read set and its weight."""

from __future__ import annotations

from steinmetz.cache.policy.limits import Limits


class Placed:
    """``cost_ns``: how long it took to compute (0: not known). ``path``: where patterns find it. ``limits``: those
    of its route, if it has any of its own. None of the three ever changes.
    """

    __slots__ = ("cost_ns", "limits", "path")

    def __init__(self, path: str, cost_ns: int = 0, limits: Limits | None = None) -> None:
        self.path = path
        self.cost_ns = cost_ns
        self.limits = limits
