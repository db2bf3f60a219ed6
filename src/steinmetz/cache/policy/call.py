"""What tells one call of a kept function from another: the function, and the values of its arguments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from typing import Any
from uuid import UUID

_PLAIN = (str, bytes, int, float, bool, complex, Decimal, UUID, date, datetime, time, timedelta, type(None))
_LONGEST = 200


def call_key(function: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> bytes:
    """The key of one call. Values of different types never share a key: ``1``, ``1.0`` and ``True`` are equal.

    Raises `TypeError` for an argument that is not a plain value: what it stands for nobody can say.
    """
    parts = [_spelled(value) for value in arguments]
    parts += [f"{name}={_spelled(named[name])}" for name in sorted(named)]
    key = f"{function}({','.join(parts)})".encode()
    if len(key) <= _LONGEST:
        return key
    return f"{function}#{blake2b(key, digest_size=20).hexdigest()}".encode()


def _spelled(value: Any) -> str:
    kind = type(value)
    if kind in _PLAIN:
        return f"{kind.__name__}:{value!r}"
    if isinstance(value, Enum):
        return f"{kind.__module__}.{kind.__qualname__}.{value.name}"
    if kind in (tuple, list):
        return f"{kind.__name__}[{','.join(_spelled(each) for each in value)}]"
    if kind in (frozenset, set):
        return f"{kind.__name__}[{','.join(sorted(_spelled(each) for each in value))}]"
    raise TypeError(
        f"memo() cannot tell calls apart by an argument of type {kind.__qualname__}; say what matters of it with "
        "memo(key=lambda ...: ...), or open the session inside the function"
    )
