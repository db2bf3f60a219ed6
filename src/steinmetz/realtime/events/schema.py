"""The port between an event and whatever knows its data: three methods, and who brings them is his own choice."""

from __future__ import annotations

from typing import Any, Protocol, get_args, runtime_checkable


@runtime_checkable
class Schema(Protocol):
    """What a payload or an acknowledgement looks like. ``value`` is JSON as Python holds it, with `bytes`."""

    def read(self, value: Any) -> Any:
        """``value``, which came from outside, as the application wants it. Raises `PayloadError`."""

    def write(self, value: Any) -> Any:
        """``value`` of the application as JSON values and `bytes`. Raises `PayloadError` if it does not fit."""

    def json_schema(self, *, sent: bool) -> dict[str, Any]:
        """A JSON Schema of what `write` gives (``sent``) or `read` takes; with ``$defs`` for what it refers to."""


def schema_of(wanted: Any) -> Schema:
    """``wanted`` as a schema: one already, a type that pydantic knows, or dataclasses, TypedDicts and plain types.

    Pydantic is asked if one of its models occurs in ``wanted``; else it need not be installed. Raises `TypeError`
    for what nobody can check.
    """
    if isinstance(wanted, Schema) and not isinstance(wanted, type):
        return wanted
    if _is_of_pydantic(wanted):
        from steinmetz.realtime.events.pydantic import PydanticSchema

        return PydanticSchema(wanted)
    from steinmetz.realtime.events.plain import PlainSchema

    return PlainSchema(wanted)


def _is_of_pydantic(wanted: Any) -> bool:
    return hasattr(wanted, "__pydantic_core_schema__") or any(_is_of_pydantic(inner) for inner in get_args(wanted))
