"""One event: its name, what it carries, what is answered, and how it is treated on its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NotRequired, TypedDict

from steinmetz.realtime.adapters.base import Flags
from steinmetz.realtime.errors import Flaw, PayloadError
from steinmetz.realtime.events.schema import Schema, schema_of
from steinmetz.realtime.socketio.packet import RESERVED_EVENTS

EVERYBODY = "/"
"""In `Event.rooms`: all who are connected to the namespace."""


class Done(TypedDict):
    """The acknowledgement of what has nothing to say but that it was done."""

    ok: Literal[True]


class FieldFlaw(TypedDict):
    field: str
    message: str


class Complaint(TypedDict):
    """Why not. `retryAfterMs`: the same may be sent again then."""

    code: str
    message: str
    fields: NotRequired[list[FieldFlaw]]
    retryAfterMs: NotRequired[int]


class Refusal(TypedDict):
    """What any acknowledgement may be instead: the event was not handled."""

    ok: Literal[False]
    error: Complaint


REFUSAL = schema_of(Refusal)


class Event:
    """``CHAT_MESSAGE = Event("chat:message", ChatMessage, ack=Done)``: one value of that kind, or none at all.

    ``payload`` and ``ack`` are anything that `schema_of` takes; without an ``ack`` answers are not checked.
    ``rooms`` says where the server emits it, as patterns like ``user:{id}``; none means `EVERYBODY`. It and
    ``about`` are for the documents alone.

    Its policy goes with every emission: ``volatile`` may be dropped for a client that is not ready; of those with
    ``newest_by`` (a field of the payload) a client that lags behind gets only the newest for each value.

    Raises `ValueError` for a reserved name or two policies, `TypeError` for what is no schema.
    """

    __slots__ = ("about", "ack", "name", "newest_by", "payload", "rooms", "volatile")

    def __init__(
        self,
        name: str,
        payload: Any = None,
        *,
        ack: Any = None,
        about: str = "",
        rooms: Sequence[str] = (),
        volatile: bool = False,
        newest_by: str | None = None,
    ) -> None:
        if name in RESERVED_EVENTS or name == "connection":
            raise ValueError(f'"{name}" is a reserved name; choose another for your event')
        if volatile and newest_by is not None:
            raise ValueError(f'"{name}" is either volatile or kept by its newest, not both')
        self.name = name
        self.payload: Schema | None = None if payload is None else schema_of(payload)
        self.ack: Schema | None = None if ack is None else schema_of(ack)
        self.about = about
        self.rooms = tuple(rooms) or (EVERYBODY,)
        self.volatile = volatile
        self.newest_by = newest_by

    def __repr__(self) -> str:
        return f"<Event {self.name}>"

    def read(self, sent: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments of an event packet as a handler gets them. Raises `PayloadError`."""
        return () if self.payload is None and not sent else (self._only(sent).read(sent[0]),)

    def write(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments of an emission as they go into the packet. Raises `PayloadError`."""
        return () if self.payload is None and not given else (self._only(given).write(given[0]),)

    def _only(self, values: Sequence[Any]) -> Schema:
        if self.payload is None:
            raise PayloadError([Flaw("", "this event carries nothing")])
        if len(values) != 1:
            raise PayloadError([Flaw("", f"this event carries one value, not {len(values)}")])
        return self.payload

    def write_ack(self, answer: Any) -> Any:
        """What a handler returned as it is acknowledged; a refusal is always allowed. Raises `PayloadError`."""
        if self.ack is None:
            return answer
        is_refusal = isinstance(answer, dict) and answer.get("ok") is False
        return (REFUSAL if is_refusal else self.ack).write(answer)

    def read_ack(self, answer: Any) -> Any:
        """What a client acknowledged. Raises `PayloadError`."""
        return answer if self.ack is None else self.ack.read(answer)

    def flags(self, written: Sequence[Any], flags: Flags) -> Flags:
        """``flags`` with this event's policy for the emission of ``written``."""
        if self.volatile:
            return flags if flags.volatile else replace(flags, volatile=True)
        if self.newest_by is None or flags.newest is not None or not written or not isinstance(written[0], dict):
            return flags
        return replace(flags, newest=f"{self.name} {written[0].get(self.newest_by)}")
