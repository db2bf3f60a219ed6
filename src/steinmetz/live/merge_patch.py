"""JSON Merge Patch (RFC 7396): what makes of one JSON value another. Pure.

A patch cannot say null: "Null values in the merge patch are given special meaning to indicate the removal of
existing values in the target." So there is none towards a value that holds a null anywhere (trap T31).
"""

from __future__ import annotations

from typing import Any

import orjson

Json = Any


def patch_between(old: Json, new: Json) -> dict[str, Json] | None:
    """The patch that makes ``new`` of ``old``; None if there is none, or none that is less than ``new`` itself.

    Raises `RecursionError` for what is nested deeper than Python goes.
    """
    if not isinstance(old, dict) or not isinstance(new, dict) or holds_null(new):
        return None
    return _difference(old, new)


def applied(target: Json, patch: Json) -> Json:
    """What a client makes of ``target`` (RFC 7396, 2); ``target`` stays as it is."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = applied(result.get(name), value)
    return result


def holds_null(value: Json) -> bool:
    """Whether null is ``value``, or anywhere in it."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if each is None:
            return True
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


def _difference(old: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    patch: dict[str, Json] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := _difference(before, value):
                patch[name] = inner
        elif name not in old or not _same(before, value):
            patch[name] = value
    return patch


def _same(one: Json, other: Json) -> bool:
    """In Python 1, 1.0 and True are equal; in JSON they are not."""
    if isinstance(one, list) and isinstance(other, list):
        return orjson.dumps(one) == orjson.dumps(other)
    return type(one) is type(other) and bool(one == other)
