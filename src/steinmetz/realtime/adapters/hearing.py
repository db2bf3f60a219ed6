"""What one node hears of another, and who takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from steinmetz.realtime.adapters.messages import Content
from steinmetz.realtime.adapters.seal import Kind
from steinmetz.realtime.recovery.record import Stamp


class Heard(NamedTuple):
    """What another node has said, taken apart once."""

    kind: Kind
    content: Content
    body: bytes
    channel: str
    origin: bytes
    number: int
    stamp: Stamp | None = None
    """Where it stands in the log of its namespace; None if that is not known (yet), or it is in none."""


class Hearer(Protocol):
    """Whoever takes what other nodes say of one namespace, or of presence."""

    def hear(self, heard: Heard) -> None:
        """Do what it says. Raises `MessageError` if it is not understood."""

    def channels_of(self, content: Content) -> Iterable[str]:
        """All channels in which it may have come here, if it may have come in several."""
