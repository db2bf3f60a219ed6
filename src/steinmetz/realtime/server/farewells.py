"""What polling clients have not fetched before their sessions ended: a DISCONNECT, a refusal."""

from __future__ import annotations

MAX_FAREWELLS = 256
MAX_FAREWELL = 16_384
"""Characters of one; a longer one is not kept."""


class Farewells:
    """Bound: `MAX_FAREWELLS` of `MAX_FAREWELL` characters; the oldest gives way."""

    def __init__(self) -> None:
        self._kept: dict[str, list[str]] = {}

    def keep(self, sid: str, payloads: list[str]) -> None:
        """For the next polls of the session ``sid``, one payload each."""
        if sum(map(len, payloads)) <= MAX_FAREWELL:
            while len(self._kept) >= MAX_FAREWELLS:
                del self._kept[next(iter(self._kept))]
            self._kept[sid] = payloads

    def take(self, sid: str) -> str | None:
        """The next of them."""
        payloads = self._kept.get(sid)
        if payloads is None:
            return None
        if len(payloads) == 1:
            del self._kept[sid]
        return payloads.pop(0)
