"""Which answers are worth computing at the next start, and the file that carries the list across the restart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steinmetz.cache.policy.entry import Entry

MAX_WANTED = 200
MAX_TEXT_CHARS = 1_000_000
FORMAT = 1
_ROLE = "role="


@dataclass(frozen=True, slots=True)
class Wanted:
    """One GET that many would ask for again.

    ``role`` is that of the callers whose answer it is, None if all share it. ``headers`` are those the answer was
    selected by (Vary). ``worth`` is hits x seconds of computing.
    """

    path: str
    query: str
    role: str | None
    headers: tuple[tuple[str, str], ...]
    worth: float


class NotAList(ValueError):  # noqa: N818  it is an answer, not a failure
    """The text is no list of wanted answers; the message says why."""


def wanted(entries: Iterable[Entry], limit: int = MAX_WANTED) -> list[Wanted]:
    """The answers whose hits have saved most computing, the best first.

    A user's own answers are not among them: nobody can say that he comes back, and his rights are not ours to
    borrow. Neither are those of a route's own key function, which cannot be asked for by their keys, and those of
    a query that no URL has.
    """
    asked_for = (entry for entry in entries if entry.hits and entry.status == 200)
    found = [one for entry in asked_for if (one := _wanted(entry)) is not None]
    return sorted(found, key=lambda one: -one.worth)[:limit]


def _wanted(entry: Entry) -> Wanted | None:
    variant = entry.variant.decode("ascii")
    if variant not in ("", "anonymous") and not variant.startswith(_ROLE):
        return None
    query = entry.key.partition(b"#")[0].partition(b"?")[2].decode("latin-1")
    # Bytes that no URL has (RFC 3986, 2) came in all the same; a list that named them could not be read again.
    if query.startswith("!") or not query.isascii():
        return None
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in entry.vary if value is not None
    )
    role = variant.removeprefix(_ROLE) if variant.startswith(_ROLE) else None
    return Wanted(entry.path, query, role, headers, entry.hits * entry.cost_ns / 1e9)


def to_text(several: Sequence[Wanted]) -> str:
    """JSON, for people to read."""
    rows = [
        {"path": one.path, "query": one.query, "role": one.role, "headers": one.headers, "worth": one.worth}
        for one in several
    ]
    return json.dumps({"format": FORMAT, "wanted": rows}, indent=1)


def from_text(text: str) -> list[Wanted]:
    """What `to_text` wrote.

    Raises `NotAList` for anything else: the file may have been edited, cut off or written by another release.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise NotAList(f"it has more than {MAX_TEXT_CHARS} characters")
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise NotAList(f"it has the format {document['format']!r}, not {FORMAT}")
        return [_checked(row) for row in document["wanted"][:MAX_WANTED]]
    except NotAList:
        raise
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotAList("it is no list of wanted answers") from None


def _checked(row: dict[str, object]) -> Wanted:
    path, query, role, worth = row["path"], row["query"], row["role"], row["worth"]
    if not (isinstance(path, str) and path.startswith("/") and isinstance(query, str) and query.isascii()):
        raise NotAList("it names something that is no path")
    if not isinstance(role, str | None) or not isinstance(worth, int | float):
        raise NotAList("a role is a text, a worth is a number")
    headers: list[tuple[str, str]] = []
    for line in row["headers"]:  # type: ignore[attr-defined]
        name, value = line
        if not isinstance(name, str) or not isinstance(value, str):
            raise NotAList("a header line is two texts")
        headers.append((name, value))
    return Wanted(path, query, role, tuple(headers), float(worth))
