"""Schemas of plain Python: dataclasses, TypedDicts, enumerations and what JSON has; checked to the very type."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Protocol,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from steinmetz.realtime.errors import Flaw, PayloadError

MAX_ECHO = 100
Json = dict[str, Any]


class PlainSchema:
    """What JSON and attachments can hold, as Python's own types say it, as deep as you like.

    ``wanted``: a dataclass, a TypedDict, an Enum, `Literal`, a union, ``list[...]``, ``dict[str, ...]``, `str`,
    `int`, `float`, `bool`, `None`, `bytes` or `Any`. Raises `TypeError` for another.
    """

    def __init__(self, wanted: Any) -> None:
        self._kind = _kind(wanted, {})

    def read(self, value: Any) -> Any:
        """A dataclass becomes an instance, an enumeration its member; everything else stays what it is."""
        return self._take(value, False)

    def write(self, value: Any) -> Any:
        return self._take(value, True)

    def json_schema(self, *, sent: bool) -> Json:
        definitions: dict[str, Json] = {}
        schema = self._kind.describe(definitions)
        return {**schema, "$defs": definitions} if definitions else schema

    def _take(self, value: Any, sent: bool) -> Any:
        try:
            return self._kind.take(value, "", sent)
        except RecursionError:
            raise PayloadError([Flaw("", "it is nested too deeply")]) from None


class Kind(Protocol):
    def take(self, value: Any, field: str, sent: bool) -> Any:
        """``value`` read or (``sent``) written. Raises `PayloadError` that names ``field``."""

    def describe(self, definitions: dict[str, Json]) -> Json:
        """Its JSON Schema; what has a name goes into ``definitions``."""


def _refused(field: str, message: str) -> PayloadError:
    return PayloadError([Flaw(field[:MAX_ECHO].encode("utf-8", "replace").decode(), message)])


class Anything:
    def take(self, value: Any, field: str, sent: bool) -> Any:
        return value

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {}


@dataclasses.dataclass
class Scalar:
    python: type
    json: str

    def take(self, value: Any, field: str, sent: bool) -> Any:
        if type(value) is self.python or (self.python is str and isinstance(value, str)):
            if isinstance(value, float) and not math.isfinite(value):
                raise _refused(field, "a finite number is asked for")
            return value
        if self.python is float and type(value) is int:
            return value
        raise _refused(field, f"{self.json} is asked for")

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"type": self.json} if self.python is not bytes else {"type": "string", "format": "binary"}


SCALARS: dict[Any, Scalar] = {
    str: Scalar(str, "string"),
    int: Scalar(int, "integer"),
    float: Scalar(float, "number"),
    bool: Scalar(bool, "boolean"),
    bytes: Scalar(bytes, "bytes"),
    type(None): Scalar(type(None), "null"),
    None: Scalar(type(None), "null"),
}


@dataclasses.dataclass
class Constants:
    """`Literal`. In Python 0 equals False and 1 equals 1.0; in JSON it does not."""

    values: tuple[Any, ...]

    def take(self, value: Any, field: str, sent: bool) -> Any:
        for each in self.values:
            if type(each) is type(value) and each == value:
                return value
        raise _refused(field, f"one of {', '.join(map(repr, self.values))} is asked for")

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"const": self.values[0]} if len(self.values) == 1 else {"enum": list(self.values)}


@dataclasses.dataclass
class Enumeration:
    python: type[Enum]

    def take(self, value: Any, field: str, sent: bool) -> Any:
        for member in self.python:
            if value is member or (type(value) is type(member.value) and value == member.value):
                return member.value if sent else member
        raise _refused(field, f"one of {', '.join(repr(each.value) for each in self.python)} is asked for")

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"title": self.python.__name__, "enum": [member.value for member in self.python]}


@dataclasses.dataclass
class OneOf:
    kinds: list[Kind]

    def take(self, value: Any, field: str, sent: bool) -> Any:
        messages = []
        for kind in self.kinds:
            try:
                return kind.take(value, field, sent)
            except PayloadError as error:
                messages.append(error.flaws[0].message)
        raise _refused(field, " or ".join(dict.fromkeys(messages)))

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"anyOf": [kind.describe(definitions) for kind in self.kinds]}


@dataclasses.dataclass
class Items:
    kind: Kind

    def take(self, value: Any, field: str, sent: bool) -> Any:
        if not isinstance(value, list):
            raise _refused(field, "a list is asked for")
        return [self.kind.take(each, _below(field, index), sent) for index, each in enumerate(value)]

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"type": "array", "items": self.kind.describe(definitions)}


@dataclasses.dataclass
class Entries:
    kind: Kind

    def take(self, value: Any, field: str, sent: bool) -> Any:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise _refused(field, "an object is asked for")
        return {key: self.kind.take(each, _below(field, key), sent) for key, each in value.items()}

    def describe(self, definitions: dict[str, Json]) -> Json:
        return {"type": "object", "additionalProperties": self.kind.describe(definitions)}


class Record:
    """A dataclass or a TypedDict. Fields that it does not know are refused."""

    def __init__(self, python: type, known: dict[Any, Kind]) -> None:
        known[python] = self  # before its fields, which may hold it again
        self._python = python
        self._is_dataclass = dataclasses.is_dataclass(python)
        hints = get_type_hints(python, include_extras=True)
        names = self._names(python)
        self._fields = {name: _kind(hint, known) for name, hint in hints.items() if name in names}
        self._required = frozenset(name for name in names if self._is_required(python, name, hints[name]))

    @staticmethod
    def _names(python: Any) -> frozenset[str]:
        if not dataclasses.is_dataclass(python):
            return frozenset(python.__required_keys__ | python.__optional_keys__)
        return frozenset(field.name for field in dataclasses.fields(python) if field.init)

    @staticmethod
    def _is_required(python: Any, name: str, hint: Any) -> bool:
        if not dataclasses.is_dataclass(python):
            # `__required_keys__` does not see through annotations that are text (PEP 563): ask the hint first.
            said = get_origin(hint)
            return said is Required or (said is not NotRequired and name in python.__required_keys__)
        field = next(each for each in dataclasses.fields(python) if each.name == name)
        return field.default is field.default_factory is dataclasses.MISSING

    def take(self, value: Any, field: str, sent: bool) -> Any:
        if self._is_dataclass and isinstance(value, self._python):
            if not sent:
                raise _refused(field, "an object is asked for")
            value = {name: getattr(value, name) for name in self._fields}
        if not isinstance(value, Mapping):
            raise _refused(field, f"an object with the fields {', '.join(self._fields)} is asked for")
        if not value.keys() <= self._fields.keys():
            strange = next(str(name) for name in value if name not in self._fields)
            raise _refused(_below(field, strange), "there is no such field")
        for name in self._fields:
            if name in self._required and name not in value:
                raise _refused(_below(field, name), "it is missing")
        taken = {
            name: kind.take(value[name], _below(field, name), sent)
            for name, kind in self._fields.items()
            if name in value
        }
        return self._python(**taken) if self._is_dataclass and not sent else taken

    def describe(self, definitions: dict[str, Json]) -> Json:
        name = self._python.__name__
        if name not in definitions:
            definitions[name] = schema = {"title": name, "type": "object", "additionalProperties": False}
            about = self._python.__doc__
            if about and not about.startswith(f"{name}("):
                schema["description"] = about.strip()
            schema["properties"] = {field: kind.describe(definitions) for field, kind in self._fields.items()}
            if self._required:
                schema["required"] = [field for field in self._fields if field in self._required]
        return {"$ref": f"#/$defs/{name}"}


def _below(field: str, step: object) -> str:
    return f"{field}.{step}" if field else str(step)


def _kind(wanted: Any, known: dict[Any, Kind]) -> Kind:
    origin, inner = get_origin(wanted), get_args(wanted)
    if wanted is Any or wanted is object:
        return Anything()
    if wanted in SCALARS:
        return SCALARS[wanted]
    if origin in (Annotated, Required, NotRequired):
        return _kind(inner[0], known)
    if origin is Literal:
        return Constants(inner)
    if origin in (Union, types.UnionType):
        return OneOf([_kind(each, known) for each in inner])
    if wanted is list or origin is list:
        return Items(_kind(inner[0] if inner else Any, known))
    if (wanted is dict or origin is dict) and inner[:1] in ((), (str,)):
        return Entries(_kind(inner[1] if inner else Any, known))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return Enumeration(wanted)
    if isinstance(wanted, type) and (dataclasses.is_dataclass(wanted) or is_typeddict(wanted)):
        return known.get(wanted) or Record(wanted, known)
    raise TypeError(
        f"{wanted!r} is no schema: give a dataclass, a TypedDict, a pydantic model, or an object with "
        "read(value), write(value) and json_schema(sent=...)"
    )
