"""How much JSON a message holds, before it is parsed: a megabyte of `{}` would take 27 MB and stall the loop."""

from __future__ import annotations

import re

MAX_PARTS = 100_000
"""Strings, commas and opening brackets of one message. Three bytes of JSON can become eighty of ours."""
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def has_too_many_parts(message: str, most: int) -> bool:
    """Whether ``message`` has more than ``most`` strings, commas and opening brackets; inside a string is text."""
    if message.count(",") + message.count("[") + message.count("{") + message.count('"') // 2 <= most:
        return False
    parts = at = 0
    while parts <= most:
        quote = message.find('"', at)
        end = len(message) if quote < 0 else quote
        parts += message.count(",", at, end) + message.count("[", at, end) + message.count("{", at, end)
        string = None if quote < 0 else _STRING.match(message, quote)
        if string is None:
            break  # all seen, or a string without end: no JSON
        parts += 1
        at = string.end()
    return parts > most
