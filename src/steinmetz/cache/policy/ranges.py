"""Byte ranges of an answer (RFC 9110, 14): a single one is cut out, several are answered with the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(rb"bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*", re.IGNORECASE)
_CONTENT_RANGE = re.compile(rb"bytes (\d+)-(\d+)/(\d+)", re.IGNORECASE)
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``first`` to ``last`` of ``complete``, both counted from 0 and both included."""

    first: int
    last: int
    complete: int

    @property
    def content_range(self) -> bytes:
        return b"bytes %d-%d/%d" % (self.first, self.last, self.complete)

    def holds(self, other: Part) -> bool:
        return self.complete == other.complete and self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """No byte of the ``complete`` ones was asked for: a 416."""

    complete: int

    @property
    def content_range(self) -> bytes:
        return b"bytes */%d" % self.complete


def part_of(asked: bytes, complete: int) -> Part | Unsatisfiable | None:
    """The part of ``complete`` bytes that a Range field asks for; None if the field is to be ignored.

    "A server MAY ignore the Range header field"; "MUST ignore a Range header field that contains a range unit it
    does not understand" (RFC 9110, 14.2).
    """
    found = _ONE_RANGE.fullmatch(asked.strip())
    if found is None:
        return None
    first, last = found[1], found[2]
    if not (first or last) or max(len(first), len(last)) > _MAX_DIGITS:
        return None
    if not first:
        suffix = min(int(last), complete)
        return Part(complete - suffix, complete - 1, complete) if suffix else Unsatisfiable(complete)
    if last and int(last) < int(first):
        return None
    if int(first) >= complete:
        return Unsatisfiable(complete)
    return Part(int(first), min(int(last), complete - 1) if last else complete - 1, complete)


def said_part(content_range: bytes | None, length: int) -> Part | None:
    """The part that a 206 of ``length`` bytes says it is; None if it does not say so, or says it wrongly."""
    found = None if content_range is None else _CONTENT_RANGE.fullmatch(content_range.strip())
    if found is None or max(map(len, found.groups())) > _MAX_DIGITS:
        return None
    part = Part(int(found[1]), int(found[2]), int(found[3]))
    is_right = part.first <= part.last < part.complete and part.last - part.first + 1 == length
    return part if is_right else None
