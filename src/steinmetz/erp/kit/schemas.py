"""How records look from outside: camelCase, and inputs that refuse what they do not know."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Schema(BaseModel):
    """What is told to the outside; made from records by attribute (`Schema.model_validate(record)`)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class Input(Schema):
    """What comes from outside: unknown fields are refused, blanks around text are dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


def example(**fields: Any) -> ConfigDict:
    """For ``model_config`` of an `Input`: the body that the OpenAPI document shows, in camelCase as it is sent."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
