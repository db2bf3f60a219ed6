"""What both doors find for a request that a kept answer fits at once."""

from __future__ import annotations

from steinmetz.cache.asgi.admission import RememberedAdmission
from steinmetz.cache.asgi.asked import Target
from steinmetz.cache.asgi.protocol import HeaderList
from steinmetz.cache.policy.entry import Encoded, Entry


class Found:
    """A kept answer that this caller may be given now; nothing has been counted or charged for it.

    ``remembered`` is the admission that it rests upon, None for a caller without a credential; ``token`` is the
    X-Consistency-Token that came.
    """

    __slots__ = ("accept_encoding", "entry", "if_none_match", "remembered", "target", "token")

    def __init__(
        self,
        entry: Entry,
        target: Target,
        remembered: RememberedAdmission | None,
        *,
        if_none_match: bytes | None,
        accept_encoding: bytes | None,
        token: bytes | None,
    ) -> None:
        self.entry = entry
        self.target = target
        self.remembered = remembered
        self.if_none_match = if_none_match
        self.accept_encoding = accept_encoding
        self.token = token


class Reply:
    """What a kept answer is sent as: ``form`` has the body, and may be the entry itself."""

    __slots__ = ("form", "has_body", "headers", "status")

    def __init__(self, status: int, headers: HeaderList, form: Entry | Encoded, *, has_body: bool) -> None:
        self.status = status
        self.headers = headers
        self.form = form
        self.has_body = has_body
