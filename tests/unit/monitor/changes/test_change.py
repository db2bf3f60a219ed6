"""What a statement of the schema's language is about."""

from __future__ import annotations

import pytest

from steinmetz.monitor.changes.change import index_made_by, is_temporary, tables_changed_by


@pytest.mark.parametrize(
    ("ddl", "tables", "index"),
    [
        ("CREATE INDEX by_status ON invoices (status)", ("invoices",), "by_status"),
        ('create unique index if not exists "By Status" on main."Order"(a)', ("Order",), "By Status"),
        ("CREATE INDEX CONCURRENTLY i ON ONLY hr.employees USING btree (a)", ("employees",), "i"),
        ("ALTER TABLE IF EXISTS ONLY invoices ADD COLUMN a int", ("invoices",), None),
        ("DROP TABLE customers", ("customers",), None),
        ("CREATE TABLE IF NOT EXISTS notes (id int)", ("notes",), None),
        ("CREATE TRIGGER t AFTER UPDATE OF a ON invoices BEGIN SELECT 1; END", ("invoices",), None),
        ("DROP INDEX by_status", (), None),
        ("CREATE VIEW v AS SELECT 1", (), None),
    ],
)
def test_the_table_and_the_index_of_ddl(ddl: str, tables: tuple[str, ...], index: str | None) -> None:
    assert tables_changed_by(ddl) == tables
    assert index_made_by(ddl) == index


def test_what_is_temporary_is_no_change() -> None:
    assert is_temporary("CREATE TEMP TABLE a (id int)")
    assert is_temporary("create or replace temporary view v AS SELECT 1")
    assert not is_temporary("CREATE TABLE temp_readings (id int)")
