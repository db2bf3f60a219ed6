"""Sessions as bytes, for a memory outside of this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson

from steinmetz.realtime.socketio.recovery import History, Session


def encode_session(session: Session) -> bytes:
    """As JSON. Of `socket.data` only what JSON can say is kept, names that are text too; middlewares set the rest
    again."""
    history = session.history
    return orjson.dumps(
        {
            "sid": session.sid,
            "epoch_id": session.epoch_id,
            "subject": session.subject,
            "since": session.since,
            "as_of": session.as_of,
            "history": [history.rooms, history.left, history.whole_from],
            "is_connected": session.is_connected,
            "granted": session.granted,
            "requested": session.requested,
            "data": dict(_sayable(session.data)),
        }
    )


def _sayable(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        with suppress(TypeError):
            orjson.dumps({name: None})
            yield name, orjson.Fragment(orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATACLASS))


def decode_session(encoded: bytes) -> Session:
    """Raises `ValueError`, `TypeError` or `KeyError` for what `encode_session` did not make."""
    fields = orjson.loads(encoded)
    rooms, left, whole_from = fields.pop("history")
    spans = [(str(room), int(joined), int(until)) for room, joined, until in left]
    for name in ("granted", "requested"):
        fields[name] = tuple(fields[name])
    return Session(**fields, history=History(rooms, spans, whole_from))
