from __future__ import annotations

import sqlite3

import pytest

from steinmetz.monitor.advisor.index import IndexColumn
from steinmetz.monitor.dialects.base import ForeignKey
from steinmetz.monitor.dialects.sqlite_schema import found_tables, keys_and_condition, without_direction


@pytest.mark.parametrize(
    ("ddl", "keys", "condition"),
    [
        ("CREATE INDEX i ON t (a)", ("a",), ""),
        ("create unique index i on t(a,b desc)", ("a", "b desc"), ""),
        (
            "CREATE INDEX i ON t (lower(a), b) WHERE a <> ')' AND b IS NULL",
            ("lower(a)", "b"),
            "a <> ')' AND b IS NULL",
        ),
        ('CREATE INDEX "i (x)" ON "t,(" ("a,b", [c)d])', ('"a,b"', "[c)d]"), ""),
        (
            "CREATE INDEX i ON t (coalesce(a, 'it''s, (') DESC)\n  where b > 0",
            ("coalesce(a, 'it''s, (') DESC",),
            "b > 0",
        ),
    ],
)
def test_an_index_is_read_from_the_text_that_made_it(ddl: str, keys: tuple[str, ...], condition: str) -> None:
    assert keys_and_condition(ddl) == (keys, condition)


@pytest.mark.parametrize(
    ("key", "bare"),
    [
        ("lower(a)", "lower(a)"),
        ("lower(a) DESC", "lower(a)"),
        ("(a + b) asc", "a + b"),
        ("(a) + (b)", "(a) + (b)"),
    ],
)
def test_a_key_is_bared_of_direction_and_brackets(key: str, bare: str) -> None:
    assert without_direction(key) == bare


def test_what_a_catalogue_has() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE parents (a INT, b INT, word TEXT NOT NULL, PRIMARY KEY (b, a)) WITHOUT ROWID;
        CREATE TABLE children (id INTEGER PRIMARY KEY, pa INT, pb INT, other INT REFERENCES children,
            FOREIGN KEY (pb, pa) REFERENCES parents (b, a));
        CREATE INDEX by_word ON parents (word COLLATE NOCASE DESC, a) WHERE a > 0;
        CREATE VIEW seen AS SELECT * FROM parents;
        CREATE VIRTUAL TABLE found USING fts5(body);
        """
    )
    tables = {table.name: table for table in found_tables(connection)}
    connection.close()
    assert set(tables) == {"parents", "children"}
    parents, children = tables["parents"], tables["children"]
    assert parents.primary_key == ("b", "a")
    assert not parents.has_rowid
    assert children.has_rowid
    assert [column.nullable for column in parents.columns] == [False, False, False]
    by_word = next(index for index in parents.indexes if index.name == "by_word")
    assert by_word.columns == (IndexColumn("word", descending=True, compares="COLLATE NOCASE"), IndexColumn("a"))
    assert by_word.where == "a > 0"
    assert set(children.foreign_keys) == {
        ForeignKey(("pb", "pa"), "parents", ("b", "a")),
        ForeignKey(("other",), "children", ("id",)),
    }
