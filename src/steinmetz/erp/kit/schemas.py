"""How records look from outside: camelCase, and inputs that refuse what they do not know."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from steinmetz.erp.kit.fields import ISO_DAY, ISO_MOMENT


class Schema(BaseModel):
    """What is told to the outside; made from records by attribute (`Schema.model_validate(record)`)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


_NOT_WITHIN = frozenset({"metadata", "serialization", "config", "expected", "default", "ref", "cls"})


def _exact(schema: Any) -> Any:
    """``schema`` with every number and truth value strict, and days and instants taken from ISO 8601 text only."""
    if isinstance(schema, list):
        return [_exact(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    exact = {key: value if key in _NOT_WITHIN else _exact(value) for key, value in schema.items()}
    match schema.get("type"):
        case "bool" | "int" | "float":
            return {**exact, "strict": True}
        case "date":
            return no_info_before_validator_function(_iso_day, exact)
        case "datetime":
            return no_info_before_validator_function(_iso_moment, exact)
        case "literal" if not all(isinstance(one, str) for one in schema["expected"]):
            return no_info_before_validator_function(_without_likeness(schema["expected"]), exact)
    return exact


def _iso_day(value: Any) -> Any:
    if type(value) is not date and not (isinstance(value, str) and ISO_DAY.fullmatch(value)):
        raise ValueError("a day is written like 2026-03-02")
    return value


def _iso_moment(value: Any) -> Any:
    if not isinstance(value, datetime) and not (isinstance(value, str) and ISO_MOMENT.fullmatch(value)):
        raise ValueError("a moment is written like 2026-03-02T09:00:00Z")
    return value


def _without_likeness(expected: list[Any]) -> Any:
    """In Python 0 equals False and 1 equals 1.0; in JSON it does not."""
    kinds = {type(one) for one in expected}

    def check(value: Any) -> Any:
        if type(value) not in kinds:
            raise ValueError(f"one of {', '.join(map(str, expected))} is asked for")
        return value

    return check


class Input(Schema):
    """What comes from outside: unknown fields are refused, blanks around text are dropped.

    Values have the very type that the document names: ``"1"`` is no number, and ``1`` neither true nor a day,
    though pydantic would read them so.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        exact: CoreSchema = _exact(handler(source))
        return exact


def example(**fields: Any) -> ConfigDict:
    """For ``model_config`` of an `Input`: the body that the OpenAPI document shows, in camelCase as it is sent."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
