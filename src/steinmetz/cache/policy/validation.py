"""Asking the origin whether a stored answer still holds, and what its 304 changes (RFC 9111, 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from steinmetz.cache.policy.conditional import is_strong_date
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.headers import Headers, first_of, matches, storable_headers

MAX_OFFERED = 8
"""How many variants' tags are offered at once."""

# "the Content-Length header field" is never updated (RFC 9111, 3.2), nor what describes a body that did not come.
_NOT_UPDATED = frozenset({b"content-length", b"content-encoding", b"content-range", b"set-cookie"})

_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since"})
_ONLY_FOR_PARTS = frozenset({b"range", b"if-range"})


def without_conditions(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The request for the whole answer, whatever the client has of it already."""
    return [line for line in headers if line[0].lower() not in _CONDITIONS | _ONLY_FOR_PARTS]


def validating(headers: Headers, entry: Entry | None, others: Sequence[Entry]) -> list[tuple[bytes, bytes]] | None:
    """``headers`` of a request as one that validates ``entry``, or, where none was selected, ``others``.

    None if there is nothing to validate by. The client's own tags are offered beside ours; its other conditions
    are ours to apply afterwards.
    """
    candidates = [entry] if entry is not None else list(others[:MAX_OFFERED])
    tags = [candidate.etag for candidate in candidates if candidate.etag]
    since = first_of(entry.headers, b"last-modified") if entry is not None else None
    if not tags and since is None:
        return None
    asked = without_conditions(headers)
    own = [value.strip() for name, value in headers if name.lower() == b"if-none-match"]
    tags += [tag for tag in own if tag not in tags and tag != b"*"]
    if tags:
        # "MUST send the relevant entity tags (using If-None-Match) if the entity tags were provided" (4.3.1).
        asked.append((b"if-none-match", b", ".join(tags)))
    if since is not None:
        asked.append((b"if-modified-since", since))
    return asked


def updated_by(candidates: Iterable[Entry], not_modified: Headers, now_s: float) -> Entry | None:
    """The stored answer that a 304 with the header ``not_modified`` speaks of (RFC 9111, 4.3.4), or None."""
    candidates = list(candidates)
    etag, modified = first_of(not_modified, b"etag"), first_of(not_modified, b"last-modified")
    strong = etag is not None and not etag.startswith(b"W/")
    if strong or (modified is not None and is_strong_date(not_modified, now_s)):
        # "each of those strong validators identifies a selected representation for update".
        for candidate in candidates:
            if (strong and candidate.etag == etag) or (
                modified is not None
                and is_strong_date(not_modified, now_s)
                and first_of(candidate.headers, b"last-modified") == modified
            ):
                return candidate
        return None
    if etag is not None or modified is not None:
        for candidate in candidates:
            if etag is not None and candidate.etag and matches(candidate.etag, etag):
                return candidate
            if modified is not None and first_of(candidate.headers, b"last-modified") == modified:
                return candidate
        return None
    # "If the new response does not include any form of validator ... and there is only one stored response".
    return candidates[0] if len(candidates) == 1 else None


def merged(stored: Headers, new: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """``stored`` with the fields of ``new`` in place of its own (RFC 9111, 3.2)."""
    update = [(name, value) for name, value in storable_headers(new) if name not in _NOT_UPDATED]
    replaced = {name for name, _ in update}
    return (*(line for line in stored if line[0] not in replaced), *update)


class HeadSays(Enum):
    """What the 200 for a HEAD tells of a kept answer to GET (RFC 9111, 4.3.5)."""

    SAME = "a validator is the same: its fields and its life are renewed"
    OTHER = "a validator or the length is another: it is not to be used any more"
    NOTHING = "no validator came: it is left alone"


def told_by_head(entry: Entry, head: Headers) -> HeadSays:
    """The RFC would also have a HEAD without any validator renew the life of a body that nobody compared."""
    validators: Mapping[bytes, bytes | None] = {
        b"etag": entry.etag or None,
        b"last-modified": first_of(entry.headers, b"last-modified"),
    }
    came = {name: value for name in validators if (value := first_of(head, name)) is not None}
    length = first_of(head, b"content-length")
    if any(validators[name] != value for name, value in came.items()):
        return HeadSays.OTHER
    if length is not None and length.strip() != str(len(entry.body)).encode():
        return HeadSays.OTHER
    return HeadSays.SAME if came else HeadSays.NOTHING
