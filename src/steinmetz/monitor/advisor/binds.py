"""Placeholders of every style of driver, told by position or name, and the values that belong to them."""

from __future__ import annotations

import re
from typing import Any

_PIECES = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/
          | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$ | :: | (?<!:):[^\W\d]\w*)
      | (?P<dollar>\$\d+) | (?P<pyformat>%\(\w+\)s) | (?P<format>%s\b) | (?P<percent>%%) | (?P<mark>\?\d*)""",
    re.VERBOSE | re.DOTALL,
)
_POSITION = "bind_"


def with_named_binds(sql: str, grammar: str) -> str:
    """Every placeholder as ``:bind_<position>`` or ``:<name>``, so that each can be found again in the tree."""
    position = -1

    def replace(match: re.Match[str]) -> str:
        nonlocal position
        text, kind = match[0], match.lastgroup
        if kind == "dollar":
            return f":{_POSITION}{int(text[1:]) - 1}"
        if kind == "pyformat":
            return f":{text[2:-2]}"
        if kind == "percent":
            return "%"
        if kind == "mark" and grammar == "postgres":
            return text  # an operator of JSON
        if kind == "mark" and len(text) > 1:
            return f":{_POSITION}{int(text[1:]) - 1}"
        if kind in ("mark", "format"):
            position += 1
            return f":{_POSITION}{position}"
        return text

    return _PIECES.sub(replace, sql)


def bind_of(placeholder: str) -> int | str:
    """What a name that `with_named_binds` has left stands for: a position from 0, or a name."""
    return int(placeholder.removeprefix(_POSITION)) if placeholder.startswith(_POSITION) else placeholder


def bound_value(bind: int | str, values: Any) -> Any:
    """The value of a bind in a driver's parameters; None if it has none."""
    try:
        return values[bind]
    except (KeyError, IndexError, TypeError):
        return None
