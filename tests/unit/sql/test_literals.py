"""What may be shown of a statement's text: names, and no value however it is quoted."""

from __future__ import annotations

import pytest

from steinmetz.sql.shape import shape_of


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ('SELECT a FROM t WHERE b = "x"', "SELECT a FROM t WHERE b = ?"),
        ('SELECT a FROM t WHERE "x" = b', "SELECT a FROM t WHERE ? = b"),
        ("SELECT a FROM t WHERE b = `x`", "SELECT a FROM t WHERE b = ?"),
        ('SELECT a FROM t WHERE b IN ("x", "y")', "SELECT a FROM t WHERE b IN (?)"),
        ('INSERT INTO t ("B") VALUES ("x"), ("y")', 'INSERT INTO t("B") VALUES (?)'),
        ('UPDATE t SET a = 1, "b" = "x"', 'UPDATE t SET a = ?, "b" = ?'),
        ('SELECT lower("x") FROM t', "SELECT lower(?) FROM t"),
        ('SELECT "t"."A" FROM "t" WHERE "t"."A" = 5', 'SELECT "t"."A" FROM "t" WHERE "t"."A" = ?'),
        ('SELECT a AS "Total" FROM t ORDER BY "Total"', 'SELECT a AS "Total" FROM t ORDER BY "Total"'),
        ('CREATE TABLE "T" ("A" text DEFAULT "x")', 'CREATE TABLE "T"("A" text DEFAULT ?)'),
        ("PRAGMA key = x", "PRAGMA key = ?"),
        ("SET app.who TO x", "SET app.who TO ?"),
        ("ALTER ROLE clerk SET app.who = x", "ALTER ROLE clerk SET app.who = ?"),
        ("ALTER TABLE t RENAME TO u", "ALTER TABLE t RENAME TO u"),
        ("SELECT 0xFF, 1_000, 1e-5, 1.5", "SELECT ?, ?, ?, ?"),
    ],
)
def test_a_quoted_word_is_shown_only_where_a_name_stands(statement: str, shown: str) -> None:
    assert shape_of(statement).text == shown


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'secret",
        'SELECT "secret',
        "SELECT $$secret",
        "SELECT $x$secret$y$",
        "SELECT /* secret",
        "SELECT /* a /* b */ secret */ 1",
        r"SELECT 'a\', secret, 'b'",
        r"SELECT \secret",
    ],
)
def test_where_a_literal_may_go_on_the_text_ends(statement: str) -> None:
    shape = shape_of(statement)
    assert "secret" not in shape.text
    assert shape.text.endswith("…")


def test_texts_that_differ_behind_the_doubt_keep_their_fingerprints() -> None:
    first, second = (shape_of(rf"SELECT 'a\', 'b' FROM {name}") for name in ("t", "u"))
    assert first.text == second.text
    assert first.fingerprint != second.fingerprint


def test_columns_in_quotes_tell_statements_apart_and_values_do_not() -> None:
    assert shape_of('SELECT "A" FROM t').fingerprint != shape_of('SELECT "B" FROM t').fingerprint
    assert (
        shape_of('SELECT a FROM t WHERE b = "x"').fingerprint
        == shape_of('SELECT a FROM t WHERE b = "y"').fingerprint
        == shape_of("SELECT a FROM t WHERE b = 'y'").fingerprint
    )
