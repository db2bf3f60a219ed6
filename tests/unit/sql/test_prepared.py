"""The number of rows in a command tag, as SQLAlchemy reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.sql.prepared import rows_of


def by_sqlalchemy(status: str) -> int:
    found = re.match(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)", status)
    return int(found.group(1)) if found else -1


@pytest.mark.parametrize(
    "tag",
    ["SELECT 0", "SELECT 12", "INSERT 0 7", "UPDATE 3", "DELETE 1", "MERGE 2", "COPY 4", "BEGIN", ""],
)
def test_command_tags(tag: str) -> None:
    assert rows_of(tag.encode()) == by_sqlalchemy(tag)


def test_no_tag_is_no_number() -> None:
    assert rows_of(None) == -1


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(["SELECT", "INSERT 0", "UPDATE", "DELETE", "MERGE", "FETCH"]), st.integers(0, 10**12))
def test_every_number_is_read(verb: str, rows: int) -> None:
    assert rows_of(f"{verb} {rows}".encode()) == by_sqlalchemy(f"{verb} {rows}")
