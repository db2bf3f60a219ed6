"""Whatever describes a payload becomes a schema, by the one who can read it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

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
