"""Pydantic's models as schemas: strict as JSON is strict, where ``"1"`` is no number but a day is text."""

from __future__ import annotations

from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticSerializationError

from steinmetz.realtime.errors import Flaw, PayloadError

MAX_FLAWS = 20
MAX_ECHO = 100
"""Characters of a sender's own field name that are said back to it."""


class PydanticSchema:
    """``wanted`` is a model, or any type that a `TypeAdapter` takes. What is read becomes an instance."""

    def __init__(self, wanted: Any) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(wanted)
        self._models = _models(wanted)

    def read(self, value: Any) -> Any:
        try:
            text = _as_json(value)
            if text is None:
                return self._adapter.validate_python(value, strict=True)
            return self._adapter.validate_json(text, strict=True)
        except ValidationError as error:
            raise _told(error) from None

    def write(self, value: Any) -> Any:
        """An instance is written by its aliases, and without fields that exclude themselves (``exclude_if``).

        Anything else is checked as it would go out, unknown fields and Python's own names for fields included, and
        goes out as it is.
        """
        try:
            if isinstance(value, self._models):
                return self._dumped(value)
            text = _as_json(value)
            if text is None:  # it holds bytes or instances
                return self._dumped(self._adapter.validate_python(value, strict=True, extra="forbid"))
            self._adapter.validate_json(text, strict=True, extra="forbid", by_alias=True, by_name=False)
        except ValidationError as error:
            raise _told(error) from None
        except PydanticSerializationError:
            raise PayloadError([Flaw("", f"{type(value).__name__} is not of this kind")]) from None
        return value

    def _dumped(self, value: Any) -> Any:
        return self._adapter.dump_python(value, mode=self._mode, by_alias=True, warnings="error")

    def json_schema(self, *, sent: bool) -> dict[str, Any]:
        mode: Any = "serialization" if sent else "validation"
        return self._adapter.json_schema(mode=mode, schema_generator=_AsSent)

    @cached_property
    def _mode(self) -> Literal["json", "python"]:
        """What holds bytes is written as Python has it: they are attachments, and the encoder knows the rest."""
        return "python" if _is_binary(self.json_schema(sent=True)) else "json"


def _as_json(value: Any) -> bytes | None:
    """None for what JSON cannot say: bytes, instances, lone surrogates, huge numbers. The model decides then."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return None


def _models(wanted: Any) -> tuple[type[BaseModel], ...]:
    """The models that a payload may be an instance of."""
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return (wanted,)
    is_choice = get_origin(wanted) in (Union, UnionType, Annotated)
    return tuple(model for inner in get_args(wanted) for model in _models(inner)) if is_choice else ()


def _told(error: ValidationError) -> PayloadError:
    """What is wrong and where, without the values."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return PayloadError([Flaw(_echo(".".join(map(str, each["loc"]))), each["msg"]) for each in found[:MAX_FLAWS]])


def _is_binary(schema: Any) -> bool:
    if isinstance(schema, dict):
        return schema.get("format") == "binary" or any(map(_is_binary, schema.values()))
    return isinstance(schema, list) and any(map(_is_binary, schema))


def _echo(field: str) -> str:
    return field[:MAX_ECHO].encode("utf-8", "replace").decode()


class _AsSent(GenerateJsonSchema):
    """A field with a default is always sent, so whoever receives it may rely on it."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode == "serialization" and field["type"] != "typed-dict-field":
            return field.get("serialization_exclude_if") is None
        return super().field_is_required(field, total)
