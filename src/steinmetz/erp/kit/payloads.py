"""What comes with a socket event, checked as strictly as the body of a request."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.schemas import Input

Wanted = TypeVar("Wanted", bound=Input)

MAX_ECHO = 100
"""Characters of a client's own field name that are said back to it."""


def parsed(wanted: type[Wanted], *payload: Any) -> Wanted:
    """The payload of an event as ``wanted``. Raises `Unprocessable`, which names the field."""
    if len(payload) != 1 or not isinstance(payload[0], dict):
        fields = ", ".join(field.alias or name for name, field in wanted.model_fields.items())
        raise Unprocessable(f"Send one object with the fields {fields}.")
    try:
        return wanted.model_validate(payload[0], strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))[:MAX_ECHO].encode("utf-8", "replace").decode()
        raise Unprocessable(f"{field}: {first['msg']}", field) from None
