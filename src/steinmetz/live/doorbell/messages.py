"""What goes through a doorbell: length-prefixed JSON, bounded, in versions; decides, does no I/O.

One frame is four bytes of length (big endian) and a JSON object ``{schema, v, kind, ...}``. A writer begins with
`Hello`; every message of his is answered in order, by `Heard`, or by `Elsewhere` if he writes to another database.
He ends with `Bye`. **Any other end counts as "anything was written"**: a conversation that breaks off says nothing
about what its writer did next.

Nothing here trusts its sender: what is too long, not JSON, of another version or of another shape is a
`MessageError`, and the conversation ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Any

import orjson

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, MAX_ROWS, MAX_TEXT, Change, Column, Kind, Value

SCHEMA = "steinmetz.doorbell"
VERSION = 2
"""2: write sets tell rows. Both ends are of one release; of another version, "anything" is heard."""
MAX_FRAME_BYTES = 1_000_000
MAX_RELATIONS = 1_000
"""A write set of more relations is told as "anything" of their databases."""
MAX_VALUES = 4_000
"""Values and columns of rows in one write set; with more, it is told without rows."""
MAX_NAME = 4_096
"""Of a name: of a relation, of a database, of who writes."""
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
            told |= {"number": number, "writes": _told(writes)}
        case Bump(number) | Unmark(number):
            told["number"] = number
        case Wrote(writes):
            told["writes"] = _told(writes)
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


def _told(writes: WriteSet) -> dict[str, Any]:
    """Bounded: above the bounds it is "anything" of the databases concerned, never less than was written."""
    relations = sorted(writes.relations)
    names = [[relation.database, relation.name] for relation in relations]
    length = sum(len(word) for name in names for word in name)
    is_too_long = len(names) > MAX_RELATIONS or length > MAX_FRAME_BYTES // 16
    if is_too_long or any(len(name) > MAX_NAME or not _is_text(name) for _, name in names):
        return {"relations": [], "unknown": sorted(writes.unknown | {each.database for each in relations})}
    return {"relations": names, "unknown": sorted(writes.unknown), "rows": _told_rows(writes, relations)}


def _told_rows(writes: WriteSet, relations: list[Relation]) -> list[Any]:
    """Of each, ``[place, changes]``; a change is ``{"within": [[column, kind, values]], "assigned": [column]}``.

    Nothing where that would be too long: the relation then counts as written anywhere.
    """
    told = []
    size = length = 0
    for place, relation in enumerate(relations):
        changes = []
        for change in writes.changes.get(relation, ()):
            within = [[name, str(kind), sorted(values)] for (name, kind), values in sorted(change.within.items())]
            assigned = None if change.assigned is None else sorted(change.assigned)
            changes.append({"within": within, "assigned": assigned})
            words = [*(assigned or ()), *(name for name, _, _ in within)]
            texts = [*words, *(value for _, _, values in within for value in values if isinstance(value, str))]
            size += len(words) + sum(len(values) for _, _, values in within)
            length += sum(len(word) for word in texts)
            if not all(_is_text(word) for word in texts) or any(len(word) > MAX_NAME for word in words):
                return []
        if changes:
            told.append([place, changes])
    return told if size <= MAX_VALUES and length <= MAX_FRAME_BYTES // 16 else []


def _is_text(name: str) -> bool:
    """Lone surrogates, as file names have them, cannot be sent."""
    return name.isascii() or name.encode("utf-8", "ignore").decode() == name


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
    if not isinstance(value, dict):
        raise MessageError("not a write set")
    relations, unknown, rows = value.get("relations"), value.get("unknown"), value.get("rows", [])
    if not isinstance(relations, list) or not isinstance(unknown, list) or len(relations) > MAX_RELATIONS:
        raise MessageError("not a write set")
    named = []
    for relation in relations:
        if not isinstance(relation, list) or len(relation) != 2:
            raise MessageError("not a relation")
        named.append(Relation(_text(relation[0]), _text(relation[1])))
    return WriteSet(
        frozenset(named), frozenset(_text(database) for database in unknown), dict(_changes(rows, named))
    )


def _changes(rows: Any, relations: list[Relation]) -> Iterator[tuple[Relation, tuple[Change, ...]]]:
    if not isinstance(rows, list) or len(rows) > len(relations):
        raise MessageError("not the rows of a write set")
    told: set[int] = set()
    for each in rows:
        if not isinstance(each, list) or len(each) != 2:
            raise MessageError("not the rows of a relation")
        place, changes = each
        if type(place) is not int or not 0 <= place < len(relations) or place in told:
            raise MessageError("rows of no relation")
        told.add(place)
        if not isinstance(changes, list):
            raise MessageError("not the rows of a relation")
        if not 0 < len(changes) <= MAX_ROWS:
            raise MessageError("rows of too many kinds")
        yield relations[place], tuple(_change(change) for change in changes)


def _change(told: Any) -> Change:
    if not isinstance(told, dict) or not isinstance(told.get("within"), list):
        raise MessageError("not a change of rows")
    within = {}
    for bound in told["within"]:
        if not isinstance(bound, list) or len(bound) != 3 or not isinstance(bound[2], list):
            raise MessageError("not a bound column")
        if bound[1] not in list(Kind) or len(bound[2]) > MAX_KEYS:
            raise MessageError("not a bound column")
        kind = Kind(bound[1])
        column = Column(_text(bound[0]), kind)
        if column in within:
            raise MessageError("a column that is bound twice")
        within[column] = frozenset(_value(kind, value) for value in bound[2])
    assigned = told.get("assigned")
    if assigned is None:
        return Change(within)
    if not isinstance(assigned, list):
        raise MessageError("not columns")
    return Change(within, frozenset(_text(column) for column in assigned))


def _value(kind: Kind, value: Any) -> Value:
    expected: type[Value] = {Kind.INTEGER: int, Kind.BOOLEAN: bool}.get(kind, str)
    if type(value) is not expected or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise MessageError("not a value of its column")
    checked: Value = value
    return checked
