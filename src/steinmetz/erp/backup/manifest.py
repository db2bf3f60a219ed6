"""What a backup says of itself, and whether this release can take it; decides, does no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

FORMAT = "steinmetz-backup"
VERSION = 1
MAX_BYTES = 1_000_000
MAX_TABLES = 1_000

MEMBERS = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
"""What the copy of each engine is called inside the archive."""


class BackupError(RuntimeError):
    """A backup cannot be made or taken; the message is one line that says why, and nothing has been changed."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database: its schema revision, and its tables with their rows."""

    revision: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """``size_bytes`` and ``sha256`` are those of the database's copy; ``server`` is the engine's own version."""

    release: str
    engine: str
    server: str
    created_at: datetime
    contents: Contents
    size_bytes: int
    sha256: str

    @property
    def member(self) -> str:
        return MEMBERS[self.engine]

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "release": self.release,
            "schema": self.contents.revision,
            "engine": self.engine,
            "server": self.server,
            "createdAt": self.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "bytes": self.size_bytes,
            "sha256": self.sha256,
            "rows": self.contents.rows,
        }

    def as_json(self) -> bytes:
        return orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Raises `BackupError` for what is no manifest of this version."""
        try:
            told = orjson.loads(text)
            if not isinstance(told, dict) or told.get("format") != FORMAT:
                raise BackupError("it is no backup of SteinmetZ")
            if told.get("version") != VERSION:
                raise BackupError(f"it is of format {told.get('version')!r}; this release reads format {VERSION}")
            rows = told["rows"]
            created_at = datetime.fromisoformat(told["createdAt"])
            manifest = cls(
                release=_text(told["release"]),
                engine=_text(told["engine"]),
                server=_text(told["server"]),
                created_at=created_at,
                contents=Contents(_text(told["schema"]), {_text(name): _count(rows[name]) for name in rows}),
                size_bytes=_count(told["bytes"]),
                sha256=_text(told["sha256"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BackupError("its manifest cannot be read") from None
        if manifest.engine not in MEMBERS or len(rows) > MAX_TABLES or created_at.tzinfo is None:
            raise BackupError("its manifest cannot be read")
        return manifest


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise ValueError("not a text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def refuse_what_does_not_fit(manifest: Manifest, engine: str, head: str) -> None:
    """Raises `BackupError` if a database of ``engine`` at release schema ``head`` cannot take it."""
    if manifest.engine != engine:
        raise BackupError(
            f"it is a backup of {manifest.engine}, the database here is {engine}: "
            "set STEINMETZ_DATABASE_URL to one of its kind"
        )
    if not re.fullmatch(r"[0-9]{4}", manifest.contents.revision):
        raise BackupError("its manifest cannot be read")
    if manifest.contents.revision > head:
        raise BackupError(
            f"its schema {manifest.contents.revision} is newer than this release's {head}: "
            f"install release {manifest.release}"
        )


def refuse_what_differs(found: Contents, expected: Contents, whose: str) -> None:
    """Raises `BackupError` if ``found`` is not what the manifest, or the original, has."""
    if found.revision != expected.revision:
        raise BackupError(f"{whose} is at schema {found.revision}, and should be at {expected.revision}")
    for name in sorted(found.rows.keys() | expected.rows.keys()):
        if found.rows.get(name) != expected.rows.get(name):
            raise BackupError(
                f"{whose} has {found.rows.get(name, 'no')} rows in {name}, and should have "
                f"{expected.rows.get(name, 'no such table')}"
            )
