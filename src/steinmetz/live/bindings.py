"""Which answers are watched, and when one must be computed again; decides, does no I/O.

A *binding* ties a path to the room that wants to hear when its answer changes. Every commit is compared with
what the answer was last computed from; a commit that does not concern it costs one set comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from steinmetz.realtime import Event
from steinmetz.sql.effects import ReadSet, WriteSet


@dataclass(frozen=True, slots=True)
class Emission:
    """One event for one room."""

    event: str | Event
    payload: Any
    room: str


Describe = Callable[[Any, Any], Iterable[Emission]]
"""(previous body or None, new body) -> what to say. Bodies are parsed JSON; called only if the bytes differ."""


@dataclass(frozen=True, slots=True)
class Binding:
    """``path`` is computed as ``principal`` after each commit that concerns it, for those in ``room``.

    ``principal`` is put where the application looks for the admitted caller; it can come from inside only.
    """

    path: str
    room: str
    principal: Any
    describe: Describe


@dataclass(slots=True)
class Watch:
    """What is known of a bound answer: what it was computed from, and what was last said."""

    binding: Binding
    read_set: ReadSet | None = None
    body: bytes | None = None
    parsed: Any = None
    is_moved: bool = True
    is_unsaid: bool = False
    """A commit came before there was anything to compare with: the next computation must be said."""
    recomputations: int = 0
    emissions: int = 0

    def note(self, writes: WriteSet) -> bool:
        """A commit wrote ``writes``: whether the answer may differ now and was not known to before."""
        if self.body is None:
            self.is_unsaid = True
        if self.is_moved:
            return False
        self.is_moved = self.read_set is None or self.read_set.concerned_by(writes)
        return self.is_moved

    def forget(self) -> None:
        """Nobody listens. The next listener fetches for himself; what was said before is no basis any more."""
        self.body = self.parsed = self.read_set = None
        self.is_moved = True
        self.is_unsaid = False

    def begin(self) -> None:
        """A computation starts: commits from now on make it moved again (one trailing computation, trap T34)."""
        self.is_moved = False
        self.read_set = None
        self.recomputations += 1

    def finish(self, read_set: ReadSet, missed: Iterable[WriteSet]) -> None:
        """The computation read ``read_set``; ``missed`` are the commits that came while it ran."""
        self.read_set = read_set
        if any(read_set.concerned_by(writes) for writes in missed):
            self.is_moved = True
            # Perhaps it shows them already: the trailing computation would find nothing that differs.
            self.is_unsaid = self.is_unsaid or self.body is None

    def take(self, body: bytes, parsed: Any) -> Iterable[Emission]:
        """The newest answer; returns what to say of it.

        Nothing if the bytes are equal, and nothing for a first answer that no commit asked for: it is only there
        to compare the next one with.
        """
        previous, is_news = self.parsed, body != self.body and (self.body is not None or self.is_unsaid)
        self.body, self.parsed, self.is_unsaid = body, parsed, False
        return self.binding.describe(previous, parsed) if is_news else ()
