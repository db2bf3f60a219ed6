"""Whatever describes a payload becomes a schema, by the one who can read it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NotRequired, TypedDict

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from steinmetz.realtime.errors import PayloadError
from steinmetz.realtime.events.plain import PlainSchema
from steinmetz.realtime.events.pydantic import PydanticSchema
from steinmetz.realtime.events.schema import schema_of


class Model(BaseModel):
    text: str


@dataclass
class Plain:
    text: str


class Own:
    def read(self, value: Any) -> Any:
        return value

    def write(self, value: Any) -> Any:
        return value

    def json_schema(self, *, sent: bool) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("wanted", [Model, list[Model], Model | None, dict[str, list[Model]]])
def test_what_holds_a_model_of_pydantic_is_pydantics(wanted: Any) -> None:
    assert isinstance(schema_of(wanted), PydanticSchema)


@pytest.mark.parametrize("wanted", [Plain, list[Plain], str, int | None, dict[str, float]])
def test_everything_else_is_checked_without_it(wanted: Any) -> None:
    assert isinstance(schema_of(wanted), PlainSchema)


def test_a_schema_of_ones_own_stays_what_it_is() -> None:
    own = Own()
    assert schema_of(own) is own


@pytest.mark.parametrize("wanted", [object(), set[int], 5, Own, dict[int, str]])
def test_what_nobody_can_check_is_refused_with_what_to_give(wanted: Any) -> None:
    with pytest.raises(TypeError, match=r"read\(value\), write\(value\) and json_schema"):
        schema_of(wanted)


def test_realtime_with_typed_events_loads_no_pydantic() -> None:
    code = (
        "import sys; from steinmetz.realtime.events import Event, Done, asyncapi, typescript; "
        "Event('x', str, ack=Done); sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Level(StrEnum):
    INFO = "info"
    ERROR = "error"


class Described(TypedDict):
    """What a random value may well happen to be."""

    a: NotRequired[Literal["info", "x"] | None]
    b: NotRequired[list[Level] | dict[str, int]]
    c: NotRequired[bool | str]


class Modelled(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: Literal["info", "x"] | None = None
    b: list[Level] | dict[str, int] = Field(default_factory=list)
    c: bool | str = ""


LEVELS = st.sampled_from(["info", "error"])
RIGHT = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from(["info", "x", None]),
        "b": st.lists(LEVELS, max_size=2) | st.dictionaries(st.text(max_size=2), st.integers(-9, 9), max_size=2),
        "c": st.booleans() | st.text(max_size=2),
    },
)
LEAVES = LEVELS | st.none() | st.booleans() | st.sampled_from([0, 1, 1.5, "", "x"])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=2),
    max_leaves=4,
)
NEARLY = st.builds(lambda right, key, value: {**right, key: value}, RIGHT, st.sampled_from("abcd"), ANYTHING)
PAYLOADS = RIGHT | NEARLY | ANYTHING


@pytest.mark.parametrize("wanted", [Described, Modelled])
@given(value=PAYLOADS)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_it_takes_just_what_its_json_schema_describes(wanted: Any, value: Any) -> None:
    schema = schema_of(wanted)
    is_described = jsonschema_rs.validator_for(schema.json_schema(sent=False)).is_valid(value)
    assert taken(schema.read, value) is is_described
    if wanted is Described:
        assert taken(schema.write, value) is is_described


@pytest.mark.parametrize("wanted", [Described, Modelled, Model, Plain])
@given(value=PAYLOADS | st.binary(max_size=3) | st.text(st.characters(), max_size=3) | st.integers() | st.floats())
@settings(max_examples=100, derandomize=True, deadline=None)
def test_whatever_comes_is_taken_or_refused_in_so_many_words(wanted: Any, value: Any) -> None:
    taken(schema_of(wanted).read, value)


def taken(take: Any, value: Any) -> bool:
    refusal: PayloadError | None = None
    try:
        take(value)
    except PayloadError as error:
        refusal = error
    assert refusal is None or (refusal.flaws and 0 < len(str(refusal)) < 1_000)
    return refusal is None
