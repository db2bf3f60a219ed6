from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from steinmetz.monitor.dialects.postgres_session import numbered, refusal


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT $1::INTEGER + $2", "SELECT $1::INTEGER + $2"),
        ("SELECT * FROM t WHERE a = %s AND b = %s", "SELECT * FROM t WHERE a = $1 AND b = $2"),
        ("SELECT %(a)s, %(b)s, %(a)s", "SELECT $1, $2, $1"),
        ("SELECT 5 %% %(a)s", "SELECT 5 % $1"),
        ("SELECT 1", "SELECT 1"),
    ],
)
def test_every_drivers_placeholders_become_numbers(sql: str, expected: str) -> None:
    assert numbered(sql) == expected


class RefusedError(Exception):
    def __init__(self, code: str | None) -> None:
        super().__init__('invalid input syntax for type integer: "geheim"')
        self.sqlstate = code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("42P01", "a table that is not there"),
        ("57014", "too long"),
        ("99999", "SQLSTATE 99999"),
        (None, "Refused"),
    ],
)
def test_a_refusal_tells_the_code_and_not_the_words(code: str | None, reason: str) -> None:
    told = str(refusal(DBAPIError("SELECT 'geheim'", {"a": "geheim"}, RefusedError(code)), "the statement"))
    assert reason in told
    assert "geheim" not in told
