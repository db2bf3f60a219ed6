"""What goes through a doorbell: length-prefixed JSON, bounded, in versions; decides, does no I/O.

One frame is four bytes of length (big endian) and a JSON object ``{schema, v, kind, ...}``. A writer begins with
`Hello`; every message of his is answered in order, by `Heard`, or by `Elsewhere` if he writes to another database.
He ends with `Bye`. **Any other end counts as "anything was written"**: a conversation that breaks off says nothing
about what its writer did next.

Nothing here trusts its sender: what is too long, not JSON, of another version or of another shape is a
`MessageError`, and the conversation ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

import orjson

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.told import MAX_NAME, NotToldError, heard_writes, told_writes

SCHEMA = "steinmetz.doorbell"
VERSION = 2
"""2: write sets tell rows. Both ends are of one release; of another version, "anything" is heard."""
MAX_FRAME_BYTES = 1_000_000
MAX_NUMBER = 2**53

_LENGTH = Struct(">I")


class MessageError(ValueError):
    """The bytes are no message of this version; the conversation cannot go on."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: which database is written to (`name_of_database`), and by whom, for people to read."""

    database: str
    who: str


@dataclass(frozen=True, slots=True)
class Mark:
    """COMMIT is about to be sent. ``number`` is the writer's own, for `Bump` or `Unmark`."""

    number: int
    writes: WriteSet


@dataclass(frozen=True, slots=True)
class Bump:
    """The writes of the mark stand, or nobody knows that they do not."""

    number: int


@dataclass(frozen=True, slots=True)
class Unmark:
    """The transaction of the mark has certainly been rolled back."""

    number: int


@dataclass(frozen=True, slots=True)
class Wrote:
    """A commit that this neighbour could not be told of before: it came up meanwhile."""

    writes: WriteSet


@dataclass(frozen=True, slots=True)
class Said:
    """What the application wants its neighbours to say after a commit; JSON."""

    body: Any


@dataclass(frozen=True, slots=True)
class Bye:
    """The writer has no more to tell."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer to one message: it has been acted upon."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The answer to a `Hello` of another database: what you write is no concern of mine."""


Message = Hello | Mark | Bump | Unmark | Wrote | Said | Bye | Heard | Elsewhere

_KINDS: dict[type[Any], str] = {
    Hello: "hello",
    Mark: "mark",
    Bump: "bump",
    Unmark: "unmark",
    Wrote: "wrote",
    Said: "said",
    Bye: "bye",
    Heard: "heard",
    Elsewhere: "elsewhere",
}


def encode(message: Message) -> bytes:
    """One frame. Raises `MessageError` for a `Said` that is too long or not JSON."""
    told: dict[str, Any] = {"schema": SCHEMA, "v": VERSION, "kind": _KINDS[type(message)]}
    match message:
        case Hello(database, who):
            told |= {"database": database[:MAX_NAME], "who": who[:MAX_NAME]}
        case Mark(number, writes):
            told |= {"number": number, "writes": told_writes(writes)}
        case Bump(number) | Unmark(number):
            told["number"] = number
        case Wrote(writes):
            told["writes"] = told_writes(writes)
        case Said(body):
            told["body"] = body
        case Bye() | Heard() | Elsewhere():
            pass
    try:
        frame = orjson.dumps(told)
    except TypeError as error:
        raise MessageError(f"not JSON: {error}") from None
    if len(frame) > MAX_FRAME_BYTES:
        raise MessageError(f"{len(frame)} bytes are more than {MAX_FRAME_BYTES}")
    return _LENGTH.pack(len(frame)) + frame


class Decoder:
    """Bytes in, messages out. Holds at most one frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_between_frames(self) -> bool:
        """Whether an end of the stream now cuts no frame in two."""
        return not self._buffer

    def feed(self, received: bytes) -> list[Message]:
        """The messages that are complete now. Raises `MessageError`; afterwards the decoder is of no more use."""
        self._buffer += received
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise MessageError(f"a frame of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frame = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            messages.append(_message(frame))
        return messages


def _message(frame: bytes) -> Message:
    try:
        told = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise MessageError("not JSON") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise MessageError("not a message of a doorbell")
    if told.get("v") != VERSION:
        raise MessageError("a message of another version")
    kind = told.get("kind")
    match kind:
        case "hello":
            return Hello(_text(told.get("database")), _text(told.get("who")))
        case "mark":
            return Mark(_number(told.get("number")), _writes(told.get("writes")))
        case "bump":
            return Bump(_number(told.get("number")))
        case "unmark":
            return Unmark(_number(told.get("number")))
        case "wrote":
            return Wrote(_writes(told.get("writes")))
        case "said":
            if "body" not in told:
                raise MessageError("said without a body")
            return Said(told["body"])
        case "bye":
            return Bye()
        case "heard":
            return Heard()
        case "elsewhere":
            return Elsewhere()
        case _:
            raise MessageError("a message of no known kind")


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < MAX_NUMBER:
        raise MessageError("not a number of a mark")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise MessageError("not a name")
    return value


def _writes(value: Any) -> WriteSet:
    try:
        return heard_writes(value)
    except NotToldError as error:
        raise MessageError(str(error)) from None
