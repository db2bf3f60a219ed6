"""Schemas of plain Python: what they take, what they refuse, and what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from steinmetz.realtime.errors import PayloadError
from steinmetz.realtime.events.plain import PlainSchema


class Level(StrEnum):
    INFO = "info"
    ERROR = "error"


class Size(Enum):
    SMALL = 1


@dataclass
class User:
    """Somebody."""

    name: str
    id: int | None = None


@dataclass
class Message:
    user: User
    text: str
    tags: list[str] = field(default_factory=list)


@dataclass
class Node:
    children: list[Node]


class Request(TypedDict):
    room: str
    limit: NotRequired[int]


EXACT: list[tuple[Any, list[Any], list[Any]]] = [
    (str, ["", "ü"], [None, 5, b"x", ["x"]]),
    (int, [0, -(2**70)], [True, 1.0, "1", None]),
    (float, [1, 1.5, -0.0], [True, "1", float("nan"), float("inf"), None]),
    (bool, [True, False], [0, 1, "true", None]),
    (bytes, [b"", b"x"], ["x", None]),
    (None, [None], [0, "", False]),
    (Any, [None, 5, {"x": [b"y"]}], []),
    (int | None, [None, 5], ["5", False]),
    (Literal["a", 1], ["a", 1], ["b", True, 1.0, None]),
    (list[int], [[], [1, 2]], [(1,), ["1"], {"0": 1}, None]),
    (list, [[], [1, "x"]], ["x"]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "1"}, {1: 1}, [], None]),
    (dict, [{}, {"a": None}], [{1: 1}, []]),
    (Annotated[str, "a note"], ["x"], [5]),
    (Request, [{"room": "x"}, {"room": "x", "limit": 1}], [{}, {"room": 1}, {"room": "x", "y": 1}, [], "x"]),
]


@pytest.mark.parametrize(("wanted", "good", "bad"), EXACT, ids=[str(each[0]) for each in EXACT])
def test_what_fits_is_left_as_it_is_and_nothing_else_fits(wanted: Any, good: list[Any], bad: list[Any]) -> None:
    schema = PlainSchema(wanted)
    for value in good:
        assert schema.read(value) == schema.write(value) == value
    for value in bad:
        for take in (schema.read, schema.write):
            with pytest.raises(PayloadError):
                take(value)


def test_a_dataclass_is_read_into_an_instance_and_written_as_an_object() -> None:
    schema = PlainSchema(Message)
    message = schema.read({"user": {"name": "Ada"}, "text": "Hallo"})
    assert message == Message(User("Ada"), "Hallo")
    written = {"user": {"name": "Ada", "id": None}, "text": "Hallo", "tags": []}
    assert schema.write(message) == schema.write(written) == written


def test_an_instance_does_not_come_from_outside() -> None:
    with pytest.raises(PayloadError):
        PlainSchema(User).read(User("Ada"))


def test_an_enumeration_is_read_into_its_member_and_written_as_its_value() -> None:
    schema = PlainSchema(list[Level])
    assert schema.read(["info"]) == [Level.INFO]
    assert schema.write([Level.INFO, "error"]) == ["info", "error"]
    for wrong in (["warn"], [None]):
        with pytest.raises(PayloadError):
            schema.read(wrong)
    assert PlainSchema(Size).read(1) is Size.SMALL
    with pytest.raises(PayloadError):
        PlainSchema(Size).read(True)


@pytest.mark.parametrize(
    ("payload", "field", "message"),
    [
        ({}, "user", "it is missing"),
        ({"user": {"name": 5}, "text": ""}, "user.name", "string is asked for"),
        ({"user": {"name": ""}, "text": "", "tags": ["x", 5]}, "tags.1", "string is asked for"),
        ({"user": {"name": ""}, "text": "", "evil": 1}, "evil", "there is no such field"),
        ({"user": {"name": "", "id": "7"}, "text": ""}, "user.id", "integer is asked for or null is asked for"),
        ("Hallo", "", "an object with the fields user, text, tags is asked for"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(payload: Any, field: str, message: str) -> None:
    with pytest.raises(PayloadError) as refused:
        PlainSchema(Message).read(payload)
    assert refused.value.flaws == [(field, message)]


def test_no_more_of_a_senders_own_words_is_said_back_than_can_be_sent() -> None:
    with pytest.raises(PayloadError) as refused:
        PlainSchema(User).read({"name": "x", "\ud800" * 10_000: 1})
    assert len(str(refused.value).encode()) < 200


def test_what_is_nested_without_an_end_is_refused_and_no_stack_overflows() -> None:
    nested: dict[str, Any] = {"children": []}
    for _ in range(5_000):
        nested = {"children": [nested]}
    with pytest.raises(PayloadError, match="nested too deeply"):
        PlainSchema(Node).read(nested)


def test_it_describes_itself_with_what_it_refers_to() -> None:
    told = PlainSchema(Message).json_schema(sent=True)
    assert told["$ref"] == "#/$defs/Message"
    assert told["$defs"]["User"] == {
        "title": "User",
        "type": "object",
        "additionalProperties": False,
        "description": "Somebody.",
        "properties": {"name": {"type": "string"}, "id": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "required": ["name"],
    }
    assert PlainSchema(Node).json_schema(sent=True)["$defs"]["Node"]["properties"] == {
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}
    }
    assert PlainSchema(Literal["a"]).json_schema(sent=True) == {"const": "a"}
    assert PlainSchema(Level).json_schema(sent=True) == {"title": "Level", "enum": ["info", "error"]}
    assert PlainSchema(dict[str, bytes]).json_schema(sent=True) == {
        "type": "object",
        "additionalProperties": {"type": "string", "format": "binary"},
    }
