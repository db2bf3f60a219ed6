"""Rotation of refresh tokens, passwords, rooms and the last administrator; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from steinmetz.erp.kit.roles import Actor, Role

REPEAT_WINDOW = timedelta(seconds=10)
"""How long the predecessor of a refresh token still gets its successor: two tabs, or an answer that was lost."""

MIN_PASSWORD_CHARS = 10

DASHBOARD_ROOM = "dashboard-room"
CHAT_ROOM = "chat-room"
OPERATIONS_ROOM = "ops"


@dataclass(frozen=True, slots=True)
class Rotate:
    """The newest generation came: issue the next."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """The predecessor came again at once: give the same successor."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """A token came that was used up long ago: somebody has a copy. End the family."""


def rotation(presented: int, current: int, rotated_at: datetime, now: datetime) -> Rotate | Repeat | Reuse:
    """What to do with a genuine refresh token of generation ``presented``.

    "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of
    them will present an invalidated refresh token" (RFC 9700, 4.14.2).
    """
    if presented == current:
        return Rotate()
    if presented == current - 1 and now - rotated_at <= REPEAT_WINDOW:
        return Repeat()
    return Reuse()


def password_flaw(password: str, email: str) -> str | None:
    """Why ``password`` cannot be taken; None if it can.

    Length counts, not the mixture of characters (NIST SP 800-63B, 3.1.1.2).
    """
    if len(password) < MIN_PASSWORD_CHARS:
        return f"A password needs at least {MIN_PASSWORD_CHARS} characters."
    if len(set(password)) < 5:
        return "A password needs more than four different characters."
    if password.lower() in {email, email.partition("@")[0]}:
        return "A password must differ from the e-mail address."
    return None


def user_room(user_id: int | None) -> str:
    """Every socket of the user."""
    return f"user:{user_id}"


def session_room(user_id: int | None, session_id: str) -> str:
    """The sockets of one sign-in; private like the user's own room, by its name."""
    return f"user:{user_id}:session:{session_id}"


def rooms_of(actor: Actor) -> tuple[str, ...]:
    """The rooms that a socket of ``actor`` joins when it connects."""
    rooms = (
        DASHBOARD_ROOM,
        CHAT_ROOM,
        f"role:{actor.role.value}",
        user_room(actor.id),
        session_room(actor.id, actor.session_id),
    )
    return (*rooms, OPERATIONS_ROOM) if may_watch_operations(actor.role) else rooms


def may_join(actor: Actor, room: str) -> bool:
    """Whether ``actor`` may ask to be in ``room``: exactly the rooms that he may hear."""
    return room in rooms_of(actor)


def may_watch_operations(role: Role) -> bool:
    return role in {Role.ADMIN, Role.AUDITOR}


def leaves_no_administrator(
    *, is_administrator: bool, stays_administrator: bool, other_administrators: int
) -> bool:
    """Whether a change would lock everybody out of the administration."""
    return is_administrator and not stays_administrator and other_administrators == 0
