from __future__ import annotations

from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.seed.rows import TABLES


def test_every_row_has_exactly_the_columns_of_its_table() -> None:
    tables = schema().tables

    assert {name: list(row._fields) for row, name in TABLES.items()} == {
        name: [column.name for column in tables[name].columns] for name in TABLES.values()
    }


def test_no_table_comes_before_one_that_it_refers_to() -> None:
    order = list(TABLES.values())
    tables = schema().tables

    for place, name in enumerate(order):
        wanted = {key.column.table.name for key in tables[name].foreign_keys} - {name}
        assert wanted <= set(order[:place]), name


OF_RUNNING = {
    *("sessions", "session_revocations", "sign_in_entries"),
    *("maintenance", "chore_runs", "retention_terms"),
    *("batch_attempts", "batch_results", "batch_origins"),
    "catalog_sources",
}
"""What comes of signing in, of running and of work; no company begins with it."""


def test_every_table_is_seeded_but_those_of_running() -> None:
    assert set(schema().tables) - set(TABLES.values()) == OF_RUNNING
