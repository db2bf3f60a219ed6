"""What happens to sockets, on its way to whoever watches: a batch at a time, and never more than he can take.

The protocol of the Admin UI has one event for each thing that happens. They are gathered for a moment and leave in
one write. When more happens than a batch holds, what was gathered is thrown away, and the whole picture is sent
anew once it is quieter: right, and bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BATCH_S = 0.2
MAX_BATCH = 1_000

Happening = tuple[str, tuple[Any, ...]]
"""An event of the protocol and its arguments."""


class Feed:
    """Bound: `MAX_BATCH`."""

    def __init__(
        self,
        say: Callable[[list[Happening]], None],
        show_all: Callable[[], None],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        """``say`` sends a batch, ``show_all`` the whole picture; ``later(seconds, function)`` is a timer."""
        self._say = say
        self._show_all = show_all
        self._later = later
        self._batch: list[Happening] = []
        self._is_scheduled = False
        self._is_too_much = False
        self.dropped = 0
        """Happenings that were thrown away for a new picture."""

    def add(self, event: str, *args: Any) -> None:
        if self._is_too_much:
            self.dropped += 1
        elif len(self._batch) >= MAX_BATCH:
            self.dropped += MAX_BATCH + 1
            self._is_too_much = True
            self._batch.clear()
        else:
            self._batch.append((event, args))
        if not self._is_scheduled:
            self._is_scheduled = True
            self._later(BATCH_S, self._flush)

    def _flush(self) -> None:
        self._is_scheduled = False
        batch, self._batch = self._batch, []
        if self._is_too_much:
            self._is_too_much = False
            self._show_all()
        elif batch:
            self._say(batch)
