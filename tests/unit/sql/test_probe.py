"""Which texts the server may be asked about, and how they are put to it."""

from __future__ import annotations

import pytest

from steinmetz.sql.probe import analysable
from steinmetz.sql.shape import binds_of, shape_of


def asked(statement: str, style: str = "numeric_dollar") -> str | None:
    return analysable(shape_of(statement), statement, style=style)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("  WITH a AS (DELETE FROM t) SELECT $1 ; ", "WITH a AS (DELETE FROM t) SELECT $1 "),
        ("(SELECT 1)", "(SELECT 1)"),
        ("DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT 1", "SELECT 1"),
        ("EXPLAIN (ANALYZE, COSTS off) SELECT 1", "SELECT 1"),
        ("explain analyze verbose insert into t values (1)", "insert into t values (1)"),
        ("COPY (SELECT a FROM t WHERE (b)) TO STDOUT WITH (FORMAT csv)", "SELECT a FROM t WHERE (b)"),
    ],
)
def test_what_is_asked(statement: str, text: str) -> None:
    assert asked(statement) == text


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE t", "COPY t FROM STDIN", "CALL f()", "DO $$ BEGIN END $$", "EXPLAIN EXECUTE p", "LOCK TABLE t",
     "SELECT 1; DELETE FROM t", "SELECT '\\'; DELETE FROM t; --'", "REFRESH MATERIALIZED VIEW v", "DECLARE c"],
)  # fmt: skip
def test_what_is_not_asked(statement: str) -> None:
    assert asked(statement) is None


@pytest.mark.parametrize(
    ("statement", "style", "text"),
    [
        ("SELECT $1, $2", "numeric_dollar", "SELECT $1, $2"),
        ("SELECT %(a)s, %(b)s, %(a)s", "pyformat", "SELECT $1, $2, $1"),
        ("SELECT %s::text, %s", "format", "SELECT $1::text, $2"),
        (
            "SELECT a %% 2 FROM t WHERE b LIKE 'x%%' AND c = %s",
            "format",
            "SELECT a % 2 FROM t WHERE b LIKE 'x%' AND c = $1",
        ),
        ("SELECT ?", "qmark", None),
    ],
)
def test_parameters_are_numbered(statement: str, style: str, text: str | None) -> None:
    assert binds_of(statement, style) == text
