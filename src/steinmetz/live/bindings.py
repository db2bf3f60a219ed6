"""What an application itself wants to say when an answer changes, and to which room."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from steinmetz.realtime import Event


@dataclass(frozen=True, slots=True)
class Emission:
    """One event for one room."""

    event: str | Event
    payload: Any
    room: str


Describe = Callable[[Any, Any], Iterable[Emission]]
"""(previous body or None, new body) -> what to say. Bodies are parsed JSON; called only if the answers differ."""


@dataclass(frozen=True, slots=True)
class Binding:
    """The answer at ``path`` is computed as ``principal`` after each commit that concerns it, for those in
    ``room``.

    ``principal`` is put where the application looks for the admitted caller; it can come from inside only.
    """

    path: str
    room: str
    principal: Any
    describe: Describe
