"""Which GETs are cached, and which events tell of them: one file a module of the ERP.

Each file has ``async def paths(house) -> list[str]``, one or more requests for every cached route of its module,
and ``HEARD``: the name of an event -> a pattern. A socket must hear the event if, and only if, the write has
changed an answer whose path matches, for its role. ``first|second`` is either of two events.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.app.writes.house import House


def _modules() -> list[ModuleType]:
    return [importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]


async def paths_of(house: House) -> list[str]:
    return [path for module in _modules() for path in await module.paths(house)]


def heard_with() -> Mapping[str, re.Pattern[str]]:
    return {event: re.compile(path) for module in _modules() for event, path in module.HEARD.items()}
