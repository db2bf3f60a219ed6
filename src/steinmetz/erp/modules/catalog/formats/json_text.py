"""JSON as files hold it, taken only if every engine can keep what it says."""

from __future__ import annotations

import json
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_NUMBER = 2**53


class NotJsonError(ValueError):
    """``line`` is where in the text it stops being JSON, from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def read_json(text: str) -> Any:
    """Raises `ValueError`, with a reason for people, for what is no JSON (`NotJsonError`) or cannot be kept."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise ValueError(f"more than {MAX_DEPTH} levels of brackets") from None
    _check(value, MAX_DEPTH)
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON value")


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"more than {MAX_DEPTH} levels of brackets")
    match value:
        case str():
            if "\x00" in value:
                raise ValueError("a text holds a NUL")
            if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
                raise ValueError("a text holds half of a character (a lone surrogate)")
        case int() | float():
            if not -MAX_NUMBER <= value <= MAX_NUMBER:
                raise ValueError("a number is too large")
        case list():
            for each in value:
                _check(each, depth - 1)
        case dict():
            for name, each in value.items():
                _check(name, depth)
                _check(each, depth - 1)
