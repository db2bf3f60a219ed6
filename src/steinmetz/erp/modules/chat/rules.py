"""Names of channels and their rooms, and who may do what in them; pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from steinmetz.erp.kit.roles import Actor, Role, may_write

GENERAL = "general"
"""The channel that is there from the first day; its room is `ROOM`, which every socket joins on connecting."""
ROOM = "chat-room"
ROOM_PREFIX = "chat-room:"
PRIVATE_MARK = "~"
"""The first character of a private channel's id. What follows is random: it can neither be guessed, nor does it
tell what the channel is called."""

MAX_ID = 60
MAX_NAME = 80
MAX_NAME_KEY = 320
MAX_TOPIC = 300
MAX_TEXT = 4_000
MAX_KEY = 64
EDIT_WINDOW = timedelta(minutes=15)
"""How long the author may change a message; later, others have answered what it said."""

_TRANSLITERATED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def room_of(channel_id: str) -> str:
    """The socket room of a channel."""
    return ROOM if channel_id == GENERAL else ROOM_PREFIX + channel_id


def channel_of(room: str) -> str | None:
    """The channel whose room this is; None for a name that `room_of` never gives."""
    channel_id = room.removeprefix(ROOM_PREFIX)
    is_room = channel_id != room and channel_id != GENERAL and 0 < len(channel_id) <= MAX_ID
    return channel_id if is_room else None


def is_room(room: str) -> bool:
    """Whether this is the room of a channel."""
    return room == ROOM or room.startswith(ROOM_PREFIX)


def user_room(user_id: int | None) -> str:
    """The room of all sockets of a user."""
    return f"user:{user_id}"


def is_private_room(room: str) -> bool:
    """Whether only some may know that there is such a room."""
    return room.startswith(ROOM_PREFIX + PRIVATE_MARK)


def name_key(name: str) -> str:
    """What two names have in common that people take for the same; single characters may grow to many."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())[:MAX_NAME_KEY]


def public_id(name: str, attempt: int = 1) -> str:
    """The id of a public channel: lower-case ASCII letters and digits joined by ``-``; ``attempt`` numbers it.

    It is given once and stays, whatever the channel is called later.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).lower().translate(_TRANSLITERATED))
    letters = (each for each in plain.lower() if not unicodedata.combining(each))
    words = "".join(each if each.isascii() and each.isalnum() else " " for each in letters).split()
    suffix = "" if attempt == 1 else f"-{attempt}"
    return ("-".join(words) or "kanal")[: MAX_ID - len(suffix)].strip("-") + suffix


def private_id(token: str) -> str:
    """The id of a private channel, of a random ``token``."""
    return PRIVATE_MARK + token


def may_see(actor: Actor, *, is_private: bool, is_member: bool) -> bool:
    """Whether the channel exists for ``actor``. The auditor reads public channels only, whatever he was before."""
    return not is_private or (is_member and actor.role is not Role.AUDITOR)


def may_administer(actor: Actor, owner_id: int | None) -> bool:
    """Whether ``actor`` may rename and archive the channel and say who is in it."""
    is_owner = owner_id is not None and actor.id == owner_id
    return may_write(actor.role, Role.MANAGER) or (is_owner and may_write(actor.role, Role.CLERK))


def may_delete(actor: Actor, author_id: int | None) -> bool:
    """Whether ``actor`` may delete a message that he sees."""
    return may_write(actor.role, Role.MANAGER) or (author_id is not None and actor.id == author_id)


def is_editable(at: datetime, now: datetime) -> bool:
    """Whether a message said at ``at`` may still be changed."""
    return now - at <= EDIT_WINDOW
