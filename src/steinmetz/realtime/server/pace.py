"""How fast a server that is about to end sends its clients elsewhere. Deciding code: no I/O, no clock."""

from __future__ import annotations

TICK_S = 0.05
"""Between two batches, on average."""
JITTER = 0.5
"""By which part of `TICK_S` a pause is longer or shorter: servers that end together do not send in step."""


class Pace:
    """So many clients a second, and all of them in time."""

    def __init__(self, clients: int, *, per_s: float, within_s: float, began_s: float) -> None:
        """``within_s``: a crowd that would take longer at ``per_s`` leaves faster."""
        self._clients = clients
        self._per_s = max(per_s, clients / within_s)
        self._began_s = began_s

    def due(self, now_s: float) -> int:
        """How many of them should have been sent away by ``now_s``; at once the first batch, at the end all."""
        return min(self._clients, int((now_s - self._began_s + TICK_S) * self._per_s) + 1)

    def pause_s(self, chance: float) -> float:
        """Until the next batch; ``chance`` is drawn from 0 to 1."""
        return TICK_S * (1 + JITTER * (2 * chance - 1))
