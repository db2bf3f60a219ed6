"""Bytes in, messages out; nothing that is sent can do more than end its own conversation."""

from __future__ import annotations

import contextlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.live.doorbell.messages import (
    MAX_FRAME_BYTES,
    SCHEMA,
    Bump,
    Bye,
    Decoder,
    Elsewhere,
    Heard,
    Hello,
    Mark,
    Message,
    MessageError,
    Said,
    Unmark,
    Wrote,
    encode,
)
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, MAX_ROWS, Change, Column, Kind
from steinmetz.sql.told import MAX_NAME, MAX_RELATIONS

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = {
    Kind.INTEGER: st.integers(1 - 2**53, 2**53 - 1),
    Kind.BOOLEAN: st.booleans(),
    Kind.TEXT: names,
    Kind.WORD: names,
    Kind.UUID: st.uuids().map(lambda key: key.hex),
}
bound = st.lists(
    st.tuples(names, st.sampled_from(Kind)).flatmap(
        lambda column: st.tuples(st.just(Column(*column)), st.frozensets(values[column[1]], max_size=4))
    ),
    max_size=3,
).map(dict)
changes = st.builds(Change, bound, st.none() | st.frozensets(names, max_size=3))


@st.composite
def write_sets(draw: st.DrawFn) -> WriteSet:
    relations = draw(st.frozensets(st.builds(Relation, names, names), max_size=8))
    told = [relation for relation in relations if draw(st.booleans())]
    several = st.lists(changes, min_size=1, max_size=3).map(tuple)
    return WriteSet(
        relations, draw(st.frozensets(names, max_size=3)), {relation: draw(several) for relation in told}
    )


writes = write_sets()
numbers = st.integers(0, 2**53 - 1)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
messages = st.one_of(
    st.builds(Hello, names, names),
    st.builds(Mark, numbers, writes),
    st.builds(Bump, numbers),
    st.builds(Unmark, numbers),
    st.builds(Wrote, writes),
    st.builds(Said, bodies),
    st.sampled_from([Bye(), Heard(), Elsewhere()]),
)
bounded = settings(max_examples=60, derandomize=True, deadline=None)


def framed(value: object) -> bytes:
    body = orjson.dumps(value)
    return len(body).to_bytes(4, "big") + body


@bounded
@given(st.lists(messages, max_size=5), st.integers(1, 50))
def test_what_was_said_is_heard_however_the_bytes_are_cut(said: list[Message], step: int) -> None:
    stream = b"".join(encode(message) for message in said)
    decoder, heard = Decoder(), list[Message]()
    for start in range(0, len(stream), step):
        heard += decoder.feed(stream[start : start + step])
    assert heard == said
    assert decoder.is_between_frames


@bounded
@given(st.binary(max_size=200))
def test_garbage_is_an_error_or_waits_for_more_and_is_never_a_message(garbage: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert Decoder().feed(garbage) == []


@bounded
@given(messages, st.data())
def test_a_truncated_message_is_none_yet(message: Message, data: st.DataObject) -> None:
    frame = encode(message)
    decoder = Decoder()
    assert decoder.feed(frame[: data.draw(st.integers(1, len(frame) - 1))]) == []
    assert not decoder.is_between_frames


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_a_frame_that_is_announced_too_long_is_refused_before_it_comes(length: int) -> None:
    with pytest.raises(MessageError, match="bytes"):
        Decoder().feed(length.to_bytes(4, "big"))


HEAD = {"schema": SCHEMA, "v": 2}
GOOD = {"relations": [["main", "users"]], "unknown": []}
CHANGE = {"within": [["id", "integer", [7]]], "assigned": ["name"]}
BAD_ROWS = [
    {},
    [[0]],
    [[1, [CHANGE]]],
    [[True, [CHANGE]]],
    [[0, []]],
    [[0, CHANGE]],
    [[0, [CHANGE] * (MAX_ROWS + 1)]],
    [[0, [CHANGE]], [0, [CHANGE]]],
    [[0, [{**CHANGE, "assigned": "name"}]]],
    [[0, [{**CHANGE, "assigned": [7]}]]],
    [[0, [{"assigned": None}]]],
    [[0, [{"within": [["id", "integer", [7]]] * 2}]]],
    [[0, [{"within": [["id", "number", [7]]]}]]],
    [[0, [{"within": [["id", ["integer"], [7]]]}]]],
    [[0, [{"within": [["id", "integer", 7]]}]]],
    [[0, [{"within": [["id", "integer", ["7"]]]}]]],
    [[0, [{"within": [["id", "integer", [True]]]}]]],
    [[0, [{"within": [["id", "text", ["x" * 256]]]}]]],
    [[0, [{"within": [["id", "integer", list(range(MAX_KEYS + 1))]]}]]],
]


@pytest.mark.parametrize(
    "value",
    [
        [],
        "hello",
        {},
        {"schema": "other", "v": 2, "kind": "bye"},
        {"schema": SCHEMA, "v": 1, "kind": "bye"},
        {"schema": SCHEMA, "kind": "bye"},
        {**HEAD, "kind": "nothing"},
        {**HEAD, "kind": ["bye"]},
        {**HEAD, "kind": "hello", "database": "x"},
        {**HEAD, "kind": "hello", "database": "x", "who": "y" * (MAX_NAME + 1)},
        {**HEAD, "kind": "bump", "number": -1},
        {**HEAD, "kind": "bump", "number": True},
        {**HEAD, "kind": "bump", "number": 1.0},
        {**HEAD, "kind": "bump", "number": 2**53},
        {**HEAD, "kind": "mark", "number": 1},
        {**HEAD, "kind": "mark", "writes": GOOD},
        {**HEAD, "kind": "wrote", "writes": {"relations": [["main"]], "unknown": []}},
        {**HEAD, "kind": "wrote", "writes": {"relations": [["main", 7]], "unknown": []}},
        {**HEAD, "kind": "wrote", "writes": {"relations": [["m", "t"]] * (MAX_RELATIONS + 1), "unknown": []}},
        {**HEAD, "kind": "wrote", "writes": {"relations": [], "unknown": [None]}},
        *({**HEAD, "kind": "wrote", "writes": {**GOOD, "rows": rows}} for rows in BAD_ROWS),
        {**HEAD, "kind": "said"},
    ],
)
def test_another_shape_is_refused(value: object) -> None:
    with pytest.raises(MessageError):
        Decoder().feed(framed(value))


def test_a_deep_value_is_refused_and_not_followed() -> None:
    body = (
        b'{"schema":"'
        + SCHEMA.encode()
        + b'","v":2,"kind":"said","body":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}"
    )
    with pytest.raises(MessageError):
        Decoder().feed(len(body).to_bytes(4, "big") + body)


@pytest.mark.parametrize(
    "relations",
    [
        {Relation("main", f"table_{number}") for number in range(MAX_RELATIONS + 1)},
        {Relation("main", "x" * (MAX_NAME + 1))},
        {Relation("main", "\udcff")},
        {Relation("main", f"{'x' * 1_000}{number}") for number in range(200)},
    ],
    ids=["too many", "too long a name", "a name that is no text", "too much"],
)
def test_a_write_set_that_cannot_be_told_becomes_anything(relations: set[Relation]) -> None:
    (heard,) = Decoder().feed(encode(Mark(1, WriteSet(frozenset(relations), frozenset({"other"})))))
    assert heard == Mark(1, WriteSet(unknown=frozenset({"main", "other"})))


def test_rows_that_are_too_much_to_tell_become_their_relations() -> None:
    relations = frozenset(Relation("main", f"table_{number}") for number in range(100))
    many = Change({Column("id", Kind.INTEGER): frozenset(range(64))})
    (heard,) = Decoder().feed(encode(Wrote(WriteSet(relations, frozenset(), dict.fromkeys(relations, (many,))))))
    assert heard == Wrote(WriteSet(relations))
    unsayable = Change({Column("id", Kind.TEXT): frozenset({"\udcff"})})
    (heard,) = Decoder().feed(
        encode(Wrote(WriteSet(relations, frozenset(), dict.fromkeys(relations, (unsayable,)))))
    )
    assert heard == Wrote(WriteSet(relations))


@pytest.mark.parametrize("body", ["x" * MAX_FRAME_BYTES, object(), "\udcff"])
def test_what_cannot_be_passed_on_is_refused_where_it_is_said(body: object) -> None:
    with pytest.raises(MessageError):
        encode(Said(body))
