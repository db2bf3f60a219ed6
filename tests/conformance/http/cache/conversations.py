"""Conversations with a cache and the origin behind it, as the rows of the files beside this one write them.

    wait SECONDS
    REQUEST [-> ORIGIN [?> SEEN]] => RESPONSE [&& ORIGIN [?> SEEN]]

    REQUEST   METHOD TARGET | field: value | body: text
    ORIGIN    STATUS BODY | field: value          what it answers; it must be asked, and without an arrow must not
              error                               or it breaks off before it answers
    SEEN      field: value | !field | body: text  what of the request must have reached the origin, or must not
    RESPONSE  STATUS BODY | field: value | !field what the client must get

``&&``: the origin is asked after the client has been answered. ``-`` is an empty body; a RESPONSE without a body
does not look at it. ``{now+60}`` is an HTTP-date, 60 s from now. ``date: !`` takes away the Date that an origin
otherwise sends. A value that begins with ``~`` need only be contained. A field that an expectation names several
times must be there in as many lines, with these values in their order.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOORS = ("asgi", "uvicorn")
_NOW = re.compile(r"\{now([+-]\d+)?\}")


@dataclass(frozen=True)
class Origin:
    """What the origin answers, and what must have reached it."""

    answer: Written | None
    seen: Written


@dataclass(frozen=True)
class Written:
    """Words in front, then fields; ``absent`` are the names with an exclamation mark."""

    words: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    request: Written
    response: Written
    origin: Origin | None = None
    behind: Origin | None = None


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Row:
    file: str
    name: str
    rfc: str
    steps: tuple[Step | Wait, ...]
    doors: tuple[str, ...] = DOORS
    route: dict[str, Any] = field(default_factory=dict)


def rows() -> list[Row]:
    """Every row of every file, in order."""
    return [row for path in sorted(HERE.glob("*.toml")) for row in _rows_of(path)]


def _rows_of(path: Path) -> list[Row]:
    written = tomllib.loads(path.read_text("utf-8"))["row"]
    return [
        Row(
            path.stem,
            row["name"],
            row["rfc"],
            tuple(map(_step, row["steps"])),
            tuple(row.get("doors", DOORS)),
            row.get("route", {}),
        )
        for row in written
    ]


def _step(text: str) -> Step | Wait:
    if text.startswith("wait "):
        return Wait(float(text.removeprefix("wait ")))
    asked, _, told = text.partition(" => ")
    request, arrow, origin = asked.partition(" -> ")
    told, behind_arrow, behind = told.partition(" && ")
    return Step(
        _written(request),
        _written(told),
        _origin(origin) if arrow else None,
        _origin(behind) if behind_arrow else None,
    )


def _origin(text: str) -> Origin:
    answer, _, seen = text.partition(" ?> ")
    expected = _written(f"- | {seen}" if seen else "-")
    return Origin(None if answer.strip() == "error" else _written(answer), expected)


def _written(text: str) -> Written:
    words, *rest = text.split(" | ")
    fields, absent = [], []
    for part in map(str.strip, rest):
        if part.startswith("!"):
            absent.append(part[1:])
        else:
            name, _, value = part.partition(":")
            fields.append((name.strip(), value.strip()))
    return Written(tuple(words.split()), tuple(fields), tuple(absent))


def at(value: str, now_s: float, http_date: Any) -> str:
    """``value`` with its dates put in."""
    return _NOW.sub(lambda found: http_date(now_s + int(found[1] or 0)).decode(), value)
