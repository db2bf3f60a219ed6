"""The events of subscriptions, as their schemas say them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from steinmetz.realtime import Event
from steinmetz.realtime.events import Done
from steinmetz.realtime.events.event import Complaint

ONE_CLIENT = "{socket}"
"""Said to each client that has subscribed, wherever it is: there is no room to join."""


class LiveSubscription(TypedDict):
    """``path`` with its query, as it would be fetched. ``etag``: of what the client has already."""

    path: str
    etag: NotRequired[str]


class LiveAnswer(TypedDict):
    """``body`` is left out if the client has it."""

    ok: Literal[True]
    etag: str
    body: NotRequired[Any]


class LiveUnsubscription(TypedDict):
    path: str


class LiveUpdate(TypedDict):
    """``body``, or a JSON Merge Patch (RFC 7396) of the answer whose ETag is ``base``; ``path`` as it was
    asked."""

    path: str
    etag: str
    body: NotRequired[Any]
    patch: NotRequired[dict[str, Any]]
    base: NotRequired[str]


class LiveStale(TypedDict):
    path: str


class LiveEnded(TypedDict):
    path: str
    error: Complaint


SUBSCRIBE = Event(
    "live:subscribe",
    LiveSubscription,
    ack=LiveAnswer,
    about="Hear of every commit that changes the answer to GET `path`",
)
UNSUBSCRIBE = Event("live:unsubscribe", LiveUnsubscription, ack=Done, about="Hear of it no more")
UPDATE = Event(
    "live:update",
    LiveUpdate,
    rooms=(ONE_CLIENT,),
    about="A commit has changed an answer: the whole, or a patch of the answer `base`. Who has another than that "
    "subscribes again",
)
STALE = Event(
    "live:stale",
    LiveStale,
    rooms=(ONE_CLIENT,),
    about="A commit has changed an answer that is one user's alone: whoever shows it subscribes again, or fetches",
)
ENDED = Event("live:ended", LiveEnded, rooms=(ONE_CLIENT,), about="A subscription is over, and why")

SENT = (UPDATE, STALE, ENDED)
