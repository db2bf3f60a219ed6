"""What of a kept answer a request is sent: all of it, a part, its header, or word that it has not changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steinmetz.cache.policy.conditional import is_not_modified, may_be_cut
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import first_of
from steinmetz.cache.policy.ranges import Unsatisfiable, part_of, said_part

# "The server generating a 304 response MUST generate any of the following header fields that would have been sent
# in a 200 (OK) response"; it "SHOULD NOT generate representation metadata other than" these (RFC 9110, 15.4.5).
_ONLY_WITH_BODY = frozenset(
    {b"content-length", b"content-type", b"content-encoding", b"content-language", b"content-range"}
)
_OF_THE_WHOLE = frozenset({b"content-length", b"content-range"})


@dataclass(frozen=True, slots=True)
class Representation:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def represented(
    entry: Entry, headers: list[tuple[bytes, bytes]], method: str, fields: Mapping[bytes, bytes], now_s: float
) -> Representation:
    """``entry``, with ``headers`` for a whole answer, for a GET or HEAD with ``fields`` (names in lower case).

    Preconditions come before the range (RFC 9110, 13.2.2), and both only for a success (13.2.1).
    ``now_s`` is a POSIX timestamp.
    """
    if 200 <= entry.status < 300:
        if is_not_modified(fields, entry.headers, entry.etag, now_s):
            return Representation(304, _without(headers, _ONLY_WITH_BODY), b"")
        # "A server MUST ignore a Range header field received with a request method ... for which range handling
        # is not defined. For this specification, GET is the only method" (RFC 9110, 14.2).
        if method == "GET" and b"range" in fields and may_be_cut(fields, entry.headers, entry.etag, now_s):
            part = _cut(entry, headers, fields[b"range"])
            if part is not None:
                return part
    return Representation(entry.status, headers, b"" if method == "HEAD" else entry.body)


def _cut(entry: Entry, headers: list[tuple[bytes, bytes]], asked: bytes) -> Representation | None:
    """The part of ``entry`` that was asked for, if it is one."""
    if entry.status not in (200, 206):
        return None
    first, complete = 0, len(entry.body)
    if entry.status == 206:
        kept = said_part(first_of(entry.headers, b"content-range"), len(entry.body))
        if kept is None:
            return None
        first, complete = kept.first, kept.complete
    part = part_of(asked, complete)
    if part is None:
        return None
    if isinstance(part, Unsatisfiable):
        told = [(b"content-range", part.content_range), (b"content-length", b"0")]
        return Representation(416, [*_without(headers, _ONLY_WITH_BODY), *told], b"")
    body = entry.body[part.first - first : part.last - first + 1]
    told = [(b"content-range", part.content_range), (b"content-length", str(len(body)).encode())]
    return Representation(206, [*_without(headers, _OF_THE_WHOLE), *told], body)


def _without(headers: list[tuple[bytes, bytes]], names: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    return [line for line in headers if line[0] not in names]
