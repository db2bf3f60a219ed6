"""Types of what comes from outside, bounded by what every database can hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

MAX_RECORD_ID = 2**31 - 1

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ISO_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*")
"""Days and instants as text. Pydantic alone would also take a number for one, as seconds since 1970."""

RecordId = Annotated[int, Path(ge=1, le=MAX_RECORD_ID)]
"""The id of a record, in a path."""

Reference = Annotated[int, Field(strict=True, ge=1, le=MAX_RECORD_ID)]
"""The id of another record, in a body."""

ReferenceFilter = Annotated[int, Field(ge=1, le=MAX_RECORD_ID)]
"""The id of another record in a query, where everything is text."""

Version = Annotated[int, Field(strict=True, ge=1, le=MAX_RECORD_ID, description="The version the caller has read")]

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text without NUL, which PostgreSQL cannot keep; lengths are given by each field."""


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC this is before the year 1 or after the year 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant with its offset, kept in UTC."""


def left_out() -> Any:
    """The default of a field that is told only if there is something to tell: None is not sent."""
    return Field(default=None, exclude_if=lambda value: value is None, json_schema_extra=_never_null)


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    schema.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
    schema.pop("default", None)


def unchanged() -> Any:
    """The default of a patch's field: what is left out stays as it is.

    Never read: a patch is applied by `Input.model_dump(exclude_unset=True)`. A factory, so that the OpenAPI
    document promises no default, and null is refused where the field's type refuses it.
    """
    return Field(default_factory=lambda: None)
