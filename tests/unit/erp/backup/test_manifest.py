from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.backup.manifest import (
    BackupError,
    Contents,
    Manifest,
    refuse_what_differs,
    refuse_what_does_not_fit,
)

MANIFEST = Manifest(
    release="0.1.0",
    engine="sqlite",
    server="SQLite 3.40.1",
    created_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    contents=Contents("0008", {"users": 4, "invoices": 0}),
    size_bytes=4_096,
    sha256="0" * 64,
)


def test_what_is_written_is_read() -> None:
    assert Manifest.from_json(MANIFEST.as_json()) == MANIFEST
    assert MANIFEST.as_dict()["createdAt"] == "2026-03-02T09:00:00Z"
    assert MANIFEST.member == "database.sqlite3"


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.data())
def test_a_manifest_with_any_byte_changed_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = bytearray(MANIFEST.as_json())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BackupError):
        read = Manifest.from_json(bytes(text))
        assert read.engine in {"sqlite", "postgresql"}
        assert read.size_bytes >= 0


@pytest.mark.parametrize(
    ("engine", "head", "says"),
    [("postgresql", "0008", "backup of sqlite"), ("sqlite", "0007", "newer than this release's 0007")],
)
def test_a_backup_that_this_database_cannot_take_is_refused(engine: str, head: str, says: str) -> None:
    with pytest.raises(BackupError, match=says):
        refuse_what_does_not_fit(MANIFEST, engine, head)


@pytest.mark.parametrize("head", ["0008", "0012"])
def test_an_older_schema_fits(head: str) -> None:
    refuse_what_does_not_fit(MANIFEST, "sqlite", head)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Contents("0007", {"users": 4, "invoices": 0}), "schema 0007"),
        (Contents("0008", {"users": 3, "invoices": 0}), "3 rows in users"),
        (Contents("0008", {"users": 4}), "no rows in invoices"),
        (Contents("0008", {"users": 4, "invoices": 0, "more": 1}), "no such table"),
    ],
)
def test_a_copy_that_differs_is_refused(found: Contents, says: str) -> None:
    refuse_what_differs(MANIFEST.contents, MANIFEST.contents, "the copy")
    with pytest.raises(BackupError, match=says):
        refuse_what_differs(found, MANIFEST.contents, "the copy")
