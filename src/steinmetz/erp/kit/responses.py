"""The envelope of every success."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python


def ok(data: Any) -> dict[str, Any]:
    """``{"success": true, "data": ...}``.

    ``data`` may hold schemas (told in camelCase), instants (told with ``Z``), dates, enums and containers of them.
    """
    return {"success": True, "data": to_jsonable_python(data)}
