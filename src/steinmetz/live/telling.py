"""What those who listen are told of a new answer: nothing, a patch or the whole. Pure.

A patch names the answer that it is made for (its base). It is for clients that have all that was said before:
whoever lags behind is told the whole, which may take the place of whatever waits for him (trap T31).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from steinmetz.live.merge_patch import patch_between


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as those who listen have it: ``text`` is JSON, ``value`` what it says."""

    etag: str
    text: bytes
    value: Any

    @staticmethod
    def of(etag: str, text: bytes) -> Said:
        """Raises `ValueError` (`orjson.JSONDecodeError`) for what is no JSON."""
        return Said(etag, text, orjson.loads(text))


@dataclass(frozen=True, slots=True)
class Whole:
    etag: str
    body: Any

    def payload(self, path: str) -> dict[str, Any]:
        return {"path": path, "etag": self.etag, "body": self.body}


@dataclass(frozen=True, slots=True)
class Patch:
    """Makes what ``whole`` says of the answer whose ETag is ``base``."""

    base: str
    patch: dict[str, Any]
    whole: Whole

    def payload(self, path: str) -> dict[str, Any]:
        return {"path": path, "etag": self.whole.etag, "base": self.base, "patch": self.patch}


def telling(before: Said | None, now: Said) -> Whole | Patch | None:
    """What is said of ``now`` to those who have ``before``; None if they have it already.

    Two answers with one ETag are one answer, whatever their bytes: so has the application said.
    """
    if before is not None and before.etag == now.etag:
        return None
    whole = Whole(now.etag, now.value)
    if before is None:
        return whole
    try:
        patch = patch_between(before.value, now.value)
        if patch is None or len(orjson.dumps(patch)) + len(before.etag) + len('"base":"",') >= len(now.text):
            return whole
    except (RecursionError, TypeError):  # nested too deeply to be compared, or to be written
        return whole
    return Patch(before.etag, patch, whole)


def has_it(etag: str, shown: str) -> bool:
    """Whether ``shown``, the ETag of what a client has, means ``etag``.

    Over HTTP the same answer may have come in a content coding, whose name stands in its ETag, or weak.
    """
    plain = shown.removeprefix("W/")
    return plain == etag or any(plain == f'{etag[:-1]}-{coding}"' for coding in ("gzip", "zstd"))
