"""What the world is told after a commit, and never before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Socket.IO event for some rooms, published once the commit stands.

    ``rooms`` empty means everybody who is connected. ``payload`` is what JSON can hold.
    """

    event: str
    payload: dict[str, Any]
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expulsion:
    """After the commit, every socket in ``room`` is disconnected for good (revoked, disabled)."""

    room: str


@dataclass(frozen=True, slots=True)
class Departure:
    """After the commit, every socket in ``sockets`` (a room, e.g. ``user:5``) leaves ``room``."""

    sockets: str
    room: str
