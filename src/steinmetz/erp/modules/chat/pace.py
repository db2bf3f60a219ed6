"""How fast one person may talk, over HTTP and sockets together."""

from __future__ import annotations

from steinmetz.erp.errors import TooManyRequests
from steinmetz.gcra import Allowed, Denied, Gcra, Rate

MESSAGES = Rate(burst=10, period_s=1)
"""Ten at once and one a second: nobody types faster, a program that runs wild does."""
TYPING = Rate(burst=1, period_s=1)


class Pace:
    """One bucket a user for what he writes, one a user and channel for "is typing". Kept in this process."""

    def __init__(self, messages: Rate = MESSAGES, typing: Rate = TYPING) -> None:
        self._messages = Gcra(messages)
        self._typing = Gcra(typing)

    def speak(self, user_id: int | None, now_s: float) -> None:
        """Count one message, edit or deletion. Raises `TooManyRequests`."""
        decision = self._messages.take(user_id, now_s)
        if isinstance(decision, Denied):
            raise TooManyRequests(decision.retry_after_s, "You write faster than anybody reads. Wait a moment.")

    def types(self, user_id: int | None, channel_id: str, now_s: float) -> bool:
        """Whether the others may hear once more that the user is typing."""
        return isinstance(self._typing.take((user_id, channel_id), now_s), Allowed)
