"""Spares requests the wait for a server that did not answer a moment ago."""

from __future__ import annotations

OPEN_S = 1.0


class Breaker:
    """Closed, open for ``open_s`` after a failure, then half open: one may try, the others wait for his word.

    Times are seconds on the monotonic clock. ``opened`` counts how often it has opened.
    """

    def __init__(self, open_s: float = OPEN_S) -> None:
        self.opened = 0
        self._open_s = open_s
        self._until_s: float | None = None
        self._probing = False

    @property
    def is_closed(self) -> bool:
        return self._until_s is None

    def allows(self, now_s: float) -> bool:
        """Whether to try now. In the half-open state the first to ask is the probe."""
        if self._until_s is None:
            return True
        if self._probing or now_s < self._until_s:
            return False
        self._probing = True
        return True

    def failed(self, now_s: float) -> None:
        if self._until_s is None:
            self.opened += 1
        self._until_s = now_s + self._open_s
        self._probing = False

    def succeeded(self) -> None:
        self._until_s = None
        self._probing = False
