"""What both doors find for a request that a kept answer fits at once."""

from __future__ import annotations

from steinmetz.cache.asgi.admission import RememberedAdmission
from steinmetz.cache.asgi.asked import Target
from steinmetz.cache.policy.entry import Entry


class Found:
    """A kept answer that this caller may be given now; nothing has been counted or charged for it.

    ``remembered`` is the admission that it rests upon, None for a caller without a credential.
    """

    __slots__ = ("entry", "if_none_match", "remembered", "target")

    def __init__(
        self, entry: Entry, target: Target, remembered: RememberedAdmission | None, if_none_match: bytes | None
    ) -> None:
        self.entry = entry
        self.target = target
        self.remembered = remembered
        self.if_none_match = if_none_match
