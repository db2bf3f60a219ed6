"""For whom a notice is, who may write it, and what counts as unread; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from steinmetz.erp.kit.language import Language, Phrase
from steinmetz.erp.kit.roles import Role

MAX_TITLE = 120
MAX_MESSAGE = 2_000
MAX_LINK = 300
MAX_ONCE = 80

HOUSE_LANGUAGE = Language.DE
"""What an event speaks that several people hear at once; the list speaks to each in his own language."""


class Level(StrEnum):
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class AudienceKind(StrEnum):
    ALL = "all"
    ROLE = "role"
    USER = "user"


@dataclass(frozen=True, slots=True)
class ToAll:
    """Everybody who signs in."""


@dataclass(frozen=True, slots=True)
class ToRole:
    """Whoever has the role when he reads."""

    role: Role


@dataclass(frozen=True, slots=True)
class ToUser:
    user_id: int


Audience = ToAll | ToRole | ToUser

Wording = Phrase | str
"""In both languages, or as somebody has written it."""


def rooms_of(audience: Audience) -> tuple[str, ...]:
    """The socket rooms of exactly those who may read it; none means everybody."""
    match audience:
        case ToAll():
            return ()
        case ToRole(role):
            return (f"role:{role}",)
        case ToUser(user_id):
            return (f"user:{user_id}",)
        case _ as never:
            assert_never(never)


def needed_role(audience: Audience) -> Role:
    """Who may write to it."""
    return Role.ADMIN if isinstance(audience, ToAll) else Role.MANAGER


def worded(wording: Wording, language: Language, values: Mapping[str, Any], limit: int) -> str:
    """The text in ``language``, cut to ``limit`` characters; a value that is a function is given the language.

    Raises `KeyError` for a value that is missing.
    """
    if isinstance(wording, str):
        return wording[:limit]
    said: dict[str, Any] = {name: value(language) if callable(value) else value for name, value in values.items()}
    return wording.into(language, **said)[:limit]


def is_unread(at: datetime, *, is_marked: bool, reader_since: datetime) -> bool:
    """What was said before somebody was here is no news to him: he finds it in the list, as read."""
    return not is_marked and at >= reader_since
