"""The ids of requests: the caller's own if it is sane, else random."""

from __future__ import annotations

import re
import secrets

ID_BYTES = 10
DRAWN_AT_ONCE = 256

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,40}")


def sane(given: bytes) -> bool:
    return _SANE.fullmatch(given) is not None


class RequestIds:
    """Twenty hex digits each. Drawn from the system many at a time, for each draw costs a system call."""

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def new(self) -> str:
        drawn = self._drawn
        if not drawn:
            digits = secrets.token_hex(ID_BYTES * DRAWN_AT_ONCE)
            drawn += [digits[at : at + 2 * ID_BYTES] for at in range(0, len(digits), 2 * ID_BYTES)]
        return drawn.pop()
