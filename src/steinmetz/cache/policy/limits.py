"""How much of the store the answers of one route may take together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_entries`` answers of ``route`` and ``budget_bytes`` of weight at most; None: the store's alone."""

    route: str
    max_entries: int | None = None
    budget_bytes: int | None = None

    def hold(self, entries: int, weight: int) -> bool:
        """Whether so many ``entries`` that weigh ``weight`` together are within them."""
        return (self.max_entries is None or entries <= self.max_entries) and (
            self.budget_bytes is None or weight <= self.budget_bytes
        )
