"""The settings as they may be shown: to whoever runs the command, and to operators in the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from steinmetz.erp.settings import Settings, variable

HIDDEN = "********"


def listing(settings: Settings) -> list[dict[str, Any]]:
    """Every setting as ``{variable, value, from}``; of secrets only that there is one."""
    return [
        {
            "variable": variable(field),
            "value": _shown(settings, field),
            "from": "environment" if os.environ.get(variable(field)) else "default",
        }
        for field in type(settings).model_fields
    ]


def _shown(settings: Settings, field: str) -> Any:
    value = getattr(settings, field)
    if field == "database_url":
        return settings.url.render_as_string(hide_password=True)
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value) if isinstance(value, Path) else value
