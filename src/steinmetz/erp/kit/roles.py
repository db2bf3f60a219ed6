"""Roles and what they include; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    CLERK = "clerk"
    AUDITOR = "auditor"


READS_AS: dict[Role, frozenset[Role]] = {
    Role.ADMIN: frozenset(Role),
    Role.MANAGER: frozenset({Role.MANAGER, Role.CLERK}),
    Role.CLERK: frozenset({Role.CLERK}),
    Role.AUDITOR: frozenset({Role.AUDITOR, Role.MANAGER, Role.CLERK}),
}
"""Whose readings a role may see: the auditor reads everything but administration, and writes nothing."""

WRITES_AS: dict[Role, frozenset[Role]] = {
    Role.ADMIN: frozenset({Role.ADMIN, Role.MANAGER, Role.CLERK}),
    Role.MANAGER: frozenset({Role.MANAGER, Role.CLERK}),
    Role.CLERK: frozenset({Role.CLERK}),
    Role.AUDITOR: frozenset(),
}


def may_read(role: Role, needed: Role) -> bool:
    """Whether ``role`` may read what is open to ``needed`` and above."""
    return needed in READS_AS[role]


def may_write(role: Role, needed: Role) -> bool:
    """Whether ``role`` may change what ``needed`` and above may change."""
    return needed in WRITES_AS[role]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a signed-in user, or the system itself (``id`` None)."""

    id: int | None
    name: str
    role: Role
    session_id: str = ""


SYSTEM = Actor(id=None, name="SteinmetZ", role=Role.ADMIN)
"""Scheduler and command line."""
