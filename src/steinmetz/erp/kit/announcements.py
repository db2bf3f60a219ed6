"""What the world is told after a commit, and never before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from steinmetz.realtime import Event


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Socket.IO event for some rooms, published once the commit stands.

    ``rooms`` empty means everybody who is connected. ``payload`` is what JSON can hold.
    """

    event: str
    payload: dict[str, Any]
    rooms: tuple[str, ...] = ()


def announcement(event: Event, payload: Any, rooms: tuple[str, ...] = ()) -> Announcement:
    """``event`` with ``payload`` as its schema writes it. Raises `PayloadError`, which is before the commit."""
    (written,) = event.write((payload,))
    return Announcement(event.name, written, rooms)


@dataclass(frozen=True, slots=True)
class Expulsion:
    """After the commit, every socket in ``room`` is disconnected for good (revoked, disabled)."""

    room: str


@dataclass(frozen=True, slots=True)
class Departure:
    """After the commit, every socket in ``sockets`` (a room, e.g. ``user:5``) leaves ``room``."""

    sockets: str
    room: str


Publication = Announcement | Expulsion | Departure


def as_json(publication: Publication) -> dict[str, Any]:
    """The form in which one process passes a publication on to another."""
    match publication:
        case Announcement(event, payload, rooms):
            return {"say": "announcement", "event": event, "payload": payload, "rooms": list(rooms)}
        case Expulsion(room):
            return {"say": "expulsion", "room": room}
        case Departure(sockets, room):
            return {"say": "departure", "sockets": sockets, "room": room}
        case _:
            assert_never(publication)


def from_json(told: Any) -> Publication:
    """What `as_json` made. Raises `ValueError` for anything else."""
    match told:
        case {"say": "announcement", "event": str(event), "payload": dict(payload), "rooms": list(rooms)} if all(
            isinstance(room, str) for room in rooms
        ):
            return Announcement(event, payload, tuple(rooms))
        case {"say": "expulsion", "room": str(room)}:
            return Expulsion(room)
        case {"say": "departure", "sockets": str(sockets), "room": str(room)}:
            return Departure(sockets, room)
        case _:
            raise ValueError("not a publication of this release")
